/* deployment_table.c - the fields of Deployment (apps/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field rolling_update_deployment_fields[] = {
    {"maxUnavailable", FIELD_INT_OR_STRING, 1, .otherwise = "25%",
     .doc = "How many pods may be missing, as number or percent."},
    {"maxSurge", FIELD_INT_OR_STRING, 2, .otherwise = "25%",
     .doc = "How many pods there may be above the wanted number, as number or percent."},
    {0},
};
static const struct schema rolling_update_deployment_schema = {
    "apps.v1.RollingUpdateDeployment", rolling_update_deployment_fields};

static const struct field deployment_strategy_fields[] = {
    {"type", FIELD_STRING, 1, .otherwise = "RollingUpdate", ONE_OF("Recreate", "RollingUpdate"),
     .doc = "RollingUpdate or Recreate."},
    {"rollingUpdate", FIELD_OBJECT, 2, .of = &rolling_update_deployment_schema,
     .doc = "How far a rolling update may go at a time."},
    {0},
};
static const struct schema deployment_strategy_schema = {
    "apps.v1.DeploymentStrategy", deployment_strategy_fields};

static const struct field deployment_spec_fields[] = {
    {"replicas", FIELD_INT, 1, .pointer = true, .otherwise = "1", RANGE(0, INT32_MAX),
     .doc = "How many pods there should be."},
    {"selector", FIELD_OBJECT, 2, .of = &label_selector_schema, .required = true,
     .immutable = true, .doc = "Which pods belong to it."},
    {"template", FIELD_OBJECT, 3, .of = &pod_template_spec_schema, .required = true,
     .doc = "The pods to make."},
    {"strategy", FIELD_OBJECT, 4, .of = &deployment_strategy_schema, .retain_keys = true,
     .otherwise = "{}", .doc = "How old pods are replaced."},
    {"minReadySeconds", FIELD_INT, 5, RANGE(0, INT32_MAX),
     .doc = "Seconds a pod must be ready before it counts as available."},
    {"revisionHistoryLimit", FIELD_INT, 6, .pointer = true, .otherwise = "10",
     RANGE(0, INT32_MAX), .doc = "How many old revisions are kept."},
    {"paused", FIELD_BOOL, 7, .doc = "No new revision is rolled out while it is true."},
    {"progressDeadlineSeconds", FIELD_INT, 9, .pointer = true, .otherwise = "600",
     RANGE(0, INT32_MAX), .doc = "Seconds without progress after which a rollout has failed."},
    {0},
};
static const struct schema deployment_spec_schema = {
    "apps.v1.DeploymentSpec", deployment_spec_fields};

static const struct field deployment_condition_fields[] = {
    {"type", FIELD_STRING, 1, .doc = "What type it is."},
    {"status", FIELD_STRING, 2, .doc = "What is."},
    {"reason", FIELD_STRING, 4, .doc = "One word why."},
    {"message", FIELD_STRING, 5, .doc = "A sentence why."},
    {"lastUpdateTime", FIELD_TIME, 6, .doc = "When it was last looked at."},
    {"lastTransitionTime", FIELD_TIME, 7, .doc = "When status last changed."},
    {0},
};
static const struct schema deployment_condition_schema = {
    "apps.v1.DeploymentCondition", deployment_condition_fields};

static const struct field deployment_status_fields[] = {
    {"observedGeneration", FIELD_LONG, 1, .doc = "Generation of the spec this status is about."},
    {"replicas", FIELD_INT, 2, .doc = "How many pods there should be."},
    {"updatedReplicas", FIELD_INT, 3, .doc = "Pods of the newest revision."},
    {"availableReplicas", FIELD_INT, 4, .doc = "Pods that are available."},
    {"unavailableReplicas", FIELD_INT, 5, .doc = "Pods that are missing."},
    {"conditions", FIELD_LIST, 6, .of = &deployment_condition_schema, .merge_key = "type",
     .list_keys = "type", .doc = "What is known about it."},
    {"readyReplicas", FIELD_INT, 7, .doc = "Pods that are ready."},
    {"collisionCount", FIELD_INT, 8, .pointer = true, .doc = "How often a name was taken."},
    {0},
};
static const struct schema deployment_status_schema = {
    "apps.v1.DeploymentStatus", deployment_status_fields};

static const struct field deployment_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &deployment_spec_schema, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &deployment_status_schema, .doc = "What is."},
    {0},
};
const struct schema deployment_schema = {
    "apps.v1.Deployment",
    deployment_fields,
    "Pods of one template, replaced step by step when it changes."};

/* clang-format on */
