/* statefulset_table.c - the fields of StatefulSet (apps/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field stateful_set_ordinals_fields[] = {
    {"start", FIELD_INT, 1},
    {0},
};
static const struct schema stateful_set_ordinals_schema = {
    "apps.v1.StatefulSetOrdinals", stateful_set_ordinals_fields};

static const struct field stateful_set_persistent_volume_claim_retention_policy_fields[] = {
    {"whenDeleted", FIELD_STRING, 1, .otherwise = "Retain", ONE_OF("Delete", "Retain"),
     .doc = "When the set is deleted: Retain or Delete."},
    {"whenScaled", FIELD_STRING, 2, .otherwise = "Retain", ONE_OF("Delete", "Retain"),
     .doc = "When it is scaled down: Retain or Delete."},
    {0},
};
static const struct schema stateful_set_persistent_volume_claim_retention_policy_schema = {
    "apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy",
    stateful_set_persistent_volume_claim_retention_policy_fields};

static const struct field rolling_update_stateful_set_strategy_fields[] = {
    {"partition", FIELD_INT, 1, .pointer = true, .otherwise = "0", RANGE(0, INT32_MAX),
     .doc = "Pods with a lower ordinal stay as they are."},
    {"maxUnavailable", FIELD_INT_OR_STRING, 2,
     .doc = "How many pods may be missing, as number or percent."},
    {0},
};
static const struct schema rolling_update_stateful_set_strategy_schema = {
    "apps.v1.RollingUpdateStatefulSetStrategy", rolling_update_stateful_set_strategy_fields};

static const struct field stateful_set_update_strategy_fields[] = {
    {"type", FIELD_STRING, 1, .otherwise = "RollingUpdate", ONE_OF("OnDelete", "RollingUpdate"),
     .doc = "RollingUpdate or OnDelete."},
    {"rollingUpdate", FIELD_OBJECT, 2, .of = &rolling_update_stateful_set_strategy_schema,
     .doc = "How far a rolling update may go at a time."},
    {0},
};
static const struct schema stateful_set_update_strategy_schema = {
    "apps.v1.StatefulSetUpdateStrategy", stateful_set_update_strategy_fields};

static const struct field stateful_set_spec_fields[] = {
    {"replicas", FIELD_INT, 1, .pointer = true, .otherwise = "1", RANGE(0, INT32_MAX),
     .doc = "How many pods there should be."},
    {"selector", FIELD_OBJECT, 2, .of = &label_selector_schema, .required = true,
     .doc = "Which pods belong to it."},
    {"template", FIELD_OBJECT, 3, .of = &pod_template_spec_schema, .required = true,
     .doc = "The pods to make."},
    {"volumeClaimTemplates", FIELD_LIST, 4, .of = &persistent_volume_claim_schema,
     .doc = "Claims made for each pod."},
    {"serviceName", FIELD_STRING, 5, .doc = "Headless Service that names the pods."},
    {"podManagementPolicy", FIELD_STRING, 6, .otherwise = "OrderedReady",
     ONE_OF("OrderedReady", "Parallel"), .doc = "OrderedReady or Parallel."},
    {"updateStrategy", FIELD_OBJECT, 7, .of = &stateful_set_update_strategy_schema,
     .otherwise = "{}", .doc = "How pods are replaced when the template changes."},
    {"revisionHistoryLimit", FIELD_INT, 8, .pointer = true, .otherwise = "10",
     RANGE(0, INT32_MAX), .doc = "How many old revisions are kept."},
    {"minReadySeconds", FIELD_INT, 9, RANGE(0, INT32_MAX),
     .doc = "Seconds a pod must be ready before it counts as available."},
    {"persistentVolumeClaimRetentionPolicy", FIELD_OBJECT, 10,
     .of = &stateful_set_persistent_volume_claim_retention_policy_schema, .otherwise = "{}",
     .doc = "What becomes of the claims."},
    {"ordinals", FIELD_OBJECT, 11, .of = &stateful_set_ordinals_schema,
     .doc = "Where the numbers of the pods begin."},
    {0},
};
static const struct schema stateful_set_spec_schema = {
    "apps.v1.StatefulSetSpec", stateful_set_spec_fields};

static const struct field stateful_set_condition_fields[] = {
    {"type", FIELD_STRING, 1, .doc = "What type it is."},
    {"status", FIELD_STRING, 2, .doc = "What is."},
    {"lastTransitionTime", FIELD_TIME, 3, .doc = "When status last changed."},
    {"reason", FIELD_STRING, 4, .doc = "One word why."},
    {"message", FIELD_STRING, 5, .doc = "A sentence why."},
    {0},
};
static const struct schema stateful_set_condition_schema = {
    "apps.v1.StatefulSetCondition", stateful_set_condition_fields};

static const struct field stateful_set_status_fields[] = {
    {"observedGeneration", FIELD_LONG, 1, .doc = "Generation of the spec this status is about."},
    {"replicas", FIELD_INT, 2, .doc = "How many pods there should be."},
    {"readyReplicas", FIELD_INT, 3, .doc = "Pods that are ready."},
    {"currentReplicas", FIELD_INT, 4, .doc = "Pods of the current revision."},
    {"updatedReplicas", FIELD_INT, 5, .doc = "Pods of the newest revision."},
    {"currentRevision", FIELD_STRING, 6, .doc = "The current revision."},
    {"updateRevision", FIELD_STRING, 7, .doc = "The revision that is rolled out."},
    {"collisionCount", FIELD_INT, 9, .pointer = true, .doc = "How often a name was taken."},
    {"conditions", FIELD_LIST, 10, .of = &stateful_set_condition_schema, .merge_key = "type",
     .list_keys = "type", .doc = "What is known about it."},
    {"availableReplicas", FIELD_INT, 11, .doc = "Pods that are available."},
    {0},
};
static const struct schema stateful_set_status_schema = {
    "apps.v1.StatefulSetStatus", stateful_set_status_fields};

static const struct field stateful_set_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &stateful_set_spec_schema, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &stateful_set_status_schema, .doc = "What is."},
    {0},
};
const struct schema stateful_set_schema = {
    "apps.v1.StatefulSet", stateful_set_fields, "Pods with names and volumes that stay."};

/* clang-format on */
