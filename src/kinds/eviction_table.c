/* eviction_table.c - the fields of Eviction (policy/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field preconditions_fields[] = {
    {"uid", FIELD_STRING, 1},
    {"resourceVersion", FIELD_STRING, 2},
    {0},
};
static const struct schema preconditions_schema = {"meta.v1.Preconditions", preconditions_fields};

static const struct field delete_options_fields[] = {
    {"gracePeriodSeconds", FIELD_LONG, 1, .pointer = true},
    {"preconditions", FIELD_OBJECT, 2, .of = &preconditions_schema},
    {"orphanDependents", FIELD_BOOL, 3, .pointer = true},
    {"propagationPolicy", FIELD_STRING, 4},
    {"dryRun", FIELD_LIST, 5, .item = FIELD_STRING},
    {"ignoreStoreReadErrorWithClusterBreakingPotential", FIELD_BOOL, 6, .pointer = true},
    {"apiVersion", FIELD_STRING, .doc = "API version of the object."},
    {"kind", FIELD_STRING, .doc = "Kind of the object."},
    {0},
};
static const struct schema delete_options_schema = {"meta.v1.DeleteOptions", delete_options_fields};

static const struct field eviction_fields[] = {
    META_ROWS,
    {"deleteOptions", FIELD_OBJECT, 2, .of = &delete_options_schema},
    {0},
};
const struct schema eviction_schema = {
    "policy.v1.Eviction", eviction_fields, "A wish to take a pod away that honours budgets."};

/* clang-format on */
