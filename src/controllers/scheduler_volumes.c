/*
 * scheduler_volumes.c - a bound claim binds the pod to where its volume is; one whose class waits
 * for the first consumer gets its volume made where the pod goes, and the pod goes when it is
 * there.
 */
#include "controllers/scheduler_volumes.h"

#include "control/writer.h"
#include "controllers/volume_plan.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"

#define CLAIMS "persistentvolumeclaims"

enum { CLAIMS_MAX = 256, VOLUMES_MAX = 1000 };

static bool text_is(const struct json *object, const char *path, const char *text)
{
    return str_eq(json_text(json_at(object, path), STR("")), str_from_z(text));
}

static void refuse(struct sched_claims *out, str_t why)
{
    if (out->refused == NULL)
        out->refused = why.at; /* arena_printf() ends its texts with a NUL. */
}

static const struct json *class_of(struct reconcile *rc, const struct json *claim)
{
    str_t name = json_text(json_at(claim, "spec.storageClassName"), STR(""));
    return name.len == 0 ? NULL
                         : cache_get(rc->cache, STR("storageclasses.storage.k8s.io"), STR(""), name,
                                     rc->arena);
}

static void read_bound(struct reconcile *rc, const struct json *claim, struct sched_claims *out)
{
    str_t name = json_text(json_at(claim, "spec.volumeName"), STR(""));
    const struct json *volume =
        cache_get(rc->cache, STR("persistentvolumes"), STR(""), name, rc->arena);
    if (volume == NULL) {
        refuse(out,
               arena_printf(rc->arena, "persistentvolume \"" STR_F "\" not found", STR_A(name)));
        return;
    }
    const struct json *required = json_at(volume, "spec.nodeAffinity.required");
    if (required != NULL && out->n_volumes < CLAIMS_MAX)
        out->volumes[out->n_volumes++] =
            (struct sched_volume){required, "node(s) had volume node affinity conflict"};
}

/* Terms of where this volume is, if the claim may have it. False: it may, and it is anywhere. */
static bool add_place(struct reconcile *rc, str_t name, const struct json *claim,
                      const struct claim_facts *wanted, struct json *terms)
{
    struct volume_facts facts;
    const struct json *volume =
        cache_get(rc->cache, STR("persistentvolumes"), STR(""), name, rc->arena);
    if (volume == NULL)
        return true;
    volume_facts_read(volume, rc->arena, &facts);
    if ((facts.claim.len > 0 && !volume_is_for(&facts, wanted)) || facts.ending ||
        volume_mismatch(&facts, wanted) != NULL || !volume_selected(volume, claim))
        return true;
    const struct json *required = json_at(volume, "spec.nodeAffinity.required");
    if (required == NULL)
        return false;
    JSON_EACH(json_get(required, STR("nodeSelectorTerms")), term)
    json_add(terms, STR(""), json_clone(term, rc->arena));
    return true;
}

/* Nobody makes volumes of its class, so the pod goes where there is one that will do. */
static void read_places(struct reconcile *rc, const struct json *claim, struct sched_claims *out)
{
    struct claim_facts wanted;
    struct cache_name *names = arena_array(rc->arena, struct cache_name, VOLUMES_MAX);
    struct json *terms = json_array(rc->arena);
    size_t n =
        cache_names(rc->cache, STR("persistentvolumes"), STR(""), names, VOLUMES_MAX, rc->arena);
    claim_facts_read(claim, rc->arena, &wanted);
    for (size_t i = 0; i < n; i++)
        if (!add_place(rc, names[i].name, claim, &wanted, terms))
            return;
    if (out->n_volumes < CLAIMS_MAX)
        out->volumes[out->n_volumes++] =
            (struct sched_volume){json_add(json_object(rc->arena), STR("nodeSelectorTerms"), terms),
                                  "node(s) didn't find available persistent volumes to bind"};
}

static void read_waiting(struct reconcile *rc, struct json *claim, const struct json *class,
                         struct sched_claims *out)
{
    if (str_starts(json_get_text(class, STR("provisioner")), STR("kubernetes.io/")))
        read_places(rc, claim, out);
    out->waiting[out->n_waiting++] = claim;
}

