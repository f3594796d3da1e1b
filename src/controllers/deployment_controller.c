/*
 * deployment_controller.c - a Deployment owns ReplicaSets, one for each template it has had, and
 * moves its Pods from the old ones to the new one. One write a step.
 */
#include "control/recorder.h"
#include "controllers/controllers.h"
#include "controllers/deployment_plan.h"
#include "controllers/deployment_status.h"
#include "controllers/pods.h"
#include "kinds/kinds.h"
#include "kube/meta.h"

#include <stdlib.h>

#define REVISION "deployment.kubernetes.io/revision"
#define HISTORY "deployment.kubernetes.io/revision-history"
#define DESIRED "deployment.kubernetes.io/desired-replicas"
#define MOST "deployment.kubernetes.io/max-replicas"
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"
#define HASH "pod-template-hash"

struct rollout {
    struct reconcile *rc;
    struct json *object;
    const struct json *spec;
    struct claimed sets; /* Older before newer. */
    struct fleet fleet;
    int64_t collisions;
    bool recreate;
    bool wrote; /* A step was made: what follows from it is seen next time. */
};

/* --- what is seen --- */

static str_t key_of(str_t ns, str_t name, struct arena *arena)
{
    return arena_printf(arena, STR_F "/" STR_F, STR_A(ns), STR_A(name));
}

static void queue_owner(const struct sight *sight, const struct json *meta, struct arena *arena)
{
    const struct json *by = controller_of(meta);
    if (str_eq(json_get_text(by, STR("kind")), STR("Deployment")))
        sight->add(sight->queue, key_of(sight->ns, json_get_text(by, STR("name")), arena));
}

static void deployment_seen(void *state, const struct sight *sight)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *meta;
    struct err err;
    (void)state;
    bool set = str_eq(sight->resource, STR("replicasets.apps"));
    bool last = sight->gone && str_eq(sight->resource, STR("pods")); /* For Recreate. */
    if ((!set && !last) || json_pick(sight->json, STR("metadata"), &arena, &meta, &err) < 0)
        return;
    if (last) {
        const struct json *by = controller_of(meta);
        if (!str_eq(json_get_text(by, STR("kind")), STR("ReplicaSet")))
            return;
        meta = cache_meta(sight->cache, STR("replicasets.apps"), sight->ns,
                          json_get_text(by, STR("name")), &arena);
    }
    queue_owner(sight, meta, &arena);
}

/* --- ReplicaSets --- */

static int64_t annotation(const struct json *object, const char *name)
{
    int64_t n = 0;
    str_t text = json_get_text(json_at(object, "metadata.annotations"), str_from_z(name));
    return str_to_i64(text, &n) ? n : 0;
}

static struct json *member(struct json *object, str_t name, struct arena *arena)
{
    struct json *it = json_get(object, name);
    if (it == NULL || it->type != JSON_OBJECT)
        json_set(object, name, it = json_object(arena));
    return it;
}

static void annotate(struct json *object, const char *name, int64_t n, struct arena *arena)
{
    struct json *all = member(json_get(object, STR("metadata")), STR("annotations"), arena);
    json_set(all, str_from_z(name), json_string(arena, arena_printf(arena, "%lld", (long long)n)));
}

static struct json *without_hash(const struct json *template, struct arena *arena)
{
    struct json *copy = json_clone(template, arena);
    (void)json_remove(json_at(copy, "metadata.labels"), STR(HASH));
    return copy;
}

static int by_age(const void *a, const void *b)
{
    const struct json *x = *(struct json *const *)a, *y = *(struct json *const *)b;
    int order = str_cmp(json_text(json_at(x, "metadata.creationTimestamp"), STR("")),
                        json_text(json_at(y, "metadata.creationTimestamp"), STR("")));
    if (order != 0)
        return order;
    return str_cmp(json_text(json_at(x, "metadata.name"), STR("")),
                   json_text(json_at(y, "metadata.name"), STR("")));
}

static void see_fleet(struct rollout *rollout)
{
    struct arena *arena = rollout->rc->arena;
    struct fleet *fleet = &rollout->fleet;
    struct json *wanted = without_hash(json_get(rollout->spec, STR("template")), arena);
    qsort(rollout->sets.at, rollout->sets.n, sizeof(struct json *), by_age);
    fleet->n = fleet->newest = rollout->sets.n;
    fleet->sets = arena_array(arena, struct fleet_set, fleet->n + 1);
    for (size_t i = 0; i < fleet->n; i++) {
        const struct json *set = rollout->sets.at[i];
        fleet->sets[i] =
            (struct fleet_set){.wanted = json_number(set, "spec.replicas", 1),
                               .there = json_number(set, "status.replicas", 0),
                               .ready = json_number(set, "status.readyReplicas", 0),
                               .available = json_number(set, "status.availableReplicas", 0),
                               .most = annotation(set, MOST)};
        if (fleet->newest == fleet->n &&
            json_eq(without_hash(json_at(set, "spec.template"), arena), wanted))
            fleet->newest = i;
    }
    fleet_limits(fleet, rollout->spec);
}

