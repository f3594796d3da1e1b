/* jsonpath.c - one step after the other; a filter takes the first item that fits. */
#include "kube/jsonpath.h"

enum step_kind { STEP_END, STEP_NAME, STEP_INDEX, STEP_ALL, STEP_FILTER, STEP_BROKEN };

struct step {
    enum step_kind kind;
    str_t name; /* Of a member, or what a filter looks at. */
    str_t value;
    int64_t index;
};

static bool starts_with(str_t text, const char *word)
{
    return str_starts(text, str_from_z(word));
}

static void skip(str_t *text, size_t n)
{
    *text = (str_t){text->at + n, text->len - n};
}

/* Up to one of `ends`, a backslash keeping the next byte; what was read stays escaped. */
static str_t until(str_t *rest, const char *ends)
{
    size_t n = 0;
    for (; n < rest->len; n++) {
        if (rest->at[n] == '\\' && n + 1 < rest->len) {
            n++;
            continue;
        }
        const char *end = ends;
        while (*end != '\0' && *end != rest->at[n])
            end++;
        if (*end != '\0')
            break;
    }
    str_t out = {rest->at, n};
    skip(rest, n);
    return out;
}

/* `'a.b']` or `"a.b"]` */
static struct step quoted(str_t *rest)
{
    char quote[2] = {rest->at[0], '\0'};
    skip(rest, 1);
    struct step step = {STEP_NAME, until(rest, quote), {0}, 0};
    if (rest->len < 2 || rest->at[1] != ']')
        return (struct step){.kind = STEP_BROKEN};
    skip(rest, 2);
    return step;
}

/* `@.type=="Ready")]` */
static struct step filter(str_t *rest)
{
    struct step step = {.kind = STEP_FILTER};
    if (!starts_with(*rest, "@."))
        return (struct step){.kind = STEP_BROKEN};
    skip(rest, 2);
    step.name = until(rest, "= ");
    while (rest->len > 0 && rest->at[0] == ' ')
        skip(rest, 1);
    if (!starts_with(*rest, "=="))
        return (struct step){.kind = STEP_BROKEN};
    skip(rest, 2);
    while (rest->len > 0 && rest->at[0] == ' ')
        skip(rest, 1);
    if (rest->len == 0 || (rest->at[0] != '"' && rest->at[0] != '\''))
        return (struct step){.kind = STEP_BROKEN};
    char quote[2] = {rest->at[0], '\0'};
    skip(rest, 1);
    step.value = until(rest, quote);
    if (rest->len < 3 || rest->at[1] != ')' || rest->at[2] != ']')
        return (struct step){.kind = STEP_BROKEN};
    skip(rest, 3);
    return step;
}

static struct step bracket(str_t *rest)
{
    skip(rest, 1);
    if (rest->len > 0 && (rest->at[0] == '\'' || rest->at[0] == '"'))
        return quoted(rest);
    if (starts_with(*rest, "?(")) {
        skip(rest, 2);
        return filter(rest);
    }
    str_t inner = until(rest, "]");
    if (rest->len == 0)
        return (struct step){.kind = STEP_BROKEN};
    skip(rest, 1);
    struct step step = {.kind = STEP_INDEX};
    if (str_eq(inner, STR("*")))
        step.kind = STEP_ALL;
    else if (!str_to_i64(inner, &step.index))
        step.kind = STEP_BROKEN;
    return step;
}

static struct step next_step(str_t *rest)
{
    if (rest->len == 0)
        return (struct step){.kind = STEP_END};
    if (rest->at[0] == '[')
        return bracket(rest);
    if (rest->at[0] != '.')
        return (struct step){.kind = STEP_BROKEN};
    skip(rest, 1);
    if (rest->len > 0 && rest->at[0] == '[')
        return bracket(rest);
    str_t name = until(rest, ".[");
    if (str_eq(name, STR("*")))
        return (struct step){.kind = STEP_ALL};
    return (struct step){name.len > 0 ? STEP_NAME : STEP_BROKEN, name, {0}, 0};
}

static bool is_whole(str_t path)
{
    return path.len == 0 || str_eq(path, STR("."));
}

int jsonpath_check(str_t path, struct err *err)
{
    str_t rest = path;
    if (path.len > JSONPATH_LEN_MAX)
        return err_set(err, ERR_INVALID, "it has more than %d bytes", (int)JSONPATH_LEN_MAX);
    if (is_whole(path))
        return 0;
    for (;;) {
        struct step step = next_step(&rest);
        if (step.kind == STEP_END)
            return 0;
        if (step.kind == STEP_BROKEN)
            return err_set(err, ERR_INVALID, "is not a JSONPath this server understands");
    }
}

/* A name in a path may have escaped dots. */
static bool same_name(str_t key, str_t name)
{
    size_t k = 0;
    for (size_t i = 0; i < name.len; i++, k++) {
        if (name.at[i] == '\\' && i + 1 < name.len)
            i++;
        if (k >= key.len || key.at[k] != name.at[i])
            return false;
    }
    return k == key.len;
}

static const struct json *member(const struct json *object, str_t name)
{
    if (object->type == JSON_OBJECT)
        JSON_EACH(object, child)
    if (same_name(child->key, name))
        return child;
    return NULL;
}

static const struct json *item(const struct json *list, int64_t index)
{
    if (list->type != JSON_ARRAY)
        return NULL;
    if (index < 0)
        index += (int64_t)json_count(list);
    const struct json *at = index < 0 ? NULL : list->first;
    while (at != NULL && index-- > 0)
        at = at->next;
    return at;
}

static const struct json *fitting(const struct json *list, const struct step *step)
{
    if (list->type == JSON_ARRAY)
        JSON_EACH(list, each)
        {
            const struct json *at = each;
            str_t rest = step->name, name;
            while (at != NULL && rest.len > 0) {
                str_cut(rest, '.', &name, &rest);
                at = member(at, name);
            }
            if (at != NULL && at->type == JSON_STRING && str_eq(at->text, step->value))
                return each;
        }
    return NULL;
}

const struct json *jsonpath_get(const struct json *object, str_t path)
{
    str_t rest = path;
    if (is_whole(path))
        return object;
    while (object != NULL) {
        struct step step = next_step(&rest);
        switch (step.kind) {
        case STEP_END:
            return object;
        case STEP_NAME:
            object = member(object, step.name);
            break;
        case STEP_INDEX:
            object = item(object, step.index);
            break;
        case STEP_ALL:
            object =
                object->type == JSON_ARRAY || object->type == JSON_OBJECT ? object->first : NULL;
            break;
        case STEP_FILTER:
            object = fitting(object, &step);
            break;
        case STEP_BROKEN:
            return NULL;
        }
    }
    return NULL;
}
