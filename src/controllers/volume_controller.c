/*
 * volume_controller.c - PersistentVolumes and claims find each other, and let go of each other.
 *
 * Both are one controller, for each is news for the other: names with a namespace are claims, those
 * without are volumes.
 */
#include "controllers/controllers.h"
#include "controllers/volume_binder.h"

#include <stdlib.h>

static void *binder_open(void)
{
    struct volumes_known *known = calloc(1, sizeof(*known));
    MUST(known != NULL);
    volumes_known_init(known);
    return known;
}

static void binder_close(void *state)
{
    volumes_known_done(state);
    free(state);
}

/* --- what is seen --- */

static void queue_volume(const struct sight *sight, str_t name, struct arena *arena)
{
    if (name.len > 0)
        sight->add(sight->queue, arena_printf(arena, "/" STR_F, STR_A(name)));
}

/* A volume that is free is news for those that could have it. */
static void volume_seen(struct volumes_known *known, const struct sight *sight,
                        const struct json *volume, struct arena *arena)
{
    queue_volume(sight, sight->name, arena);
    const struct map_node *was = map_find(&known->volumes, sight->name);
    if (was != NULL) {
        str_t claim = CONTAINER_OF(was, const struct known_volume, by_name)->facts.claim;
        if (claim.len > 0)
            sight->add(sight->queue, claim);
    }
    if (sight->gone) {
        known_volume_drop(known, sight->name);
        return;
    }
    const struct volume_facts *facts = &known_volume_set(known, sight->name, volume)->facts;
    if (facts->claim.len > 0) {
        sight->add(sight->queue, facts->claim);
        return;
    }
    LIST_EACH(&known->all_waiting, link) {
        const struct waiting_claim *claim = CONTAINER_OF(link, struct waiting_claim, link);
        if (str_eq(claim->class, facts->class) || str_eq(claim->volume, facts->name))
            sight->add(sight->queue, claim->by_key.key);
    }
}

static void claim_seen(struct volumes_known *known, const struct sight *sight,
                       const struct json *claim, struct arena *arena)
{
    str_t key = arena_printf(arena, STR_F "/" STR_F, STR_A(sight->ns), STR_A(sight->name));
    struct list *promised = known_volumes_of(known, key);
    sight->add(sight->queue, key);
    queue_volume(sight, json_text(json_at(claim, "spec.volumeName"), STR("")), arena);
    if (promised == NULL)
        return;
    LIST_EACH(promised, link)
        queue_volume(sight, CONTAINER_OF(link, struct known_volume, link)->facts.name, arena);
}

static void queue_waiting(struct volumes_known *known, const struct sight *sight, bool for_node)
{
    LIST_EACH(&known->all_waiting, link) {
        const struct waiting_claim *claim = CONTAINER_OF(link, struct waiting_claim, link);
        if (for_node ? claim->needs_node
                     : claim->class.len == 0 || str_eq(claim->class, sight->name))
            sight->add(sight->queue, claim->by_key.key);
    }
}

static void binder_seen(void *state, const struct sight *sight)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *object = NULL;
    struct err err;
    bool volume = str_eq(sight->resource, STR("persistentvolumes"));
    if (volume || str_eq(sight->resource, STR("persistentvolumeclaims"))) {
        if (json_parse(sight->json, &arena, &object, &err) < 0)
            return;
        if (volume)
            volume_seen(state, sight, object, &arena);
        else
            claim_seen(state, sight, object, &arena);
    } else if (str_eq(sight->resource, STR("storageclasses.storage.k8s.io"))) {
        queue_waiting(state, sight, false);
    } else if (str_eq(sight->resource, STR("nodes"))) {
        queue_waiting(state, sight, true);
    }
}

/* --- one volume --- */

struct verdict {
    const char *phase, *message, *reason; /* Of the Event, NULL: none. */
};

/* Its claim is gone: what becomes of it. Ours are removed by the node, others' by theirs. */
static struct verdict released(struct reconcile *rc, const struct json *volume)
{
    str_t policy = json_text(json_at(volume, "spec.persistentVolumeReclaimPolicy"), STR(""));
    str_t by = json_get_text(json_at(volume, "metadata.annotations"), STR(PROVISIONED_BY));
    if (str_eq(policy, STR("Recycle")))
        return (struct verdict){"Failed", "No recycler plugin found for the volume!",
                                "VolumeFailedRecycle"};
    if (!str_eq(policy, STR("Delete")) || by.len > 0 || json_at(volume, "spec.csi") != NULL)
        return (struct verdict){"Released", "", NULL};
    str_t name = rc->name;
    return (struct verdict){"Failed",
                            arena_printf(rc->arena,
                                         "error getting deleter volume plugin for volume \"" STR_F
                                         "\": no deletable volume plugin matched",
                                         STR_A(name))
                                .at,
                            "VolumeFailedDelete"};
}

