/*
 * scheduler_affinity.c - labels of nodes, and pods that want to be beside each other or apart.
 */
#include "controllers/scheduler_filter.h"
#include "kinds/rules.h"

/* --- labels of nodes --- */

static bool is_listed(const struct json *values, str_t text)
{
    JSON_EACH(values, value)
    if (str_eq(json_text(value, STR("")), text))
        return true;
    return false;
}

static bool compare(const struct json *values, const struct json *is, bool greater)
{
    int64_t a, b;
    return is != NULL && str_to_i64(json_text(is, STR("")), &a) &&
           str_to_i64(json_text(json_first(values), STR("")), &b) && (greater ? a > b : a < b);
}

static bool requirement_holds(const struct json *requirement, const struct json *is)
{
    str_t operator= json_get_text(requirement, STR("operator"));
    const struct json *values = json_get(requirement, STR("values"));
    bool listed = is != NULL && is_listed(values, json_text(is, STR("")));
    if (str_eq(operator, STR("In")))
        return listed;
    if (str_eq(operator, STR("NotIn")))
        return !listed;
    if (str_eq(operator, STR("Exists")))
        return is != NULL;
    if (str_eq(operator, STR("DoesNotExist")))
        return is == NULL;
    if (str_eq(operator, STR("Gt")))
        return compare(values, is, true);
    return str_eq(operator, STR("Lt")) && compare(values, is, false);
}

static bool term_matches(const struct json *term, const struct sched_node *node)
{
    const struct json *labels = json_get(term, STR("matchExpressions"));
    const struct json *fields = json_get(term, STR("matchFields"));
    if (json_first(labels) == NULL && json_first(fields) == NULL)
        return false; /* A term that says nothing selects nothing. */
    JSON_EACH(labels, requirement)
    if (!requirement_holds(requirement,
                           json_get(node->labels, json_get_text(requirement, STR("key")))))
        return false;
    struct json name = {.type = JSON_STRING, .text = node->name};
    JSON_EACH(fields, requirement)
    {
        bool known = str_eq(json_get_text(requirement, STR("key")), STR("metadata.name"));
        if (!known || !requirement_holds(requirement, &name))
            return false;
    }
    return true;
}

bool sched_terms_match(const struct json *node_selector, const struct sched_node *node)
{
    JSON_EACH(json_get(node_selector, STR("nodeSelectorTerms")), term)
    if (term_matches(term, node))
        return true;
    return false;
}

