/*
 * scheduler_filter.c - the filters in Kubernetes' order; the first that says no is the one whose
 * reasons are told.
 */
#include "controllers/scheduler_filter.h"

static void no(struct sched_verdict *out, enum sched_answer answer, str_t reason)
{
    if (out->answer != SCHED_NEVER)
        out->answer = answer;
    if (out->n < SCHED_REASONS_MAX)
        out->reasons[out->n++] = reason;
}

static bool tolerates(const struct json *spec, const struct json *taint)
{
    str_t key = json_get_text(taint, STR("key")), effect = json_get_text(taint, STR("effect"));
    JSON_EACH(json_get(spec, STR("tolerations")), toleration)
    {
        str_t for_key = json_get_text(toleration, STR("key"));
        str_t for_effect = json_get_text(toleration, STR("effect"));
        str_t operator= json_get_text(toleration, STR("operator"));
        if (for_effect.len > 0 && !str_eq(for_effect, effect))
            continue;
        if (for_key.len > 0 && !str_eq(for_key, key))
            continue;
        if (str_eq(operator, STR("Exists")))
            return true;
        if (for_key.len > 0 &&
            str_eq(json_get_text(toleration, STR("value")), json_get_text(taint, STR("value"))))
            return true;
    }
    return false;
}

const struct json *sched_untolerated(const struct json *spec, const struct json *taints, bool hard)
{
    JSON_EACH(taints, taint)
    {
        bool soft = str_eq(json_get_text(taint, STR("effect")), STR("PreferNoSchedule"));
        if (soft != hard && !tolerates(spec, taint))
            return taint;
    }
    return NULL;
}

static void filter_unschedulable(const struct sched_request *request, const struct sched_node *node,
                                 struct sched_verdict *out)
{
    if (!node->unschedulable)
        return;
    struct json *taint = json_object(request->arena);
    json_add(taint, STR("key"),
             json_string(request->arena, STR("node.kubernetes.io/unschedulable")));
    json_add(taint, STR("effect"), json_string(request->arena, STR("NoSchedule")));
    if (!tolerates(request->spec, taint))
        no(out, SCHED_NEVER, STR("node(s) were unschedulable"));
}

static void filter_taints(const struct sched_request *request, const struct sched_node *node,
                          struct sched_verdict *out)
{
    const struct json *taint = sched_untolerated(request->spec, node->taints, true);
    if (taint == NULL)
        return;
    str_t key = json_get_text(taint, STR("key")), value = json_get_text(taint, STR("value"));
    no(out, SCHED_NEVER,
       arena_printf(request->arena, "node(s) had untolerated taint {" STR_F ": " STR_F "}",
                    STR_A(key), STR_A(value)));
}

static bool is_any(str_t ip)
{
    return str_eq(ip, STR("0.0.0.0")) || str_eq(ip, STR("::"));
}

static bool ports_clash(const struct sched_pod *a, const struct sched_pod *b)
{
    for (size_t i = 0; i < a->n_ports; i++)
        for (size_t j = 0; j < b->n_ports; j++) {
            const struct sched_port *p = &a->ports[i], *q = &b->ports[j];
            if (p->number == q->number && str_eq(p->protocol, q->protocol) &&
                (is_any(p->ip) || is_any(q->ip) || str_eq(p->ip, q->ip)))
                return true;
        }
    return false;
}

/* Pods that are to come here do not lose their place to less important ones. */
static bool is_ahead(const struct sched_pod *nominated, const struct sched_pod *pod)
{
    return nominated->priority >= pod->priority && !str_eq(nominated->key, pod->key);
}

static bool port_is_taken(const struct sched_pod *pod, const struct sched_node *node)
{
    LIST_EACH(&node->pods, link)
        if (ports_clash(pod, CONTAINER_OF(link, struct sched_pod, on_node)))
            return true;
    LIST_EACH(&node->nominated, link) {
        const struct sched_pod *other = CONTAINER_OF(link, struct sched_pod, on_node);
        if (is_ahead(other, pod) && ports_clash(pod, other))
            return true;
    }
    return false;
}

static __int128 reserved(const struct sched_pod *pod, const struct sched_node *node, str_t resource)
{
    __int128 sum = 0;
    LIST_EACH(&node->nominated, link) {
        const struct sched_pod *other = CONTAINER_OF(link, struct sched_pod, on_node);
        for (size_t i = 0; is_ahead(other, pod) && i < other->n_amounts; i++)
            if (str_eq(other->amounts[i].name, resource))
                sum += other->amounts[i].nano;
    }
    return sum;
}

static void filter_room(const struct sched_request *request, const struct sched_node *node,
                        struct sched_verdict *out)
{
    const struct sched_pod *pod = request->pod;
    int64_t n = node->n_pods + 1;
    LIST_EACH(&node->nominated, link)
        n += is_ahead(CONTAINER_OF(link, struct sched_pod, on_node), pod);
    if (n > node->pods_max)
        no(out, SCHED_NO_ROOM, STR("Too many pods"));
    for (size_t i = 0; i < pod->n_amounts; i++) {
        const struct sched_amount *wants = &pod->amounts[i];
        const struct sched_room *room = sched_node_room(node, wants->name);
        __int128 left =
            room == NULL ? 0 : room->can.nano - room->used_nano - reserved(pod, node, wants->name);
        if (wants->nano > 0 && wants->nano > left)
            no(out, SCHED_NO_ROOM,
               arena_printf(request->arena, "Insufficient " STR_F, STR_A(wants->name)));
    }
}

static void filter_volumes(const struct sched_request *request, const struct sched_node *node,
                           struct sched_verdict *out)
{
    for (size_t i = 0; i < request->n_volumes; i++) {
        const struct sched_volume *volume = &request->volumes[i];
        if (volume->node_selector == NULL || sched_terms_match(volume->node_selector, node))
            continue;
        no(out, SCHED_NEVER, str_from_z(volume->reason));
        return;
    }
}

void sched_filter(const struct sched_index *index, const struct sched_request *request,
                  const struct sched_node *node, struct sched_verdict *out)
{
    enum sched_answer answer = SCHED_NO_ROOM;
    const char *reason;
    *out = (struct sched_verdict){0};
    filter_unschedulable(request, node, out);
    if (out->answer == SCHED_FITS)
        filter_taints(request, node, out);
    if (out->answer == SCHED_FITS && !sched_node_selected(request->spec, node))
        no(out, SCHED_NEVER, STR("node(s) didn't match Pod's node affinity/selector"));
    if (out->answer == SCHED_FITS && port_is_taken(request->pod, node))
        no(out, SCHED_NO_ROOM, STR("node(s) didn't have free ports for the requested pod ports"));
    if (out->answer == SCHED_FITS)
        filter_room(request, node, out);
    if (out->answer == SCHED_FITS)
        filter_volumes(request, node, out);
    if (out->answer == SCHED_FITS && (reason = sched_spread(index, request, node, &answer)) != NULL)
        no(out, answer, str_from_z(reason));
    if (out->answer == SCHED_FITS &&
        (reason = sched_affinity(index, request, node, &answer)) != NULL)
        no(out, answer, str_from_z(reason));
}
