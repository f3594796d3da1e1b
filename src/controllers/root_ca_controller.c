/* root_ca_controller.c - ConfigMap kube-root-ca.crt in every namespace, for those who call the API.
 */
#include "control/cache.h"
#include "control/writer.h"
#include "controllers/controllers.h"
#include "kinds/kinds.h"

static int root_ca_reconcile(struct reconcile *rc, struct err *err)
{
    static const str_t name = STR("kube-root-ca.crt");
    struct arena *arena = rc->arena;
    const struct json *ns = cache_get(rc->cache, STR("namespaces"), STR(""), rc->name, arena);
    if (ns == NULL || json_at(ns, "metadata.deletionTimestamp") != NULL || rc->ca_pem.len == 0)
        return 0;
    struct json *there = cache_get(rc->cache, STR("configmaps"), rc->name, name, arena);
    struct json *data = json_object(arena);
    json_add(data, STR("ca.crt"), json_string(arena, rc->ca_pem));
    if (there != NULL && json_eq(json_get(there, STR("data")), data))
        return 0;
    if (there != NULL) {
        json_set(there, STR("data"), data);
        return rc->writer->update(rc->writer->self, &kind_configmap, "", there, err);
    }
    struct json *made = json_object(arena), *meta = json_object(arena);
    json_add(meta, STR("name"), json_string(arena, name));
    json_add(meta, STR("namespace"), json_string(arena, rc->name));
    json_add(made, STR("metadata"), meta);
    json_add(made, STR("data"), data);
    int r = rc->writer->create(rc->writer->self, &kind_configmap, made, err);
    return r == ERR_EXISTS ? 0 : r; /* It is on its way. */
}

const struct controller root_ca_controller = {
    .name = "root-ca",
    .primary = &kind_namespace,
    .in_namespace = (const struct kind *const[]){&kind_configmap, NULL},
    .reconcile = root_ca_reconcile,
};
