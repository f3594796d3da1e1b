/* scheduler_plan.c - ask every node; of those that can, the best; of none, whom to push aside. */
#include "controllers/scheduler_plan.h"

#include "controllers/pods.h"

/* --- which is better --- */

struct score {
    int64_t taints;    /* That would rather not have it. */
    int64_t preferred; /* By the pod's own words. */
    int64_t free;      /* In thousandths, of what is asked for. */
};

static int64_t preferred(const struct json *spec, const struct sched_node *node,
                         struct arena *arena)
{
    int64_t sum = 0;
    JSON_EACH(
        json_at(spec, "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution"),
        term)
    {
        struct json *selector = json_object(arena), *terms = json_array(arena);
        const struct json *preference = json_get(term, STR("preference"));
        if (preference == NULL)
            continue;
        json_add(selector, STR("nodeSelectorTerms"),
                 json_add(terms, STR(""), json_clone(preference, arena)));
        if (sched_terms_match(selector, node))
            sum += json_number(term, "weight", 0);
    }
    return sum;
}

static struct score score_of(const struct sched_request *request, const struct sched_node *node)
{
    struct score score = {0};
    enum { WHOLE = 1000 };
    score.taints = sched_untolerated(request->spec, node->taints, false) != NULL;
    score.preferred = preferred(request->spec, node, request->arena);
    score.free = WHOLE;
    for (size_t i = 0; i < node->n_rooms; i++) {
        const struct sched_room *room = &node->rooms[i];
        if (room->can.nano <= 0)
            continue;
        int64_t left = (int64_t)((room->can.nano - room->used_nano) * WHOLE / room->can.nano);
        score.free = left < score.free ? left : score.free;
    }
    return score;
}

static bool is_better(struct score a, struct score b)
{
    if (a.taints != b.taints)
        return a.taints < b.taints;
    if (a.preferred != b.preferred)
        return a.preferred > b.preferred;
    return a.free > b.free;
}

/* --- no node can --- */

static void tell(struct sched_reasons *reasons, const struct sched_verdict *verdict)
{
    for (size_t i = 0; i < verdict->n; i++)
        sched_reason_add(reasons, verdict->reasons[i]);
}

static str_t preempt(struct sched_index *index, const struct sched_request *request,
                     const struct sched_budgets *budgets, struct sched_plan *out)
{
    struct sched_reasons reasons = {.arena = request->arena, .n_nodes = index->n_nodes};
    struct sched_victims best = {0};
    struct sched_budget *all = NULL;
    const char *why;
    if (!sched_may_preempt(index, request, &why)) {
        out->keeps = true;
        return str_from_z(why);
    }
    size_t n_all = budgets == NULL ? 0 : budgets->read(budgets->self, request->arena, &all);
    LIST_EACH(&index->all_nodes, link) {
        struct sched_node *node = CONTAINER_OF(link, struct sched_node, link);
        struct sched_verdict verdict = {.answer = SCHED_NEVER};
        struct sched_victims victims;
        if (!node->there)
            continue;
        if (request->refused == NULL)
            sched_filter(index, request, node, &verdict);
        if (verdict.answer == SCHED_NEVER)
            sched_reason_add(&reasons, STR("Preemption is not helpful for scheduling"));
        else if (!sched_victims_on(index, request, node, all, n_all, &victims))
            tell(&reasons, &victims.verdict);
        else if (best.node == NULL || sched_victims_better(&victims, &best))
            best = victims;
    }
    str_t message = best.node == NULL ? sched_sentence(&reasons, NULL) : STR("");
    map_done(&reasons.counts);
    out->node = best.node;
    out->victims = best.at;
    out->n_victims = best.n;
    return message;
}

void sched_plan(struct sched_index *index, const struct sched_request *request,
                const struct sched_budgets *budgets, struct sched_plan *out)
{
    struct sched_reasons reasons = {.arena = request->arena, .n_nodes = index->n_nodes};
    struct score best = {0};
    *out = (struct sched_plan){0};
    if (index->n_nodes == 0) {
        out->message = STR("no nodes available to schedule pods");
        return;
    }
    LIST_EACH(&index->all_nodes, link) {
        struct sched_node *node = CONTAINER_OF(link, struct sched_node, link);
        struct sched_verdict verdict;
        if (!node->there || request->refused != NULL)
            continue;
        sched_filter(index, request, node, &verdict);
        tell(&reasons, &verdict);
        if (verdict.answer != SCHED_FITS)
            continue;
        struct score score = score_of(request, node);
        if (out->node == NULL || is_better(score, best)) {
            out->node = node;
            best = score;
        }
    }
    if (out->node == NULL) {
        out->message = sched_sentence(&reasons, request->refused);
        str_t more = preempt(index, request, budgets, out);
        if (more.len > 0)
            out->message = arena_printf(request->arena, STR_F " preemption: " STR_F,
                                        STR_A(out->message), STR_A(more));
    }
    map_done(&reasons.counts);
}
