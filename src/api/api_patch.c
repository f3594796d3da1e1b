/*
 * api_patch.c - strategic merge patch: a merge patch that knows which lists are sets.
 *
 * Lists of objects with a merge key are merged item by item, lists that the table calls sets
 * (finalizers) value by value, everything else as RFC 7386 does. Directives: `$patch:
 * replace|delete`,
 * `$retainKeys`, `$deleteFromPrimitiveList/x`; `$setElementOrder/x` orders nothing we keep ordered.
 */
#include "api/api_priv.h"

static struct json *merge_object(const struct schema *schema, const struct json *object,
                                 const struct json *patch, struct arena *arena);

static const struct field *field_of(const struct schema *schema, str_t name)
{
    if (schema == NULL)
        return NULL;
    for (const struct field *field = schema->fields; field->name != NULL; field++)
        if (str_eq(name, str_from_z(field->name)))
            return field;
    return NULL;
}

static bool has(const struct json *list, const struct json *value)
{
    JSON_EACH(list, item)
    if (json_eq(item, value))
        return true;
    return false;
}

static void remove_item(struct json *list, const struct json *gone)
{
    struct json *first = list->first;
    list->first = list->last = NULL;
    for (struct json *item = first, *next; item != NULL; item = next) {
        next = item->next;
        if (item != gone)
            json_add(list, STR(""), item);
    }
}

static struct json *find_item(const struct json *list, str_t key, const struct json *like)
{
    const struct json *wanted = json_get(like, key);
    JSON_EACH(list, item)
    if (wanted != NULL && json_eq(json_get(item, key), wanted))
        return item;
    return NULL;
}

static bool directive_is(const struct json *patch, str_t word)
{
    return str_eq(json_get_text(patch, STR("$patch")), word);
}

static struct json *merge_items(const struct field *field, const struct json *list,
                                const struct json *patch, struct arena *arena)
{
    str_t key = str_from_z(field->merge_key);
    struct json *merged =
        list != NULL && list->type == JSON_ARRAY ? json_clone(list, arena) : json_array(arena);
    JSON_EACH(patch, change)
    {
        if (directive_is(change, STR("replace")))
            merged = json_array(arena);
    }
    JSON_EACH(patch, change)
    {
        struct json *same = find_item(merged, key, change);
        if (directive_is(change, STR("replace")) && json_get(change, key) == NULL)
            continue;
        if (directive_is(change, STR("delete"))) {
            if (same != NULL)
                remove_item(merged, same);
            continue;
        }
        struct json *item = merge_object(field->of, same, change, arena);
        if (same == NULL) {
            json_add(merged, STR(""), item);
        } else {
            same->first = item->first; /* In its place. */
            same->last = item->last;
        }
    }
    return merged;
}

static struct json *merge_set(const struct json *list, const struct json *patch,
                              struct arena *arena)
{
    struct json *merged =
        list != NULL && list->type == JSON_ARRAY ? json_clone(list, arena) : json_array(arena);
    JSON_EACH(patch, value)
    if (!has(merged, value))
        json_add(merged, STR(""), json_clone(value, arena));
    return merged;
}

static struct json *merge_field(const struct field *field, const struct json *old,
                                const struct json *patch, struct arena *arena)
{
    if (patch->type == JSON_OBJECT)
        return merge_object(field != NULL && field->type == FIELD_OBJECT ? field->of : NULL, old,
                            patch, arena);
    if (patch->type == JSON_ARRAY && field != NULL && field->merge_key != NULL)
        return merge_items(field, old, patch, arena);
    if (patch->type == JSON_ARRAY && field != NULL &&
        str_eq(STR("finalizers"), str_from_z(field->name)))
        return merge_set(old, patch, arena);
    return json_clone(patch, arena);
}

/* True: it was a directive. */
static bool directive(struct json *result, const struct json *change)
{
    if (change->key.len == 0 || change->key.at[0] != '$')
        return false;
    str_t word, name;
    str_cut(change->key, '/', &word, &name);
    if (str_eq(word, STR("$deleteFromPrimitiveList"))) {
        struct json *list = json_get(result, name);
        JSON_EACH(change, gone)
        if (list != NULL && list->type == JSON_ARRAY)
            for (struct json *item = list->first; item != NULL; item = item->next)
                if (json_eq(item, gone))
                    remove_item(list, item);
    } else if (str_eq(word, STR("$retainKeys")) && change->type == JSON_ARRAY) {
        for (struct json *child = result->first; child != NULL; child = child->next) {
            struct json name_of = {.type = JSON_STRING, .text = child->key};
            if (!has(change, &name_of))
                (void)json_remove(result, child->key);
        }
    }
    return true;
}

static struct json *merge_object(const struct schema *schema, const struct json *object,
                                 const struct json *patch, struct arena *arena)
{
    bool keep =
        object != NULL && object->type == JSON_OBJECT && !directive_is(patch, STR("replace"));
    struct json *result = keep ? json_clone(object, arena) : json_object(arena);
    if (directive_is(patch, STR("delete")))
        return json_object(arena);
    JSON_EACH(patch, change)
    {
        if (directive(result, change))
            continue;
        if (change->type == JSON_NULL) {
            (void)json_remove(result, change->key);
            continue;
        }
        json_set(result, arena_str(arena, change->key),
                 merge_field(field_of(schema, change->key), json_get(result, change->key), change,
                             arena));
    }
    return result;
}

struct json *patch_strategic(const struct schema *schema, const struct json *object,
                             const struct json *patch, struct arena *arena)
{
    return merge_object(schema, object, patch, arena);
}
