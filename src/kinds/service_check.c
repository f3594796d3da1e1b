/* service_check.c - rules of Service: its ports, its addresses, and what its type allows. */
#include "base/map.h"
#include "kinds/columns.h"
#include "kinds/service.h"

bool service_is(const struct json *spec, const char *type)
{
    return str_eq(json_get_text(spec, STR("type")), str_from_z(type));
}

bool service_has_node_ports(const struct json *spec)
{
    return service_is(spec, "NodePort") || service_is(spec, "LoadBalancer");
}

bool service_is_reached(const struct json *spec)
{
    return service_has_node_ports(spec) ||
           (service_is(spec, "ClusterIP") && json_count(json_get(spec, STR("externalIPs"))) > 0);
}

bool service_has_health_port(const struct json *spec)
{
    return service_is(spec, "LoadBalancer") &&
           str_eq(json_get_text(spec, STR("externalTrafficPolicy")), STR("Local"));
}

/* Was this number of this protocol seen before? Numbers that are not given are not. */
static bool seen_before(struct map *seen, const struct json *port, const char *member,
                        struct arena *arena)
{
    int64_t number = path_int(port, member, 0);
    if (number == 0)
        return false;
    str_t key = arena_printf(arena, STR_F "/%lld", STR_A(path_text(port, "protocol", "TCP")),
                             (long long)number);
    if (map_find(seen, key) != NULL)
        return true;
    map_add(seen, key, arena_new(arena, struct map_node));
    return false;
}

static void check_port_numbers(const struct json *ports, const struct place *at,
                               struct field_errors *errors)
{
    AUTO(map_done) struct map node_ports = {0}, numbers = {0};
    long i = 0;
    JSON_EACH(ports, port)
    {
        const struct place *here = ITEM(at, "ports", i++);
        if (seen_before(&node_ports, port, "nodePort", errors->arena))
            rule_error(errors, FIELD_DUPLICATE, IN(here, "nodePort"), "Duplicate value: %lld",
                       (long long)path_int(port, "nodePort", 0));
        if (seen_before(&numbers, port, "port", errors->arena))
            rule_error(errors, FIELD_DUPLICATE, here,
                       "Duplicate value: core.ServicePort{Name:\"\", Protocol:\"" STR_F
                       "\", AppProtocol:(*string)(nil), Port:%lld, "
                       "TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:\"\"}, "
                       "NodePort:0}",
                       STR_A(path_text(port, "protocol", "TCP")),
                       (long long)path_int(port, "port", 0));
    }
}

static void check_ports(const struct json *spec, const struct place *at,
                        struct field_errors *errors)
{
    const struct json *ports = json_get(spec, STR("ports"));
    size_t n = json_count(ports);
    bool headless = str_eq(json_get_text(spec, STR("clusterIP")), STR("None"));
    if (n == 0 && !headless && !service_is(spec, "ExternalName"))
        rule_error(errors, FIELD_REQUIRED, IN(at, "ports"), "Required value");
    long i = 0;
    JSON_EACH(ports, port)
    {
        const struct place *here = ITEM(at, "ports", i++);
        str_t name = json_get_text(port, STR("name"));
        if (name.len == 0 && n > 1)
            rule_error(errors, FIELD_REQUIRED, IN(here, "name"), "Required value");
        else
            rule_name(NAME_LABEL, name, false, IN(here, "name"), errors);
        rule_port_or_name(json_get(port, STR("targetPort")), IN(here, "targetPort"), errors);
        str_t protocol = json_get_text(port, STR("appProtocol"));
        if (protocol.len > 0)
            check_key(protocol, place_text(IN(here, "appProtocol"), errors->arena), errors);
        if (path_int(port, "nodePort", 0) != 0 && !service_has_node_ports(spec))
            rule_error(errors, FIELD_FORBIDDEN, IN(here, "nodePort"),
                       "Forbidden: may not be used when `type` is '" STR_F "'",
                       STR_A(json_get_text(spec, STR("type"))));
    }
    rule_unique(ports, "name", at, "ports", errors);
    check_port_numbers(ports, at, errors);
}

static void check_addresses(const struct json *spec, const struct place *at,
                            struct field_errors *errors)
{
    long i = 0;
    JSON_EACH(json_get(spec, STR("externalIPs")), ip)
    rule_ip_of_network(json_text(ip, STR("")), ITEM(at, "externalIPs", i++), errors);
    str_t ip = json_get_text(spec, STR("clusterIP"));
    if (ip.len > 0 && !str_eq(ip, STR("None")) && !is_ip(ip))
        rule_error(errors, FIELD_INVALID, ITEM(at, "clusterIPs", 0),
                   "Invalid value: \"" STR_F
                   "\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
                   STR_A(ip));
    if (service_is(spec, "ExternalName")) {
        str_t name = json_get_text(spec, STR("externalName"));
        rule_name(NAME_SUBDOMAIN, name, true, IN(at, "externalName"), errors);
        if (ip.len > 0)
            rule_error(errors, FIELD_FORBIDDEN, IN(at, "clusterIPs"),
                       "Forbidden: may not be set for ExternalName services");
    }
    if (service_has_node_ports(spec) && str_eq(ip, STR("None")))
        rule_error(errors, FIELD_INVALID, ITEM(at, "clusterIPs", 0),
                   "Invalid value: \"None\": may not be set to 'None' for " STR_F " services",
                   STR_A(json_get_text(spec, STR("type"))));
}

