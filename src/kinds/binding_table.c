/* binding_table.c - the fields of Binding (core/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field binding_fields[] = {
    META_ROWS,
    {"target", FIELD_OBJECT, 2, .of = &object_reference_schema, .required = true},
    {0},
};
const struct schema binding_schema = {
    "core.v1.Binding", binding_fields, "Which node a pod goes to."};

/* clang-format on */
