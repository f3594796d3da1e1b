/* types_meta.c - selectors, conditions and references that many kinds have. */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field label_selector_requirement_fields[] = {
    {"key", FIELD_STRING, 1, .required = true, .doc = "The key."},
    {"operator", FIELD_STRING, 2, .required = true, .doc = "How key and values are compared."},
    {"values", FIELD_LIST, 3, .item = FIELD_STRING, .doc = "Values the operator compares with."},
    {0},
};
const struct schema label_selector_requirement_schema = {
    "meta.v1.LabelSelectorRequirement", label_selector_requirement_fields};

static const struct field label_selector_fields[] = {
    {"matchLabels", FIELD_MAP, 1, .item = FIELD_STRING, .doc = "Labels that must all be equal."},
    {"matchExpressions", FIELD_LIST, 2, .of = &label_selector_requirement_schema,
     .doc = "Requirements that must all hold."},
    {0},
};
const struct schema label_selector_schema = {
    "meta.v1.LabelSelector",
    label_selector_fields,
    "Which objects, by their labels.",
    .atomic = true};

static const struct field condition_fields[] = {
    {"type", FIELD_STRING, 1, .doc = "What type it is."},
    {"status", FIELD_STRING, 2, .doc = "What is."},
    {"observedGeneration", FIELD_LONG, 3, .doc = "Generation of the spec this status is about."},
    {"lastTransitionTime", FIELD_TIME, 4, .doc = "When status last changed."},
    {"reason", FIELD_STRING, 5, .doc = "One word why."},
    {"message", FIELD_STRING, 6, .doc = "A sentence why."},
    {0},
};
const struct schema condition_schema = {"meta.v1.Condition", condition_fields};

static const struct field object_reference_fields[] = {
    {"kind", FIELD_STRING, 1, .doc = "Kind of the object."},
    {"namespace", FIELD_STRING, 2, .doc = "Namespace of the object."},
    {"name", FIELD_STRING, 3, .doc = "Name of the object."},
    {"uid", FIELD_STRING, 4, .doc = "UID of the object."},
    {"apiVersion", FIELD_STRING, 5, .doc = "API version of the object."},
    {"resourceVersion", FIELD_STRING, 6},
    {"fieldPath", FIELD_STRING, 7},
    {0},
};
const struct schema object_reference_schema = {
    "core.v1.ObjectReference", object_reference_fields, .atomic = true};

static const struct field local_object_reference_fields[] = {
    {"name", FIELD_STRING, 1, .doc = "Name of the object."},
    {0},
};
const struct schema local_object_reference_schema = {
    "core.v1.LocalObjectReference", local_object_reference_fields, .atomic = true};

static const struct field secret_reference_fields[] = {
    {"name", FIELD_STRING, 1, .doc = "Name."},
    {"namespace", FIELD_STRING, 2, .doc = "Namespace."},
    {0},
};
const struct schema secret_reference_schema = {
    "core.v1.SecretReference", secret_reference_fields, .atomic = true};

static const struct field typed_local_object_reference_fields[] = {
    {"apiGroup", FIELD_STRING, 1, .doc = "API group of the object."},
    {"kind", FIELD_STRING, 2, .required = true, .doc = "Kind of the object."},
    {"name", FIELD_STRING, 3, .required = true, .doc = "Name."},
    {0},
};
const struct schema typed_local_object_reference_schema = {
    "core.v1.TypedLocalObjectReference", typed_local_object_reference_fields, .atomic = true};

/* clang-format on */
