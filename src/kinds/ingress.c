/* ingress.c - Ingress and IngressClass: how HTTP requests reach Services. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"

#include <string.h>

static void check_backend(const struct json *backend, const struct place *at,
                          struct field_errors *errors)
{
    const struct json *service = json_get(backend, STR("service"));
    const struct json *resource = json_get(backend, STR("resource"));
    const struct json *port = json_get(service, STR("port"));
    if (service != NULL && resource != NULL) {
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"\": cannot set both resource and service backends");
        return;
    }
    if (service == NULL && resource == NULL)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"\": resource or service backend is required");
    if (service == NULL)
        return;
    const struct place *here = IN(at, "service");
    str_t name = json_get_text(port, STR("name"));
    bool numbered = path_int(port, "number", 0) != 0;
    rule_name(NAME_LABEL_1035, json_get_text(service, STR("name")), false, IN(here, "name"),
              errors);
    if (name.len > 0 && numbered)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"\": cannot set both port name & port number");
    else if (name.len > 0)
        rule_port_or_name(json_get(port, STR("name")), IN(IN(here, "port"), "name"), errors);
    else if (numbered)
        rule_port(json_get(port, STR("number")), IN(IN(here, "port"), "number"), errors);
    else
        rule_error(errors, FIELD_REQUIRED, at, "Required value: port name or number is required");
}

/* What could lead a proxy elsewhere than it says. */
static void check_path_text(str_t path, const struct place *at, struct field_errors *errors)
{
    static const char *const inside[] = {"//", "/./", "/../", "%2f", "%2F"};
    static const char *const at_end[] = {"/..", "/."};
    for (size_t i = 0; i < ARRAY_LEN(inside); i++)
        if (memmem(path.at, path.len, inside[i], strlen(inside[i])) != NULL)
            rule_error(errors, FIELD_INVALID, at,
                       "Invalid value: \"" STR_F "\": must not contain '%s'", STR_A(path),
                       inside[i]);
    for (size_t i = 0; i < ARRAY_LEN(at_end); i++)
        if (path.len >= strlen(at_end[i]) &&
            memcmp(path.at + path.len - strlen(at_end[i]), at_end[i], strlen(at_end[i])) == 0)
            rule_error(errors, FIELD_INVALID, at,
                       "Invalid value: \"" STR_F "\": cannot end with '%s'", STR_A(path),
                       at_end[i]);
}

static void check_path(const struct json *path, const struct place *at, struct field_errors *errors)
{
    str_t text = json_get_text(path, STR("path")), type = json_get_text(path, STR("pathType"));
    bool free_form = str_eq(type, STR("ImplementationSpecific"));
    if (type.len > 0 && (text.len > 0 || !free_form) && !str_starts(text, STR("/")))
        rule_error(errors, FIELD_INVALID, IN(at, "path"),
                   "Invalid value: \"" STR_F "\": must be an absolute path", STR_A(text));
    if (type.len > 0 && !free_form)
        check_path_text(text, IN(at, "path"), errors);
    check_backend(json_get(path, STR("backend")), IN(at, "backend"), errors);
}

/* A name, or one whose first part is "*". */
static void check_host_name(str_t host, const struct place *at, struct field_errors *errors)
{
    if (host.len == 0 || memchr(host.at, '*', host.len) == NULL)
        check_name(NAME_SUBDOMAIN, host, place_text(at, errors->arena), errors);
    else if (!str_starts(host, STR("*.")) || !is_dns_subdomain((str_t){host.at + 2, host.len - 2}))
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"" STR_F
                   "\": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid "
                   "DNS subdomain, which must consist of lower case alphanumeric characters, '-' "
                   "or '.' and end with an alphanumeric character (e.g. '*.example.com', regex "
                   "used for validation is "
                   "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
                   STR_A(host));
}

static void check_host(str_t host, const struct place *at, struct field_errors *errors)
{
    if (host.len == 0)
        return;
    if (is_ip(host))
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"" STR_F "\": must be a DNS name, not an IP address",
                   STR_A(host));
    else
        check_host_name(host, at, errors);
}

static void check_tls(const struct json *tls, const struct place *at, struct field_errors *errors)
{
    long i = 0;
    JSON_EACH(json_get(tls, STR("hosts")), host)
    check_host_name(json_text(host, STR("")), ITEM(at, "hosts", i++), errors);
    rule_name(NAME_SUBDOMAIN, json_get_text(tls, STR("secretName")), false, IN(at, "secretName"),
              errors);
}

