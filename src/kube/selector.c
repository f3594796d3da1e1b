/* selector.c - a list of requirements, all of which must hold. */
#include "kube/selector.h"

#include <string.h>

enum { REQUIREMENTS_MAX = 100, VALUES_MAX = 1000 };

enum op { OP_IN, OP_NOT_IN, OP_EXISTS, OP_ABSENT };

struct requirement {
    struct requirement *next;
    enum op op;
    str_t key;        /* A label, or a field's dotted path. */
    const char *path; /* Of a field: where it stands in the object. */
    struct json *values;
};

struct selector {
    struct requirement *first;
    unsigned n;
    bool fields;
};

static struct requirement *add(struct selector *selector, struct arena *arena, str_t key,
                               enum op op)
{
    struct requirement *requirement = arena_new(arena, struct requirement);
    requirement->key = key;
    requirement->op = op;
    requirement->values = json_array(arena);
    struct requirement **end = &selector->first;
    while (*end != NULL)
        end = &(*end)->next;
    *end = requirement;
    selector->n++;
    return requirement;
}

static void skip_blank(str_t *text)
{
    while (text->len > 0 && (text->at[0] == ' ' || text->at[0] == '\t'))
        *text = (str_t){text->at + 1, text->len - 1};
}

static str_t take_word(str_t *text)
{
    skip_blank(text);
    size_t n = 0;
    while (n < text->len && strchr(" \t,=!()<>", text->at[n]) == NULL)
        n++;
    str_t word = {text->at, n};
    *text = (str_t){text->at + n, text->len - n};
    skip_blank(text);
    return word;
}

static bool take(str_t *text, str_t token)
{
    if (!str_starts(*text, token))
        return false;
    *text = (str_t){text->at + token.len, text->len - token.len};
    skip_blank(text);
    return true;
}

static int bad(str_t text, const char *expected, struct err *err)
{
    return err_set(err, ERR_INVALID, "unable to parse requirement: found '" STR_F "', expected: %s",
                   STR_A(text), expected);
}

static int values(str_t *text, struct requirement *requirement, struct arena *arena,
                  struct err *err)
{
    if (!take(text, STR("(")))
        return bad(*text, "'('", err);
    do {
        if (json_count(requirement->values) == VALUES_MAX)
            return err_set(err, ERR_INVALID, "a selector has too many values");
        json_add(requirement->values, STR(""), json_string(arena, take_word(text)));
    } while (take(text, STR(",")));
    return take(text, STR(")")) ? 0 : bad(*text, "',' or ')'", err);
}

static int requirement(str_t *text, struct selector *selector, struct arena *arena, struct err *err)
{
    bool absent = take(text, STR("!"));
    str_t key = take_word(text);
    if (key.len == 0)
        return bad(*text, "identifier", err);
    if (absent || text->len == 0 || text->at[0] == ',') {
        add(selector, arena, key, absent ? OP_ABSENT : OP_EXISTS);
        return 0;
    }
    if (text->at[0] == '=' || text->at[0] == '!') {
        bool not = take(text, STR("!="));
        if (!not &&!take(text, STR("==")) && !take(text, STR("=")))
            return bad(*text, "!, in, notin, =, ==, !=", err);
        struct requirement *equal = add(selector, arena, key, not ? OP_NOT_IN : OP_IN);
        json_add(equal->values, STR(""), json_string(arena, take_word(text)));
        return 0;
    }
    str_t word = take_word(text);
    if (str_eq(word, STR("in")))
        return values(text, add(selector, arena, key, OP_IN), arena, err);
    if (str_eq(word, STR("notin")))
        return values(text, add(selector, arena, key, OP_NOT_IN), arena, err);
    return bad(word, "!, in, notin, =, ==, !=", err);
}

