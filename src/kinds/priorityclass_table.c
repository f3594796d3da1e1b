/* priorityclass_table.c - the fields of PriorityClass (scheduling/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field priority_class_fields[] = {
    META_ROWS,
    {"value", FIELD_INT, 2, .doc = "The priority; higher goes first."},
    {"globalDefault", FIELD_BOOL, 3, .doc = "Used for pods that name none."},
    {"description", FIELD_STRING, 4, .doc = "What it is for."},
    {"preemptionPolicy", FIELD_STRING, 5, .immutable = true, .otherwise = "PreemptLowerPriority",
     ONE_OF("Never", "PreemptLowerPriority")},
    {0},
};
const struct schema priority_class_schema = {
    "scheduling.v1.PriorityClass", priority_class_fields, "A priority with a name."};

/* clang-format on */
