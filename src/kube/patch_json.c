/*
 * patch_json.c - JSON Patch (RFC 6902) with JSON pointers (RFC 6901).
 *
 * The document is a copy that is changed in place; an operation that fails leaves the caller's
 * document as it was. `copy` may double a document with each operation: what it makes is counted.
 */
#include "kube/patch.h"

#include <string.h>

enum { OPERATIONS_MAX = 10000, COPIED_NODES_MAX = 1 << 20 };

struct patching {
    struct json *root;
    struct arena *arena;
    struct err *err;
    size_t copied;
};

static size_t count_nodes(const struct json *json)
{
    size_t n = 1;
    if (json->type == JSON_ARRAY || json->type == JSON_OBJECT)
        JSON_EACH(json, child)
    n += count_nodes(child);
    return n;
}

/* "~1" is a slash, "~0" a tilde. */
static str_t unescape(str_t token, struct arena *arena)
{
    if (token.len == 0 || memchr(token.at, '~', token.len) == NULL)
        return token;
    char *out = arena_bytes(arena, token.len);
    size_t n = 0;
    for (size_t i = 0; i < token.len; i++) {
        bool escape = token.at[i] == '~' && i + 1 < token.len &&
                      (token.at[i + 1] == '0' || token.at[i + 1] == '1');
        if (escape && token.at[++i] == '0')
            out[n++] = '~';
        else
            out[n++] = (char)(escape ? '/' : token.at[i]);
    }
    return (str_t){out, n};
}

/* An index as RFC 6901 writes it, at most `n`. */
static bool index_of(str_t token, size_t n, size_t *out)
{
    int64_t number;
    if (token.len == 0 || (token.len > 1 && token.at[0] == '0') || token.at[0] == '-' ||
        token.at[0] == '+' || !str_to_i64(token, &number) || (uint64_t)number > n)
        return false;
    *out = (size_t)number;
    return true;
}

static struct json *item_at(const struct json *list, size_t i)
{
    struct json *item = list->first;
    while (item != NULL && i-- > 0)
        item = item->next;
    return item;
}

static struct json *child_of(const struct json *parent, str_t token)
{
    size_t i;
    if (parent->type == JSON_OBJECT)
        return json_get(parent, token);
    if (parent->type != JSON_ARRAY || !index_of(token, json_count(parent), &i))
        return NULL;
    return item_at(parent, i);
}

static int missing(struct patching *p, str_t path)
{
    return err_set(p->err, ERR_INVALID, "the path \"" STR_F "\" does not exist: missing value",
                   STR_A(path));
}

/* The container that the last step of `path` is in, and that step. */
static int find_parent(struct patching *p, str_t path, struct json **parent, str_t *last)
{
    if (path.len == 0 || path.at[0] != '/')
        return missing(p, path);
    str_t rest = {path.at + 1, path.len - 1}, token;
    struct json *at = p->root;
    while (str_cut(rest, '/', &token, &rest)) {
        at = child_of(at, unescape(token, p->arena));
        if (at == NULL)
            return missing(p, path);
    }
    if (at->type != JSON_OBJECT && at->type != JSON_ARRAY)
        return missing(p, path);
    *parent = at;
    *last = unescape(token, p->arena);
    return 0;
}

static int find(struct patching *p, str_t path, struct json **out)
{
    struct json *parent = NULL;
    str_t last = {0};
    if (path.len == 0) {
        *out = p->root;
        return 0;
    }
    int r = find_parent(p, path, &parent, &last);
    if (r < 0)
        return r;
    MUST(parent != NULL);
    *out = child_of(parent, last);
    return *out == NULL ? missing(p, path) : 0;
}

static void insert_at(struct json *list, size_t at, struct json *value)
{
    struct json *before = at == 0 ? NULL : item_at(list, at - 1);
    value->next = before == NULL ? list->first : before->next;
    if (before == NULL)
        list->first = value;
    else
        before->next = value;
    if (value->next == NULL)
        list->last = value;
}

static void take_out(struct json *parent, struct json *gone)
{
    struct json *before = NULL;
    for (struct json *child = parent->first; child != gone; child = child->next)
        before = child;
    if (before == NULL)
        parent->first = gone->next;
    else
        before->next = gone->next;
    if (gone->next == NULL)
        parent->last = before;
    gone->next = NULL;
}

static int add(struct patching *p, str_t path, struct json *value)
{
    struct json *parent = NULL;
    str_t last = {0};
    size_t i;
    if (path.len == 0) {
        p->root = value;
        return 0;
    }
    int r = find_parent(p, path, &parent, &last);
    if (r < 0)
        return r;
    MUST(parent != NULL);
    if (parent->type == JSON_OBJECT) {
        json_set(parent, last, value);
        return 0;
    }
    size_t n = json_count(parent);
    if (str_eq(last, STR("-")))
        i = n;
    else if (!index_of(last, n, &i))
        return err_set(p->err, ERR_INVALID,
                       "\"" STR_F "\" is no index of the list at \"" STR_F "\"", STR_A(last),
                       STR_A(path));
    insert_at(parent, i, value);
    return 0;
}

