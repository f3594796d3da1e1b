/*
 * scheduler_spread.c - topologySpreadConstraints that forbid: pods of one kind are counted by
 * place, and no place may have many more than the emptiest.
 */
#include "controllers/pods.h"
#include "controllers/scheduler_filter.h"
#include "kinds/rules.h"

struct place_count {
    struct map_node by_value;
    int64_t n;
};

static bool is_hard(const struct json *constraint)
{
    return str_eq(json_get_text(constraint, STR("whenUnsatisfiable")), STR("DoNotSchedule"));
}

/* The label selector, and the pod's own value of each of matchLabelKeys. */
static bool is_counted(const struct json *constraint, const struct sched_request *request,
                       const struct sched_pod *other)
{
    const struct json *selector = json_get(constraint, STR("labelSelector"));
    if (selector == NULL || !selects(selector, other->labels))
        return false;
    JSON_EACH(json_get(constraint, STR("matchLabelKeys")), key)
    {
        const struct json *mine = json_get(request->pod->labels, json_text(key, STR("")));
        const struct json *is = json_get(other->labels, json_text(key, STR("")));
        if (mine != NULL && (is == NULL || !json_eq(mine, is)))
            return false;
    }
    return true;
}

/* Nodes without one of the places, or that the pod could not use anyway, are not counted. */
static bool is_eligible(const struct json *constraint, const struct json *constraints,
                        const struct sched_request *request, const struct sched_node *node)
{
    if (!node->there)
        return false;
    JSON_EACH(constraints, each)
    if (is_hard(each) && json_get(node->labels, json_get_text(each, STR("topologyKey"))) == NULL)
        return false;
    str_t affinity = json_text(json_get(constraint, STR("nodeAffinityPolicy")), STR("Honor"));
    if (str_eq(affinity, STR("Honor")) && !sched_node_selected(request->spec, node))
        return false;
    str_t taints = json_get_text(constraint, STR("nodeTaintsPolicy"));
    return !str_eq(taints, STR("Honor")) ||
           sched_untolerated(request->spec, node->taints, true) == NULL;
}

static int64_t count_on(const struct json *constraint, const struct sched_request *request,
                        const struct sched_node *node)
{
    int64_t n = 0;
    LIST_EACH(&node->pods, link) {
        const struct sched_pod *other = CONTAINER_OF(link, struct sched_pod, on_node);
        n += !other->ending && str_eq(other->ns, request->pod->ns) &&
             is_counted(constraint, request, other);
    }
    return n;
}

static bool is_even(const struct sched_index *index, const struct sched_request *request,
                    const struct json *constraints, const struct json *constraint, str_t here)
{
    AUTO(map_done) struct map places = {0};
    str_t key = json_get_text(constraint, STR("topologyKey"));
    LIST_EACH(&index->all_nodes, link) {
        const struct sched_node *node = CONTAINER_OF(link, struct sched_node, link);
        if (!is_eligible(constraint, constraints, request, node))
            continue;
        str_t value = json_get_text(node->labels, key);
        struct map_node *found = map_find(&places, value);
        struct place_count *place;
        if (found == NULL) {
            place = arena_new(request->arena, struct place_count);
            map_add(&places, value, &place->by_value);
        } else {
            place = CONTAINER_OF(found, struct place_count, by_value);
        }
        place->n += count_on(constraint, request, node);
    }
    int64_t least = INT64_MAX, n_here = 0;
    for (size_t i = 0; i < places.n_buckets; i++)
        for (struct map_node *at = places.buckets[i]; at != NULL; at = at->next) {
            int64_t n = CONTAINER_OF(at, struct place_count, by_value)->n;
            least = n < least ? n : least;
            n_here = str_eq(at->key, here) ? n : n_here;
        }
    if (places.n == 0 || (int64_t)places.n < json_number(constraint, "minDomains", 1))
        least = 0;
    bool itself = is_counted(constraint, request, request->pod);
    return n_here + itself - least <= json_number(constraint, "maxSkew", 1);
}

const char *sched_spread(const struct sched_index *index, const struct sched_request *request,
                         const struct sched_node *node, enum sched_answer *answer)
{
    const struct json *constraints = json_get(request->spec, STR("topologySpreadConstraints"));
    JSON_EACH(constraints, constraint)
    {
        if (!is_hard(constraint))
            continue;
        const struct json *here =
            json_get(node->labels, json_get_text(constraint, STR("topologyKey")));
        *answer = here == NULL ? SCHED_NEVER : SCHED_NO_ROOM;
        if (here == NULL)
            return "node(s) didn't match pod topology spread constraints (missing required label)";
        if (!is_even(index, request, constraints, constraint, json_text(here, STR(""))))
            return "node(s) didn't match pod topology spread constraints";
    }
    return NULL;
}
