/* affinity.c - where pods may run: affinity, spread over topologies, gates. */
#include "kinds/affinity.h"

#include "base/map.h"
#include "kube/meta.h"

#define REQUIRED "requiredDuringSchedulingIgnoredDuringExecution"
#define PREFERRED "preferredDuringSchedulingIgnoredDuringExecution"

/* --- nodes --- */

static void not_an_operator(str_t op, const struct place *at, struct field_errors *errors)
{
    if (op.len > 0) /* The table asks for one. */
        rule_error(errors, FIELD_INVALID, IN(at, "operator"),
                   "Invalid value: \"" STR_F "\": not a valid selector operator", STR_A(op));
}

static void check_label_requirement(const struct json *requirement, const struct place *at,
                                    struct field_errors *errors)
{
    str_t op = json_get_text(requirement, STR("operator"));
    str_t key = json_get_text(requirement, STR("key"));
    size_t values = json_count(json_get(requirement, STR("values")));
    if (str_eq(op, STR("In")) || str_eq(op, STR("NotIn"))) {
        if (values == 0)
            rule_error(errors, FIELD_REQUIRED, IN(at, "values"),
                       "Required value: must be specified when `operator` is 'In' or 'NotIn'");
    } else if (str_eq(op, STR("Exists")) || str_eq(op, STR("DoesNotExist"))) {
        if (values > 0)
            rule_error(errors, FIELD_FORBIDDEN, IN(at, "values"),
                       "Forbidden: may not be specified when `operator` is 'Exists' or "
                       "'DoesNotExist'");
    } else if (str_eq(op, STR("Gt")) || str_eq(op, STR("Lt"))) {
        if (values != 1)
            rule_error(errors, FIELD_REQUIRED, IN(at, "values"),
                       "Required value: must be specified single value when `operator` is 'Lt' "
                       "or 'Gt'");
    } else
        not_an_operator(op, at, errors);
    if (key.len > 0)
        check_key(key, place_text(IN(at, "key"), errors->arena), errors);
}

static void check_field_requirement(const struct json *requirement, const struct place *at,
                                    struct field_errors *errors)
{
    str_t op = json_get_text(requirement, STR("operator"));
    str_t key = json_get_text(requirement, STR("key"));
    const struct json *values = json_get(requirement, STR("values"));
    long i = 0;
    if (!str_eq(op, STR("In")) && !str_eq(op, STR("NotIn")))
        not_an_operator(op, at, errors);
    else if (json_count(values) != 1)
        rule_error(errors, FIELD_REQUIRED, IN(at, "values"),
                   "Required value: must be only one value when `operator` is 'In' or 'NotIn' for "
                   "node field selector");
    if (!str_eq(key, STR("metadata.name"))) {
        rule_error(errors, FIELD_INVALID, IN(at, "key"),
                   "Invalid value: \"" STR_F "\": not a valid field selector key", STR_A(key));
        return;
    }
    JSON_EACH(values, value)
    rule_name(NAME_SUBDOMAIN, json_text(value, STR("")), false, ITEM(at, "values", i++), errors);
}

static void check_node_term(const struct json *term, const struct place *at,
                            struct field_errors *errors)
{
    long i = 0;
    JSON_EACH(json_get(term, STR("matchExpressions")), requirement)
    check_label_requirement(requirement, ITEM(at, "matchExpressions", i++), errors);
    i = 0;
    JSON_EACH(json_get(term, STR("matchFields")), requirement)
    check_field_requirement(requirement, ITEM(at, "matchFields", i++), errors);
}

static void check_node_affinity(const struct json *affinity, const struct place *at,
                                struct field_errors *errors)
{
    const struct json *required = json_get(affinity, STR(REQUIRED));
    long i = 0;
    JSON_EACH(json_get(required, STR("nodeSelectorTerms")), term)
    check_node_term(term, ITEM(IN(at, REQUIRED), "nodeSelectorTerms", i++), errors);
    i = 0;
    JSON_EACH(json_get(affinity, STR(PREFERRED)), preferred)
    check_node_term(json_get(preferred, STR("preference")),
                    IN(ITEM(at, PREFERRED, i++), "preference"), errors);
}

