/* ingressclass_table.c - the fields of IngressClass (networking/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field ingress_class_parameters_reference_fields[] = {
    {"apiGroup", FIELD_STRING, 1, .doc = "API group of the object."},
    {"kind", FIELD_STRING, 2, .required = true, .doc = "Kind of the object."},
    {"name", FIELD_STRING, 3, .required = true, .doc = "Name."},
    {"scope", FIELD_STRING, 4},
    {"namespace", FIELD_STRING, 5, .doc = "Namespace."},
    {0},
};
static const struct schema ingress_class_parameters_reference_schema = {
    "networking.v1.IngressClassParametersReference", ingress_class_parameters_reference_fields};

static const struct field ingress_class_spec_fields[] = {
    {"controller", FIELD_STRING, 1, .immutable = true},
    {"parameters", FIELD_OBJECT, 2, .of = &ingress_class_parameters_reference_schema,
     .doc = "Settings for whom it is meant."},
    {0},
};
static const struct schema ingress_class_spec_schema = {
    "networking.v1.IngressClassSpec", ingress_class_spec_fields};

static const struct field ingress_class_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &ingress_class_spec_schema, .doc = "What is wanted."},
    {0},
};
const struct schema ingress_class_schema = {
    "networking.v1.IngressClass", ingress_class_fields, "Who serves Ingresses."};

/* clang-format on */