static void ingress_check(const struct json *object, const struct json *old,
                          struct field_errors *errors)
{
    (void)old;
    const struct json *spec = json_get(object, STR("spec"));
    const struct json *backend = json_get(spec, STR("defaultBackend"));
    const struct place *at = IN(NULL, "spec");
    long i = 0;
    if (backend == NULL && json_count(json_get(spec, STR("rules"))) == 0)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: []networking.IngressRule(nil): either `defaultBackend` or "
                   "`rules` must be specified");
    if (backend != NULL)
        check_backend(backend, IN(at, "defaultBackend"), errors);
    JSON_EACH(json_get(spec, STR("rules")), rule)
    {
        const struct place *here = ITEM(at, "rules", i++);
        long j = 0;
        check_host(json_get_text(rule, STR("host")), IN(here, "host"), errors);
        JSON_EACH(json_at(rule, "http.paths"), path)
        check_path(path, ITEM(IN(here, "http"), "paths", j++), errors);
    }
    i = 0;
    JSON_EACH(json_get(spec, STR("tls")), tls)
    check_tls(tls, ITEM(at, "tls", i++), errors);
    rule_name(NAME_SUBDOMAIN, json_get_text(spec, STR("ingressClassName")), false,
              IN(at, "ingressClassName"), errors);
}

static void ingress_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    if (old == NULL)
        json_set(object, STR("status"),
                 json_add(json_object(arena), STR("loadBalancer"), json_object(arena)));
}

static str_t column_hosts(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    AUTO(buf_done) struct buf out = {0};
    JSON_EACH(json_at(object, "spec.rules"), rule)
    {
        str_t host = json_get_text(rule, STR("host"));
        if (host.len > 0)
            buf_printf(&out, "%s" STR_F, out.len > 0 ? "," : "", STR_A(host));
    }
    return out.len > 0 ? arena_str(arena, buf_str(&out)) : STR("*");
}

static str_t column_address(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    AUTO(buf_done) struct buf out = {0};
    JSON_EACH(json_at(object, "status.loadBalancer.ingress"), ingress)
    {
        str_t ip = json_get_text(ingress, STR("ip"));
        if (ip.len == 0)
            ip = json_get_text(ingress, STR("hostname"));
        buf_printf(&out, "%s" STR_F, out.len > 0 ? "," : "", STR_A(ip));
    }
    return arena_str(arena, buf_str(&out));
}

static str_t column_ports(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    (void)arena;
    return json_count(json_at(object, "spec.tls")) > 0 ? STR("80, 443") : STR("80");
}

static str_t column_parameters(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    const struct json *parameters = json_at(object, "spec.parameters");
    str_t group = json_get_text(parameters, STR("apiGroup"));
    if (parameters == NULL)
        return STR("<none>");
    return arena_printf(arena, STR_F "%s" STR_F "/" STR_F,
                        STR_A(json_get_text(parameters, STR("kind"))), group.len > 0 ? "." : "",
                        STR_A(group), STR_A(json_get_text(parameters, STR("name"))));
}

PATH_COLUMN(column_class, "spec.ingressClassName", "<none>")
PATH_COLUMN(column_controller, "spec.controller", "")

/* clang-format off */
static const struct column ingress_columns[] = {
    COLUMN_NAME,
    {"Class", "string", "", "Who serves it.", 0, column_class},
    {"Hosts", "string", "", "Hosts it is about.", 0, column_hosts},
    {"Address", "string", "", "Where it is reached.", 0, column_address},
    {"Ports", "string", "", "Ports it is reached at.", 0, column_ports},
    COLUMN_AGE, {0},
};

const struct kind kind_ingress = {
    .group = "networking.k8s.io", .version = "v1", .name = "Ingress", .plural = "ingresses",
    .singular = "ingress", .shortcuts = (const char *const[]){"ing", NULL}, .namespaced = true,
    .has_status = true, .has_spec_generation = true, .schema = &ingress_schema,
    .prepare = ingress_prepare, .check = ingress_check, .columns = ingress_columns,
};

static const struct column class_columns[] = {
    COLUMN_NAME,
    {"Controller", "string", "", "Who serves the class.", 0, column_controller},
    {"Parameters", "string", "", "Its settings.", 0, column_parameters},
    COLUMN_AGE, {0},
};

const struct kind kind_ingressclass = {
    .group = "networking.k8s.io", .version = "v1", .name = "IngressClass",
    .plural = "ingressclasses", .singular = "ingressclass", .has_spec_generation = true,
    .schema = &ingress_class_schema, .columns = class_columns,
};
/* clang-format on */