static struct verdict judge(struct reconcile *rc, const struct json *volume,
                            const struct volume_facts *facts)
{
    struct claim_facts claim;
    str_t ns, name;
    if (facts->claim.len == 0 || facts->claim_uid.len == 0)
        return (struct verdict){"Available", "", NULL};
    (void)str_cut(facts->claim, '/', &ns, &name);
    const struct json *object =
        cache_get(rc->cache, STR("persistentvolumeclaims"), ns, name, rc->arena);
    if (object != NULL)
        claim_facts_read(object, rc->arena, &claim);
    if (object == NULL || !str_eq(claim.uid, facts->claim_uid))
        return released(rc, volume);
    if (str_eq(claim.volume, facts->name))
        return (struct verdict){"Bound", "", NULL};
    if (claim.volume.len == 0)
        return (struct verdict){NULL, "", NULL}; /* It is about to take it. */
    return released(rc, volume);                 /* It took another. */
}

/* Is it promised to a claim that is there and has taken another? */
static bool is_spurned(struct reconcile *rc, const struct volume_facts *facts)
{
    struct claim_facts claim;
    str_t ns, name;
    (void)str_cut(facts->claim, '/', &ns, &name);
    const struct json *object =
        cache_get(rc->cache, STR("persistentvolumeclaims"), ns, name, rc->arena);
    if (object == NULL)
        return false;
    claim_facts_read(object, rc->arena, &claim);
    return str_eq(claim.uid, facts->claim_uid) && claim.volume.len > 0 &&
           !str_eq(claim.volume, facts->name);
}

/* Free again; but what a person promised stays promised to whoever has that name. */
static bool unpromise(struct reconcile *rc, struct json *volume, const struct volume_facts *facts)
{
    struct json *notes = json_at(volume, "metadata.annotations");
    struct json *ref = json_at(volume, "spec.claimRef");
    if (facts->claim_uid.len == 0 || json_get(notes, STR(PROVISIONED_BY)) != NULL ||
        !is_spurned(rc, facts))
        return false;
    if (json_remove(notes, STR(BOUND_BY_US)))
        return json_remove(json_get(volume, STR("spec")), STR("claimRef"));
    (void)json_remove(ref, STR("resourceVersion"));
    return json_remove(ref, STR("uid"));
}

static int write_volume(struct reconcile *rc, const char *part, const struct json *volume,
                        struct err *err)
{
    return rc->writer->update(rc->writer->self, &kind_persistentvolume, part, volume, err);
}

static int enter_phase(struct reconcile *rc, const struct json *volume,
                       const struct verdict *verdict, struct err *err)
{
    int r = write_volume(rc, "status", volume, err);
    if (r == 0 && verdict->reason != NULL)
        recorder_event(rc, &(struct record){.about = &kind_persistentvolume,
                                            .meta = json_get(volume, STR("metadata")),
                                            .warning = true,
                                            .reason = verdict->reason,
                                            .message = str_from_z(verdict->message),
                                            .component = "persistentvolume-controller"});
    return r;
}

static int volume_reconcile(struct reconcile *rc, struct err *err)
{
    struct volume_facts facts;
    struct json *volume =
        cache_get(rc->cache, STR("persistentvolumes"), STR(""), rc->name, rc->arena);
    if (volume == NULL)
        return 0;
    volume_facts_read(volume, rc->arena, &facts);
    if (unpromise(rc, volume, &facts))
        return write_volume(rc, "", volume, err);
    struct verdict verdict = judge(rc, volume, &facts);
    if (verdict.phase != NULL && volume_set_phase(volume, verdict.phase, verdict.message,
                                                  rc->clock->wall_ms(rc->clock), rc->arena))
        return enter_phase(rc, volume, &verdict, err);
    if (facts.ending && !str_eq(facts.phase, STR("Bound")) &&
        finalizer_remove(volume, VOLUME_PROTECTION, rc->arena))
        return write_volume(rc, "", volume, err);
    return 0;
}

static int binder_reconcile(struct reconcile *rc, struct err *err)
{
    return rc->ns.len > 0 ? volume_claim_reconcile(rc, err) : volume_reconcile(rc, err);
}

const struct controller volume_controller = {
    .name = "persistentvolume-binder",
    .reconcile = binder_reconcile,
    .seen = binder_seen,
    .open = binder_open,
    .close = binder_close,
};
