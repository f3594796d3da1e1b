/*
 * namespace_controller.c - a namespace that is deleted takes everything in it along.
 *
 * The API server marks it and refuses new content; we remove what is there, a bounded number at a
 * time, and when nothing is left release the finalizer, which makes the API server remove it.
 */
#include "control/cache.h"
#include "control/writer.h"
#include "controllers/controllers.h"
#include "controllers/namespace_plan.h"
#include "controllers/namespace_status.h"
#include "kinds/kinds.h"
#include "kube/meta.h"

enum { DELETES_MAX = 400, LOOK_AT_MAX = 500, WAIT_MS = 1000 };

/* Objects of these are in namespaces; each resource once, whatever versions it has. */
static bool is_content(const struct kind *kind)
{
    return kind->namespaced && kind->stored_as == NULL && kind_is_stored(kind);
}

static bool has_content(const struct reconcile *rc)
{
    for (const struct kind *const *kind = rc->kinds->at; *kind != NULL; kind++)
        if (is_content(*kind) && cache_any(rc->cache, kind_resource(*kind, rc->arena), rc->name))
            return true;
    return false;
}

static bool has_text(const struct json *list, str_t text)
{
    if (list != NULL)
        JSON_EACH(list, item)
    if (str_eq(json_text(item, STR("")), text))
        return true;
    return false;
}

/* Of one kind, as many as are left to do. */
static int empty_kind(struct reconcile *rc, const struct kind *kind, size_t *left, struct err *err)
{
    struct removal removal = {.policy = "Background"}; /* The others go anyway. */
    struct cache_name *names = arena_array(rc->arena, struct cache_name, *left);
    size_t n = cache_marked(rc->cache, kind_resource(kind, rc->arena), rc->name, false, names,
                            *left, rc->arena);
    for (size_t i = 0; i < n; i++) {
        int r = rc->writer->remove_if(rc->writer->self, kind, names[i].ns, names[i].name, &removal,
                                      err);
        if (r < 0 && r != ERR_NOT_FOUND)
            return err_wrap(err, "delete '" STR_F "'", STR_A(names[i].name));
    }
    *left -= n;
    return 0;
}

/*
 * Pods first, so that what they need is there as long as they are. Content whose own finalizers
 * hold it, and Pods that take their time, go later; status says so once nothing else is left to do.
 */
static int empty(struct reconcile *rc, struct json *ns, struct err *err)
{
    size_t left = DELETES_MAX;
    int r = empty_kind(rc, &kind_pod, &left, err);
    for (const struct kind *const *kind = rc->kinds->at; *kind != NULL && left > 0 && r == 0;
         kind++)
        if (is_content(*kind) && *kind != &kind_pod)
            r = empty_kind(rc, *kind, &left, err);
    rc->again_in_ms = WAIT_MS; /* Each removal also queues us. */
    if (r == 0 && left == DELETES_MAX && namespace_status_set(rc, rc->kinds->at, ns, LOOK_AT_MAX))
        r = rc->writer->update(rc->writer->self, &kind_namespace, "status", ns, err);
    return r;
}

static int release(struct reconcile *rc, struct json *ns, struct err *err)
{
    struct json *spec = json_get(ns, STR("spec")), *kept = json_array(rc->arena);
    JSON_EACH(json_get(spec, STR("finalizers")), finalizer)
    if (!str_eq(json_text(finalizer, STR("")), STR("kubernetes")))
        json_add(kept, STR(""), json_clone(finalizer, rc->arena));
    json_set(spec, STR("finalizers"), kept);
    return rc->writer->update(rc->writer->self, &kind_namespace, "finalize", ns, err);
}

static int namespace_reconcile(struct reconcile *rc, struct err *err)
{
    struct json *ns = cache_get(rc->cache, STR("namespaces"), STR(""), rc->name, rc->arena);
    struct namespace_view view = {
        .there = ns != NULL,
        .deleted = json_at(ns, "metadata.deletionTimestamp") != NULL,
        .ours_to_release = has_text(json_at(ns, "spec.finalizers"), STR("kubernetes")),
    };
    if (view.deleted)
        view.content = has_content(rc);
    switch (namespace_next(&view)) {
    case NAMESPACE_NOTHING:
        return 0;
    case NAMESPACE_EMPTY:
        return empty(rc, ns, err);
    case NAMESPACE_RELEASE:
        return release(rc, ns, err);
    }
    return 0;
}

/* Whatever went may have been the last. */
static void namespace_seen(void *state, const struct sight *sight)
{
    AUTO(arena_done) struct arena arena = {0};
    (void)state;
    if (sight->gone && sight->ns.len > 0)
        sight->add(sight->queue, arena_printf(&arena, "/" STR_F, STR_A(sight->ns)));
}

const struct controller namespace_controller = {
    .name = "namespace",
    .primary = &kind_namespace,
    .reconcile = namespace_reconcile,
    .seen = namespace_seen,
};
