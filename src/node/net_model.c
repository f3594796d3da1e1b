/* net_model.c - objects are read; a map for each kind. */
#include "node/net_model.h"

#include "node/net_model_priv.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The last colon; an IPv6 address may have more. Pods have IPv4 only. */
static struct rules_end read_door(const char *door)
{
    struct rules_end end = {0};
    const char *colon = door == NULL ? NULL : strrchr(door, ':');
    int64_t port;
    if (colon == NULL || !str_to_i64(str_from_z(colon + 1), &port) || port <= 0 ||
        port > UINT16_MAX)
        return end;
    bool fine = ip_parse((str_t){door, (size_t)(colon - door)}, &end.ip);
    if (!fine || end.ip.family == 6 || ip_v4_number(end.ip) == 0)
        end.ip = ip_v4(INADDR_LOOPBACK);
    end.port = (uint16_t)port;
    return end;
}

struct net_model *net_model_new(const char *node, const char *api_door)
{
    struct net_model *model = calloc(1, sizeof(*model));
    MUST(model != NULL);
    (void)snprintf(model->node, sizeof(model->node), "%s", node);
    model->api = read_door(api_door);
    return model;
}

static struct net_thing *thing_of(struct map_node *node)
{
    return CONTAINER_OF(node, struct net_thing, node);
}

static void thing_free(struct map *map, struct net_thing *thing)
{
    map_remove(map, &thing->node);
    arena_done(&thing->arena);
    free(thing);
}

void net_model_free(struct net_model *model)
{
    if (model == NULL)
        return;
    for (int kind = 0; kind < NET_KINDS; kind++) {
        struct map *map = &model->things[kind];
        for (size_t i = 0; i < map->n_buckets; i++)
            while (map->buckets[i] != NULL)
                thing_free(map, thing_of(map->buckets[i]));
        map_done(map);
    }
    free(model);
}

/* --- reading --- */

uint8_t net_protocol(str_t name)
{
    return str_eq(name, STR("UDP"))    ? IPPROTO_UDP
           : str_eq(name, STR("SCTP")) ? IPPROTO_SCTP
                                       : IPPROTO_TCP;
}

str_t net_key(str_t ns, str_t name, struct arena *arena)
{
    return arena_printf(arena, STR_F "/" STR_F, STR_A(ns), STR_A(name));
}

static uint16_t port_of(const struct json *object, str_t field)
{
    int64_t n = 0;
    bool fine = json_to_i64(json_get(object, field), &n) && n > 0 && n <= UINT16_MAX;
    return fine ? (uint16_t)n : 0;
}

static bool is_v4(str_t text, struct ip *out)
{
    return ip_parse(text, out) && out->family == 4;
}

static void read_external(const struct json *object, struct net_thing *thing)
{
    const struct json *own = json_at(object, "spec.externalIPs"),
                      *given = json_at(object, "status.loadBalancer.ingress");
    struct net_service *s = &thing->service;
    s->external = arena_array(&thing->arena, struct ip, json_count(own) + json_count(given) + 1);
    JSON_EACH(own, text)
    s->n_external += is_v4(json_text(text, STR("")), &s->external[s->n_external]);
    JSON_EACH(given, ingress)
    s->n_external += is_v4(json_get_text(ingress, STR("ip")), &s->external[s->n_external]);
}

static void read_service(const struct json *object, struct net_thing *thing)
{
    const struct json *spec = json_get(object, STR("spec")), *ports = json_get(spec, STR("ports"));
    struct net_service *s = &thing->service;
    if (str_eq(json_get_text(spec, STR("type")), STR("ExternalName")))
        return;
    JSON_EACH(json_get(spec, STR("clusterIPs")), text)
    {
        struct ip ip;
        if (s->ip.family == 0 && is_v4(json_text(text, STR("")), &ip))
            s->ip = ip;
    }
    if (s->ip.family == 0 && !is_v4(json_get_text(spec, STR("clusterIP")), &s->ip))
        return; /* Headless, or of IPv6. */
    read_external(object, thing);
    s->sticky = str_eq(json_get_text(spec, STR("sessionAffinity")), STR("ClientIP"));
    s->inner_local = str_eq(json_get_text(spec, STR("internalTrafficPolicy")), STR("Local"));
    s->outer_local = str_eq(json_get_text(spec, STR("externalTrafficPolicy")), STR("Local"));
    s->ports = arena_array(&thing->arena, struct net_service_port, json_count(ports) + 1);
    JSON_EACH(ports, port)
    {
        struct net_service_port *out = &s->ports[s->n_ports];
        out->name = arena_str(&thing->arena, json_get_text(port, STR("name")));
        out->protocol = net_protocol(json_get_text(port, STR("protocol")));
        out->port = port_of(port, STR("port"));
        out->node_port = port_of(port, STR("nodePort"));
        s->n_ports += out->port != 0;
    }
}

static bool is_said(const struct json *conditions, str_t name, bool otherwise)
{
    const struct json *value = json_get(conditions, name);
    return value == NULL || value->type != JSON_BOOL ? otherwise : value->boolean;
}

