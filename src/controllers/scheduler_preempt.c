/*
 * scheduler_preempt.c - who has to go for a more important pod: all less important ones are taken
 * off the node in thought, and put back one by one, the most important first, while it still fits.
 */
#include "controllers/pods.h"
#include "controllers/scheduler_plan.h"
#include "kinds/rules.h"

#include <stdlib.h>

bool sched_may_preempt(const struct sched_index *index, const struct sched_request *request,
                       const char **why)
{
    str_t policy = json_get_text(request->spec, STR("preemptionPolicy"));
    if (str_eq(policy, STR("Never"))) {
        *why = "not eligible due to preemptionPolicy=Never.";
        return false;
    }
    const struct sched_pod *known = sched_pod_find(index, request->pod->key);
    if (known == NULL || known->stand != SCHED_NOMINATED)
        return true;
    LIST_EACH(&known->node->pods, link) {
        const struct sched_pod *other = CONTAINER_OF(link, struct sched_pod, on_node);
        if (other->ending && other->priority < request->pod->priority) {
            *why = "not eligible due to a terminating pod on the nominated node.";
            return false;
        }
    }
    return true;
}

/* The more important first; of equals, the older. */
static int by_importance(const void *a, const void *b)
{
    const struct sched_pod *p = *(struct sched_pod *const *)a, *q = *(struct sched_pod *const *)b;
    if (p->priority != q->priority)
        return p->priority > q->priority ? -1 : 1;
    int r = str_cmp(p->since, q->since);
    return r != 0 ? r : str_cmp(p->key, q->key);
}

static size_t less_important(const struct sched_request *request, const struct sched_node *node,
                             struct sched_pod ***out)
{
    size_t n = 0;
    struct sched_pod **at =
        arena_array(request->arena, struct sched_pod *, (size_t)node->n_pods + 1);
    LIST_EACH(&node->pods, link) {
        struct sched_pod *pod = CONTAINER_OF(link, struct sched_pod, on_node);
        if (pod->priority < request->pod->priority)
            at[n++] = pod;
    }
    qsort(at, n, sizeof(struct sched_pod *), by_importance);
    *out = at;
    return n;
}

/* Budgets go down by every pod, in order; those past the end are violations. */
static bool violates(const struct sched_pod *pod, const struct sched_budget *budgets, size_t n,
                     int64_t *left)
{
    bool violation = false;
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(budgets[i].ns, pod->ns) || budgets[i].selector == NULL || pod->labels == NULL ||
            !selects(budgets[i].selector, pod->labels))
            continue;
        violation = --left[i] < 0 || violation;
    }
    return violation;
}

static bool fits(struct sched_index *index, const struct sched_request *request,
                 const struct sched_node *node, struct sched_verdict *verdict)
{
    sched_filter(index, request, node, verdict);
    return verdict->answer == SCHED_FITS;
}

/* True: it may stay. */
static bool reprieve(struct sched_index *index, const struct sched_request *request,
                     struct sched_node *node, struct sched_pod *pod)
{
    struct sched_verdict verdict;
    sched_pod_land(pod);
    if (fits(index, request, node, &verdict))
        return true;
    sched_pod_lift(pod);
    return false;
}

bool sched_victims_on(struct sched_index *index, const struct sched_request *request,
                      struct sched_node *node, const struct sched_budget *budgets, size_t n_budgets,
                      struct sched_victims *out)
{
    struct sched_pod **pods;
    size_t n = less_important(request, node, &pods);
    *out = (struct sched_victims){.node = node};
    if (n == 0) {
        out->verdict = (struct sched_verdict){
            SCHED_NEVER, 1, {STR("No preemption victims found for incoming pod")}};
        return false;
    }
    for (size_t i = 0; i < n; i++)
        sched_pod_lift(pods[i]);
    bool helps = fits(index, request, node, &out->verdict);
    bool *guarded = arena_array(request->arena, bool, n);
    int64_t *left = arena_array(request->arena, int64_t, n_budgets + 1);
    out->at = arena_array(request->arena, struct sched_pod *, n);
    for (size_t i = 0; i < n_budgets; i++)
        left[i] = budgets[i].allowed;
    for (size_t i = 0; i < n; i++)
        guarded[i] = violates(pods[i], budgets, n_budgets, left);
    for (int turn = 0; helps && turn < 2; turn++) /* Those that a budget guards come first. */
        for (size_t i = 0; i < n; i++) {
            if (guarded[i] != (turn == 0) || reprieve(index, request, node, pods[i]))
                continue;
            out->at[out->n++] = pods[i];
            out->violations += guarded[i];
        }
    for (size_t i = 0; i < n; i++)
        if (!list_in(&pods[i]->on_node))
            sched_pod_land(pods[i]);
    qsort(out->at, out->n, sizeof(struct sched_pod *), by_importance);
    return helps;
}

static int order(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int64_t sum_of(const struct sched_victims *victims)
{
    int64_t sum = 0; /* Each at least one, so that few are better than many. */
    for (size_t i = 0; i < victims->n; i++)
        sum += victims->at[i]->priority + INT32_MAX + 1LL;
    return sum;
}

/* When the most important of them began: those that have run for less time go first. */
static str_t since_of(const struct sched_victims *victims)
{
    return victims->n == 0 ? STR("") : victims->at[0]->since;
}

bool sched_victims_better(const struct sched_victims *a, const struct sched_victims *b)
{
    int r = order(a->violations, b->violations);
    if (r == 0 && a->n > 0 && b->n > 0)
        r = order(a->at[0]->priority, b->at[0]->priority);
    if (r == 0)
        r = order(sum_of(a), sum_of(b));
    if (r == 0)
        r = order((int64_t)a->n, (int64_t)b->n);
    if (r == 0)
        r = -str_cmp(since_of(a), since_of(b));
    return r < 0;
}
