/* replicas_plan.c - each Pod becomes a row of numbers, and the smaller row goes first. */
#include "controllers/replicas_plan.h"

#include "controllers/pods.h"
#include "kube/meta.h"

#include <stdlib.h>
#include <string.h>

struct replicas_step replicas_next(int64_t wanted, size_t active, size_t being_made)
{
    struct replicas_step step = {0};
    int64_t there = (int64_t)(active + being_made);
    if (there < wanted)
        step.make = (size_t)(wanted - there);
    else if (there > wanted)
        step.remove = (size_t)(there - wanted);
    if (step.make > REPLICAS_BURST)
        step.make = REPLICAS_BURST;
    if (step.remove > active)
        step.remove = active;
    if (step.remove > REPLICAS_BURST)
        step.remove = REPLICAS_BURST;
    return step;
}

enum { RANKS = 8 };

struct ranked {
    int64_t rank[RANKS]; /* The smaller goes first. */
    struct json *pod;
    str_t node;
};

static msec_t time_of(const struct json *json)
{
    msec_t ms = 0;
    (void)time_parse(json_text(json, STR("")), &ms);
    return ms;
}

static int64_t restarts_of(const struct json *pod)
{
    int64_t most = 0;
    JSON_EACH(json_at(pod, "status.containerStatuses"), status)
    {
        int64_t n = json_number(status, "restartCount", 0);
        most = n > most ? n : most;
    }
    return most;
}

static int64_t cost_of(const struct json *pod)
{
    int64_t cost = 0;
    str_t text = json_get_text(json_at(pod, "metadata.annotations"),
                               STR("controller.kubernetes.io/pod-deletion-cost"));
    bool minus = text.len > 1 && text.at[0] == '-';
    if (str_to_i64((str_t){text.at + minus, text.len - minus}, &cost) && minus)
        cost = -cost;
    return cost;
}

static void rank(struct ranked *ranked, struct json *pod)
{
    str_t phase = json_text(json_at(pod, "status.phase"), STR(""));
    const struct json *ready = condition_of(json_get(pod, STR("status")), "Ready");
    bool running = str_eq(phase, STR("Running")), unknown = str_eq(phase, STR("Unknown"));
    bool is_ready = pod_is_ready(pod);
    ranked->pod = pod;
    ranked->node = json_text(json_at(pod, "spec.nodeName"), STR(""));
    ranked->rank[0] = ranked->node.len > 0;
    ranked->rank[1] = running ? 2 : unknown ? 1 : 0;
    ranked->rank[2] = is_ready;
    ranked->rank[3] = cost_of(pod);
    ranked->rank[5] = is_ready ? -time_of(json_get(ready, STR("lastTransitionTime"))) : 0;
    ranked->rank[6] = -restarts_of(pod);
    ranked->rank[7] = -time_of(json_at(pod, "metadata.creationTimestamp"));
}

static int by_node(const void *a, const void *b)
{
    return str_cmp(((const struct ranked *)a)->node, ((const struct ranked *)b)->node);
}

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    for (int i = 0; i < RANKS; i++)
        if (x->rank[i] != y->rank[i])
            return x->rank[i] < y->rank[i] ? -1 : 1;
    return str_cmp(json_text(json_at(x->pod, "metadata.name"), STR("")),
                   json_text(json_at(y->pod, "metadata.name"), STR("")));
}

void replicas_sort(struct json **pods, size_t n, struct arena *arena)
{
    struct ranked *all = arena_array(arena, struct ranked, n + 1);
    for (size_t i = 0; i < n; i++)
        rank(&all[i], pods[i]);
    qsort(all, n, sizeof(*all), by_node);
    for (size_t i = 0, first = 0; i < n; i++) { /* How many of its kind share the node. */
        if (i + 1 < n && str_eq(all[i + 1].node, all[i].node))
            continue;
        for (size_t j = first; j <= i; j++)
            all[j].rank[4] = -(int64_t)(i - first);
        first = i + 1;
    }
    qsort(all, n, sizeof(*all), by_rank);
    for (size_t i = 0; i < n; i++)
        pods[i] = all[i].pod;
}