/* --- pods --- */

static void check_keys(const struct json *term, const char *name, const struct place *at,
                       struct field_errors *errors)
{
    const struct json *keys = json_get(term, str_from_z(name));
    long i = 0;
    if (json_count(keys) == 0)
        return;
    if (json_get(term, STR("labelSelector")) == NULL) {
        rule_error(errors, FIELD_FORBIDDEN, IN(at, name),
                   "Forbidden: must not be specified when labelSelector is not set");
        return;
    }
    JSON_EACH(keys, key)
    check_key(json_text(key, STR("")), place_text(ITEM(at, name, i++), errors->arena), errors);
}

static void add_key(struct map *keys, str_t key, struct arena *arena)
{
    if (map_find(keys, key) == NULL)
        map_add(keys, key, arena_new(arena, struct map_node));
}

/* Keys of the pod's own labels whose values others must have, or may not have. */
static void check_label_keys(const struct json *term, const struct place *at,
                             struct field_errors *errors)
{
    AUTO(map_done) struct map apart = {0};
    long i = 0;
    check_keys(term, "matchLabelKeys", at, errors);
    check_keys(term, "mismatchLabelKeys", at, errors);
    JSON_EACH(json_get(term, STR("mismatchLabelKeys")), key)
    add_key(&apart, json_text(key, STR("")), errors->arena);
    JSON_EACH(json_get(term, STR("matchLabelKeys")), key)
    {
        const struct place *here = ITEM(at, "matchLabelKeys", i++);
        if (map_find(&apart, json_text(key, STR(""))) != NULL)
            rule_error(errors, FIELD_INVALID, here,
                       "Invalid value: \"" STR_F
                       "\": exists in both matchLabelKeys and mismatchLabelKeys",
                       STR_A(json_text(key, STR(""))));
    }
}

static void check_pod_term(const struct json *term, const struct place *at,
                           struct field_errors *errors)
{
    str_t key = json_get_text(term, STR("topologyKey"));
    rule_label_selector(json_get(term, STR("labelSelector")), IN(at, "labelSelector"), errors);
    rule_label_selector(json_get(term, STR("namespaceSelector")), IN(at, "namespaceSelector"),
                        errors);
    JSON_EACH(json_get(term, STR("namespaces")), name)
    rule_name(NAME_LABEL, json_text(name, STR("")), false, IN(at, "namespace"), errors);
    if (key.len > 0)
        check_key(key, place_text(IN(at, "topologyKey"), errors->arena), errors);
    check_label_keys(term, at, errors);
}

static void check_pod_affinity(const struct json *affinity, const struct place *at,
                               struct field_errors *errors)
{
    long i = 0;
    JSON_EACH(json_get(affinity, STR(REQUIRED)), term)
    check_pod_term(term, ITEM(at, REQUIRED, i++), errors);
    i = 0;
    JSON_EACH(json_get(affinity, STR(PREFERRED)), preferred)
    check_pod_term(json_get(preferred, STR("podAffinityTerm")),
                   IN(ITEM(at, PREFERRED, i++), "podAffinityTerm"), errors);
}

/* --- spread --- */

static void check_spread_keys(const struct json *constraint, const struct place *at,
                              struct field_errors *errors)
{
    AUTO(map_done) struct map selected = {0};
    const struct json *keys = json_get(constraint, STR("matchLabelKeys"));
    const struct json *selector = json_get(constraint, STR("labelSelector"));
    long i = 0;
    if (json_count(keys) > 0 && selector == NULL)
        rule_error(errors, FIELD_FORBIDDEN, IN(at, "matchLabelKeys"),
                   "Forbidden: must not be specified when labelSelector is not set");
    JSON_EACH(json_get(selector, STR("matchLabels")), label)
    add_key(&selected, label->key, errors->arena);
    JSON_EACH(json_get(selector, STR("matchExpressions")), expression)
    add_key(&selected, json_get_text(expression, STR("key")), errors->arena);
    JSON_EACH(keys, key)
    {
        const struct place *here = ITEM(at, "matchLabelKeys", i++);
        str_t text = json_text(key, STR(""));
        check_key(text, place_text(here, errors->arena), errors);
        if (map_find(&selected, text) != NULL)
            rule_error(errors, FIELD_INVALID, here,
                       "Invalid value: \"" STR_F
                       "\": exists in both matchLabelKeys and labelSelector",
                       STR_A(text));
    }
}

