/* networkpolicy.c - NetworkPolicy: which pods may talk to which. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"

enum { TYPES_MAX = 2 };

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
    str_t cidr = json_get_text(block, STR("cidr"));
    rule_cidr(cidr, IN(at, "cidr"), errors);
    if (!is_cidr(cidr))
        return;
    long i = 0;
    JSON_EACH(json_get(block, STR("except")), except)
    {
        str_t text = json_text(except, STR(""));
        const struct place *here = ITEM(at, "except", i++);
        rule_cidr(text, here, errors);
        if (is_cidr(text) && !cidr_is_part(text, cidr))
            rule_error(errors, FIELD_INVALID, here,
                       "Invalid value: \"" STR_F "\": must be a strict subset of `cidr`",
                       STR_A(text));
    }
}

/* A range of ports ends at a number, so it has to begin with one. */
static void check_port(const struct json *port, const struct place *at, struct field_errors *errors)
{
    const struct json *first = json_get(port, STR("port")), *last = json_get(port, STR("endPort"));
    int64_t from = 0, to = 0;
    if (first != NULL)
        rule_port_or_name(first, IN(at, "port"), errors);
    if (last == NULL || !json_to_i64(last, &to))
        return;
    if (first == NULL)
        rule_error(errors, FIELD_INVALID, IN(at, "endPort"),
                   "Invalid value: %lld: may not be specified when `port` is not specified",
                   (long long)to);
    else if (!json_to_i64(first, &from))
        rule_error(errors, FIELD_INVALID, IN(at, "endPort"),
                   "Invalid value: %lld: may not be specified when `port` is non-numeric",
                   (long long)to);
    else {
        if (to < from)
            rule_error(errors, FIELD_INVALID, IN(at, "endPort"),
                       "Invalid value: %lld: must be greater than or equal to `port`",
                       (long long)to);
        rule_port(last, IN(at, "endPort"), errors);
    }
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
    check_port(port, ITEM(at, "ports", i++), errors);
}

static void check_types(const struct json *types, const struct place *at,
                        struct field_errors *errors)
{
    if (json_count(types) > TYPES_MAX) {
        AUTO(buf_done) struct buf text = {0};
        JSON_EACH(types, type)
        buf_printf(&text, "%s\"" STR_F "\"", text.len > 0 ? ", " : "",
                   STR_A(json_text(type, STR(""))));
        rule_error(errors, FIELD_INVALID, IN(at, "policyTypes"),
                   "Invalid value: []networking.PolicyType{" STR_F
                   "}: may not specify more than two policyTypes",
                   STR_A(buf_str(&text)));
        return;
    }
    long i = 0;
    JSON_EACH(types, type)
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
    check_types(json_get(spec, STR("policyTypes")), at, errors);
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
