/* storageclass_table.c - the fields of StorageClass (storage/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field topology_selector_label_requirement_fields[] = {
    {"key", FIELD_STRING, 1, .required = true, .doc = "The key."},
    {"values", FIELD_LIST, 2, .item = FIELD_STRING, .required = true,
     .doc = "Values the operator compares with."},
    {0},
};
static const struct schema topology_selector_label_requirement_schema = {
    "core.v1.TopologySelectorLabelRequirement", topology_selector_label_requirement_fields};

static const struct field topology_selector_term_fields[] = {
    {"matchLabelExpressions", FIELD_LIST, 1, .of = &topology_selector_label_requirement_schema},
    {0},
};
static const struct schema topology_selector_term_schema = {
    "core.v1.TopologySelectorTerm", topology_selector_term_fields, .atomic = true};

static const struct field storage_class_fields[] = {
    META_ROWS,
    {"provisioner", FIELD_STRING, 2, .required = true,
     .doc = "Who makes the volumes."},
    {"parameters", FIELD_MAP, 3, .item = FIELD_STRING,
     .doc = "Settings for whom it is meant."},
    {"reclaimPolicy", FIELD_STRING, 4, .otherwise = "Delete",
     ONE_OF("Delete", "Retain"),
     .doc = "What becomes of a released volume: Retain, Delete or Recycle."},
    {"mountOptions", FIELD_LIST, 5, .item = FIELD_STRING, .doc = "Options of the mount."},
    {"allowVolumeExpansion", FIELD_BOOL, 6, .pointer = true, .doc = "Whether claims may grow."},
    {"volumeBindingMode", FIELD_STRING, 7, .immutable = true, .otherwise = "Immediate",
     ONE_OF("Immediate", "WaitForFirstConsumer"), .doc = "Immediate or WaitForFirstConsumer."},
    {"allowedTopologies", FIELD_LIST, 8, .of = &topology_selector_term_schema},
    {0},
};
const struct schema storage_class_schema = {
    "storage.v1.StorageClass", storage_class_fields, "A way volumes are made."};

/* clang-format on */
