/* service.c - Service: one address for a set of pods. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"

enum { AFFINITY_SECONDS = 10800 };

static bool is_type(const struct json *spec, const char *type)
{
    return str_eq(json_get_text(spec, STR("type")), str_from_z(type));
}

static bool is_external(const struct json *spec)
{
    return is_type(spec, "NodePort") || is_type(spec, "LoadBalancer");
}

static void service_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    struct json *spec = json_get(object, STR("spec"));
    if (spec == NULL)
        return;
    JSON_EACH(json_get(spec, STR("ports")), port)
    {
        const struct json *number = json_get(port, STR("port"));
        if (json_get(port, STR("targetPort")) == NULL && number != NULL)
            json_add(port, STR("targetPort"), json_clone(number, arena));
    }
    if (str_eq(json_get_text(spec, STR("sessionAffinity")), STR("ClientIP"))) {
        struct json *config = rule_member(spec, STR("sessionAffinityConfig"), arena);
        rule_default_int(rule_member(config, STR("clientIP"), arena), "timeoutSeconds",
                         AFFINITY_SECONDS, arena);
    }
    if (!is_type(spec, "ExternalName"))
        rule_default_text(spec, "internalTrafficPolicy", "Cluster", arena);
    if (is_external(spec))
        rule_default_text(spec, "externalTrafficPolicy", "Cluster", arena);
    else
        (void)json_remove(spec, STR("externalTrafficPolicy"));
    if (is_type(spec, "LoadBalancer") &&
        json_get(spec, STR("allocateLoadBalancerNodePorts")) == NULL)
        json_add(spec, STR("allocateLoadBalancerNodePorts"), json_bool(arena, true));
    if (old == NULL)
        json_set(object, STR("status"),
                 json_add(json_object(arena), STR("loadBalancer"), json_object(arena)));
}

static void check_ports(const struct json *spec, const struct place *at,
                        struct field_errors *errors)
{
    const struct json *ports = json_get(spec, STR("ports"));
    size_t n = json_count(ports);
    bool headless = str_eq(json_get_text(spec, STR("clusterIP")), STR("None"));
    if (n == 0 && !headless && !is_type(spec, "ExternalName"))
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
        if (path_int(port, "nodePort", 0) != 0 && !is_external(spec))
            rule_error(errors, FIELD_FORBIDDEN, IN(here, "nodePort"),
                       "Forbidden: may not be used when `type` is '" STR_F "'",
                       STR_A(json_get_text(spec, STR("type"))));
    }
    rule_unique(ports, "name", at, "ports", errors);
}

static void check_addresses(const struct json *spec, const struct place *at,
                            struct field_errors *errors)
{
    long i = 0;
    JSON_EACH(json_get(spec, STR("externalIPs")), ip)
    {
        if (!is_ip(json_text(ip, STR(""))))
            rule_error(errors, FIELD_INVALID, ITEM(at, "externalIPs", i),
                       "Invalid value: \"" STR_F
                       "\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
                       STR_A(json_text(ip, STR(""))));
        i++;
    }
    str_t ip = json_get_text(spec, STR("clusterIP"));
    if (ip.len > 0 && !str_eq(ip, STR("None")) && !is_ip(ip))
        rule_error(errors, FIELD_INVALID, ITEM(at, "clusterIPs", 0),
                   "Invalid value: \"" STR_F
                   "\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
                   STR_A(ip));
    if (is_type(spec, "ExternalName")) {
        str_t name = json_get_text(spec, STR("externalName"));
        rule_name(NAME_SUBDOMAIN, name, true, IN(at, "externalName"), errors);
        if (ip.len > 0)
            rule_error(errors, FIELD_FORBIDDEN, IN(at, "clusterIPs"),
                       "Forbidden: may not be set for ExternalName services");
    }
    if (is_external(spec) && str_eq(ip, STR("None")))
        rule_error(errors, FIELD_INVALID, ITEM(at, "clusterIPs", 0),
                   "Invalid value: \"None\": may not be set to 'None' for " STR_F " services",
                   STR_A(json_get_text(spec, STR("type"))));
}

static void service_check(const struct json *object, const struct json *old,
                          struct field_errors *errors)
{
    const struct json *spec = json_get(object, STR("spec")), *was = json_get(old, STR("spec"));
    const struct place *at = IN(NULL, "spec");
    check_ports(spec, at, errors);
    check_addresses(spec, at, errors);
    const struct json *selector = json_get(spec, STR("selector"));
    if (selector != NULL)
        check_labels(selector, STR("spec.selector"), errors);
    str_t before = json_get_text(was, STR("clusterIP")), ip = json_get_text(spec, STR("clusterIP"));
    if (old != NULL && !is_type(was, "ExternalName") && !is_type(spec, "ExternalName") &&
        !str_eq(before, ip))
        rule_error(errors, FIELD_INVALID, ITEM(at, "clusterIPs", 0),
                   "Invalid value: []string{\"" STR_F "\"}: may not change once set", STR_A(ip));
}

/* --- columns --- */

