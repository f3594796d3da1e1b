/*
 * scheduler_controller.c - gives every pod its node.
 *
 * Changes of pods, nodes and claims are told to an index and a queue as they come; a reconcile
 * takes the next pods from the queue, a bounded number at a time. What was bound is in the index at
 * once, before the store has committed it: two pods of one turn do not get the same room.
 */
#include "base/buf.h"
#include "base/log.h"
#include "control/cache.h"
#include "controllers/controllers.h"
#include "controllers/pods.h"
#include "controllers/scheduler_queue.h"
#include "controllers/scheduler_status.h"
#include "controllers/scheduler_volumes.h"
#include "kinds/kinds.h"

#include <stdlib.h>

enum { PODS_A_TURN = 64, BUDGETS_MAX = 1000 };

static const char gated_message[] = "Scheduling is blocked due to non-empty scheduling gates";

struct scheduler {
    struct sched_index index;
    struct sched_queue queue;
    unsigned changes; /* Since the last turn: sched_change. */
};

static void *scheduler_open(void)
{
    struct scheduler *s = calloc(1, sizeof(*s));
    MUST(s != NULL);
    sched_index_init(&s->index);
    sched_queue_init(&s->queue);
    return s;
}

static void scheduler_close(void *state)
{
    struct scheduler *s = state;
    sched_queue_done(&s->queue);
    sched_index_done(&s->index);
    free(s);
}

/* --- what is seen --- */

static uint64_t hash_of(str_t text)
{
    uint64_t hash = 14695981039346656037ULL;
    for (size_t i = 0; i < text.len; i++) /* FNV-1a. */
        hash = (hash ^ (unsigned char)text.at[i]) * 1099511628211ULL;
    return hash;
}

/* Of all that matters for a pod that waits; its status does not. */
static uint64_t facts_of(const struct json *pod)
{
    AUTO(buf_done) struct buf text = {0};
    const struct json *parts[] = {json_at(pod, "metadata.uid"), json_at(pod, "metadata.labels"),
                                  json_get(pod, STR("spec"))};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i] != NULL)
            json_write(parts[i], &text);
    return hash_of(buf_str(&text));
}

static void forget(struct scheduler *s, str_t key)
{
    struct sched_waiting *waiting = sched_waiting_find(&s->queue, key);
    struct sched_pod *pod = sched_pod_find(&s->index, key);
    if (waiting != NULL)
        sched_waiting_drop(&s->queue, waiting);
    if (pod == NULL)
        return;
    sched_pod_drop(&s->index, pod);
    s->changes |= SCHED_ROOM | SCHED_PODS;
}

static void pod_bound(struct scheduler *s, const struct json *pod, str_t key, str_t node)
{
    struct sched_waiting *waiting = sched_waiting_find(&s->queue, key);
    const struct sched_pod *was = sched_pod_find(&s->index, key);
    if (waiting != NULL)
        sched_waiting_drop(&s->queue, waiting);
    bool ending = json_at(pod, "metadata.deletionTimestamp") != NULL;
    bool same = was != NULL && was->stand == SCHED_BOUND && was->ending == ending &&
                was->labels != NULL && json_at(pod, "metadata.labels") != NULL &&
                json_eq(was->labels, json_at(pod, "metadata.labels"));
    if (!same)
        s->changes |= SCHED_PODS;
    sched_pod_set(&s->index, pod, node, SCHED_BOUND);
}

/* A commit was lost, perhaps that of its binding; or it is still to come. Looked at a little later.
 */
static void doubt(struct scheduler *s, const struct json *pod, str_t key)
{
    struct sched_waiting *waiting =
        sched_waiting_add(&s->queue, key, json_number(pod, "spec.priority", 0));
    waiting->facts = facts_of(pod);
    waiting->doubted = false;
}

