/* daemonset_table.c - the fields of DaemonSet (apps/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field rolling_update_daemon_set_fields[] = {
    {"maxUnavailable", FIELD_INT_OR_STRING, 1, .otherwise = "1",
     .doc = "How many pods may be missing, as number or percent."},
    {"maxSurge", FIELD_INT_OR_STRING, 2, .otherwise = "0",
     .doc = "How many pods there may be above the wanted number, as number or percent."},
    {0},
};
static const struct schema rolling_update_daemon_set_schema = {
    "apps.v1.RollingUpdateDaemonSet", rolling_update_daemon_set_fields};

static const struct field daemon_set_update_strategy_fields[] = {
    {"type", FIELD_STRING, 1, .otherwise = "RollingUpdate", ONE_OF("OnDelete", "RollingUpdate"),
     .doc = "RollingUpdate or OnDelete."},
    {"rollingUpdate", FIELD_OBJECT, 2, .of = &rolling_update_daemon_set_schema,
     .doc = "How far a rolling update may go at a time."},
    {0},
};
static const struct schema daemon_set_update_strategy_schema = {
    "apps.v1.DaemonSetUpdateStrategy", daemon_set_update_strategy_fields};

static const struct field daemon_set_spec_fields[] = {
    {"selector", FIELD_OBJECT, 1, .of = &label_selector_schema, .required = true,
     .immutable = true, .doc = "Which pods belong to it."},
    {"template", FIELD_OBJECT, 2, .of = &pod_template_spec_schema, .required = true,
     .doc = "The pods to make."},
    {"updateStrategy", FIELD_OBJECT, 3, .of = &daemon_set_update_strategy_schema,
     .otherwise = "{}", .doc = "How pods are replaced when the template changes."},
    {"minReadySeconds", FIELD_INT, 4, RANGE(0, INT32_MAX),
     .doc = "Seconds a pod must be ready before it counts as available."},
    {"revisionHistoryLimit", FIELD_INT, 6, .pointer = true, .otherwise = "10",
     RANGE(0, INT32_MAX), .doc = "How many old revisions are kept."},
    {0},
};
static const struct schema daemon_set_spec_schema = {
    "apps.v1.DaemonSetSpec", daemon_set_spec_fields};

static const struct field daemon_set_condition_fields[] = {
    {"type", FIELD_STRING, 1, .doc = "What type it is."},
    {"status", FIELD_STRING, 2, .doc = "What is."},
    {"lastTransitionTime", FIELD_TIME, 3, .doc = "When status last changed."},
    {"reason", FIELD_STRING, 4, .doc = "One word why."},
    {"message", FIELD_STRING, 5, .doc = "A sentence why."},
    {0},
};
static const struct schema daemon_set_condition_schema = {
    "apps.v1.DaemonSetCondition", daemon_set_condition_fields};

static const struct field daemon_set_status_fields[] = {
    {"currentNumberScheduled", FIELD_INT, 1},
    {"numberMisscheduled", FIELD_INT, 2},
    {"desiredNumberScheduled", FIELD_INT, 3},
    {"numberReady", FIELD_INT, 4},
    {"observedGeneration", FIELD_LONG, 5, .doc = "Generation of the spec this status is about."},
    {"updatedNumberScheduled", FIELD_INT, 6},
    {"numberAvailable", FIELD_INT, 7},
    {"numberUnavailable", FIELD_INT, 8},
    {"collisionCount", FIELD_INT, 9, .pointer = true, .doc = "How often a name was taken."},
    {"conditions", FIELD_LIST, 10, .of = &daemon_set_condition_schema, .merge_key = "type",
     .list_keys = "type", .doc = "What is known about it."},
    {0},
};
static const struct schema daemon_set_status_schema = {
    "apps.v1.DaemonSetStatus", daemon_set_status_fields};

static const struct field daemon_set_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &daemon_set_spec_schema, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &daemon_set_status_schema, .doc = "What is."},
    {0},
};
const struct schema daemon_set_schema = {
    "apps.v1.DaemonSet", daemon_set_fields, "One pod on each node."};

/* clang-format on */