static void check_families(const struct json *spec, const struct place *at,
                           struct field_errors *errors)
{
    static const char *const of_address[] = {"ipFamilies", "ipFamilyPolicy"};
    long i = 0;
    bool v4 = false, v6 = false;
    if (service_is(spec, "ExternalName")) {
        for (size_t f = 0; f < ARRAY_LEN(of_address); f++)
            if (json_get(spec, str_from_z(of_address[f])) != NULL)
                rule_error(errors, FIELD_FORBIDDEN, IN(at, of_address[f]),
                           "Forbidden: may not be set for ExternalName services");
        return;
    }
    JSON_EACH(json_get(spec, STR("ipFamilies")), family)
    {
        const struct place *here = ITEM(at, "ipFamilies", i++);
        str_t name = json_text(family, STR(""));
        bool is_v4 = str_eq(name, STR("IPv4")), is_v6 = str_eq(name, STR("IPv6"));
        if (!is_v4 && !is_v6)
            rule_error(errors, FIELD_NOT_SUPPORTED, here,
                       "Unsupported value: \"" STR_F "\": supported values: \"IPv4\", \"IPv6\"",
                       STR_A(name));
        if ((is_v4 && v4) || (is_v6 && v6))
            rule_error(errors, FIELD_DUPLICATE, here, "Duplicate value: \"" STR_F "\"",
                       STR_A(name));
        v4 = v4 || is_v4;
        v6 = v6 || is_v6;
    }
}

static str_t without_spaces(str_t text)
{
    while (text.len > 0 && text.at[0] == ' ')
        text = (str_t){text.at + 1, text.len - 1};
    while (text.len > 0 && text.at[text.len - 1] == ' ')
        text.len--;
    return text;
}

/* What only a LoadBalancer has. Kubernetes begins LoadBalancerSourceRanges with a capital. */
static void check_balancer(const struct json *spec, const struct json *was, const struct place *at,
                           struct field_errors *errors)
{
    const struct json *ranges = json_get(spec, STR("loadBalancerSourceRanges"));
    str_t class = json_get_text(spec, STR("loadBalancerClass"));
    const struct {
        const char *name;
        bool given;
    } fields[] = {
        {"LoadBalancerSourceRanges", json_count(ranges) > 0},
        {"allocateLoadBalancerNodePorts",
         json_get(spec, STR("allocateLoadBalancerNodePorts")) != NULL},
        {"loadBalancerClass", json_get(spec, STR("loadBalancerClass")) != NULL},
    };
    bool balancer = service_is(spec, "LoadBalancer");
    for (size_t f = 0; f < ARRAY_LEN(fields) && !balancer; f++)
        if (fields[f].given)
            rule_error(errors, FIELD_FORBIDDEN, IN(at, fields[f].name),
                       "Forbidden: may only be used when `type` is 'LoadBalancer'");
    long i = 0;
    JSON_EACH(ranges, range)
    rule_cidr(without_spaces(json_text(range, STR(""))), ITEM(at, "LoadBalancerSourceRanges", i++),
              errors);
    if (balancer && class.len > 0)
        check_key(class, place_text(IN(at, "loadBalancerClass"), errors->arena), errors);
    if (balancer && service_is(was, "LoadBalancer") &&
        !str_eq(class, json_get_text(was, STR("loadBalancerClass"))))
        rule_error(errors, FIELD_INVALID, IN(at, "loadBalancerClass"),
                   "Invalid value: %s" STR_F "%s: may not change once set",
                   class.len > 0 ? "\"" : "null", STR_A(class), class.len > 0 ? "\"" : "");
}

static void check_traffic(const struct json *spec, const struct json *was, const struct place *at,
                          struct field_errors *errors)
{
    str_t policy = json_get_text(spec, STR("externalTrafficPolicy"));
    int64_t health = path_int(spec, "healthCheckNodePort", 0);
    if (policy.len > 0 && !service_is_reached(spec))
        rule_error(errors, FIELD_INVALID, IN(at, "externalTrafficPolicy"),
                   "Invalid value: \"" STR_F
                   "\": may only be set for externally-accessible services",
                   STR_A(policy));
    if (health != 0 && !service_has_health_port(spec))
        rule_error(errors, FIELD_INVALID, IN(at, "healthCheckNodePort"),
                   "Invalid value: %lld: may only be set when `type` is 'LoadBalancer' and "
                   "`externalTrafficPolicy` is 'Local'",
                   (long long)health);
    else if (health != 0)
        rule_port(json_get(spec, STR("healthCheckNodePort")), IN(at, "healthCheckNodePort"),
                  errors);
    if (service_has_health_port(was) && service_has_health_port(spec) &&
        health != path_int(was, "healthCheckNodePort", 0))
        rule_error(errors, FIELD_FORBIDDEN, IN(at, "healthCheckNodePort"),
                   "Forbidden: field is immutable");
}

void service_check(const struct json *object, const struct json *old, struct field_errors *errors)
{
    const struct json *spec = json_get(object, STR("spec")), *was = json_get(old, STR("spec"));
    const struct place *at = IN(NULL, "spec");
    check_ports(spec, at, errors);
    check_addresses(spec, at, errors);
    check_families(spec, at, errors);
    check_balancer(spec, was, at, errors);
    check_traffic(spec, was, at, errors);
    const struct json *selector = json_get(spec, STR("selector"));
    if (selector != NULL)
        check_labels(selector, STR("spec.selector"), errors);
    str_t before = json_get_text(was, STR("clusterIP")), ip = json_get_text(spec, STR("clusterIP"));
    if (old != NULL && !service_is(was, "ExternalName") && !service_is(spec, "ExternalName") &&
        !str_eq(before, ip))
        rule_error(errors, FIELD_INVALID, ITEM(at, "clusterIPs", 0),
                   "Invalid value: []string{\"" STR_F "\"}: may not change once set", STR_A(ip));
}