/* Digits become letters that make no words. */
static str_t hash_of(const struct json *template, int64_t collisions, struct arena *arena)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    AUTO(buf_done) struct buf text = {0};
    uint32_t hash = 2166136261U;
    json_write(template, &text);
    if (collisions > 0)
        buf_printf(&text, "%lld", (long long)collisions);
    for (size_t i = 0; i < text.len; i++) /* FNV-1a. */
        hash = (hash ^ (unsigned char)text.at[i]) * 16777619U;
    str_t digits = arena_printf(arena, "%u", hash);
    char *out = arena_bytes(arena, digits.len + 1);
    for (size_t i = 0; i < digits.len; i++)
        out[i] = letters[(unsigned char)digits.at[i] % (sizeof(letters) - 1)];
    return (str_t){out, digits.len};
}

static int64_t last_revision(const struct rollout *rollout)
{
    int64_t most = 0;
    for (size_t i = 0; i < rollout->sets.n; i++) {
        int64_t n = i == rollout->fleet.newest ? 0 : annotation(rollout->sets.at[i], REVISION);
        most = n > most ? n : most;
    }
    return most;
}

/* Not those that say something of the Deployment itself. */
static void copy_annotations(const struct rollout *rollout, struct json *set)
{
    static const char *const own[] = {REVISION, HISTORY, DESIRED, MOST, LAST_APPLIED};
    struct arena *arena = rollout->rc->arena;
    JSON_EACH(json_at(rollout->object, "metadata.annotations"), each)
    {
        bool skip = false;
        for (size_t i = 0; i < ARRAY_LEN(own); i++)
            skip = skip || str_eq(each->key, str_from_z(own[i]));
        if (!skip)
            json_set(member(json_get(set, STR("metadata")), STR("annotations"), arena), each->key,
                     json_clone(each, arena));
    }
}

static void scaled_event(const struct rollout *rollout, str_t name, int64_t from, int64_t to)
{
    str_t message =
        arena_printf(rollout->rc->arena, "Scaled %s replica set " STR_F " from %lld to %lld",
                     to > from ? "up" : "down", STR_A(name), (long long)from, (long long)to);
    recorder_event(rollout->rc, &(struct record){.about = &kind_deployment,
                                                 .meta = json_get(rollout->object, STR("metadata")),
                                                 .reason = "ScalingReplicaSet",
                                                 .message = message,
                                                 .component = "deployment-controller"});
}

static void note_size(const struct rollout *rollout, struct json *set)
{
    annotate(set, DESIRED, rollout->fleet.replicas, rollout->rc->arena);
    annotate(set, MOST, rollout->fleet.replicas + rollout->fleet.surge, rollout->rc->arena);
}

static struct json *new_set(const struct rollout *rollout, str_t hash, str_t name, int64_t replicas)
{
    struct arena *arena = rollout->rc->arena;
    struct json *set = json_object(arena), *spec = json_object(arena);
    struct json *template = json_clone(json_get(rollout->spec, STR("template")), arena);
    struct json *selector = json_clone(json_get(rollout->spec, STR("selector")), arena);
    struct json *labels = member(member(template, STR("metadata"), arena), STR("labels"), arena);
    struct json *meta = controlled_meta(rollout->object, &kind_deployment, name, arena);
    json_set(labels, STR(HASH), json_string(arena, hash));
    json_set(member(selector, STR("matchLabels"), arena), STR(HASH), json_string(arena, hash));
    json_add(meta, STR("labels"), json_clone(labels, arena));
    json_add(set, STR("metadata"), meta);
    json_add(spec, STR("replicas"), json_int(arena, replicas));
    int64_t min_ready_s = json_number(rollout->spec, "minReadySeconds", 0);
    if (min_ready_s > 0)
        json_add(spec, STR("minReadySeconds"), json_int(arena, min_ready_s));
    json_add(spec, STR("selector"), selector);
    json_add(spec, STR("template"), template);
    json_add(set, STR("spec"), spec);
    copy_annotations(rollout, set);
    annotate(set, REVISION, last_revision(rollout) + 1, arena);
    note_size(rollout, set);
    return set;
}

