/* json.c - building and reading the tree. */
#include "base/json.h"

static struct json *json_new(struct arena *a, enum json_type type)
{
    struct json *node = arena_new(a, struct json);
    node->type = type;
    return node;
}

struct json *json_null(struct arena *a)
{
    return json_new(a, JSON_NULL);
}

struct json *json_bool(struct arena *a, bool value)
{
    struct json *node = json_new(a, JSON_BOOL);
    node->boolean = value;
    return node;
}

struct json *json_object(struct arena *a)
{
    return json_new(a, JSON_OBJECT);
}

struct json *json_array(struct arena *a)
{
    return json_new(a, JSON_ARRAY);
}

struct json *json_int(struct arena *a, int64_t value)
{
    struct json *node = json_new(a, JSON_NUMBER);
    node->text = arena_printf(a, "%lld", (long long)value);
    return node;
}

struct json *json_string(struct arena *a, str_t value)
{
    struct json *node = json_new(a, JSON_STRING);
    node->text = value;
    return node;
}

static bool has_children(const struct json *json)
{
    return json != NULL && (json->type == JSON_OBJECT || json->type == JSON_ARRAY);
}

struct json *json_clone(const struct json *json, struct arena *a)
{
    struct json *copy = json_new(a, json->type);
    copy->boolean = json->boolean;
    if (has_children(json)) {
        JSON_EACH(json, child)
        json_add(copy, arena_str(a, child->key), json_clone(child, a));
    } else {
        copy->text = arena_str(a, json->text);
    }
    return copy;
}

struct json *json_add(struct json *parent, str_t key, struct json *child)
{
    MUST(has_children(parent));
    child->key = key;
    child->next = NULL;
    if (parent->first == NULL)
        parent->first = child;
    else
        parent->last->next = child;
    parent->last = child;
    return parent;
}

void json_set(struct json *object, str_t key, struct json *value)
{
    struct json *before = NULL;
    for (struct json *child = object->first; child != NULL; before = child, child = child->next) {
        if (!str_eq(child->key, key))
            continue;
        value->key = child->key;
        value->next = child->next;
        if (before == NULL)
            object->first = value;
        else
            before->next = value;
        if (object->last == child)
            object->last = value;
        return;
    }
    json_add(object, key, value);
}

bool json_remove(struct json *object, str_t key)
{
    if (object == NULL || object->type != JSON_OBJECT)
        return false;
    struct json *before = NULL;
    for (struct json *child = object->first; child != NULL; before = child, child = child->next) {
        if (!str_eq(child->key, key))
            continue;
        if (before == NULL)
            object->first = child->next;
        else
            before->next = child->next;
        if (object->last == child)
            object->last = before;
        return true;
    }
    return false;
}

struct json *json_get(const struct json *object, str_t key)
{
    if (object == NULL || object->type != JSON_OBJECT)
        return NULL;
    for (struct json *child = object->first; child != NULL; child = child->next)
        if (str_eq(child->key, key))
            return child;
    return NULL;
}

struct json *json_at(const struct json *object, const char *dotted_path)
{
    str_t rest = str_from_z(dotted_path), part;
    struct json *at = (struct json *)object;
    while (rest.len > 0) {
        str_cut(rest, '.', &part, &rest);
        at = json_get(at, part);
    }
    return at;
}

str_t json_text(const struct json *json, str_t otherwise)
{
    return json != NULL && json->type == JSON_STRING ? json->text : otherwise;
}

str_t json_get_text(const struct json *object, str_t key)
{
    return json_text(json_get(object, key), STR(""));
}

bool json_to_i64(const struct json *json, int64_t *out)
{
    return json != NULL && json->type == JSON_NUMBER && str_to_i64(json->text, out);
}

bool json_is_true(const struct json *json)
{
    return json != NULL && json->type == JSON_BOOL && json->boolean;
}

size_t json_count(const struct json *parent)
{
    size_t n = 0;
    if (has_children(parent))
        JSON_EACH(parent, child)
    n++;
    return n;
}

static bool items_eq(const struct json *a, const struct json *b)
{
    const struct json *other = b->first;
    for (const struct json *item = a->first; item != NULL; item = item->next, other = other->next)
        if (other == NULL || !json_eq(item, other))
            return false;
    return other == NULL;
}

/* Members mostly stand in the same order; the table is made when they do not. */
static bool members_eq(const struct json *a, const struct json *b)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json_index index = {0};
    const struct json *other = b->first;
    if (json_count(a) != json_count(b))
        return false;
    JSON_EACH(a, child)
    {
        const struct json *same = other;
        if (other == NULL || !str_eq(other->key, child->key)) {
            if (index.object == NULL)
                json_index_init(&index, b, &arena);
            same = json_index_get(&index, child->key);
        }
        if (same == NULL || !json_eq(child, same))
            return false;
        other = same->next;
    }
    return true;
}

bool json_eq(const struct json *a, const struct json *b)
{
    if (a == NULL || b == NULL || a->type != b->type)
        return a == b;
    switch (a->type) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return a->boolean == b->boolean;
    case JSON_NUMBER:
    case JSON_STRING:
        return str_eq(a->text, b->text);
    case JSON_ARRAY:
        return items_eq(a, b);
    case JSON_OBJECT:
        return members_eq(a, b);
    }
    return false;
}
