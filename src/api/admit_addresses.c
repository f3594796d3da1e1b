/*
 * admit_addresses.c - Services get addresses and node ports, and give them back.
 *
 * What is taken follows from the Services there are, committed or queued: it is read at the start,
 * kept as they come and go, and read again when a commit was lost.
 */
#include "api/addresses.h"
#include "api/admit.h"
#include "api/api_priv.h"

#include <stdlib.h>

struct service_addresses {
    struct addresses taken;
    struct store_watch watch;
    bool stale; /* A commit was lost: what was taken for it is not. */
};

static const struct json *spec_of(const struct json *service)
{
    return json_get(service, STR("spec"));
}

static bool is_type(const struct json *spec, const char *type)
{
    return str_eq(json_get_text(spec, STR("type")), str_from_z(type));
}

static bool has_node_ports(const struct json *spec)
{
    const struct json *wanted = json_get(spec, STR("allocateLoadBalancerNodePorts"));
    return is_type(spec, "NodePort") ||
           (is_type(spec, "LoadBalancer") && (wanted == NULL || json_is_true(wanted)));
}

static bool has_address(const struct json *spec)
{
    return !is_type(spec, "ExternalName") &&
           !str_eq(json_get_text(spec, STR("clusterIP")), STR("None"));
}

static int64_t number(const struct json *object, const char *name)
{
    int64_t out = 0;
    (void)json_to_i64(json_get(object, str_from_z(name)), &out);
    return out;
}

/* All that a Service has becomes taken, or free. */
static void mark(struct addresses *a, const struct json *spec, bool taken)
{
    unsigned place;
    if (address_place(json_get_text(spec, STR("clusterIP")), &place))
        address_set(a, place, taken);
    JSON_EACH(json_get(spec, STR("ports")), port)
    if (port_in_range(number(port, "nodePort")))
        port_set(a, number(port, "nodePort"), taken);
    if (port_in_range(number(spec, "healthCheckNodePort")))
        port_set(a, number(spec, "healthCheckNodePort"), taken);
}

static bool mark_each(void *self, const struct object *object)
{
    AUTO(arena_done) struct arena arena = {0};
    mark(self, spec_of(object_tree(object, &arena)), true);
    return true;
}

static int read_all(struct api *api, struct err *err)
{
    struct store_list range = {.resource = STR("services")};
    addresses_init(&api->addresses->taken);
    api->addresses->stale = false;
    return store_each(api->store, &range, mark_each, &api->addresses->taken, err);
}

static void on_event(struct store_watch *watch, const struct store_event *event)
{
    struct service_addresses *all = CONTAINER_OF(watch, struct service_addresses, watch);
    AUTO(arena_done) struct arena arena = {0};
    if (event->previous != NULL)
        mark(&all->taken, spec_of(object_tree(event->previous, &arena)), false);
    if (event->verb != STORE_DELETE)
        mark(&all->taken, spec_of(object_tree(event->object, &arena)), true);
}

static void on_lost(struct store_watch *watch)
{
    CONTAINER_OF(watch, struct service_addresses, watch)->stale = true;
}

int addresses_start(struct api *api, struct err *err)
{
    api->addresses = calloc(1, sizeof(*api->addresses));
    MUST(api->addresses != NULL);
    int r = read_all(api, err);
    api->addresses->watch =
        (struct store_watch){.resource = STR("services"), .event = on_event, .lost = on_lost};
    return r < 0 ? r : store_watch(api->store, &api->addresses->watch, 0, err);
}

void addresses_stop(struct api *api)
{
    if (api->addresses == NULL)
        return;
    store_unwatch(&api->addresses->watch);
    free(api->addresses);
    api->addresses = NULL;
}

/* --- before the rules: what was given stays, what does not fit the type goes --- */

static void set_list(struct json *spec, const char *name, str_t only, struct arena *arena)
{
    json_set(spec, str_from_z(name),
             json_add(json_array(arena), STR(""), json_string(arena, only)));
}