static int make_newest(struct rollout *rollout, struct err *err)
{
    struct reconcile *rc = rollout->rc;
    str_t hash = hash_of(json_get(rollout->spec, STR("template")), rollout->collisions, rc->arena);
    str_t name = arena_printf(rc->arena, STR_F "-" STR_F, STR_A(rc->name), STR_A(hash));
    int64_t replicas = fleet_first(&rollout->fleet, rollout->recreate);
    struct json *set = new_set(rollout, hash, name, replicas);
    int r = rc->writer->create(rc->writer->self, &kind_replicaset, set, err);
    if (r == ERR_EXISTS) { /* On its way; or another's, and then the next name is tried. */
        if (cache_meta(rc->cache, STR("replicasets.apps"), rc->ns, name, rc->arena) != NULL)
            rollout->collisions++;
        return 0;
    }
    if (r == 0 && replicas > 0)
        scaled_event(rollout, name, 0, replicas);
    rollout->wrote = r == 0;
    return r;
}

/* A set that is the present one has the highest revision; one that comes back gets a new one. */
static int number_newest(struct rollout *rollout, struct err *err)
{
    struct reconcile *rc = rollout->rc;
    struct json *set = rollout->sets.at[rollout->fleet.newest];
    struct json *before = json_clone(set, rc->arena);
    int64_t was = annotation(set, REVISION), next = last_revision(rollout) + 1;
    copy_annotations(rollout, set);
    if (was < next) {
        struct json *all = member(json_get(set, STR("metadata")), STR("annotations"), rc->arena);
        str_t old = json_get_text(all, STR(HISTORY));
        if (was > 0)
            json_set(all, STR(HISTORY),
                     json_string(rc->arena, arena_printf(rc->arena, STR_F "%s%lld", STR_A(old),
                                                         old.len > 0 ? "," : "", (long long)was)));
        annotate(set, REVISION, next, rc->arena);
    }
    int64_t min_ready_s = json_number(rollout->spec, "minReadySeconds", 0);
    if (json_number(set, "spec.minReadySeconds", 0) != min_ready_s)
        json_set(json_get(set, STR("spec")), STR("minReadySeconds"),
                 json_int(rc->arena, min_ready_s));
    if (!json_eq(before, set)) {
        rollout->wrote = true;
        return rc->writer->update(rc->writer->self, &kind_replicaset, "", set, err);
    }
    int64_t revision = annotation(set, REVISION);
    if (annotation(rollout->object, REVISION) == revision)
        return 0;
    annotate(rollout->object, REVISION, revision, rc->arena);
    rollout->wrote = true;
    return rc->writer->update(rc->writer->self, &kind_deployment, "", rollout->object, err);
}

static int apply_sizes(struct rollout *rollout, struct err *err)
{
    struct reconcile *rc = rollout->rc;
    for (size_t i = 0; i < rollout->sets.n; i++) {
        struct json *set = rollout->sets.at[i];
        const struct fleet_set *size = &rollout->fleet.sets[i];
        struct json *before = json_clone(set, rc->arena);
        json_set(json_get(set, STR("spec")), STR("replicas"), json_int(rc->arena, size->next));
        if (size->next > 0)
            note_size(rollout, set);
        if (json_eq(before, set))
            continue;
        rollout->wrote = true;
        int r = rc->writer->update(rc->writer->self, &kind_replicaset, "", set, err);
        if (r < 0)
            return err_wrap(err, "scale");
        if (size->next != size->wanted)
            scaled_event(rollout, json_text(json_at(set, "metadata.name"), STR("")), size->wanted,
                         size->next);
    }
    return 0;
}

/* --- the kinds of steps --- */

static bool was_scaled(const struct rollout *rollout)
{
    for (size_t i = 0; i < rollout->sets.n; i++) {
        int64_t desired = annotation(rollout->sets.at[i], DESIRED);
        bool known =
            json_get(json_at(rollout->sets.at[i], "metadata.annotations"), STR(DESIRED)) != NULL;
        if (rollout->fleet.sets[i].wanted > 0 && known && desired != rollout->fleet.replicas)
            return true;
    }
    return false;
}

/* Do Pods of old ReplicaSets still run? Those that are ending count. */
static bool old_pods_run(const struct rollout *rollout)
{
    const struct reconcile *rc = rollout->rc;
    for (size_t i = 0; i < rollout->sets.n; i++) {
        struct json **pods;
        str_t uid = json_text(json_at(rollout->sets.at[i], "metadata.uid"), STR(""));
        if (i == rollout->fleet.newest)
            continue;
        size_t n = cache_owned(rc->cache, STR("pods"), rc->ns, uid, NULL, rc->arena, &pods);
        for (size_t j = 0; j < n; j++) {
            str_t phase = json_text(json_at(pods[j], "status.phase"), STR(""));
            if (controller_of(json_get(pods[j], STR("metadata"))) != NULL &&
                !str_eq(phase, STR("Failed")) && !str_eq(phase, STR("Succeeded")))
                return true;
        }
    }
    return false;
}

