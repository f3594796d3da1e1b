/*
 * replicas_controller.c - ReplicaSets and ReplicationControllers: so many Pods of one template.
 */
#include "control/recorder.h"
#include "controllers/controllers.h"
#include "controllers/pods.h"
#include "controllers/replicas_plan.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kube/meta.h"

#include <stdlib.h>
#include <string.h>

struct set {
    struct reconcile *rc;
    struct expectations *expected;
    const struct kind *kind;
    const char *component;
    struct json *object;
    const struct json *spec, *selector;
    str_t key;           /* "namespace/name" */
    struct claimed pods; /* The active ones. */
    struct err refused;  /* What kept a Pod from being made; code 0: nothing. */
    bool failed_delete;
};

/* --- what is seen --- */

static str_t key_of(str_t ns, str_t name, struct arena *arena)
{
    return arena_printf(arena, STR_F "/" STR_F, STR_A(ns), STR_A(name));
}

/* Does this one want a Pod with such labels? */
static bool might_take(const struct sight *sight, str_t resource, str_t name,
                       const struct json *labels)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *set = cache_get(sight->cache, resource, sight->ns, name, &arena);
    const struct json *selector = json_at(set, "spec.selector");
    if (str_eq(resource, STR("replicasets.apps")))
        return selects(selector, labels);
    struct json *all = json_object(&arena);
    if (selector != NULL)
        json_add(all, STR("matchLabels"), json_clone(selector, &arena));
    return selects(all, labels);
}

static void queue_takers(const struct sight *sight, const char *resource, const struct json *labels,
                         struct arena *arena)
{
    enum { MOST = 1000 };
    struct cache_name *names = arena_array(arena, struct cache_name, MOST);
    size_t n = 0;
    if (json_count(labels) > 0) /* An empty selector is refused, so nobody wants it else. */
        n = cache_names(sight->cache, str_from_z(resource), sight->ns, names, MOST, arena);
    for (size_t i = 0; i < n; i++)
        if (might_take(sight, str_from_z(resource), names[i].name, labels))
            sight->add(sight->queue, key_of(names[i].ns, names[i].name, arena));
}

/* A Pod's change is news for who controls it; one that nobody controls, for all who might. */
static void pod_seen(void *state, const struct sight *sight, const char *kind, const char *resource)
{
    AUTO(arena_done) struct arena arena = {0};
    struct expectations *expected = state;
    struct json *meta;
    struct err err;
    if (sight->again && str_eq(sight->resource, str_from_z(resource)))
        expectations_clear(expected); /* A commit was lost, perhaps one that we wait for. */
    if (!str_eq(sight->resource, STR("pods")) ||
        json_pick(sight->json, STR("metadata"), &arena, &meta, &err) < 0)
        return;
    bool marked = json_get(meta, STR("deletionTimestamp")) != NULL;
    str_t name = key_of(sight->ns, sight->name, &arena);
    str_t ends = arena_printf(&arena, STR_F "-", STR_A(name));
    expectations_met(expected, name);
    if (sight->gone || marked)
        expectations_met(expected, ends);
    const struct json *by = controller_of(meta);
    if (by != NULL && str_eq(json_get_text(by, STR("kind")), str_from_z(kind)))
        sight->add(sight->queue, key_of(sight->ns, json_get_text(by, STR("name")), &arena));
    else if (by == NULL && !sight->gone && !marked)
        queue_takers(sight, resource, json_get(meta, STR("labels")), &arena);
}

static void rs_seen(void *state, const struct sight *sight)
{
    pod_seen(state, sight, "ReplicaSet", "replicasets.apps");
}

static void rc_seen(void *state, const struct sight *sight)
{
    pod_seen(state, sight, "ReplicationController", "replicationcontrollers");
}

static void *replicas_open(void)
{
    void *state = calloc(1, sizeof(struct expectations));
    MUST(state != NULL);
    return state;
}

static void replicas_close(void *state)
{
    expectations_done(state);
    free(state);
}

/* --- steps --- */

static void say(const struct set *set, bool warning, const char *reason, str_t message)
{
    recorder_event(set->rc, &(struct record){.about = set->kind,
                                             .meta = json_get(set->object, STR("metadata")),
                                             .warning = warning,
                                             .reason = reason,
                                             .message = message,
                                             .component = set->component});
}

