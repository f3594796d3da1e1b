/*
 * quota_controller.c - what a namespace really has, in the status of its ResourceQuotas.
 *
 * Creates are counted as they are admitted; what goes away, or ends, is counted here: everything
 * once more, from the objects.
 */
#include "control/cache.h"
#include "control/writer.h"
#include "controllers/controllers.h"
#include "kinds/kinds.h"
#include "kinds/usage.h"

enum { QUOTAS_MAX = 64, LOOK_MAX = 100000 };

static void quota_seen(void *state, const struct sight *sight)
{
    (void)state;
    if (sight->ns.len == 0 || !(sight->gone || str_eq(sight->resource, STR("pods"))) ||
        !cache_any(sight->cache, STR("resourcequotas"), sight->ns))
        return;
    AUTO(arena_done) struct arena arena = {0};
    struct cache_name *names = arena_array(&arena, struct cache_name, QUOTAS_MAX);
    size_t n =
        cache_names(sight->cache, STR("resourcequotas"), sight->ns, names, QUOTAS_MAX, &arena);
    for (size_t i = 0; i < n; i++)
        sight->add(sight->queue,
                   arena_printf(&arena, STR_F "/" STR_F, STR_A(sight->ns), STR_A(names[i].name)));
}

/* Kinds of which more than their number counts. */
static bool is_weighed(const struct kind *kind)
{
    return kind == &kind_pod || kind == &kind_service || kind == &kind_persistentvolumeclaim;
}

static void weigh(struct reconcile *rc, const struct kind *kind, const struct json *quota,
                  struct usage *usage)
{
    str_t resource = kind_resource(kind, rc->arena);
    size_t n = cache_count(rc->cache, resource, rc->ns);
    n = n < LOOK_MAX ? n : LOOK_MAX;
    struct cache_name *names = arena_array(rc->arena, struct cache_name, n + 1);
    n = cache_names(rc->cache, resource, rc->ns, names, n, rc->arena);
    for (size_t i = 0; i < n; i++) {
        AUTO(arena_done) struct arena arena = {0};
        const struct json *object =
            cache_get(rc->cache, resource, names[i].ns, names[i].name, &arena);
        if (object != NULL && usage_in_scope(quota, kind == &kind_pod ? object : NULL))
            usage_add(usage, kind, object, 1);
    }
}

static void count_all(struct reconcile *rc, const struct json *quota, struct usage *usage)
{
    const struct json *hard = json_at(quota, "spec.hard");
    bool whole = usage_in_scope(quota, NULL);
    for (const struct kind *const *at = rc->kinds->at; *at != NULL; at++) {
        const struct kind *kind = *at;
        if (!kind->namespaced || !kind_is_stored(kind) || kind->stored_as != NULL)
            continue;
        if (is_weighed(kind)) {
            weigh(rc, kind, quota, usage);
            continue;
        }
        str_t resource = kind_resource(kind, rc->arena);
        str_t count = arena_printf(rc->arena, "count/" STR_F, STR_A(resource));
        if (!whole || (json_get(hard, count) == NULL && json_get(hard, resource) == NULL))
            continue;
        for (size_t n = cache_count(rc->cache, resource, rc->ns); n > 0; n--)
            usage_add(usage, kind, quota, 1); /* Any object: only its kind counts. */
    }
}

static int quota_reconcile(struct reconcile *rc, struct err *err)
{
    struct arena *arena = rc->arena;
    struct json *quota = cache_get(rc->cache, STR("resourcequotas"), rc->ns, rc->name, arena);
    if (quota == NULL || json_at(quota, "metadata.deletionTimestamp") != NULL)
        return 0;
    struct usage *usage = arena_new(arena, struct usage);
    const struct json *hard = json_at(quota, "spec.hard");
    struct json *status = json_object(arena), *used = json_object(arena);
    count_all(rc, quota, usage);
    JSON_EACH(hard, limit)
    {
        quantity_t value = quantity_of(0), most;
        (void)usage_get(usage, limit->key, &value);
        if (quantity_parse(json_text(limit, STR("0")), &most))
            value.binary = value.binary || most.binary;
        json_add(used, limit->key, json_string(arena, quantity_text(value, arena)));
    }
    json_add(status, STR("hard"), hard == NULL ? json_object(arena) : json_clone(hard, arena));
    json_add(status, STR("used"), used);
    if (json_eq(json_get(quota, STR("status")), status))
        return 0;
    json_set(quota, STR("status"), status);
    return rc->writer->update(rc->writer->self, &kind_resourcequota, "status", quota, err);
}

const struct controller quota_controller = {
    .name = "quota",
    .primary = &kind_resourcequota,
    .reconcile = quota_reconcile,
    .seen = quota_seen,
};