static void read_claim(struct reconcile *rc, const struct json *pod, str_t name, bool own,
                       struct sched_claims *out)
{
    struct json *claim = cache_get(rc->cache, STR(CLAIMS), rc->ns, name, rc->arena);
    if (claim == NULL && own) {
        refuse(out, arena_printf(rc->arena,
                                 "waiting for ephemeral volume controller to create the "
                                 "persistentvolumeclaim \"" STR_F "\"",
                                 STR_A(name)));
        return;
    }
    if (claim == NULL) {
        refuse(out, arena_printf(rc->arena, "persistentvolumeclaim \"" STR_F "\" not found",
                                 STR_A(name)));
        return;
    }
    bool owned = false;
    str_t uid = json_text(json_at(pod, "metadata.uid"), STR("-"));
    JSON_EACH(json_at(claim, "metadata.ownerReferences"), ref)
    owned = owned || str_eq(json_get_text(ref, STR("uid")), uid);
    if (json_at(claim, "metadata.deletionTimestamp") != NULL)
        refuse(out, arena_printf(rc->arena, "persistentvolumeclaim \"" STR_F "\" is being deleted",
                                 STR_A(name)));
    else if (own && !owned)
        refuse(out,
               arena_printf(rc->arena,
                            "PVC " STR_F "/" STR_F " was not created for pod (pod is not owner)",
                            STR_A(rc->ns), STR_A(name)));
    else if (text_is(claim, "status.phase", "Lost"))
        refuse(out, arena_printf(rc->arena,
                                 "persistentvolumeclaim \"" STR_F
                                 "\" bound to non-existent persistentvolume \"" STR_F "\"",
                                 STR_A(name),
                                 STR_A(json_text(json_at(claim, "spec.volumeName"), STR("")))));
    else if (text_is(claim, "status.phase", "Bound"))
        read_bound(rc, claim, out);
    else if (text_is(class_of(rc, claim), "volumeBindingMode", "WaitForFirstConsumer"))
        read_waiting(rc, claim, class_of(rc, claim), out);
    else
        refuse(out, STR("pod has unbound immediate PersistentVolumeClaims"));
}

void sched_claims_read(struct reconcile *rc, const struct json *pod, struct sched_claims *out)
{
    struct arena *arena = rc->arena;
    const struct json *volumes = json_at(pod, "spec.volumes");
    size_t n = json_count(volumes);
    n = n < CLAIMS_MAX ? n : CLAIMS_MAX;
    *out = (struct sched_claims){.volumes = arena_array(arena, struct sched_volume, n + 1),
                                 .waiting = arena_array(arena, struct json *, n + 1)};
    JSON_EACH(volumes, volume)
    {
        const struct json *claim = json_at(volume, "persistentVolumeClaim.claimName");
        bool own = json_get(volume, STR("ephemeral")) != NULL;
        if ((claim == NULL && !own) || n-- == 0)
            continue;
        str_t name = own ? arena_printf(arena, STR_F "-" STR_F, STR_A(rc->name),
                                        STR_A(json_text(json_get(volume, STR("name")), STR(""))))
                         : json_text(claim, STR(""));
        read_claim(rc, pod, name, own, out);
    }
}

int sched_claims_select(struct reconcile *rc, const struct sched_claims *claims, str_t node,
                        struct err *err)
{
    for (size_t i = 0; i < claims->n_waiting; i++) {
        struct json *claim = claims->waiting[i], *meta = json_get(claim, STR("metadata"));
        struct json *notes = rule_member(meta, STR("annotations"), rc->arena);
        if (str_eq(json_get_text(notes, STR(SELECTED_NODE)), node))
            continue;
        json_set(notes, STR(SELECTED_NODE), json_string(rc->arena, node));
        int r = rc->writer->update(rc->writer->self, &kind_persistentvolumeclaim, "", claim, err);
        if (r < 0)
            return err_wrap(err, "select the node of a claim");
    }
    return (int)claims->n_waiting;
}
