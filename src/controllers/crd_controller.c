/*
 * crd_controller.c - a definition that is deleted takes its objects along: all are deleted, and
 * when the last is gone the finalizer is released.
 */
#include "control/cache.h"
#include "control/writer.h"
#include "controllers/controllers.h"
#include "kinds/kinds.h"

#define CLEANUP "customresourcecleanup.apiextensions.k8s.io"

enum { DELETES_MAX = 400, WAIT_MS = 500 };

static bool without_cleanup(struct json *meta, struct arena *arena)
{
    struct json *kept = json_array(arena);
    bool was = false;
    JSON_EACH(json_get(meta, STR("finalizers")), finalizer)
    {
        bool ours = str_eq(json_text(finalizer, STR("")), STR(CLEANUP));
        was = was || ours;
        if (!ours)
            json_add(kept, STR(""), json_clone(finalizer, arena));
    }
    json_set(meta, STR("finalizers"), kept);
    return was;
}

/* The kind its objects can be deleted as: any version that is served. */
static const struct kind *kind_of(const struct reconcile *rc, const struct json *crd)
{
    str_t group = json_text(json_at(crd, "spec.group"), STR(""));
    str_t plural = json_text(json_at(crd, "spec.names.plural"), STR(""));
    for (const struct kind *const *kind = rc->kinds->at; *kind != NULL; kind++)
        if (str_eq(group, str_from_z((*kind)->group)) &&
            str_eq(plural, str_from_z((*kind)->plural)))
            return *kind;
    return NULL;
}

static int crd_reconcile(struct reconcile *rc, struct err *err)
{
    str_t resource = kind_resource(&kind_crd, rc->arena);
    struct json *crd = cache_get(rc->cache, resource, STR(""), rc->name, rc->arena);
    if (crd == NULL || json_at(crd, "metadata.deletionTimestamp") == NULL)
        return 0;
    const struct kind *kind = kind_of(rc, crd);
    if (kind != NULL && cache_any(rc->cache, rc->name, STR(""))) {
        struct removal removal = {.policy = "Background"};
        struct cache_name *names = arena_array(rc->arena, struct cache_name, DELETES_MAX);
        size_t n = cache_marked(rc->cache, rc->name, STR(""), false, names, DELETES_MAX, rc->arena);
        for (size_t i = 0; i < n; i++) {
            int r = rc->writer->remove_if(rc->writer->self, kind, names[i].ns, names[i].name,
                                          &removal, err);
            if (r < 0 && r != ERR_NOT_FOUND)
                return err_wrap(err, "delete '" STR_F "'", STR_A(names[i].name));
        }
        rc->again_in_ms = n == DELETES_MAX ? 1 : WAIT_MS;
        return 0;
    }
    if (!without_cleanup(json_get(crd, STR("metadata")), rc->arena))
        return 0;
    return rc->writer->update(rc->writer->self, &kind_crd, "", crd, err);
}

const struct controller crd_controller = {
    .name = "crd",
    .primary = &kind_crd,
    .reconcile = crd_reconcile,
};