static int take(struct patching *p, str_t path, struct json **out)
{
    struct json *parent = NULL;
    str_t last = {0};
    int r = find_parent(p, path, &parent, &last);
    if (r < 0)
        return r;
    MUST(parent != NULL);
    *out = child_of(parent, last);
    if (*out == NULL)
        return missing(p, path);
    take_out(parent, *out);
    return 0;
}

static int replace(struct patching *p, str_t path, struct json *value)
{
    struct json *old = NULL;
    int r = find(p, path, &old);
    if (r < 0)
        return r;
    if (path.len == 0) {
        p->root = value;
        return 0;
    }
    struct json *next = old->next;
    str_t key = old->key;
    *old = *value; /* In its place. */
    old->next = next;
    old->key = key;
    return 0;
}

static int test(struct patching *p, str_t path, const struct json *wanted)
{
    struct json *is = NULL;
    struct err quiet, *err = p->err;
    p->err = &quiet;
    int r = find(p, path, &is);
    p->err = err;
    /* A member that is not there equals null: clients ask so whether it is absent. */
    bool same = r == 0 ? json_eq(is, wanted) : wanted->type == JSON_NULL;
    if (same)
        return 0;
    return err_set(err, ERR_CONFLICT, "testing path \"" STR_F "\" failed: test failed",
                   STR_A(path));
}

static struct json *copy_of(struct patching *p, const struct json *value)
{
    p->copied += count_nodes(value);
    return p->copied > COPIED_NODES_MAX ? NULL : json_clone(value, p->arena);
}

static int copy_or_move(struct patching *p, str_t from, str_t path, bool move)
{
    struct json *value = NULL;
    str_t below = arena_printf(p->arena, STR_F "/", STR_A(from));
    if (move && str_starts(path, below))
        return err_set(p->err, ERR_INVALID, "\"" STR_F "\" cannot be moved into itself",
                       STR_A(from));
    int r = move ? take(p, from, &value) : find(p, from, &value);
    if (r < 0)
        return r;
    struct json *copy = copy_of(p, value);
    if (copy == NULL)
        return err_set(p->err, ERR_INVALID, "the patch copies too much");
    return add(p, path, copy);
}

static int apply_one(struct patching *p, const struct json *operation)
{
    str_t op = json_get_text(operation, STR("op"));
    const struct json *path_json = json_get(operation, STR("path"));
    const struct json *from_json = json_get(operation, STR("from"));
    const struct json *value = json_get(operation, STR("value"));
    if (path_json == NULL || path_json->type != JSON_STRING)
        return err_set(p->err, ERR_INVALID, "an operation of a JSON patch needs a path");
    str_t path = path_json->text;
    if (str_eq(op, STR("remove"))) {
        struct json *gone = NULL;
        return take(p, path, &gone);
    }
    if (str_eq(op, STR("move")) || str_eq(op, STR("copy"))) {
        if (from_json == NULL || from_json->type != JSON_STRING)
            return err_set(p->err, ERR_INVALID, "\"" STR_F "\" needs \"from\"", STR_A(op));
        return copy_or_move(p, from_json->text, path, str_eq(op, STR("move")));
    }
    bool sets = str_eq(op, STR("add")) || str_eq(op, STR("replace"));
    if (!sets && !str_eq(op, STR("test")))
        return err_set(p->err, ERR_INVALID, "unexpected kind: " STR_F, STR_A(op));
    if (value == NULL && sets)
        return err_set(p->err, ERR_INVALID, "\"" STR_F "\" needs a value", STR_A(op));
    if (value == NULL)
        value = json_null(p->arena);
    if (!sets)
        return test(p, path, value);
    struct json *copy = copy_of(p, value);
    if (copy == NULL)
        return err_set(p->err, ERR_INVALID, "the patch is too large");
    return str_eq(op, STR("add")) ? add(p, path, copy) : replace(p, path, copy);
}

int patch_json(const struct json *object, const struct json *patch, struct arena *arena,
               struct json **out, struct err *err)
{
    struct patching p = {.root = json_clone(object, arena), .arena = arena, .err = err};
    if (patch->type != JSON_ARRAY)
        return err_set(err, ERR_INVALID, "a JSON patch is a list of operations");
    size_t n = json_count(patch);
    if (n > OPERATIONS_MAX)
        return err_set(err, ERR_INVALID,
                       "The allowed maximum operations in a JSON patch is %d, got %zu",
                       (int)OPERATIONS_MAX, n);
    JSON_EACH(patch, operation)
    {
        int r = apply_one(&p, operation);
        if (r < 0)
            return r;
    }
    *out = p.root;
    return 0;
}
