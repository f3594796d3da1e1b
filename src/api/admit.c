/* admit.c - the steps, as a table. */
#include "api/admit.h"

#include "api/api_priv.h"

typedef int step_fn(struct call *call, struct json *object, const struct json *old);

static const struct {
    const char *name; /* As Kubernetes names the plugin. */
    const struct kind *kind;
    bool only_create;
    step_fn *run;
} steps[] = {
    {"Priority", &kind_pod, true, admit_priority},
    {"ServiceAccount", &kind_pod, true, admit_account},
    {"ServiceAccountTokenSecret", &kind_secret, false, admit_token_secret},
    {"DefaultTolerationSeconds", &kind_pod, true, admit_tolerations},
    {"LimitRanger", &kind_pod, true, admit_limits},
    {"LimitRanger", &kind_persistentvolumeclaim, false, admit_limits},
    {"DefaultStorageClass", &kind_persistentvolumeclaim, true, admit_storage_class},
    {"DefaultIngressClass", &kind_ingress, true, admit_ingress_class},
    {"StorageObjectInUseProtection", &kind_persistentvolumeclaim, true, admit_protection},
    {"StorageObjectInUseProtection", &kind_persistentvolume, true, admit_protection},
};

int admit(struct call *call, struct json *object, const struct json *old)
{
    if (call->sub != NULL)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if (steps[i].kind != call->kind || (steps[i].only_create && old != NULL))
            continue;
        int r = steps[i].run(call, object, old);
        if (r < 0)
            return r;
    }
    return 0;
}

int admit_last(struct call *call, struct json *object, const struct json *old)
{
    if (call->sub != NULL)
        return 0;
    int r = call->kind->namespaced ? admit_quota(call, object, old) : 0;
    if (r == 0 && call->kind == &kind_service)
        r = addresses_take(call, object, old);
    return r;
}

int admit_forbid(struct call *call, str_t why)
{
    return write_forbidden(call,
                           arena_printf(call->arena, STR_F " \"" STR_F "\" is forbidden: " STR_F,
                                        STR_A(call->resource), STR_A(call->name), STR_A(why)),
                           NULL);
}