static struct json *new_pod(const struct set *set, str_t name)
{
    static const char *const kept[] = {"labels", "annotations", "finalizers"};
    struct arena *arena = set->rc->arena;
    const struct json *template = json_get(set->spec, STR("template"));
    struct json *pod = json_object(arena);
    struct json *meta = controlled_meta(set->object, set->kind, name, arena);
    str_t prefix = set->rc->name;
    json_add(meta, STR("generateName"),
             json_string(arena, arena_printf(arena, STR_F "-", STR_A(prefix))));
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        const struct json *value =
            json_get(json_get(template, STR("metadata")), str_from_z(kept[i]));
        if (value != NULL)
            json_add(meta, str_from_z(kept[i]), json_clone(value, arena));
    }
    json_add(pod, STR("metadata"), meta);
    json_add(pod, STR("spec"), json_clone(json_get(template, STR("spec")), arena));
    return pod;
}

/* One, then two, then four ...: of a Pod that is refused there are not five hundred refusals. */
static void make_pods(struct set *set, size_t n)
{
    enum { PREFIX_MAX = 57 };
    struct arena *arena = set->rc->arena;
    str_t prefix = set->rc->name;
    if (prefix.len > PREFIX_MAX)
        prefix.len = PREFIX_MAX;
    for (size_t i = 0; i < n; i++) {
        str_t suffix = random_suffix(arena);
        str_t name = arena_printf(arena, STR_F "-" STR_F, STR_A(prefix), STR_A(suffix));
        int r = set->rc->writer->create(set->rc->writer->self, &kind_pod, new_pod(set, name),
                                        &set->refused);
        if (r == ERR_EXISTS)
            continue; /* The dice fell on the same name; the next look makes another. */
        if (r < 0) {
            say(set, true, "FailedCreate",
                arena_printf(arena, "Error creating: %s", set->refused.text));
            return;
        }
        expectations_add(set->expected, key_of(set->rc->ns, name, arena), set->key);
        say(set, false, "SuccessfulCreate",
            arena_printf(arena, "Created pod: " STR_F, STR_A(name)));
    }
    set->refused.code = 0;
}

static int remove_pods(struct set *set, size_t n, struct err *err)
{
    struct arena *arena = set->rc->arena;
    replicas_sort(set->pods.at, set->pods.n, arena);
    for (size_t i = 0; i < n; i++) {
        const struct json *meta = json_get(set->pods.at[i], STR("metadata"));
        str_t name = json_get_text(meta, STR("name"));
        struct removal removal = {.uid = json_get_text(meta, STR("uid"))};
        int r = set->rc->writer->remove_if(set->rc->writer->self, &kind_pod, set->rc->ns, name,
                                           &removal, err);
        if (r < 0 && r != ERR_NOT_FOUND) {
            say(set, true, "FailedDelete", arena_printf(arena, "Error deleting: %s", err->text));
            set->failed_delete = true;
            return r;
        }
        str_t key = key_of(set->rc->ns, name, arena);
        expectations_add(set->expected, arena_printf(arena, STR_F "-", STR_A(key)),
                         arena_printf(arena, STR_F "-", STR_A(set->key)));
        say(set, false, "SuccessfulDelete",
            arena_printf(arena, "Deleted pod: " STR_F, STR_A(name)));
    }
    return 0;
}

/* --- status --- */

static void count(struct json *status, const char *name, int64_t n, struct arena *arena)
{
    if (n > 0 || strcmp(name, "replicas") == 0)
        json_set(status, str_from_z(name), json_int(arena, n));
    else
        (void)json_remove(status, str_from_z(name));
}

static void set_failure(struct set *set, struct json *status)
{
    struct arena *arena = set->rc->arena;
    struct json *conditions = json_array(arena), *was = condition_of(status, "ReplicaFailure");
    JSON_EACH(json_get(status, STR("conditions")), each)
    if (each != was)
        json_add(conditions, STR(""), json_clone(each, arena));
    if (set->refused.code != 0 && was != NULL) {
        json_add(conditions, STR(""), json_clone(was, arena));
    } else if (set->refused.code != 0 || set->failed_delete) {
        struct json *it = json_object(arena);
        msec_t now_ms = set->rc->clock->wall_ms(set->rc->clock);
        json_add(it, STR("type"), json_string(arena, STR("ReplicaFailure")));
        json_add(it, STR("status"), json_string(arena, STR("True")));
        json_add(it, STR("lastTransitionTime"), json_string(arena, time_text(now_ms, arena)));
        json_add(
            it, STR("reason"),
            json_string(arena, set->failed_delete ? STR("FailedDelete") : STR("FailedCreate")));
        json_add(it, STR("message"),
                 json_string(arena, arena_printf(arena, "%s", set->refused.text)));
        json_add(conditions, STR(""), it);
    }
    if (conditions->first != NULL)
        json_set(status, STR("conditions"), conditions);
    else
        (void)json_remove(status, STR("conditions"));
}

