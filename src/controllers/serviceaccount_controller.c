/*
 * serviceaccount_controller.c - ServiceAccount "default" in every namespace, for pods that name no
 * other; and the end of token Secrets whose account has gone.
 */
#include "control/cache.h"
#include "control/writer.h"
#include "controllers/controllers.h"
#include "kinds/kinds.h"

enum { SECRETS_AT_ONCE = 500 };

static int have_default(struct reconcile *rc, struct err *err)
{
    static const str_t name = STR("default");
    struct arena *arena = rc->arena;
    if (cache_meta(rc->cache, STR("serviceaccounts"), rc->name, name, arena) != NULL)
        return 0;
    struct json *made = json_object(arena), *meta = json_object(arena);
    json_add(meta, STR("name"), json_string(arena, name));
    json_add(meta, STR("namespace"), json_string(arena, rc->name));
    json_add(made, STR("metadata"), meta);
    int r = rc->writer->create(rc->writer->self, &kind_serviceaccount, made, err);
    return r == ERR_EXISTS ? 0 : r; /* It is on its way. */
}

static bool lost_its_account(struct reconcile *rc, const struct json *meta)
{
    const struct json *notes = json_get(meta, STR("annotations"));
    str_t account = json_get_text(notes, STR("kubernetes.io/service-account.name"));
    str_t uid = json_get_text(notes, STR("kubernetes.io/service-account.uid"));
    if (account.len == 0 || uid.len == 0)
        return false;
    const struct json *is =
        cache_meta(rc->cache, STR("serviceaccounts"), rc->name, account, rc->arena);
    return is == NULL || !str_eq(uid, json_text(json_at(is, "metadata.uid"), STR("")));
}

static int drop_tokens(struct reconcile *rc, struct err *err)
{
    struct cache_name *names = arena_array(rc->arena, struct cache_name, SECRETS_AT_ONCE);
    size_t n = cache_names(rc->cache, STR("secrets"), rc->name, names, SECRETS_AT_ONCE, rc->arena);
    for (size_t i = 0; i < n; i++) {
        const struct json *secret =
            cache_get(rc->cache, STR("secrets"), rc->name, names[i].name, rc->arena);
        if (!str_eq(json_get_text(secret, STR("type")),
                    STR("kubernetes.io/service-account-token")) ||
            !lost_its_account(rc, json_get(secret, STR("metadata"))))
            continue;
        int r = rc->writer->remove(rc->writer->self, &kind_secret, rc->name, names[i].name, err);
        if (r < 0 && r != ERR_NOT_FOUND)
            return r;
    }
    return 0;
}

static int serviceaccount_reconcile(struct reconcile *rc, struct err *err)
{
    const struct json *ns = cache_get(rc->cache, STR("namespaces"), STR(""), rc->name, rc->arena);
    if (ns == NULL || json_at(ns, "metadata.deletionTimestamp") != NULL)
        return 0;
    int r = have_default(rc, err);
    return r < 0 ? r : drop_tokens(rc, err);
}

const struct controller serviceaccount_controller = {
    .name = "serviceaccount",
    .primary = &kind_namespace,
    .in_namespace = (const struct kind *const[]){&kind_serviceaccount, NULL},
    .reconcile = serviceaccount_reconcile,
};
