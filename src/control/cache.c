/* cache.c - the store as controllers see it. */
#include "control/cache.h"

#include "base/json.h"

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
    str_t uid;
    struct arena *arena;
};

static bool controlled_by_other(const struct json *object, str_t uid)
{
    JSON_EACH(json_at(object, "metadata.ownerReferences"), ref)
    if (json_is_true(json_get(ref, STR("controller"))))
        return !str_eq(json_get_text(ref, STR("uid")), uid);
    return false;
}

static bool add_owned(void *self, const struct object *object)
{
    static const char controlled[] = "\"controller\":true";
    struct owned *owned = self;
    str_t json = object->json;
    struct json *tree = NULL;
    struct err err;
    if (memmem(json.at, json.len, owned->uid.at, owned->uid.len) == NULL &&
        memmem(json.at, json.len, controlled, sizeof(controlled) - 1) != NULL)
        return true;
    int r = json_parse(arena_str(owned->arena, json), owned->arena, &tree, &err);
    MUST(r == 0);
    if (controlled_by_other(tree, owned->uid))
        return true;
    if (owned->n == owned->cap) {
        struct json **more = arena_array(owned->arena, struct json *, owned->cap * 2 + 16);
        if (owned->n > 0)
            memcpy(more, owned->at, owned->n * sizeof(struct json *));
        owned->at = more;
        owned->cap = owned->cap * 2 + 16;
    }
    owned->at[owned->n++] = tree;
    return true;
}

size_t cache_owned(const struct cache *cache, str_t resource, str_t ns, str_t uid,
                   struct arena *arena, struct json ***out)
{
    struct owned owned = {.uid = uid, .arena = arena};
    struct store_list list = {.resource = resource, .ns = ns};
    struct err err;
    int r = store_each(cache->store, &list, add_owned, &owned, &err);
    MUST(r == 0);
    *out = owned.at;
    return owned.n;
}