static int write_status(struct set *set, struct err *err)
{
    struct reconcile *rc = set->rc;
    const struct json *labels = json_at(set->spec, "template.metadata.labels");
    int64_t min_ready_s = json_number(set->spec, "minReadySeconds", 0);
    int64_t labeled = 0, ready = 0, available = 0;
    struct json *wanted =
        json_add(json_object(rc->arena), STR("matchLabels"),
                 labels == NULL ? json_object(rc->arena) : json_clone(labels, rc->arena));
    for (size_t i = 0; i < set->pods.n; i++) {
        const struct json *pod = set->pods.at[i];
        msec_t left_ms;
        labeled += selects(wanted, json_at(pod, "metadata.labels"));
        ready += pod_is_ready(pod);
        available += pod_is_available(pod, min_ready_s, rc->clock->wall_ms(rc->clock), &left_ms);
        if (left_ms > 0 && (rc->again_in_ms == 0 || left_ms < rc->again_in_ms))
            rc->again_in_ms = left_ms;
    }
    struct json *before = json_get(set->object, STR("status"));
    struct json *status = before == NULL ? json_object(rc->arena) : json_clone(before, rc->arena);
    count(status, "replicas", (int64_t)set->pods.n, rc->arena);
    count(status, "fullyLabeledReplicas", labeled, rc->arena);
    count(status, "readyReplicas", ready, rc->arena);
    count(status, "availableReplicas", available, rc->arena);
    count(status, "observedGeneration", json_number(set->object, "metadata.generation", 0),
          rc->arena);
    set_failure(set, status);
    if (before != NULL && json_eq(before, status))
        return 0;
    json_set(set->object, STR("status"), status);
    return rc->writer->update(rc->writer->self, set->kind, "status", set->object, err);
}

/* --- the whole --- */

static void keep_active(struct set *set)
{
    size_t n = 0;
    for (size_t i = 0; i < set->pods.n; i++) {
        struct json *pod = set->pods.at[i];
        str_t key =
            key_of(set->rc->ns, json_text(json_at(pod, "metadata.name"), STR("")), set->rc->arena);
        bool ends =
            expectations_has(set->expected, arena_printf(set->rc->arena, STR_F "-", STR_A(key)));
        if (pod_is_active(pod) && !ends)
            set->pods.at[n++] = pod;
    }
    set->pods.n = n;
}

static int replicas_reconcile(struct set *set, struct err *err)
{
    struct reconcile *rc = set->rc;
    set->key = key_of(rc->ns, rc->name, rc->arena);
    set->spec = json_get(set->object, STR("spec"));
    int r = claim(rc, &kind_pod, set->object, set->kind, set->selector, &set->pods, err);
    if (r < 0)
        return r;
    keep_active(set);
    struct replicas_step step = replicas_next(json_number(set->spec, "replicas", 1), set->pods.n,
                                              expectations_of(set->expected, set->key));
    if (json_at(set->object, "metadata.deletionTimestamp") != NULL)
        step = (struct replicas_step){0};
    if (step.make > 0)
        make_pods(set, step.make);
    else if (step.remove > 0)
        r = remove_pods(set, step.remove, err);
    struct err refused = set->refused;
    int written = write_status(set, err);
    if (r == 0 && written == 0 && refused.code != 0) {
        *err = refused;
        return refused.code; /* Tried again, later and later. */
    }
    return r < 0 ? r : written;
}

static int rs_reconcile(struct reconcile *rc, struct err *err)
{
    struct set set = {.rc = rc, .expected = rc->state, .kind = &kind_replicaset};
    set.component = "replicaset-controller";
    set.object = cache_get(rc->cache, STR("replicasets.apps"), rc->ns, rc->name, rc->arena);
    set.selector = json_at(set.object, "spec.selector");
    return set.object == NULL ? 0 : replicas_reconcile(&set, err);
}

static int rc_reconcile(struct reconcile *rc, struct err *err)
{
    struct set set = {.rc = rc, .expected = rc->state, .kind = &kind_replicationcontroller};
    set.component = "replication-controller";
    set.object = cache_get(rc->cache, STR("replicationcontrollers"), rc->ns, rc->name, rc->arena);
    if (set.object == NULL)
        return 0;
    struct json *selector = json_object(rc->arena);
    const struct json *labels = json_at(set.object, "spec.selector");
    if (labels != NULL)
        json_add(selector, STR("matchLabels"), json_clone(labels, rc->arena));
    set.selector = selector;
    return replicas_reconcile(&set, err);
}

const struct controller replicaset_controller = {
    .name = "replicaset",
    .primary = &kind_replicaset,
    .reconcile = rs_reconcile,
    .seen = rs_seen,
    .open = replicas_open,
    .close = replicas_close,
};

const struct controller replication_controller = {
    .name = "replicationcontroller",
    .primary = &kind_replicationcontroller,
    .reconcile = rc_reconcile,
    .seen = rc_seen,
    .open = replicas_open,
    .close = replicas_close,
};