static void pod_waits(struct scheduler *s, const struct json *pod, str_t key, bool again)
{
    struct sched_pod *known = sched_pod_find(&s->index, key);
    str_t nominated = json_text(json_at(pod, "status.nominatedNodeName"), STR(""));
    if (known != NULL && known->stand == SCHED_ASSUMED) {
        if (str_eq(known->uid, json_text(json_at(pod, "metadata.uid"), STR("")))) {
            if (again)
                doubt(s, pod, key);
            return; /* Its binding is on the way. */
        }
        forget(s, key);
        known = NULL;
    }
    struct sched_waiting *waiting = sched_waiting_find(&s->queue, key);
    uint64_t facts = facts_of(pod);
    if (waiting == NULL || waiting->facts != facts) {
        waiting = sched_waiting_add(&s->queue, key, json_number(pod, "spec.priority", 0));
        waiting->facts = facts;
        if (known == NULL && nominated.len > 0)
            sched_pod_set(&s->index, pod, nominated, SCHED_NOMINATED);
    }
}

static void pod_seen(struct scheduler *s, const struct sight *sight, struct arena *arena)
{
    struct json *pod = NULL;
    struct err err;
    str_t key = arena_printf(arena, STR_F "/" STR_F, STR_A(sight->ns), STR_A(sight->name));
    if (sight->gone || json_parse(sight->json, arena, &pod, &err) < 0) {
        forget(s, key);
        return;
    }
    str_t phase = json_text(json_at(pod, "status.phase"), STR(""));
    str_t node = json_text(json_at(pod, "spec.nodeName"), STR(""));
    str_t by = json_text(json_at(pod, "spec.schedulerName"), STR("default-scheduler"));
    bool ended = str_eq(phase, STR("Succeeded")) || str_eq(phase, STR("Failed"));
    bool ending = json_at(pod, "metadata.deletionTimestamp") != NULL;
    if (ended || (node.len == 0 && (ending || !str_eq(by, STR("default-scheduler")))))
        forget(s, key);
    else if (node.len > 0)
        pod_bound(s, pod, key, node);
    else
        pod_waits(s, pod, key, sight->again);
}

static void node_seen(struct scheduler *s, const struct sight *sight, struct arena *arena)
{
    struct json *node = NULL;
    struct err err;
    bool changed = sight->gone || json_parse(sight->json, arena, &node, &err) < 0
                       ? sched_node_gone(&s->index, sight->name)
                       : sched_node_set(&s->index, sight->name, node);
    if (changed)
        s->changes |= SCHED_ROOM | SCHED_PODS | SCHED_VOLUMES;
}

static void space_seen(struct scheduler *s, const struct sight *sight, struct arena *arena)
{
    struct json *meta = NULL, *labels = NULL;
    struct err err;
    if (!sight->gone && json_pick(sight->json, STR("metadata"), arena, &meta, &err) == 0)
        labels = json_get(meta, STR("labels"));
    if (labels == NULL && !sight->gone)
        labels = json_object(arena);
    if (sched_space_set(&s->index, sight->name, labels))
        s->changes |= SCHED_PODS;
}

static void scheduler_seen(void *state, const struct sight *sight)
{
    static const str_t volumes[] = {STR("persistentvolumeclaims"), STR("persistentvolumes"),
                                    STR("storageclasses.storage.k8s.io")};
    AUTO(arena_done) struct arena arena = {0};
    struct scheduler *s = state;
    bool known = true;
    if (str_eq(sight->resource, STR("pods"))) {
        pod_seen(s, sight, &arena);
    } else if (str_eq(sight->resource, STR("nodes"))) {
        node_seen(s, sight, &arena);
    } else if (str_eq(sight->resource, STR("namespaces"))) {
        space_seen(s, sight, &arena);
    } else {
        known = false;
        for (size_t i = 0; i < ARRAY_LEN(volumes); i++)
            known = known || str_eq(sight->resource, volumes[i]);
        if (known)
            s->changes |= SCHED_VOLUMES;
    }
    if (known)
        sight->add(sight->queue, STR("/pods"));
}

/* --- one pod --- */

struct attempt {
    struct scheduler *s;
    struct reconcile *rc;
    struct sched_waiting *waiting;
    struct json *pod;
    struct sched_pod facts;
    struct sched_request request;
    struct sched_claims claims;
    msec_t now_ms;
};

