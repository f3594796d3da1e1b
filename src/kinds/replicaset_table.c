/* replicaset_table.c - the fields of ReplicaSet (apps/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field replica_set_spec_fields[] = {
    {"replicas", FIELD_INT, 1, .pointer = true, .otherwise = "1", RANGE(0, INT32_MAX),
     .doc = "How many pods there should be."},
    {"selector", FIELD_OBJECT, 2, .of = &label_selector_schema, .required = true,
     .immutable = true, .doc = "Which pods belong to it."},
    {"template", FIELD_OBJECT, 3, .of = &pod_template_spec_schema, .doc = "The pods to make."},
    {"minReadySeconds", FIELD_INT, 4, RANGE(0, INT32_MAX),
     .doc = "Seconds a pod must be ready before it counts as available."},
    {0},
};
static const struct schema replica_set_spec_schema = {
    "apps.v1.ReplicaSetSpec", replica_set_spec_fields};

static const struct field replica_set_condition_fields[] = {
    {"type", FIELD_STRING, 1, .doc = "What type it is."},
    {"status", FIELD_STRING, 2, .doc = "What is."},
    {"lastTransitionTime", FIELD_TIME, 3, .doc = "When status last changed."},
    {"reason", FIELD_STRING, 4, .doc = "One word why."},
    {"message", FIELD_STRING, 5, .doc = "A sentence why."},
    {0},
};
static const struct schema replica_set_condition_schema = {
    "apps.v1.ReplicaSetCondition", replica_set_condition_fields};

static const struct field replica_set_status_fields[] = {
    {"replicas", FIELD_INT, 1, .doc = "How many pods there should be."},
    {"fullyLabeledReplicas", FIELD_INT, 2, .doc = "Pods with all labels of the template."},
    {"observedGeneration", FIELD_LONG, 3, .doc = "Generation of the spec this status is about."},
    {"readyReplicas", FIELD_INT, 4, .doc = "Pods that are ready."},
    {"availableReplicas", FIELD_INT, 5, .doc = "Pods that are available."},
    {"conditions", FIELD_LIST, 6, .of = &replica_set_condition_schema, .merge_key = "type",
     .list_keys = "type", .doc = "What is known about it."},
    {0},
};
static const struct schema replica_set_status_schema = {
    "apps.v1.ReplicaSetStatus", replica_set_status_fields};

static const struct field replica_set_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &replica_set_spec_schema, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &replica_set_status_schema, .doc = "What is."},
    {0},
};
const struct schema replica_set_schema = {
    "apps.v1.ReplicaSet", replica_set_fields, "A number of pods of one template."};

/* clang-format on */
