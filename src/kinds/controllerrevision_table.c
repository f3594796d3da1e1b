/* controllerrevision_table.c - the fields of ControllerRevision (apps/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field controller_revision_fields[] = {
    META_ROWS,
    {"data", FIELD_RAW, 2, .immutable = true, .doc = "The state it keeps."},
    {"revision", FIELD_LONG, 3, .doc = "Number of the revision."},
    {0},
};
const struct schema controller_revision_schema = {
    "apps.v1.ControllerRevision",
    controller_revision_fields,
    "A state a controller may go back to."};

/* clang-format on */
