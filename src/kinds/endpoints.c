/* endpoints.c - Endpoints and EndpointSlice: the addresses behind a Service. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"

enum { SHOWN_MAX = 3, ENDPOINTS_MAX = 1000, SLICE_PORTS_MAX = 100 };

/* --- Endpoints --- */

static void check_addresses(const struct json *subset, const char *list, const struct place *at,
                            struct field_errors *errors)
{
    long i = 0;
    JSON_EACH(json_get(subset, str_from_z(list)), address)
    {
        str_t ip = json_get_text(address, STR("ip"));
        if (ip.len > 0)
            rule_ip_of_network(ip, IN(ITEM(at, list, i), "ip"), errors);
        i++;
    }
}

static void endpoints_check(const struct json *object, const struct json *old,
                            struct field_errors *errors)
{
    (void)old;
    long i = 0;
    JSON_EACH(json_get(object, STR("subsets")), subset)
    {
        const struct place *at = ITEM(NULL, "subsets", i++);
        if (json_count(json_get(subset, STR("addresses"))) +
                json_count(json_get(subset, STR("notReadyAddresses"))) ==
            0)
            rule_error(errors, FIELD_REQUIRED, at,
                       "Required value: must specify `addresses` or `notReadyAddresses`");
        check_addresses(subset, "addresses", at, errors);
        check_addresses(subset, "notReadyAddresses", at, errors);
    }
}

/* "10.0.0.1:80,10.0.0.2:80 + 2 more..." */
struct shown {
    struct buf text;
    size_t n;
};

static void show(struct shown *shown, str_t ip, const struct json *port)
{
    if (shown->n++ >= SHOWN_MAX)
        return;
    buf_printf(&shown->text, "%s" STR_F, shown->text.len > 0 ? "," : "", STR_A(ip));
    if (port != NULL)
        buf_printf(&shown->text, ":%lld", (long long)path_int(port, "port", 0));
}

static str_t shown_text(struct shown *shown, struct arena *arena)
{
    if (shown->n > SHOWN_MAX)
        buf_printf(&shown->text, " + %zu more...", shown->n - SHOWN_MAX);
    str_t text = shown->n == 0 ? STR("<none>") : arena_str(arena, buf_str(&shown->text));
    buf_done(&shown->text);
    return text;
}

static str_t column_endpoints(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    struct shown shown = {.n = 0};
    JSON_EACH(json_get(object, STR("subsets")), subset)
    {
        const struct json *ports = json_get(subset, STR("ports"));
        JSON_EACH(json_get(subset, STR("addresses")), address)
        {
            str_t ip = json_get_text(address, STR("ip"));
            if (json_count(ports) == 0)
                show(&shown, ip, NULL);
            JSON_EACH(ports, port)
            show(&shown, ip, port);
        }
    }
    return shown_text(&shown, arena);
}

/* --- EndpointSlice --- */

static void slice_check(const struct json *object, const struct json *old,
                        struct field_errors *errors)
{
    (void)old;
    size_t n = json_count(json_get(object, STR("endpoints")));
    bool ips = !str_eq(json_get_text(object, STR("addressType")), STR("FQDN"));
    if (n > ENDPOINTS_MAX)
        rule_error(errors, FIELD_TOO_MANY, IN(NULL, "endpoints"),
                   "Too many: %zu: must have at most %d items", n, ENDPOINTS_MAX);
    if (json_count(json_get(object, STR("ports"))) > SLICE_PORTS_MAX)
        rule_error(errors, FIELD_TOO_MANY, IN(NULL, "ports"),
                   "Too many: %zu: must have at most %d items",
                   json_count(json_get(object, STR("ports"))), SLICE_PORTS_MAX);
    long i = 0;
    JSON_EACH(json_get(object, STR("endpoints")), endpoint)
    {
        const struct json *addresses = json_get(endpoint, STR("addresses"));
        const struct place *at = ITEM(NULL, "endpoints", i++);
        long j = 0;
        if (json_count(addresses) == 0)
            rule_error(errors, FIELD_REQUIRED, IN(at, "addresses"),
                       "Required value: must contain at least 1 address");
        JSON_EACH(addresses, address)
        {
            str_t text = json_text(address, STR(""));
            if (ips)
                rule_ip_of_network(text, ITEM(at, "addresses", j), errors);
            j++;
        }
    }
}

PATH_COLUMN(column_address_type, "addressType", "")

static str_t column_slice_ports(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    AUTO(buf_done) struct buf out = {0};
    size_t n = 0;
    JSON_EACH(json_get(object, STR("ports")), port)
    if (n++ < SHOWN_MAX)
        buf_printf(&out, "%s" STR_F, out.len > 0 ? "," : "", STR_A(path_text(port, "port", "*")));
    if (n > SHOWN_MAX)
        buf_printf(&out, " + %zu more...", n - SHOWN_MAX);
    return n == 0 ? STR("<unset>") : arena_str(arena, buf_str(&out));
}

static str_t column_slice_endpoints(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    struct shown shown = {.n = 0};
    JSON_EACH(json_get(object, STR("endpoints")), endpoint)
    JSON_EACH(json_get(endpoint, STR("addresses")), address)
    show(&shown, json_text(address, STR("")), NULL);
    if (shown.n > 0)
        return shown_text(&shown, arena);
    buf_done(&shown.text);
    return STR("<unset>");
}

/* clang-format off */
static const struct column endpoints_columns[] = {
    COLUMN_NAME,
    {"Endpoints", "string", "", "Addresses and ports.", 0, column_endpoints},
    COLUMN_AGE, {0},
};

const struct kind kind_endpoints = {
    .group = "", .version = "v1", .name = "Endpoints", .plural = "endpoints",
    .singular = "endpoints", .shortcuts = (const char *const[]){"ep", NULL}, .namespaced = true,
    .schema = &endpoints_schema, .check = endpoints_check, .columns = endpoints_columns,
};

static const struct column slice_columns[] = {
    COLUMN_NAME,
    {"AddressType", "string", "", "What its addresses are.", 0, column_address_type},
    {"Ports", "string", "", "Ports of the endpoints.", 0, column_slice_ports},
    {"Endpoints", "string", "", "Their addresses.", 0, column_slice_endpoints},
    COLUMN_AGE, {0},
};

const struct kind kind_endpointslice = {
    .group = "discovery.k8s.io", .version = "v1", .name = "EndpointSlice",
    .plural = "endpointslices", .singular = "endpointslice", .namespaced = true,
    .schema = &endpoint_slice_schema, .check = slice_check, .columns = slice_columns,
};
/* clang-format on */