static void read_end(const struct json *end, const char *node, struct net_slice *slice)
{
    const struct json *conditions = json_get(end, STR("conditions"));
    const struct json *first = json_first(json_get(end, STR("addresses")));
    struct net_end *out = &slice->ends[slice->n_ends];
    str_t on = json_get_text(end, STR("nodeName"));
    if (!is_v4(json_text(first, STR("")), &out->ip))
        return;
    out->ready = is_said(conditions, STR("ready"), true);
    out->draining = is_said(conditions, STR("terminating"), false) &&
                    is_said(conditions, STR("serving"), out->ready);
    out->local = str_eq(on, str_from_z(node));
    slice->n_ends++;
}

static void read_slice(const struct json *object, const struct net_model *model,
                       struct net_thing *thing)
{
    const struct json *ports = json_get(object, STR("ports")),
                      *ends = json_get(object, STR("endpoints"));
    struct net_slice *slice = &thing->slice;
    slice->service = net_key(
        thing->ns,
        json_get_text(json_at(object, "metadata.labels"), STR("kubernetes.io/service-name")),
        &thing->arena);
    slice->ports = arena_array(&thing->arena, struct net_slice_port, json_count(ports) + 1);
    slice->ends = arena_array(&thing->arena, struct net_end, json_count(ends) + 1);
    JSON_EACH(ports, port)
    {
        struct net_slice_port *out = &slice->ports[slice->n_ports];
        out->name = arena_str(&thing->arena, json_get_text(port, STR("name")));
        out->protocol = net_protocol(json_get_text(port, STR("protocol")));
        out->port = port_of(port, STR("port"));
        slice->n_ports += out->port != 0;
    }
    JSON_EACH(ends, end)
    read_end(end, model->node, slice);
}

static size_t count_ports(const struct json *containers)
{
    size_t n = 0;
    JSON_EACH(containers, container)
    n += json_count(json_get(container, STR("ports")));
    return n;
}

static void read_named(const struct json *containers, struct net_thing *thing)
{
    struct net_pod_seen *pod = &thing->pod;
    JSON_EACH(containers, container)
    JSON_EACH(json_get(container, STR("ports")), port)
    {
        str_t name = json_get_text(port, STR("name"));
        if (name.len > 0)
            pod->ports[pod->n_ports++] = (struct net_named_port){
                arena_str(&thing->arena, name), net_protocol(json_get_text(port, STR("protocol"))),
                port_of(port, STR("containerPort"))};
    }
}

static void read_pod(const struct json *object, struct net_thing *thing)
{
    const struct json *spec = json_get(object, STR("spec"));
    const struct json *main = json_get(spec, STR("containers")),
                      *init = json_get(spec, STR("initContainers"));
    str_t phase = json_text(json_at(object, "status.phase"), STR(""));
    struct net_pod_seen *pod = &thing->pod;
    if (!is_v4(json_text(json_at(object, "status.podIP"), STR("")), &pod->ip))
        pod->ip = (struct ip){0};
    pod->host = json_is_true(json_get(spec, STR("hostNetwork")));
    pod->over = str_eq(phase, STR("Succeeded")) || str_eq(phase, STR("Failed"));
    pod->ports = arena_array(&thing->arena, struct net_named_port,
                             count_ports(main) + count_ports(init) + 1);
    read_named(main, thing);
    read_named(init, thing);
}

static void read_thing(const struct net_model *model, enum net_kind kind, const struct json *object,
                       struct net_thing *thing)
{
    switch (kind) {
    case NET_SERVICE:
        read_service(object, thing);
        return;
    case NET_SLICE:
        read_slice(object, model, thing);
        return;
    case NET_POLICY:
        thing->policy = json_clone(json_get(object, STR("spec")), &thing->arena);
        return;
    case NET_POD:
        read_pod(object, thing);
        break;
    case NET_NAMESPACE:
    case NET_KINDS:
        break;
    }
    const struct json *labels = json_at(object, "metadata.labels");
    thing->labels = labels == NULL ? NULL : json_clone(labels, &thing->arena);
}

void net_model_set(struct net_model *model, enum net_kind kind, const struct net_object *from)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *object;
    struct err ignored;
    net_model_gone(model, kind, from->ns, from->name);
    if (json_parse(from->text, &arena, &object, &ignored) < 0)
        return;
    struct net_thing *thing = calloc(1, sizeof(*thing));
    MUST(thing != NULL);
    str_t key = net_key(from->ns, from->name, &thing->arena);
    thing->ns = (str_t){key.at, from->ns.len};
    thing->name = (str_t){key.at + from->ns.len + 1, from->name.len};
    thing->uid = arena_str(&thing->arena, from->uid);
    read_thing(model, kind, object, thing);
    map_add(&model->things[kind], key, &thing->node);
}

void net_model_gone(struct net_model *model, enum net_kind kind, str_t ns, str_t name)
{
    AUTO(arena_done) struct arena arena = {0};
    struct map_node *node = map_find(&model->things[kind], net_key(ns, name, &arena));
    if (node != NULL)
        thing_free(&model->things[kind], thing_of(node));
}

size_t net_model_count(const struct net_model *model, enum net_kind kind)
{
    return model->things[kind].n;
}

void net_model_rules(const struct net_model *model, const struct net_addresses *addresses,
                     struct arena *arena, struct rules *out)
{
    *out = (struct rules){0};
    net_model_services(model, arena, out);
    net_model_policies(model, addresses, arena, out);
}
