/* lease_table.c - the fields of Lease (coordination/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field lease_spec_fields[] = {
    {"holderIdentity", FIELD_STRING, 1, .doc = "Who holds it."},
    {"leaseDurationSeconds", FIELD_INT, 2, .pointer = true, RANGE(1, INT32_MAX),
     .doc = "Seconds it is held without renewal."},
    {"acquireTime", FIELD_MICRO_TIME, 3, .doc = "When it was taken."},
    {"renewTime", FIELD_MICRO_TIME, 4, .doc = "When it was last renewed."},
    {"leaseTransitions", FIELD_INT, 5, .pointer = true, RANGE(0, INT32_MAX),
     .doc = "How often it changed hands."},
    {"strategy", FIELD_STRING, 6},
    {"preferredHolder", FIELD_STRING, 7},
    {0},
};
static const struct schema lease_spec_schema = {"coordination.v1.LeaseSpec", lease_spec_fields};

static const struct field lease_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &lease_spec_schema, .doc = "What is wanted."},
    {0},
};
const struct schema lease_schema = {
    "coordination.v1.Lease", lease_fields, "Who holds something, until when."};

/* clang-format on */