static bool add_budget(struct reconcile *rc, const struct cache_name *name,
                       struct sched_budget *out, struct arena *arena)
{
    const struct json *budget =
        cache_get(rc->cache, STR("poddisruptionbudgets.policy"), name->ns, name->name, arena);
    *out = (struct sched_budget){name->ns, json_at(budget, "spec.selector"),
                                 json_number(budget, "status.disruptionsAllowed", 0)};
    return budget != NULL;
}

static size_t read_budgets(void *self, struct arena *arena, struct sched_budget **out)
{
    struct reconcile *rc = self;
    struct cache_name *names = arena_array(arena, struct cache_name, BUDGETS_MAX);
    size_t n = 0, all = cache_names(rc->cache, STR("poddisruptionbudgets.policy"), STR(""), names,
                                    BUDGETS_MAX, arena);
    struct sched_budget *budgets = arena_array(arena, struct sched_budget, all + 1);
    for (size_t i = 0; i < all; i++)
        n += add_budget(rc, &names[i], &budgets[n], arena);
    *out = budgets;
    return n;
}

/* What may change that makes a difference for this pod. */
static unsigned helped_by(const struct attempt *a)
{
    const struct json *spec = a->request.spec;
    unsigned helps = SCHED_ROOM;
    if (json_at(spec, "affinity.podAffinity") != NULL || a->facts.anti != NULL ||
        json_get(spec, STR("topologySpreadConstraints")) != NULL)
        helps |= SCHED_PODS;
    if (json_get(spec, STR("volumes")) != NULL)
        helps |= SCHED_VOLUMES;
    return helps;
}

static void try_later(struct attempt *a, const struct err *err)
{
    log_debug(a->rc->log, "again", F_STR("pod", a->facts.key),
              F_STR("error", str_from_z(err->text)));
    sched_waiting_retry(&a->s->queue, a->waiting, a->now_ms);
}

/* It fits: its volumes are made first, then it goes. */
static void bind(struct attempt *a, const struct sched_node *node)
{
    struct err err;
    struct scheduler *s = a->s;
    int unbound = sched_claims_select(a->rc, &a->claims, node->name, &err);
    if (unbound > 0) { /* The room stays its own until the volumes are there. */
        sched_pod_set(&s->index, a->pod, node->name, SCHED_NOMINATED);
        sched_waiting_stick(&s->queue, a->waiting, helped_by(a), a->now_ms);
        a->waiting->due_ms = a->now_ms;
        return;
    }
    int r = unbound < 0 ? unbound : sched_write_binding(a->rc, a->pod, node->name, &err);
    if (r < 0) {
        try_later(a, &err);
        return;
    }
    sched_say(a->rc, a->pod, false, "Scheduled",
              arena_printf(a->rc->arena, "Successfully assigned " STR_F " to " STR_F,
                           STR_A(a->facts.key), STR_A(node->name)));
    sched_waiting_drop(&s->queue, a->waiting);
    s->changes |= SCHED_PODS;
    sched_pod_set(&s->index, a->pod, node->name, SCHED_ASSUMED);
}

/* Others go; the pod waits for them, and the room is its own. */
static int make_room(struct attempt *a, const struct sched_plan *plan, struct err *err)
{
    str_t node = plan->node->name;
    for (size_t i = 0; i < plan->n_victims; i++) {
        int r = sched_write_victim(a->rc, plan->victims[i], a->pod, node, err);
        if (r < 0)
            return r;
        plan->victims[i]->ending = true;
    }
    sched_pod_set(&a->s->index, a->pod, node, SCHED_NOMINATED);
    return 0;
}

static void wait(struct attempt *a, const struct sched_plan *plan)
{
    struct err err;
    struct scheduler *s = a->s;
    struct sched_pod *known = sched_pod_find(&s->index, a->facts.key);
    str_t nominated = STR("");
    int r = 0;
    if (plan->node != NULL)
        r = make_room(a, plan, &err);
    if (r == 0 && plan->node != NULL)
        nominated = plan->node->name;
    else if (known != NULL && plan->keeps)
        nominated = known->node->name;
    else if (known != NULL && r == 0)
        sched_pod_drop(&s->index, known);
    uint64_t told = hash_of(plan->message);
    if (r == 0)
        r = sched_write_waiting(a->rc, a->pod, "Unschedulable", plan->message, nominated, &err);
    if (r == ERR_NOT_FOUND) {
        sched_waiting_drop(&s->queue, a->waiting);
        return;
    }
    if (r < 0) {
        try_later(a, &err);
        return;
    }
    if (a->waiting->told != told) /* An Event for each attempt would be a write for each. */
        sched_say(a->rc, a->pod, true, "FailedScheduling", plan->message);
    a->waiting->told = told;
    sched_waiting_stick(&s->queue, a->waiting, helped_by(a), a->now_ms);
    if (nominated.len > 0)
        a->waiting->due_ms = a->now_ms; /* At once when its room is there. */
}