static void keep_given(struct json *spec, const struct json *was, struct arena *arena)
{
    str_t ip = json_get_text(was, STR("clusterIP"));
    if (has_address(spec) && has_address(was) && json_get_text(spec, STR("clusterIP")).len == 0 &&
        ip.len > 0)
        json_set(spec, STR("clusterIP"), json_string(arena, ip));
    if (!has_node_ports(spec) || !has_node_ports(was))
        return;
    JSON_EACH(json_get(spec, STR("ports")), port)
    {
        if (number(port, "nodePort") != 0)
            continue;
        JSON_EACH(json_get(was, STR("ports")), old)
        if (number(old, "port") == number(port, "port") &&
            str_eq(json_get_text(old, STR("protocol")), json_get_text(port, STR("protocol"))) &&
            number(old, "nodePort") != 0)
            json_set(port, STR("nodePort"), json_int(arena, number(old, "nodePort")));
    }
    if (number(spec, "healthCheckNodePort") == 0 && number(was, "healthCheckNodePort") != 0)
        json_set(spec, STR("healthCheckNodePort"),
                 json_int(arena, number(was, "healthCheckNodePort")));
}

/* A Service that changed its type gives back what the new one does not have, unless it insists. */
static void drop_surplus(struct json *spec, const struct json *was)
{
    static const str_t of_address[] = {STR("clusterIP"), STR("clusterIPs"), STR("ipFamilies"),
                                       STR("ipFamilyPolicy")};
    bool same = str_eq(json_get_text(spec, STR("clusterIP")), json_get_text(was, STR("clusterIP")));
    if (is_type(spec, "ExternalName") && (!is_type(was, "ExternalName")) && same)
        for (size_t i = 0; i < ARRAY_LEN(of_address); i++)
            (void)json_remove(spec, of_address[i]);
    if (!has_node_ports(spec) && has_node_ports(was))
        JSON_EACH(json_get(spec, STR("ports")), port)
        {
            JSON_EACH(json_get(was, STR("ports")), old)
            if (number(old, "nodePort") == number(port, "nodePort")) {
                (void)json_remove(port, STR("nodePort"));
                break;
            }
        }
}

void addresses_prepare(struct call *call, struct json *service, const struct json *old)
{
    struct arena *arena = call->arena;
    struct json *spec = json_get(service, STR("spec"));
    const struct json *was = spec_of(old), *ips = json_get(spec, STR("clusterIPs"));
    if (spec == NULL || spec->type != JSON_OBJECT)
        return;
    if (json_get_text(spec, STR("clusterIP")).len == 0 && json_count(ips) > 0 && old == NULL)
        json_set(spec, STR("clusterIP"), json_string(arena, json_text(ips->first, STR(""))));
    if (was != NULL) {
        keep_given(spec, was, arena);
        drop_surplus(spec, was);
    }
    if (is_type(spec, "ExternalName"))
        return;
    str_t ip = json_get_text(spec, STR("clusterIP"));
    if (ip.len > 0)
        set_list(spec, "clusterIPs", ip, arena);
    if (json_count(json_get(spec, STR("ipFamilies"))) == 0)
        set_list(spec, "ipFamilies", STR("IPv4"), arena);
    if (json_get_text(spec, STR("ipFamilyPolicy")).len == 0)
        json_set(spec, STR("ipFamilyPolicy"), json_string(arena, STR("SingleStack")));
}

/* --- behind the rules: taking --- */

static int refuse(struct call *call, str_t path, str_t text)
{
    struct field_errors *errors = arena_new(call->arena, struct field_errors);
    errors->arena = call->arena;
    field_error(errors, FIELD_INVALID, path, "Invalid value: " STR_F, STR_A(text));
    answer_invalid(call, call->name, errors);
    return -1;
}

static int take_address(struct call *call, struct addresses *a, struct json *spec,
                        const struct json *was)
{
    struct arena *arena = call->arena;
    str_t ip = json_get_text(spec, STR("clusterIP"));
    unsigned place;
    char text[16];
    if (!has_address(spec) || (ip.len > 0 && str_eq(ip, json_get_text(was, STR("clusterIP")))))
        return 0;
    if (ip.len == 0) {
        if (!address_next(a, &place))
            return refuse(call, STR("spec.clusterIPs"),
                          STR("[]string(nil): failed to allocate a serviceIP: range is full"));
        address_text(place, text);
        str_t given = arena_str(arena, str_from_z(text));
        json_set(spec, STR("clusterIP"), json_string(arena, given));
        set_list(spec, "clusterIPs", given, arena);
        return 0;
    }
    str_t shown = arena_printf(arena, "[]string{\"" STR_F "\"}: failed to allocate IP " STR_F ": ",
                               STR_A(ip), STR_A(ip));
    if (!address_place(ip, &place))
        return refuse(call, STR("spec.clusterIPs"),
                      arena_printf(arena,
                                   STR_F
                                   "the provided IP (" STR_F
                                   ") is not in the valid range. The range of valid IPs is %s",
                                   STR_A(shown), STR_A(ip), SERVICE_RANGE));
    if (address_is_taken(a, place))
        return refuse(call, STR("spec.clusterIPs"),
                      arena_printf(arena, STR_F "provided IP is already allocated", STR_A(shown)));
    address_set(a, place, true);
    return 0;
}

