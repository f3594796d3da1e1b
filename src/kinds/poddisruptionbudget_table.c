/* poddisruptionbudget_table.c - the fields of PodDisruptionBudget (policy/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field pod_disruption_budget_spec_fields[] = {
    {"minAvailable", FIELD_INT_OR_STRING, 1, .doc = "Pods that must stay, as number or percent."},
    {"selector", FIELD_OBJECT, 2, .of = &label_selector_schema, .doc = "Which pods belong to it."},
    {"maxUnavailable", FIELD_INT_OR_STRING, 3,
     .doc = "How many pods may be missing, as number or percent."},
    {"unhealthyPodEvictionPolicy", FIELD_STRING, 4, ONE_OF("AlwaysAllow", "IfHealthyBudget"),
     .doc = "IfHealthyBudget or AlwaysAllow."},
    {0},
};
static const struct schema pod_disruption_budget_spec_schema = {
    "policy.v1.PodDisruptionBudgetSpec", pod_disruption_budget_spec_fields};

static const struct field pod_disruption_budget_status_fields[] = {
    {"observedGeneration", FIELD_LONG, 1, .doc = "Generation of the spec this status is about."},
    {"disruptedPods", FIELD_MAP, 2, .item = FIELD_TIME},
    {"disruptionsAllowed", FIELD_INT, 3},
    {"currentHealthy", FIELD_INT, 4},
    {"desiredHealthy", FIELD_INT, 5},
    {"expectedPods", FIELD_INT, 6},
    {"conditions", FIELD_LIST, 7, .of = &condition_schema, .merge_key = "type",
     .list_keys = "type", .doc = "What is known about it."},
    {0},
};
static const struct schema pod_disruption_budget_status_schema = {
    "policy.v1.PodDisruptionBudgetStatus", pod_disruption_budget_status_fields};

static const struct field pod_disruption_budget_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &pod_disruption_budget_spec_schema, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &pod_disruption_budget_status_schema, .doc = "What is."},
    {0},
};
const struct schema pod_disruption_budget_schema = {
    "policy.v1.PodDisruptionBudget",
    pod_disruption_budget_fields,
    "How many pods must stay when others are taken away."};

/* clang-format on */