static bool is_gated(struct attempt *a)
{
    struct err err;
    if (json_first(json_get(a->request.spec, STR("schedulingGates"))) == NULL)
        return false;
    int r = sched_write_waiting(a->rc, a->pod, "SchedulingGated", str_from_z(gated_message),
                                STR(""), &err);
    if (r < 0 && r != ERR_NOT_FOUND)
        try_later(a, &err);
    else
        sched_waiting_stick(&a->s->queue, a->waiting, 0, a->now_ms);
    return true;
}

static void attempt(struct scheduler *s, struct reconcile *rc, struct sched_waiting *waiting)
{
    struct attempt a = {
        .s = s, .rc = rc, .waiting = waiting, .now_ms = rc->clock->mono_ms(rc->clock)};
    str_t key = arena_str(rc->arena, waiting->by_key.key);
    str_cut(key, '/', &rc->ns, &rc->name);
    a.pod = cache_get(rc->cache, STR("pods"), rc->ns, rc->name, rc->arena);
    if (a.pod == NULL || json_at(a.pod, "metadata.deletionTimestamp") != NULL) {
        sched_waiting_drop(&s->queue, waiting); /* Its change comes, or has come. */
        return;
    }
    struct sched_pod *known = sched_pod_find(&s->index, key);
    if (known != NULL && known->stand == SCHED_ASSUMED && !waiting->doubted) {
        waiting->doubted = true;
        sched_waiting_retry(&s->queue, waiting, a.now_ms);
        return;
    }
    if (known != NULL && known->stand == SCHED_ASSUMED) {
        sched_pod_drop(&s->index, known);
        s->changes |= SCHED_ROOM;
    }
    sched_pod_read(a.pod, rc->arena, &a.facts);
    a.request = (struct sched_request){
        .pod = &a.facts, .spec = json_get(a.pod, STR("spec")), .arena = rc->arena};
    if (is_gated(&a))
        return;
    sched_claims_read(rc, a.pod, &a.claims);
    a.request.volumes = a.claims.volumes;
    a.request.n_volumes = a.claims.n_volumes;
    a.request.refused = a.claims.refused;
    struct sched_budgets budgets = {rc, read_budgets};
    struct sched_plan plan;
    sched_plan(&s->index, &a.request, &budgets, &plan);
    if (plan.node != NULL && plan.message.len == 0)
        bind(&a, plan.node);
    else
        wait(&a, &plan);
}

static int scheduler_reconcile(struct reconcile *rc, struct err *err)
{
    struct scheduler *s = rc->state;
    struct arena *whole = rc->arena;
    msec_t now_ms = rc->clock->mono_ms(rc->clock);
    (void)err;
    for (int i = 0; i < PODS_A_TURN; i++) {
        AUTO(arena_done) struct arena arena = {0};
        if (s->changes != 0)
            sched_queue_changed(&s->queue, s->changes, now_ms);
        s->changes = 0;
        struct sched_waiting *waiting = sched_queue_take(&s->queue, now_ms);
        if (waiting == NULL)
            break;
        rc->arena = &arena;
        attempt(s, rc, waiting);
    }
    rc->arena = whole;
    rc->ns = rc->name = STR("");
    msec_t wait_ms = sched_queue_wait_ms(&s->queue, now_ms);
    rc->again_in_ms = wait_ms < 0 ? 0 : wait_ms + 1;
    return 0;
}

const struct controller scheduler_controller = {
    .name = "scheduler",
    .reconcile = scheduler_reconcile,
    .seen = scheduler_seen,
    .open = scheduler_open,
    .close = scheduler_close,
};
