/* poddisruptionbudget.c - PodDisruptionBudget and Eviction: taking pods away with care. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"

static void budget_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    static const char *const counts[] = {"disruptionsAllowed", "currentHealthy", "desiredHealthy",
                                         "expectedPods"};
    for (size_t i = 0; i < ARRAY_LEN(counts) && old == NULL; i++)
        rule_default_int(rule_member(object, STR("status"), arena), counts[i], 0, arena);
}

static void budget_check(const struct json *object, const struct json *old,
                         struct field_errors *errors)
{
    (void)old;
    const struct json *spec = json_get(object, STR("spec"));
    const struct json *least = json_get(spec, STR("minAvailable"));
    const struct json *most = json_get(spec, STR("maxUnavailable"));
    const struct place *at = IN(NULL, "spec");
    if (least != NULL && most != NULL)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"\": minAvailable and maxUnavailable cannot be both set");
    rule_count_or_percent(least, IN(at, "minAvailable"), errors);
    rule_at_most_all(least, IN(at, "minAvailable"), errors);
    rule_count_or_percent(most, IN(at, "maxUnavailable"), errors);
    rule_at_most_all(most, IN(at, "maxUnavailable"), errors);
    rule_label_selector(json_get(spec, STR("selector")), IN(at, "selector"), errors);
}

PATH_COLUMN(column_least, "spec.minAvailable", "N/A")
PATH_COLUMN(column_most, "spec.maxUnavailable", "N/A")
PATH_COLUMN(column_allowed, "status.disruptionsAllowed", "0")

/* clang-format off */
static const struct column budget_columns[] = {
    COLUMN_NAME,
    {"Min Available", "string", "", "Pods that must stay.", 0, column_least},
    {"Max Unavailable", "string", "", "Pods that may be missing.", 0, column_most},
    {"Allowed Disruptions", "integer", "", "Pods that may be taken now.", 0, column_allowed},
    COLUMN_AGE, {0},
};

const struct kind kind_poddisruptionbudget = {
    .group = "policy", .version = "v1", .name = "PodDisruptionBudget",
    .plural = "poddisruptionbudgets", .singular = "poddisruptionbudget",
    .shortcuts = (const char *const[]){"pdb", NULL}, .namespaced = true, .has_status = true,
    .has_spec_generation = true, .schema = &pod_disruption_budget_schema,
    .prepare = budget_prepare, .check = budget_check, .columns = budget_columns,
};

const struct kind kind_eviction = {
    .group = "policy", .version = "v1", .name = "Eviction", .plural = "evictions",
    .singular = "eviction", .namespaced = true, .only_create = true,
    .schema = &eviction_schema,
};
/* clang-format on */