static void check_constraint(const struct json *constraint, const struct place *at,
                             struct field_errors *errors)
{
    const struct json *least = json_get(constraint, STR("minDomains"));
    str_t otherwise = json_get_text(constraint, STR("whenUnsatisfiable"));
    rule_label_selector(json_get(constraint, STR("labelSelector")), IN(at, "labelSelector"),
                        errors);
    if (least != NULL && !str_eq(otherwise, STR("DoNotSchedule")))
        rule_error(errors, FIELD_INVALID, IN(at, "minDomains"),
                   "Invalid value: " STR_F ": can only use minDomains if "
                   "whenUnsatisfiable=DoNotSchedule, not " STR_F,
                   STR_A(least->text), STR_A(otherwise));
    check_spread_keys(constraint, at, errors);
}

static void check_spread(const struct json *constraints, const struct place *up,
                         struct field_errors *errors)
{
    AUTO(map_done) struct map seen = {0};
    long i = 0;
    JSON_EACH(constraints, constraint)
    {
        const struct place *at = ITEM(up, "topologySpreadConstraints", i++);
        str_t key = json_get_text(constraint, STR("topologyKey"));
        str_t otherwise = json_get_text(constraint, STR("whenUnsatisfiable"));
        str_t both =
            arena_printf(errors->arena, "{" STR_F ", " STR_F "}", STR_A(key), STR_A(otherwise));
        check_constraint(constraint, at, errors);
        if (map_find(&seen, both) == NULL)
            map_add(&seen, both, arena_new(errors->arena, struct map_node));
        else
            rule_error(errors, FIELD_DUPLICATE, IN(at, "{topologyKey, whenUnsatisfiable}"),
                       "Duplicate value: \"" STR_F "\"", STR_A(both));
    }
}

/* --- gates --- */

static void check_scheduling_gates(const struct json *gates, const struct place *up,
                                   struct field_errors *errors)
{
    AUTO(map_done) struct map seen = {0};
    long i = 0;
    JSON_EACH(gates, gate)
    {
        const struct place *at = ITEM(up, "schedulingGates", i++);
        str_t name = json_get_text(gate, STR("name"));
        if (name.len == 0)
            continue; /* The table says so. */
        check_key(name, place_text(at, errors->arena), errors);
        if (map_find(&seen, name) == NULL)
            map_add(&seen, name, arena_new(errors->arena, struct map_node));
        else
            rule_error(errors, FIELD_DUPLICATE, at, "Duplicate value: \"" STR_F "\"", STR_A(name));
    }
}

void placement_check(const struct json *spec, const struct place *at, struct field_errors *errors)
{
    const struct json *affinity = json_get(spec, STR("affinity"));
    const struct json *constraints = json_get(spec, STR("topologySpreadConstraints"));
    const struct json *gates = json_get(spec, STR("schedulingGates"));
    long i = 0;
    if (affinity != NULL) {
        const struct place *here = IN(at, "affinity");
        check_node_affinity(json_get(affinity, STR("nodeAffinity")), IN(here, "nodeAffinity"),
                            errors);
        check_pod_affinity(json_get(affinity, STR("podAffinity")), IN(here, "podAffinity"), errors);
        check_pod_affinity(json_get(affinity, STR("podAntiAffinity")), IN(here, "podAntiAffinity"),
                           errors);
    }
    JSON_EACH(json_get(spec, STR("readinessGates")), gate)
    {
        const struct place *here = IN(ITEM(at, "readinessGates", i++), "conditionType");
        str_t type = json_get_text(gate, STR("conditionType"));
        if (type.len > 0)
            check_key(type, place_text(here, errors->arena), errors);
    }
    if (gates != NULL)
        check_scheduling_gates(gates, at, errors);
    if (constraints != NULL)
        check_spread(constraints, at, errors);
}
