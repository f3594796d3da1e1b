/* podtemplate_table.c - the fields of PodTemplate (core/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field pod_template_fields[] = {
    META_ROWS,
    {"template", FIELD_OBJECT, 2, .of = &pod_template_spec_schema, .doc = "What is made from it."},
    {0},
};
const struct schema pod_template_schema = {
    "core.v1.PodTemplate", pod_template_fields, "A stored template of pods."};

/* clang-format on */
