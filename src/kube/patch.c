/* patch.c - RFC 7386, as its pseudo-code says. */
#include "kube/patch.h"

struct json *patch_merge(const struct json *object, const struct json *patch, struct arena *arena)
{
    if (patch->type != JSON_OBJECT)
        return json_clone(patch, arena);
    struct json *result = object != NULL && object->type == JSON_OBJECT ? json_clone(object, arena)
                                                                        : json_object(arena);
    JSON_EACH(patch, change)
    {
        if (change->type == JSON_NULL)
            (void)json_remove(result, change->key);
        else
            json_set(result, arena_str(arena, change->key),
                     patch_merge(json_get(result, change->key), change, arena));
    }
    return result;
}
