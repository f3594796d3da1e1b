/* patch.c - RFC 7386, in one pass over both documents. */
#include "kube/patch.h"

static bool is_object(const struct json *json)
{
    return json != NULL && json->type == JSON_OBJECT;
}

static struct json *merge(const struct json *object, const struct json *patch, struct arena *arena);

/* What is in neither the old object nor, as a null, wanted away. */
static void add_new(struct json *result, const struct json *object, const struct json *patch,
                    struct arena *arena)
{
    struct json_index old;
    json_index_init(&old, object, arena);
    JSON_EACH(patch, change)
    if (change->type != JSON_NULL && json_index_get(&old, change->key) == NULL)
        json_add(result, arena_str(arena, change->key), merge(NULL, change, arena));
}

static struct json *merge(const struct json *object, const struct json *patch, struct arena *arena)
{
    if (patch->type != JSON_OBJECT)
        return json_clone(patch, arena);
    struct json *result = json_object(arena);
    if (!is_object(object))
        object = json_object(arena);
    struct json_index changes;
    json_index_init(&changes, patch, arena);
    JSON_EACH(object, child)
    {
        const struct json *change = json_index_get(&changes, child->key);
        if (change == NULL)
            json_add(result, arena_str(arena, child->key), json_clone(child, arena));
        else if (change->type != JSON_NULL)
            json_add(result, arena_str(arena, child->key), merge(child, change, arena));
    }
    add_new(result, object, patch, arena);
    return result;
}

struct json *patch_merge(const struct json *object, const struct json *patch, struct arena *arena)
{
    return merge(object, patch, arena);
}
