/* limitrange_table.c - the fields of LimitRange (core/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field limit_range_item_fields[] = {
    {"type", FIELD_STRING, 1, .required = true, .doc = "Pod, Container or PersistentVolumeClaim."},
    {"max", FIELD_MAP, 2, .item = FIELD_QUANTITY, .doc = "The most allowed."},
    {"min", FIELD_MAP, 3, .item = FIELD_QUANTITY, .doc = "The least allowed."},
    {"default", FIELD_MAP, 4, .item = FIELD_QUANTITY, .doc = "Limit when none is given."},
    {"defaultRequest", FIELD_MAP, 5, .item = FIELD_QUANTITY, .doc = "Request when none is given."},
    {"maxLimitRequestRatio", FIELD_MAP, 6, .item = FIELD_QUANTITY},
    {0},
};
static const struct schema limit_range_item_schema = {
    "core.v1.LimitRangeItem", limit_range_item_fields};

static const struct field limit_range_spec_fields[] = {
    {"limits", FIELD_LIST, 1, .of = &limit_range_item_schema, .required = true,
     .doc = "Limits by type of object."},
    {0},
};
static const struct schema limit_range_spec_schema = {
    "core.v1.LimitRangeSpec", limit_range_spec_fields};

static const struct field limit_range_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &limit_range_spec_schema, .doc = "What is wanted."},
    {0},
};
const struct schema limit_range_schema = {
    "core.v1.LimitRange", limit_range_fields, "Limits and defaults of what objects ask for."};

/* clang-format on */