int label_selector_parse(str_t text, struct arena *arena, struct selector **out, struct err *err)
{
    struct selector *selector = arena_new(arena, struct selector);
    skip_blank(&text);
    while (text.len > 0) {
        if (selector->n == REQUIREMENTS_MAX)
            return err_set(err, ERR_INVALID, "a selector has too many requirements");
        int r = requirement(&text, selector, arena, err);
        if (r < 0)
            return r;
        if (text.len > 0 && (!take(&text, STR(",")) || text.len == 0))
            return bad(text, "',' or the end", err);
    }
    *out = selector;
    return 0;
}

static const char *field_path(const struct kind *kind, str_t key)
{
    if (str_eq(key, STR("metadata.name")))
        return "metadata.name";
    if (str_eq(key, STR("metadata.namespace")) && kind->namespaced)
        return "metadata.namespace";
    const struct field_selector *known = kind->selectors;
    for (; known != NULL && known->path != NULL; known++)
        if (str_eq(key, str_from_z(known->path)))
            return known->json_path != NULL ? known->json_path : known->path;
    return NULL;
}

int field_selector_parse(const struct kind *kind, str_t text, struct arena *arena,
                         struct selector **out, struct err *err)
{
    struct selector *selector = arena_new(arena, struct selector);
    selector->fields = true;
    while (text.len > 0) {
        str_t term, key, value;
        str_cut(text, ',', &term, &text);
        if (term.len == 0)
            continue;
        if (selector->n == REQUIREMENTS_MAX)
            return err_set(err, ERR_INVALID, "a selector has too many requirements");
        if (!str_cut(term, '=', &key, &value))
            return err_set(err, ERR_INVALID,
                           "invalid selector: '" STR_F "'; can't understand '" STR_F "'",
                           STR_A(term), STR_A(term));
        bool not = key.len > 0 && key.at[key.len - 1] == '!';
        if (not )
            key.len--;
        else if (value.len > 0 && value.at[0] == '=')
            value = (str_t){value.at + 1, value.len - 1};
        const char *path = field_path(kind, key);
        if (path == NULL)
            return err_set(err, ERR_INVALID, "field label not supported: " STR_F, STR_A(key));
        struct requirement *equal = add(selector, arena, key, not ? OP_NOT_IN : OP_IN);
        equal->path = path;
        json_add(equal->values, STR(""), json_string(arena, value));
    }
    *out = selector;
    return 0;
}

static bool is_in(const struct json *values_, str_t text)
{
    JSON_EACH(values_, value)
    if (str_eq(value->text, text))
        return true;
    return false;
}

static bool holds(const struct requirement *requirement, const struct json *found, bool field)
{
    bool there = found != NULL && found->type != JSON_NULL;
    str_t text = json_text(found, STR(""));
    switch (requirement->op) {
    case OP_IN:
        return (there || field) && is_in(requirement->values, text);
    case OP_NOT_IN: /* Also true where the label is not there. */
        return (!there && !field) || !is_in(requirement->values, text);
    case OP_EXISTS:
        return there;
    case OP_ABSENT:
        return !there;
    }
    return false;
}

static bool matches(const struct selector *selector, const struct json *object)
{
    if (selector == NULL || selector->first == NULL)
        return true;
    const struct json *labels = selector->fields ? NULL : json_at(object, "metadata.labels");
    for (const struct requirement *r = selector->first; r != NULL; r = r->next) {
        const struct json *found =
            selector->fields ? json_at(object, r->path) : json_get(labels, r->key);
        if (!holds(r, found, selector->fields))
            return false;
    }
    return true;
}

bool selector_matches(const struct selector *labels, const struct selector *fields,
                      const struct json *object)
{
    return matches(labels, object) && matches(fields, object);
}

bool selector_is_empty(const struct selector *selector)
{
    return selector == NULL || selector->first == NULL;
}

str_t selector_name(const struct selector *fields)
{
    if (fields == NULL)
        return STR("");
    for (const struct requirement *r = fields->first; r != NULL; r = r->next)
        if (r->op == OP_IN && str_eq(r->key, STR("metadata.name")))
            return r->values->first->text;
    return STR("");
}
