/* networkpolicy.c - NetworkPolicy: which pods may talk to which. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"

#include <string.h>

static void networkpolicy_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    (void)old;
    struct json *spec = json_get(object, STR("spec"));
    if (spec == NULL || json_count(json_get(spec, STR("policyTypes"))) > 0)
        return;
    struct json *types = json_add(json_array(arena), STR(""), json_string(arena, STR("Ingress")));
    if (json_count(json_get(spec, STR("egress"))) > 0)
        json_add(types, STR(""), json_string(arena, STR("Egress")));
    json_set(spec, STR("policyTypes"), types);
}

static void check_block(const struct json *block, const struct place *at,
                        struct field_errors *errors)
{
    str_t cidr = json_get_text(block, STR("cidr")), ip, bits;
    int64_t n = -1;
    bool ok = str_cut(cidr, '/', &ip, &bits) && is_ip(ip) && str_to_i64(bits, &n) && n >= 0 &&
              n <= (memchr(ip.at, ':', ip.len) != NULL ? 128 : 32);
    if (!ok)
        rule_error(errors, FIELD_INVALID, IN(at, "cidr"),
                   "Invalid value: \"" STR_F
                   "\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
                   STR_A(cidr));
}

static void check_peers(const struct json *rule, const char *name, const struct place *at,
                        struct field_errors *errors)
{
    long i = 0;
    JSON_EACH(json_get(rule, str_from_z(name)), peer)
    {
        const struct place *here = ITEM(at, name, i++);
        const struct json *block = json_get(peer, STR("ipBlock"));
        const struct json *pods = json_get(peer, STR("podSelector"));
        const struct json *spaces = json_get(peer, STR("namespaceSelector"));
        rule_label_selector(pods, IN(here, "podSelector"), errors);
        rule_label_selector(spaces, IN(here, "namespaceSelector"), errors);
        if (block == NULL && pods == NULL && spaces == NULL)
            rule_error(errors, FIELD_REQUIRED, here, "Required value: must specify a peer");
        else if (block != NULL && (pods != NULL || spaces != NULL))
            rule_error(errors, FIELD_FORBIDDEN, here,
                       "Forbidden: may not specify both ipBlock and another peer");
        if (block != NULL)
            check_block(block, IN(here, "ipBlock"), errors);
    }
    i = 0;
    JSON_EACH(json_get(rule, STR("ports")), port)
    {
        const struct json *number = json_get(port, STR("port"));
        if (number != NULL)
            rule_port_or_name(number, IN(ITEM(at, "ports", i), "port"), errors);
        i++;
    }
}

static void networkpolicy_check(const struct json *object, const struct json *old,
                                struct field_errors *errors)
{
    (void)old;
    const struct json *spec = json_get(object, STR("spec"));
    const struct place *at = IN(NULL, "spec");
    rule_label_selector(json_get(spec, STR("podSelector")), IN(at, "podSelector"), errors);
    long i = 0;
    JSON_EACH(json_get(spec, STR("ingress")), rule)
    check_peers(rule, "from", ITEM(at, "ingress", i++), errors);
    i = 0;
    JSON_EACH(json_get(spec, STR("egress")), rule)
    check_peers(rule, "to", ITEM(at, "egress", i++), errors);
    i = 0;
    JSON_EACH(json_get(spec, STR("policyTypes")), type)
    {
        str_t word = json_text(type, STR(""));
        if (!str_eq(word, STR("Ingress")) && !str_eq(word, STR("Egress")))
            rule_error(errors, FIELD_NOT_SUPPORTED, ITEM(at, "policyTypes", i),
                       "Unsupported value: \"" STR_F
                       "\": supported values: \"Egress\", \"Ingress\"",
                       STR_A(word));
        i++;
    }
}

static str_t column_pods(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return selector_column(json_at(object, "spec.podSelector"), arena);
}

/* clang-format off */
static const struct column networkpolicy_columns[] = {
    COLUMN_NAME,
    {"Pod-Selector", "string", "", "Pods it is about.", 0, column_pods},
    COLUMN_AGE, {0},
};

const struct kind kind_networkpolicy = {
    .group = "networking.k8s.io", .version = "v1", .name = "NetworkPolicy",
    .plural = "networkpolicies", .singular = "networkpolicy",
    .shortcuts = (const char *const[]){"netpol", NULL}, .namespaced = true,
    .has_spec_generation = true, .schema = &network_policy_schema,
    .prepare = networkpolicy_prepare, .check = networkpolicy_check,
    .columns = networkpolicy_columns,
};
/* clang-format on */
