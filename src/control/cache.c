/* cache.c - the store as controllers see it. */
#include "control/cache.h"

#include "base/json.h"
#include "control/owners.h"
#include "kinds/rules.h"

#include <string.h>

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

str_t cache_text(const struct cache *cache, str_t resource, str_t ns, str_t name)
{
    const struct object *object = store_get(cache->store, resource, ns, name);
    return object == NULL ? STR("") : object->json;
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

enum which { ALL, MARKED, UNMARKED };

struct names {
    struct cache_name *at;
    size_t n, max;
    struct arena *arena;
    enum which which;
};

/* Nearly always the text alone tells. */
static bool is_marked(const struct object *object)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *meta;
    struct err err;
    return memmem(object->json.at, object->json.len, "\"deletionTimestamp\"", 19) != NULL &&
           json_pick(object->json, STR("metadata"), &arena, &meta, &err) == 0 &&
           json_get(meta, STR("deletionTimestamp")) != NULL;
}

static bool add_name(void *self, const struct object *object)
{
    struct names *names = self;
    if (names->which != ALL && is_marked(object) != (names->which == MARKED))
        return true;
    if (names->n == names->max)
        return false;
    names->at[names->n++] = (struct cache_name){arena_str(names->arena, object->ns),
                                                arena_str(names->arena, object->name)};
    return true;
}

static size_t names_of(const struct cache *cache, str_t resource, str_t ns, struct names *names)
{
    struct store_list list = {.resource = resource, .ns = ns};
    struct err err;
    int r = store_each(cache->store, &list, add_name, names, &err);
    MUST(r == 0);
    return names->n;
}

size_t cache_names(const struct cache *cache, str_t resource, str_t ns, struct cache_name *out,
                   size_t max, struct arena *arena)
{
    struct names names = {out, 0, max, arena, ALL};
    return names_of(cache, resource, ns, &names);
}

size_t cache_marked(const struct cache *cache, str_t resource, str_t ns, bool marked,
                    struct cache_name *out, size_t max, struct arena *arena)
{
    struct names names = {out, 0, max, arena, marked ? MARKED : UNMARKED};
    return names_of(cache, resource, ns, &names);
}

static bool found_one(void *self, const struct object *object)
{
    (void)object;
    *(bool *)self = true;
    return false;
}

bool cache_any(const struct cache *cache, str_t resource, str_t ns)
{
    bool found = false;
    struct store_list list = {.resource = resource, .ns = ns};
    struct err err;
    int r = store_each(cache->store, &list, found_one, &found, &err);
    MUST(r == 0);
    return found;
}

struct owned {
    struct json **at;
    size_t n, cap;
    const struct cache *cache;
    struct arena *arena;
};

static void add_owned(struct owned *owned, const struct owned_entry *entry)
{
    struct json *tree =
        cache_get(owned->cache, entry->resource, entry->ns, entry->name, owned->arena);
    if (tree == NULL)
        return;
    if (owned->n == owned->cap) {
        struct json **more = arena_array(owned->arena, struct json *, owned->cap * 2 + 16);
        if (owned->n > 0)
            memcpy(more, owned->at, owned->n * sizeof(struct json *));
        owned->at = more;
        owned->cap = owned->cap * 2 + 16;
    }
    owned->at[owned->n++] = tree;
}

static bool is_selected(const struct cache *cache, const struct owned_entry *entry,
                        const struct json *selector)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *meta;
    struct err err;
    const struct object *object = store_get(cache->store, entry->resource, entry->ns, entry->name);
    return object != NULL && json_pick(object->json, STR("metadata"), &arena, &meta, &err) == 0 &&
           selects(selector, json_get(meta, STR("labels")));
}

size_t cache_owned(const struct cache *cache, str_t resource, str_t ns, str_t uid,
                   const struct json *selector, struct arena *arena, struct json ***out)
{
    struct owned owned = {.cache = cache, .arena = arena};
    const struct owned_group *own = owners_of(cache->owners, cache->store, resource, ns, uid);
    if (own != NULL)
        LIST_EACH(&own->entries, link)
            add_owned(&owned, CONTAINER_OF(link, struct owned_entry, link));
    const struct owned_group *free_ones =
        selector == NULL ? NULL : owners_of(cache->owners, cache->store, resource, ns, STR(""));
    if (free_ones != NULL)
        LIST_EACH(&free_ones->entries, link) {
            const struct owned_entry *entry = CONTAINER_OF(link, struct owned_entry, link);
            if (is_selected(cache, entry, selector))
                add_owned(&owned, entry);
        }
    *out = owned.at;
    return owned.n;
}
