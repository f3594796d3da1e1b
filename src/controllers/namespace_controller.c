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

enum { DELETES_MAX = 500, WAIT_MS = 1000 };

static size_t content_of(const struct reconcile *rc)
{
    size_t n = 0;
    for (const struct kind *const *kind = rc->kinds->at; *kind != NULL; kind++)
        if ((*kind)->namespaced)
            n += cache_count(rc->cache, kind_resource(*kind, rc->arena), rc->name);
    return n;
}

static bool has_text(const struct json *list, str_t text)
{
    if (list != NULL)
        JSON_EACH(list, item)
    if (str_eq(json_text(item, STR("")), text))
        return true;
    return false;
}

/* Content whose own finalizers hold it goes later; status says so. */
static int empty(struct reconcile *rc, struct json *ns, struct err *err)
{
    struct cache_name *names = arena_array(rc->arena, struct cache_name, DELETES_MAX);
    size_t left = DELETES_MAX;
    for (const struct kind *const *kind = rc->kinds->at; *kind != NULL && left > 0; kind++) {
        if (!(*kind)->namespaced)
            continue;
        str_t resource = kind_resource(*kind, rc->arena);
        size_t n = cache_names(rc->cache, resource, rc->name, names, left, rc->arena);
        for (size_t i = 0; i < n; i++) {
            int r = rc->writer->remove(rc->writer->self, *kind, names[i].ns, names[i].name, err);
            if (r < 0 && r != ERR_NOT_FOUND)
                return err_wrap(err, "delete '" STR_F "'", STR_A(names[i].name));
        }
        left -= n;
    }
    rc->again_in_ms = WAIT_MS; /* Each removal also queues us. */
    if (namespace_status_set(rc, rc->kinds->at, ns, DELETES_MAX))
        return rc->writer->update(rc->writer->self, &kind_namespace, "status", ns, err);
    return 0;
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
        view.content = content_of(rc);
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

const struct controller namespace_controller = {
    .name = "namespace",
    .primary = &kind_namespace,
    .in_namespace = (const struct kind *const[]){&kind_configmap, &kind_secret, &kind_event, NULL},
    .reconcile = namespace_reconcile,
};