PATH_COLUMN(column_type, "spec.type", "")
PATH_COLUMN(column_cluster_ip, "spec.clusterIP", "<none>")

static void add_addresses(struct buf *out, const struct json *list, str_t member)
{
    JSON_EACH(list, item)
    {
        str_t text = member.len > 0 ? json_get_text(item, member) : json_text(item, STR(""));
        if (text.len == 0)
            text = json_get_text(item, STR("hostname"));
        buf_printf(out, "%s" STR_F, out->len > 0 ? "," : "", STR_A(text));
    }
}

static str_t column_external(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    const struct json *spec = json_get(object, STR("spec"));
    AUTO(buf_done) struct buf out = {0};
    if (is_type(spec, "ExternalName"))
        return json_get_text(spec, STR("externalName"));
    if (is_type(spec, "LoadBalancer"))
        add_addresses(&out, json_at(object, "status.loadBalancer.ingress"), STR("ip"));
    add_addresses(&out, json_get(spec, STR("externalIPs")), STR(""));
    if (out.len == 0)
        return is_type(spec, "LoadBalancer") ? STR("<pending>") : STR("<none>");
    return arena_str(arena, buf_str(&out));
}

static str_t column_ports(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    AUTO(buf_done) struct buf out = {0};
    JSON_EACH(json_at(object, "spec.ports"), port)
    {
        int64_t node = path_int(port, "nodePort", 0);
        buf_printf(&out, "%s%lld", out.len > 0 ? "," : "", (long long)path_int(port, "port", 0));
        if (node > 0)
            buf_printf(&out, ":%lld", (long long)node);
        buf_printf(&out, "/" STR_F, STR_A(path_text(port, "protocol", "TCP")));
    }
    return out.len > 0 ? arena_str(arena, buf_str(&out)) : STR("<none>");
}

/* clang-format off */
static const struct column service_columns[] = {
    COLUMN_NAME,
    {"Type", "string", "", "How it is reached.", 0, column_type},
    {"Cluster-IP", "string", "", "Its address inside the cluster.", 0, column_cluster_ip},
    {"External-IP", "string", "", "Its addresses outside.", 0, column_external},
    {"Port(s)", "string", "", "Its ports.", 0, column_ports},
    COLUMN_AGE, COLUMN_SELECTOR, {0},
};

static const struct field_selector service_selectors[] = {{"spec.clusterIP", NULL},
                                                          {"spec.type", NULL}, {0}};

const struct kind kind_service = {
    .group = "", .version = "v1", .name = "Service", .plural = "services", .singular = "service",
    .shortcuts = (const char *const[]){"svc", NULL}, .categories = category_all,
    .namespaced = true, .name_rule = NAME_LABEL_1035, .has_status = true,
    .schema = &service_schema, .prepare = service_prepare, .check = service_check,
    .columns = service_columns, .selectors = service_selectors,
};
/* clang-format on */
