/* scale_table.c - the fields of Scale (autoscaling/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field scale_spec_fields[] = {
    {"replicas", FIELD_INT, 1, RANGE(0, INT32_MAX), .doc = "How many pods there should be."},
    {0},
};
static const struct schema scale_spec_schema = {"autoscaling.v1.ScaleSpec", scale_spec_fields};

static const struct field scale_status_fields[] = {
    {"replicas", FIELD_INT, 1, .doc = "How many pods there should be."},
    {"selector", FIELD_STRING, 2, .doc = "Which pods belong to it."},
    {0},
};
static const struct schema scale_status_schema = {
    "autoscaling.v1.ScaleStatus", scale_status_fields};

static const struct field scale_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &scale_spec_schema, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &scale_status_schema, .doc = "What is."},
    {0},
};
const struct schema scale_schema = {
    "autoscaling.v1.Scale", scale_fields, "How many pods something has."};

/* clang-format on */