static bool had_port(const struct json *was, int64_t port)
{
    JSON_EACH(json_get(was, STR("ports")), old)
    if (number(old, "nodePort") == port)
        return true;
    return false;
}

/* Ports of the same number and another protocol may share a node port. */
static bool shared_before(const struct json *spec, const struct json *port, int64_t wanted)
{
    JSON_EACH(json_get(spec, STR("ports")), other)
    {
        if (other == port)
            return false;
        if (number(other, "nodePort") == wanted &&
            !str_eq(json_get_text(other, STR("protocol")), json_get_text(port, STR("protocol"))))
            return true;
    }
    return false;
}

static int take_ports(struct call *call, struct addresses *a, struct json *spec,
                      const struct json *was)
{
    size_t i = 0;
    if (!has_node_ports(spec))
        return 0;
    JSON_EACH(json_get(spec, STR("ports")), port)
    {
        int64_t wanted = number(port, "nodePort");
        str_t path = arena_printf(call->arena, "spec.ports[%zu].nodePort", i++);
        if (wanted == 0) {
            if (!port_next(a, &wanted))
                return refuse(call, path, STR("0: failed to allocate a nodePort: range is full"));
            json_set(port, STR("nodePort"), json_int(call->arena, wanted));
            continue;
        }
        if (!port_in_range(wanted))
            return refuse(call, path,
                          arena_printf(call->arena,
                                       "%lld: provided port is not in the valid range. The range "
                                       "of valid ports is %s",
                                       (long long)wanted, NODE_PORT_RANGE));
        if (had_port(was, wanted) || shared_before(spec, port, wanted))
            continue;
        if (port_is_taken(a, wanted))
            return refuse(call, path,
                          arena_printf(call->arena, "%lld: provided port is already allocated",
                                       (long long)wanted));
        port_set(a, wanted, true);
    }
    bool local = str_eq(json_get_text(spec, STR("externalTrafficPolicy")), STR("Local"));
    int64_t health;
    if (local && is_type(spec, "LoadBalancer") && number(spec, "healthCheckNodePort") == 0 &&
        port_next(a, &health))
        json_set(spec, STR("healthCheckNodePort"), json_int(call->arena, health));
    return 0;
}

int addresses_take(struct call *call, struct json *service, const struct json *old)
{
    struct service_addresses *all = call->api->addresses;
    struct json *spec = json_get(service, STR("spec"));
    const struct json *was = spec_of(old);
    struct err err;
    if (spec == NULL || call->subresource.len > 0)
        return 0;
    if (all->stale && read_all(call->api, &err) < 0) {
        answer_err(call, &err);
        return -1;
    }
    struct addresses before = all->taken;
    int r = take_address(call, &all->taken, spec, was);
    if (r == 0)
        r = take_ports(call, &all->taken, spec, was);
    if (r < 0 || call->dry_run)
        all->taken = before; /* Nothing was, or will be, written. */
    return r;
}

int addresses_bootstrap(struct api *api, struct err *err)
{
    static const char text[] =
        "{\"metadata\":{\"name\":\"kubernetes\",\"namespace\":\"default\",\"labels\":{"
        "\"component\":\"apiserver\",\"provider\":\"kubernetes\"}},\"spec\":{\"type\":"
        "\"ClusterIP\",\"clusterIP\":\"10.96.0.1\",\"ports\":[{\"name\":\"https\",\"port\":443,"
        "\"protocol\":\"TCP\",\"targetPort\":6443}]}}";
    AUTO(arena_done) struct arena arena = {0};
    struct json *service;
    struct writer writer = api_writer(api);
    if (store_latest(api->store, STR("services"), STR("default"), STR("kubernetes")) != NULL)
        return 0;
    int r = json_parse(str_from_z(text), &arena, &service, err);
    if (r == 0)
        r = writer.create(writer.self, &kind_service, service, err);
    return r == ERR_EXISTS ? 0 : r;
}
