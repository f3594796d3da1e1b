/*
 * net_model_policies.c - NetworkPolicies become addresses and ports: selectors and names of ports
 * are resolved here. https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
#include "kinds/rules.h"
#include "node/net_model_priv.h"

#include <string.h>

/* A pod that has an address of its own now. */
struct resident {
    const struct net_thing *thing;
    struct ip ip;
};

struct town {
    const struct net_model *model;
    struct arena *arena;
    struct resident *pods;
    size_t n;
};

static void settle(const struct net_model *model, const struct net_addresses *addresses,
                   struct arena *arena, struct town *town)
{
    *town = (struct town){model, arena, NULL, 0};
    town->pods = arena_array(arena, struct resident, model->things[NET_POD].n + 1);
    NET_EACH(&model->things[NET_POD], thing)
    {
        struct ip ip = thing->pod.ip;
        if (thing->pod.host || thing->pod.over)
            continue;
        if (ip.family == 0 && (addresses == NULL || addresses->address == NULL ||
                               !addresses->address(addresses->self, thing->uid, &ip)))
            continue;
        town->pods[town->n++] = (struct resident){thing, ip};
    }
}

/* --- who is meant --- */

struct crowd { /* Some of the residents. */
    const struct resident **at;
    struct ip *ips;
    size_t n;
};

static void crowd_init(const struct town *town, size_t most, struct crowd *crowd)
{
    crowd->at = arena_array(town->arena, const struct resident *, most + 1);
    crowd->ips = arena_array(town->arena, struct ip, most + 1);
    crowd->n = 0;
}

static void crowd_add(struct crowd *crowd, const struct resident *pod)
{
    crowd->ips[crowd->n] = pod->ip;
    crowd->at[crowd->n++] = pod;
}

static bool ns_selected(const struct town *town, const struct json *selector, str_t ns)
{
    struct map_node *node =
        map_find(&town->model->things[NET_NAMESPACE], net_key(STR(""), ns, town->arena));
    return node != NULL && selects(selector, CONTAINER_OF(node, struct net_thing, node)->labels);
}

static bool is_peer(const struct town *town, const struct json *peer, str_t ns,
                    const struct resident *pod)
{
    const struct json *namespaces = json_get(peer, STR("namespaceSelector")),
                      *pods = json_get(peer, STR("podSelector"));
    if (namespaces == NULL && pods == NULL)
        return false; /* A block. */
    if (pods != NULL && !selects(pods, pod->thing->labels))
        return false;
    return namespaces == NULL ? str_eq(pod->thing->ns, ns)
                              : ns_selected(town, namespaces, pod->thing->ns);
}

/* Of no peers everybody, for names of ports: all pods that there are. */
static void gather_peers(const struct town *town, const struct json *peers, str_t ns,
                         struct crowd *crowd)
{
    crowd_init(town, town->n, crowd);
    for (size_t i = 0; i < town->n; i++) {
        bool in = json_count(peers) == 0;
        JSON_EACH(peers, peer)
        in = in || is_peer(town, peer, ns, &town->pods[i]);
        if (in)
            crowd_add(crowd, &town->pods[i]);
    }
}

static size_t read_blocks(const struct json *peers, struct arena *arena,
                          const struct rules_block **out)
{
    struct rules_block *blocks = arena_array(arena, struct rules_block, json_count(peers) + 1);
    size_t n = 0;
    JSON_EACH(peers, peer)
    {
        const struct json *block = json_get(peer, STR("ipBlock")),
                          *list = json_get(block, STR("except"));
        struct cidr *except = arena_array(arena, struct cidr, json_count(list) + 1);
        if (block == NULL || !cidr_parse(json_get_text(block, STR("cidr")), &blocks[n].cidr))
            continue;
        JSON_EACH(list, text)
        blocks[n].n_except += cidr_parse(json_text(text, STR("")), &except[blocks[n].n_except]);
        blocks[n++].except = except;
    }
    *out = blocks;
    return n;
}

/* --- ports --- */

static bool has_names(const struct json *ports)
{
    JSON_EACH(ports, port)
    {
        const struct json *number = json_get(port, STR("port"));
        if (number != NULL && number->type == JSON_STRING)
            return true;
    }
    return false;
}

static size_t add_named(str_t name, uint8_t protocol, const struct net_pod_seen *pod,
                        struct rules_range *out)
{
    for (size_t i = 0; i < pod->n_ports; i++)
        if (str_eq(pod->ports[i].name, name) && pod->ports[i].protocol == protocol) {
            *out = (struct rules_range){protocol, pod->ports[i].port, 0};
            return 1;
        }
    return 0;
}

/* Names are those of `pod`; of NULL nobody's. */
static size_t read_ports(const struct json *ports, const struct net_pod_seen *pod,
                         struct arena *arena, const struct rules_range **out)
{
    struct rules_range *ranges = arena_array(arena, struct rules_range, json_count(ports) + 1);
    size_t n = 0;
    JSON_EACH(ports, port)
    {
        const struct json *number = json_get(port, STR("port"));
        uint8_t protocol = net_protocol(json_get_text(port, STR("protocol")));
        int64_t first = 0, last = 0;
        if (number != NULL && number->type == JSON_STRING) {
            if (pod != NULL)
                n += add_named(json_text(number, STR("")), protocol, pod, &ranges[n]);
            continue;
        }
        if (number != NULL && (!json_to_i64(number, &first) || first <= 0 || first > UINT16_MAX))
            continue;
        if (!json_to_i64(json_get(port, STR("endPort")), &last) || last > UINT16_MAX)
            last = 0;
        ranges[n++] = (struct rules_range){protocol, (uint16_t)first, (uint16_t)last};
    }
    *out = ranges;
    return n;
}

