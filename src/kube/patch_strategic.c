/*
 * patch_strategic.c - strategic merge patch: a merge patch that knows which lists are sets.
 *
 * Lists of objects with a merge key are merged item by item, lists that the table calls sets
 * (finalizers) value by value, everything else as RFC 7386 does. Directives: `$patch:
 * replace|delete`, `$retainKeys`, `$deleteFromPrimitiveList/x`, `$setElementOrder/x`.
 */
#include "kube/patch.h"

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
        if (change->type != JSON_OBJECT) {
            json_add(merged, STR(""), json_clone(change, arena)); /* Refused by its type, later. */
            continue;
        }
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

/* --- order --- */

static bool same_item(const struct json *a, const struct json *b, const char *merge_key)
{
    if (merge_key == NULL)
        return json_eq(a, b);
    const struct json *key = json_get(a, str_from_z(merge_key));
    return key != NULL && json_eq(key, json_get(b, str_from_z(merge_key)));
}

/* Counted from 1; 0: it is not in the list. */
static size_t place_in(const struct json *list, const struct json *item, const char *merge_key)
{
    size_t place = 0;
    if (list == NULL || list->type != JSON_ARRAY)
        return 0;
    JSON_EACH(list, other)
    {
        place++;
        if (same_item(other, item, merge_key))
            return place;
    }
    return 0;
}

/* Items that `order` names, as it orders them; or those it does not name, as they were. */
static struct json *pick(const struct json *list, const struct json *order, const char *merge_key,
                         bool named, struct arena *arena)
{
    struct json *out = json_array(arena);
    if (!named) {
        JSON_EACH(list, item)
        if (place_in(order, item, merge_key) == 0)
            json_add(out, STR(""), json_clone(item, arena));
        return out;
    }
    JSON_EACH(order, wanted)
    JSON_EACH(list, item)
    if (same_item(item, wanted, merge_key)) {
        json_add(out, STR(""), json_clone(item, arena));
        break;
    }
    return out;
}

/*
 * The client's items in the client's order, the others woven in by the order they had: an item goes
 * before the first of the client's that stood behind it. As apimachinery's mergeSortedSlice().
 */
static struct json *in_order(const struct json *list, const struct json *order,
                             const struct json *old, const char *merge_key, struct arena *arena)
{
    struct json *others = pick(list, order, merge_key, false, arena);
    struct json *named = pick(list, order, merge_key, true, arena);
    struct json *out = json_array(arena), *other = others->first, *next;
    for (struct json *item = named->first; item != NULL; item = next) {
        next = item->next;
        size_t behind = place_in(old, item, merge_key);
        while (other != NULL && behind > 0) {
            size_t place = place_in(old, other, merge_key);
            if (place == 0 || place > behind)
                break;
            struct json *after = other->next;
            json_add(out, STR(""), other);
            other = after;
        }
        json_add(out, STR(""), item);
    }
    while (other != NULL) {
        struct json *after = other->next;
        json_add(out, STR(""), other);
        other = after;
    }
    return out;
}

static void set_orders(const struct schema *schema, struct json *result, const struct json *object,
                       const struct json *patch, struct arena *arena)
{
    JSON_EACH(patch, change)
    {
        str_t word, name;
        if (!str_cut(change->key, '/', &word, &name) || change->type != JSON_ARRAY ||
            !str_eq(word, STR("$setElementOrder")))
            continue;
        const struct json *list = json_get(result, name);
        const struct field *field = field_of(schema, name);
        if (list != NULL && list->type == JSON_ARRAY)
            json_set(result, arena_str(arena, name),
                     in_order(list, change, json_get(object, name),
                              field != NULL ? field->merge_key : NULL, arena));
    }
}

/* --- directives --- */

static void remove_all(struct json *list, const struct json *gone)
{
    struct json *item = list->first, *next;
    list->first = list->last = NULL;
    for (; item != NULL; item = next) {
        next = item->next;
        if (!has(gone, item))
            json_add(list, STR(""), item);
    }
}

/* True: it was a directive. */
static bool directive(struct json *result, const struct json *change)
{
    if (change->key.len == 0 || change->key.at[0] != '$')
        return false;
    str_t word, name;
    str_cut(change->key, '/', &word, &name);
    if (change->type != JSON_ARRAY)
        return true; /* `$patch`, which is looked at elsewhere. */
    if (str_eq(word, STR("$deleteFromPrimitiveList"))) {
        struct json *list = json_get(result, name);
        if (list != NULL && list->type == JSON_ARRAY)
            remove_all(list, change);
    } else if (str_eq(word, STR("$retainKeys"))) {
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
    set_orders(schema, result, object, patch, arena);
    return result;
}

struct size {
    size_t nodes, items; /* Items: of lists. */
};

static void measure(const struct json *json, struct size *size)
{
    size->nodes++;
    if (json->type != JSON_ARRAY && json->type != JSON_OBJECT)
        return;
    JSON_EACH(json, child)
    {
        size->items += json->type == JSON_ARRAY;
        measure(child, size);
    }
}

bool patch_fits(const struct json *object, const struct json *patch)
{
    struct size of = {0}, by = {0};
    measure(object, &of);
    measure(patch, &by);
    if (by.nodes * (of.nodes + by.nodes) > PATCH_WORK_MAX)
        return false;
    return by.items == 0 || by.items + of.items <= PATCH_ITEMS_MAX;
}

struct json *patch_strategic(const struct schema *schema, const struct json *object,
                             const struct json *patch, struct arena *arena)
{
    return merge_object(schema, object, patch, arena);
}