static int recreate(struct rollout *rollout, struct err *err)
{
    struct fleet *fleet = &rollout->fleet;
    fleet_stop_old(fleet);
    int r = apply_sizes(rollout, err);
    if (r < 0 || rollout->wrote || old_pods_run(rollout))
        return r;
    if (fleet->newest == fleet->n)
        return make_newest(rollout, err);
    r = number_newest(rollout, err);
    fleet->sets[fleet->newest].next = fleet->replicas;
    return r < 0 || rollout->wrote ? r : apply_sizes(rollout, err);
}

static int roll(struct rollout *rollout, struct err *err)
{
    if (rollout->fleet.newest == rollout->fleet.n)
        return make_newest(rollout, err);
    int r = number_newest(rollout, err);
    if (r < 0 || rollout->wrote)
        return r;
    fleet_roll(&rollout->fleet);
    return apply_sizes(rollout, err);
}

static int clean_up(struct rollout *rollout, struct err *err)
{
    struct reconcile *rc = rollout->rc;
    int64_t keep = json_number(rollout->spec, "revisionHistoryLimit", 10);
    int64_t old = (int64_t)rollout->sets.n - (rollout->fleet.newest < rollout->fleet.n);
    for (size_t i = 0; i < rollout->sets.n && old > keep; i++) {
        const struct json *meta = json_get(rollout->sets.at[i], STR("metadata"));
        const struct fleet_set *set = &rollout->fleet.sets[i];
        if (i == rollout->fleet.newest)
            continue;
        old--;
        if (set->wanted != 0 || set->there != 0 || json_get(meta, STR("deletionTimestamp")) != NULL)
            continue;
        struct removal removal = {.uid = json_get_text(meta, STR("uid"))};
        int r = rc->writer->remove_if(rc->writer->self, &kind_replicaset, rc->ns,
                                      json_get_text(meta, STR("name")), &removal, err);
        if (r < 0 && r != ERR_NOT_FOUND)
            return err_wrap(err, "clean up");
    }
    return 0;
}

static int write_status(struct rollout *rollout, struct err *err)
{
    struct reconcile *rc = rollout->rc;
    struct deployment_view view = {.object = rollout->object,
                                   .sets = rollout->sets.at,
                                   .n = rollout->sets.n,
                                   .newest = rollout->fleet.newest,
                                   .unavailable_max = rollout->fleet.unavailable,
                                   .collisions = rollout->collisions,
                                   .wall_ms = rc->clock->wall_ms(rc->clock)};
    struct json *status = deployment_status(&view, &rc->again_in_ms, rc->arena);
    if (json_eq(json_get(rollout->object, STR("status")), status))
        return 0;
    json_set(rollout->object, STR("status"), status);
    return rc->writer->update(rc->writer->self, &kind_deployment, "status", rollout->object, err);
}

static int deployment_reconcile(struct reconcile *rc, struct err *err)
{
    struct rollout rollout = {.rc = rc};
    rollout.object = cache_get(rc->cache, STR("deployments.apps"), rc->ns, rc->name, rc->arena);
    if (rollout.object == NULL)
        return 0;
    rollout.spec = json_get(rollout.object, STR("spec"));
    rollout.collisions = json_number(rollout.object, "status.collisionCount", 0);
    rollout.recreate =
        str_eq(json_text(json_at(rollout.spec, "strategy.type"), STR("")), STR("Recreate"));
    int r = claim(rc, &kind_replicaset, rollout.object, &kind_deployment,
                  json_get(rollout.spec, STR("selector")), &rollout.sets, err);
    if (r < 0)
        return r;
    see_fleet(&rollout);
    if (json_at(rollout.object, "metadata.deletionTimestamp") != NULL)
        return write_status(&rollout, err);
    bool paused = json_is_true(json_get(rollout.spec, STR("paused")));
    if (paused || was_scaled(&rollout)) {
        fleet_scale(&rollout.fleet, rc->arena);
        r = apply_sizes(&rollout, err);
    } else {
        r = rollout.recreate ? recreate(&rollout, err) : roll(&rollout, err);
    }
    if (r < 0 || rollout.wrote)
        return r; /* What was written brings us back. */
    if (deployment_is_complete(rollout.object, json_get(rollout.object, STR("status"))))
        r = clean_up(&rollout, err);
    int written = write_status(&rollout, err);
    return r < 0 ? r : written;
}

const struct controller deployment_controller = {
    .name = "deployment",
    .primary = &kind_deployment,
    .reconcile = deployment_reconcile,
    .seen = deployment_seen,
};
