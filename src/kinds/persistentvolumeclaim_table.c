/* persistentvolumeclaim_table.c - the fields of PersistentVolumeClaim (core/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field typed_object_reference_fields[] = {
    {"apiGroup", FIELD_STRING, 1, .doc = "API group of the object."},
    {"kind", FIELD_STRING, 2, .required = true, .doc = "Kind of the object."},
    {"name", FIELD_STRING, 3, .required = true, .doc = "Name."},
    {"namespace", FIELD_STRING, 4, .doc = "Namespace."},
    {0},
};
static const struct schema typed_object_reference_schema = {
    "core.v1.TypedObjectReference", typed_object_reference_fields};

static const struct field volume_resource_requirements_fields[] = {
    {"limits", FIELD_MAP, 1, .item = FIELD_QUANTITY, .doc = "The most of each resource."},
    {"requests", FIELD_MAP, 2, .item = FIELD_QUANTITY,
     .doc = "What is set aside of each resource."},
    {0},
};
static const struct schema volume_resource_requirements_schema = {
    "core.v1.VolumeResourceRequirements", volume_resource_requirements_fields};

static const struct field persistent_volume_claim_spec_fields[] = {
    {"accessModes", FIELD_LIST, 1, .item = FIELD_STRING,
     .doc = "ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod."},
    {"resources", FIELD_OBJECT, 2, .of = &volume_resource_requirements_schema,
     .doc = "What it asks for and may use at most."},
    {"volumeName", FIELD_STRING, 3, .doc = "Volume that is bound."},
    {"selector", FIELD_OBJECT, 4, .of = &label_selector_schema, .doc = "Which pods belong to it."},
    {"storageClassName", FIELD_STRING, 5, .pointer = true, .doc = "Class of the storage."},
    {"volumeMode", FIELD_STRING, 6, .otherwise = "Filesystem", ONE_OF("Block", "Filesystem"),
     .doc = "Filesystem or Block."},
    {"dataSource", FIELD_OBJECT, 7, .of = &typed_local_object_reference_schema},
    {"dataSourceRef", FIELD_OBJECT, 8, .of = &typed_object_reference_schema},
    {"volumeAttributesClassName", FIELD_STRING, 9, .no_effect = true},
    {0},
};
const struct schema persistent_volume_claim_spec_schema = {
    "core.v1.PersistentVolumeClaimSpec", persistent_volume_claim_spec_fields};

static const struct field persistent_volume_claim_condition_fields[] = {
    {"type", FIELD_STRING, 1, .doc = "What type it is."},
    {"status", FIELD_STRING, 2, .doc = "What is."},
    {"lastProbeTime", FIELD_TIME, 3, .doc = "When it was last probed."},
    {"lastTransitionTime", FIELD_TIME, 4, .doc = "When status last changed."},
    {"reason", FIELD_STRING, 5, .doc = "One word why."},
    {"message", FIELD_STRING, 6, .doc = "A sentence why."},
    {0},
};
static const struct schema persistent_volume_claim_condition_schema = {
    "core.v1.PersistentVolumeClaimCondition", persistent_volume_claim_condition_fields};

static const struct field modify_volume_status_fields[] = {
    {"targetVolumeAttributesClassName", FIELD_STRING, 1},
    {"status", FIELD_STRING, 2, .doc = "What is."},
    {0},
};
static const struct schema modify_volume_status_schema = {
    "core.v1.ModifyVolumeStatus", modify_volume_status_fields};

static const struct field persistent_volume_claim_status_fields[] = {
    {"phase", FIELD_STRING, 1, .doc = "Where it is in its life."},
    {"accessModes", FIELD_LIST, 2, .item = FIELD_STRING,
     .doc = "ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod."},
    {"capacity", FIELD_MAP, 3, .item = FIELD_QUANTITY, .doc = "How much of each resource."},
    {"conditions", FIELD_LIST, 4, .of = &persistent_volume_claim_condition_schema,
     .merge_key = "type", .list_keys = "type", .doc = "What is known about it."},
    {"allocatedResources", FIELD_MAP, 5, .item = FIELD_QUANTITY},
    {"allocatedResourceStatuses", FIELD_MAP, 7, .item = FIELD_STRING},
    {"currentVolumeAttributesClassName", FIELD_STRING, 8, .no_effect = true},
    {"modifyVolumeStatus", FIELD_OBJECT, 9, .of = &modify_volume_status_schema, .no_effect = true},
    {0},
};
static const struct schema persistent_volume_claim_status_schema = {
    "core.v1.PersistentVolumeClaimStatus", persistent_volume_claim_status_fields};

static const struct field persistent_volume_claim_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &persistent_volume_claim_spec_schema,
     .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &persistent_volume_claim_status_schema, .doc = "What is."},
    {0},
};
const struct schema persistent_volume_claim_schema = {
    "core.v1.PersistentVolumeClaim", persistent_volume_claim_fields, "A wish for storage."};

/* clang-format on */
