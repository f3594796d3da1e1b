/*
 * volume_protection_controller.c - a claim that is deleted stays until no pod that has a node uses
 * it; and claims of generic ephemeral volumes are made for their pods.
 */
#include "control/cache.h"
#include "control/recorder.h"
#include "control/writer.h"
#include "controllers/controllers.h"
#include "controllers/pods.h"
#include "controllers/volume_plan.h"
#include "controllers/volume_users.h"
#include "kinds/kinds.h"

#include <stdlib.h>
#include <string.h>

static str_t key_of(str_t ns, str_t name, struct arena *arena)
{
    return arena_printf(arena, STR_F "/" STR_F, STR_A(ns), STR_A(name));
}

/* Most pods have neither; then their text is all that is looked at. */
static bool mentions(str_t json, const char *word)
{
    return memmem(json.at, json.len, word, strlen(word)) != NULL;
}

/* --- protection --- */

static void *users_open(void)
{
    void *users = calloc(1, sizeof(struct volume_users));
    MUST(users != NULL);
    return users;
}

static void users_close(void *state)
{
    volume_users_done(state);
    free(state);
}

static void freed(void *self, str_t claim)
{
    const struct sight *sight = self;
    sight->add(sight->queue, claim);
}

static void protection_seen(void *state, const struct sight *sight)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *pod = NULL;
    struct err err;
    if (str_eq(sight->resource, STR("persistentvolumeclaims")) && !sight->gone &&
        mentions(sight->json, "deletionTimestamp"))
        sight->add(sight->queue, key_of(sight->ns, sight->name, &arena));
    if (!str_eq(sight->resource, STR("pods")) ||
        (!mentions(sight->json, "\"persistentVolumeClaim\"") &&
         !mentions(sight->json, "\"ephemeral\"")))
        return;
    if (!sight->gone && json_parse(sight->json, &arena, &pod, &err) < 0)
        return;
    volume_users_set(state, sight->ns, sight->name, pod, freed, (void *)sight);
}

static int protection_reconcile(struct reconcile *rc, struct err *err)
{
    struct json *claim =
        cache_get(rc->cache, STR("persistentvolumeclaims"), rc->ns, rc->name, rc->arena);
    if (claim == NULL || json_at(claim, "metadata.deletionTimestamp") == NULL ||
        volume_is_used(rc->state, key_of(rc->ns, rc->name, rc->arena)) ||
        !finalizer_remove(claim, CLAIM_PROTECTION, rc->arena))
        return 0;
    return rc->writer->update(rc->writer->self, &kind_persistentvolumeclaim, "", claim, err);
}

const struct controller claim_protection_controller = {
    .name = "pvc-protection",
    .reconcile = protection_reconcile,
    .seen = protection_seen,
    .open = users_open,
    .close = users_close,
};

/* --- claims of ephemeral volumes --- */

static void ephemeral_seen(void *state, const struct sight *sight)
{
    AUTO(arena_done) struct arena arena = {0};
    (void)state;
    if (!sight->gone && str_eq(sight->resource, STR("pods")) &&
        mentions(sight->json, "\"volumeClaimTemplate\""))
        sight->add(sight->queue, key_of(sight->ns, sight->name, &arena));
}

static struct json *new_claim(struct reconcile *rc, const struct json *pod, str_t name,
                              const struct json *template)
{
    static const char *const kept[] = {"labels", "annotations"};
    struct json *claim = json_object(rc->arena);
    struct json *meta = controlled_meta(pod, &kind_pod, name, rc->arena);
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        const struct json *value =
            json_get(json_get(template, STR("metadata")), str_from_z(kept[i]));
        if (value != NULL)
            json_add(meta, str_from_z(kept[i]), json_clone(value, rc->arena));
    }
    json_add(claim, STR("metadata"), meta);
    const struct json *spec = json_get(template, STR("spec"));
    json_add(claim, STR("spec"),
             spec == NULL ? json_object(rc->arena) : json_clone(spec, rc->arena));
    return claim;
}

static int make_claim(struct reconcile *rc, const struct json *pod, const struct json *volume,
                      str_t name, struct err *err)
{
    const struct json *there =
        cache_get(rc->cache, STR("persistentvolumeclaims"), rc->ns, name, rc->arena);
    const struct json *template = json_at(volume, "ephemeral.volumeClaimTemplate");
    const struct json *by = controller_of(json_get(there, STR("metadata")));
    str_t uid = json_text(json_at(pod, "metadata.uid"), STR(""));
    str_t own = json_get_text(volume, STR("name"));
    int r = 0;
    if (there == NULL)
        r = rc->writer->create(rc->writer->self, &kind_persistentvolumeclaim,
                               new_claim(rc, pod, name, template), err);
    else if (!str_eq(json_get_text(by, STR("uid")), uid))
        r = err_set(err, ERR_FORBIDDEN,
                    "PVC " STR_F "/" STR_F " was not created for pod " STR_F "/" STR_F
                    " (pod is not owner)",
                    STR_A(rc->ns), STR_A(name), STR_A(rc->ns), STR_A(rc->name));
    if (r == 0 || r == ERR_EXISTS) /* It is on its way. */
        return 0;
    recorder_event(
        rc, &(struct record){.about = &kind_pod,
                             .meta = json_get(pod, STR("metadata")),
                             .warning = true,
                             .reason = "FailedBinding",
                             .message = arena_printf(rc->arena, "ephemeral volume " STR_F ": %s",
                                                     STR_A(own), err->text),
                             .component = "ephemeral_volume"});
    return r;
}

static int ephemeral_reconcile(struct reconcile *rc, struct err *err)
{
    const struct json *pod = cache_get(rc->cache, STR("pods"), rc->ns, rc->name, rc->arena);
    if (pod == NULL || json_at(pod, "metadata.deletionTimestamp") != NULL)
        return 0;
    int r = 0;
    JSON_EACH(json_at(pod, "spec.volumes"), volume)
    {
        bool own;
        str_t name = pod_volume_claim(rc->name, volume, rc->arena, &own);
        if (own && r == 0)
            r = make_claim(rc, pod, volume, name, err);
    }
    return r;
}

const struct controller ephemeral_controller = {
    .name = "ephemeral-volume",
    .reconcile = ephemeral_reconcile,
    .seen = ephemeral_seen,
};