/* --- policies --- */

struct making {
    const struct town *town;
    const struct net_thing *policy;
    const struct json *list; /* spec.ingress or spec.egress */
    bool ingress;
    struct rules_pass *passes;
    size_t n, cap;
};

static struct rules_pass *pass_add(struct making *m)
{
    if (m->n == m->cap) {
        size_t cap = m->cap == 0 ? 8 : m->cap * 2;
        struct rules_pass *more = arena_array(m->town->arena, struct rules_pass, cap);
        if (m->n > 0)
            memcpy(more, m->passes, m->n * sizeof(*more));
        m->passes = more;
        m->cap = cap;
    }
    return &m->passes[m->n++];
}

/* What leaves to a port by name: what that is depends on whom it goes to. */
static void add_by_name(struct making *m, const struct json *ports, const struct crowd *peers)
{
    for (size_t i = 0; i < peers->n; i++) {
        const struct rules_range *ranges;
        size_t n = read_ports(ports, &peers->at[i]->thing->pod, m->town->arena, &ranges);
        if (n > 0)
            *pass_add(m) = (struct rules_pass){
                .peers = &peers->ips[i], .n_peers = 1, .ports = ranges, .n_ports = n};
    }
}

static void add_rule(struct making *m, const struct json *rule, const struct net_pod_seen *own)
{
    const struct json *peers = json_get(rule, m->ingress ? STR("from") : STR("to")),
                      *ports = json_get(rule, STR("ports"));
    struct arena *arena = m->town->arena;
    struct crowd crowd;
    struct rules_pass pass = {.any_peer = json_count(peers) == 0,
                              .any_port = json_count(ports) == 0};
    bool by_name = !m->ingress && has_names(ports);
    gather_peers(m->town, peers, m->policy->ns, &crowd);
    if (by_name)
        add_by_name(m, ports, &crowd);
    if (!pass.any_peer) {
        pass.peers = crowd.ips;
        pass.n_peers = crowd.n;
        pass.n_blocks = read_blocks(peers, arena, &pass.blocks);
    }
    pass.n_ports = read_ports(ports, m->ingress ? own : NULL, arena, &pass.ports);
    if (pass.any_port || pass.n_ports > 0)
        *pass_add(m) = pass;
}

static void make_policy(struct making *m, const struct ip *pods, size_t n_pods,
                        const struct net_pod_seen *own, struct rules_policy *out)
{
    m->passes = NULL;
    m->n = m->cap = 0;
    JSON_EACH(m->list, rule)
    add_rule(m, rule, own);
    *out = (struct rules_policy){m->ingress, pods, n_pods, m->passes, m->n};
}

static bool list_has_names(const struct json *list)
{
    JSON_EACH(list, rule)
    if (has_names(json_get(rule, STR("ports"))))
        return true;
    return false;
}

static bool is_about(const struct json *spec, bool ingress)
{
    const struct json *types = json_get(spec, STR("policyTypes"));
    if (json_count(types) == 0)
        return ingress || json_get(spec, STR("egress")) != NULL;
    JSON_EACH(types, type)
    if (str_eq(json_text(type, STR("")), ingress ? STR("Ingress") : STR("Egress")))
        return true;
    return false;
}

/* At most one for each pod it is for. */
static size_t add_policy(const struct town *town, const struct net_thing *policy, bool ingress,
                         struct rules_policy *out)
{
    const struct json *selector = json_get(policy->policy, STR("podSelector"));
    struct making m = {
        town,    policy, json_get(policy->policy, ingress ? STR("ingress") : STR("egress")),
        ingress, NULL,   0,
        0};
    struct crowd crowd;
    if (!is_about(policy->policy, ingress))
        return 0;
    crowd_init(town, town->n, &crowd);
    for (size_t i = 0; i < town->n; i++)
        if (str_eq(town->pods[i].thing->ns, policy->ns) &&
            selects(selector, town->pods[i].thing->labels))
            crowd_add(&crowd, &town->pods[i]);
    if (!ingress || !list_has_names(m.list)) {
        if (crowd.n > 0 && out != NULL)
            make_policy(&m, crowd.ips, crowd.n, NULL, out);
        return crowd.n > 0;
    }
    for (size_t i = 0; i < crowd.n && out != NULL; i++)
        make_policy(&m, &crowd.ips[i], 1, &crowd.at[i]->thing->pod, &out[i]);
    return crowd.n;
}

void net_model_policies(const struct net_model *model, const struct net_addresses *addresses,
                        struct arena *arena, struct rules *out)
{
    struct town town;
    size_t n = 0;
    if (model->things[NET_POLICY].n == 0)
        return;
    settle(model, addresses, arena, &town);
    NET_EACH(&model->things[NET_POLICY], policy)
    {
        n += add_policy(&town, policy, true, NULL);
        n += add_policy(&town, policy, false, NULL);
    }
    struct rules_policy *policies = arena_array(arena, struct rules_policy, n + 1);
    n = 0;
    NET_EACH(&model->things[NET_POLICY], each)
    {
        n += add_policy(&town, each, true, policies + n);
        n += add_policy(&town, each, false, policies + n);
    }
    out->policies = policies;
    out->n_policies = n;
}
