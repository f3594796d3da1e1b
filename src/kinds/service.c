/* service.c - Service: one address for a set of pods. */
#include "kinds/service.h"

#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"

enum { AFFINITY_SECONDS = 10800 };

static void drop_same(struct json *spec, const struct json *was, const char *name)
{
    if (json_eq(json_get(spec, str_from_z(name)), json_get(was, str_from_z(name))))
        (void)json_remove(spec, str_from_z(name));
}

/* What only some types have goes with the type, unless the client changes it too. */
static void drop_unused(struct json *spec, const struct json *was)
{
    static const char *const of_balancers[] = {"allocateLoadBalancerNodePorts",
                                               "loadBalancerClass"};
    if (service_is_reached(was) && !service_is_reached(spec))
        drop_same(spec, was, "externalTrafficPolicy");
    if (service_has_health_port(was) && !service_has_health_port(spec))
        drop_same(spec, was, "healthCheckNodePort");
    for (size_t i = 0; i < ARRAY_LEN(of_balancers); i++)
        if (service_is(was, "LoadBalancer") && !service_is(spec, "LoadBalancer"))
            drop_same(spec, was, of_balancers[i]);
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
    if (!service_is(spec, "ExternalName"))
        rule_default_text(spec, "internalTrafficPolicy", "Cluster", arena);
    if (service_is_reached(spec))
        rule_default_text(spec, "externalTrafficPolicy", "Cluster", arena);
    if (old != NULL)
        drop_unused(spec, json_get(old, STR("spec")));
    if (service_is(spec, "LoadBalancer") &&
        json_get(spec, STR("allocateLoadBalancerNodePorts")) == NULL)
        json_add(spec, STR("allocateLoadBalancerNodePorts"), json_bool(arena, true));
    if (old == NULL)
        json_set(object, STR("status"),
                 json_add(json_object(arena), STR("loadBalancer"), json_object(arena)));
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
    if (service_is(spec, "ExternalName"))
        return json_get_text(spec, STR("externalName"));
    if (service_is(spec, "LoadBalancer"))
        add_addresses(&out, json_at(object, "status.loadBalancer.ingress"), STR("ip"));
    add_addresses(&out, json_get(spec, STR("externalIPs")), STR(""));
    if (out.len == 0)
        return service_is(spec, "LoadBalancer") ? STR("<pending>") : STR("<none>");
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