bool sched_node_selected(const struct json *spec, const struct sched_node *node)
{
    const struct json *required =
        json_at(spec, "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
    JSON_EACH(json_get(spec, STR("nodeSelector")), wanted)
    {
        const struct json *is = json_get(node->labels, wanted->key);
        if (is == NULL || !json_eq(is, wanted))
            return false;
    }
    return required == NULL || sched_terms_match(required, node);
}

/* --- other pods --- */

/* `matchLabelKeys` of the pod whose term it is: the same value there, or another. */
static bool keys_match(const struct json *keys, const struct json *own, const struct json *labels,
                       bool same)
{
    JSON_EACH(keys, key)
    {
        const struct json *mine = json_get(own, json_text(key, STR("")));
        const struct json *is = json_get(labels, json_text(key, STR("")));
        if (mine != NULL && (is != NULL && json_eq(mine, is)) != same)
            return false;
    }
    return true;
}

static bool term_means_space(const struct sched_index *index, const struct json *term,
                             const struct sched_pod *owner, str_t ns)
{
    const struct json *names = json_get(term, STR("namespaces"));
    const struct json *selector = json_get(term, STR("namespaceSelector"));
    if (json_first(names) == NULL && selector == NULL)
        return str_eq(ns, owner->ns);
    return is_listed(names, ns) ||
           (selector != NULL && selects(selector, sched_space_labels(index, ns)));
}

/* Does the term that `owner` has mean `other`? */
static bool term_means(const struct sched_index *index, const struct json *term,
                       const struct sched_pod *owner, const struct sched_pod *other)
{
    const struct json *selector = json_get(term, STR("labelSelector"));
    return selector != NULL && term_means_space(index, term, owner, other->ns) &&
           selects(selector, other->labels) &&
           keys_match(json_get(term, STR("matchLabelKeys")), owner->labels, other->labels, true) &&
           keys_match(json_get(term, STR("mismatchLabelKeys")), owner->labels, other->labels,
                      false);
}

static const struct json *place_of(const struct sched_node *node, const struct json *term)
{
    return node->there ? json_get(node->labels, json_get_text(term, STR("topologyKey"))) : NULL;
}

static bool is_same_place(const struct sched_node *a, const struct sched_node *b,
                          const struct json *term)
{
    const struct json *here = place_of(a, term), *there = place_of(b, term);
    return here != NULL && there != NULL && json_eq(here, there);
}

/* Is there a pod that all of the terms mean, at the place that `at` names (NULL: anywhere)? */
static bool is_beside(const struct sched_index *index, const struct sched_request *request,
                      const struct json *terms, const struct sched_node *node,
                      const struct json *at)
{
    LIST_EACH(&index->all_nodes, link) {
        const struct sched_node *other = CONTAINER_OF(link, struct sched_node, link);
        if (at == NULL ? !other->there : !is_same_place(node, other, at))
            continue;
        LIST_EACH(&other->pods, each) {
            const struct sched_pod *pod = CONTAINER_OF(each, struct sched_pod, on_node);
            bool all = true;
            JSON_EACH(terms, term)
            all = all && term_means(index, term, request->pod, pod);
            if (all)
                return true;
        }
    }
    return false;
}

static bool anti_holds(const struct sched_index *index, const struct sched_request *request,
                       const struct sched_node *node)
{
    JSON_EACH(request->pod->anti, term)
    {
        if (place_of(node, term) == NULL)
            continue;
        LIST_EACH(&index->all_nodes, link) {
            const struct sched_node *other = CONTAINER_OF(link, struct sched_node, link);
            if (!is_same_place(node, other, term))
                continue;
            LIST_EACH(&other->pods, each)
                if (term_means(index, term, request->pod,
                               CONTAINER_OF(each, struct sched_pod, on_node)))
                    return false;
        }
    }
    return true;
}

static bool others_allow(const struct sched_index *index, const struct sched_request *request,
                         const struct sched_node *node)
{
    LIST_EACH(&index->with_anti, link) {
        const struct sched_pod *other = CONTAINER_OF(link, struct sched_pod, with_anti);
        if (!list_in(&other->on_node))
            continue; /* Lifted: as if it were not there. */
        JSON_EACH(other->anti, term)
        if (is_same_place(node, other->node, term) && term_means(index, term, other, request->pod))
            return false;
    }
    return true;
}

static bool affinity_holds(const struct sched_index *index, const struct sched_request *request,
                           const struct sched_node *node)
{
    const struct json *terms = json_at(
        request->spec, "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution");
    bool held = true, own = true;
    JSON_EACH(terms, term)
    {
        if (place_of(node, term) == NULL)
            return false;
        own = own && term_means(index, term, request->pod, request->pod);
        held = held && is_beside(index, request, terms, node, term);
    }
    /* The first of a group that wants to be together finds nobody, and may begin anywhere. */
    return held || (own && !is_beside(index, request, terms, node, NULL));
}

const char *sched_affinity(const struct sched_index *index, const struct sched_request *request,
                           const struct sched_node *node, enum sched_answer *answer)
{
    *answer = SCHED_NEVER;
    if (!affinity_holds(index, request, node))
        return "node(s) didn't match pod affinity rules";
    *answer = SCHED_NO_ROOM;
    if (!anti_holds(index, request, node))
        return "node(s) didn't match pod anti-affinity rules";
    if (!others_allow(index, request, node))
        return "node(s) didn't satisfy existing pods anti-affinity rules";
    return NULL;
}
