/* runtimeclass_table.c - the fields of RuntimeClass (node/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field overhead_fields[] = {
    {"podFixed", FIELD_MAP, 1, .item = FIELD_QUANTITY},
    {0},
};
static const struct schema overhead_schema = {"node.v1.Overhead", overhead_fields};

static const struct field scheduling_fields[] = {
    {"nodeSelector", FIELD_MAP, 1, .item = FIELD_STRING},
    {"tolerations", FIELD_LIST, 2, .of = &toleration_schema},
    {0},
};
static const struct schema scheduling_schema = {"node.v1.Scheduling", scheduling_fields};

static const struct field runtime_class_fields[] = {
    META_ROWS,
    {"handler", FIELD_STRING, 2, .required = true, .immutable = true,
     .doc = "Name of the runtime's configuration."},
    {"overhead", FIELD_OBJECT, 3, .of = &overhead_schema},
    {"scheduling", FIELD_OBJECT, 4, .of = &scheduling_schema},
    {0},
};
const struct schema runtime_class_schema = {
    "node.v1.RuntimeClass", runtime_class_fields, "A way pods are run."};

/* clang-format on */
