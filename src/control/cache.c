/* cache.c - the store as controllers see it. */
#include "control/cache.h"

#include "base/json.h"

struct json *cache_get(const struct cache *cache, str_t resource, str_t ns, str_t name,
                       struct arena *arena)
{
    const struct object *object = store_get(cache->store, resource, ns, name);
    struct json *json = NULL;
    struct err err;
    if (object == NULL)
        return NULL;
    /* The tree must outlive this version of the object. */
    int r = json_parse(arena_str(arena, object->json), arena, &json, &err);
    MUST(r == 0);
    return json;
}

struct json *cache_meta(const struct cache *cache, str_t resource, str_t ns, str_t name,
                        struct arena *arena)
{
    const struct object *object = store_get(cache->store, resource, ns, name);
    struct json *meta = NULL;
    struct err err;
    if (object == NULL)
        return NULL;
    int r = json_pick(object->json, STR("metadata"), arena, &meta, &err);
    MUST(r == 0);
    return json_clone(meta, arena); /* It must outlive this version of the object. */
}

size_t cache_count(const struct cache *cache, str_t resource, str_t ns)
{
    return store_count(cache->store, resource, ns);
}

struct names {
    struct cache_name *at;
    size_t n, max;
    struct arena *arena;
};

static bool add_name(void *self, const struct object *object)
{
    struct names *names = self;
    if (names->n == names->max)
        return false;
    names->at[names->n++] = (struct cache_name){arena_str(names->arena, object->ns),
                                                arena_str(names->arena, object->name)};
    return true;
}

size_t cache_names(const struct cache *cache, str_t resource, str_t ns, struct cache_name *out,
                   size_t max, struct arena *arena)
{
    struct names names = {out, 0, max, arena};
    struct store_list list = {.resource = resource, .ns = ns};
    struct err err;
    int r = store_each(cache->store, &list, add_name, &names, &err);
    MUST(r == 0);
    return names.n;
}
