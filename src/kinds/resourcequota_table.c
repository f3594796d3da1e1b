/* resourcequota_table.c - the fields of ResourceQuota (core/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field scoped_resource_selector_requirement_fields[] = {
    {"scopeName", FIELD_STRING, 1, .required = true},
    {"operator", FIELD_STRING, 2, .required = true, .doc = "How key and values are compared."},
    {"values", FIELD_LIST, 3, .item = FIELD_STRING, .doc = "Values the operator compares with."},
    {0},
};
static const struct schema scoped_resource_selector_requirement_schema = {
    "core.v1.ScopedResourceSelectorRequirement",
    scoped_resource_selector_requirement_fields,
    .atomic = true};

static const struct field scope_selector_fields[] = {
    {"matchExpressions", FIELD_LIST, 1, .of = &scoped_resource_selector_requirement_schema,
     .doc = "Requirements that must all hold."},
    {0},
};
static const struct schema scope_selector_schema = {
    "core.v1.ScopeSelector", scope_selector_fields, .atomic = true};

static const struct field resource_quota_spec_fields[] = {
    {"hard", FIELD_MAP, 1, .item = FIELD_QUANTITY, .doc = "The most of each resource."},
    {"scopes", FIELD_LIST, 2, .item = FIELD_STRING, .doc = "Objects it counts."},
    {"scopeSelector", FIELD_OBJECT, 3, .of = &scope_selector_schema},
    {0},
};
static const struct schema resource_quota_spec_schema = {
    "core.v1.ResourceQuotaSpec", resource_quota_spec_fields};

static const struct field resource_quota_status_fields[] = {
    {"hard", FIELD_MAP, 1, .item = FIELD_QUANTITY, .doc = "The most of each resource."},
    {"used", FIELD_MAP, 2, .item = FIELD_QUANTITY, .doc = "How much is used of each resource."},
    {0},
};
static const struct schema resource_quota_status_schema = {
    "core.v1.ResourceQuotaStatus", resource_quota_status_fields};

static const struct field resource_quota_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &resource_quota_spec_schema, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &resource_quota_status_schema, .doc = "What is."},
    {0},
};
const struct schema resource_quota_schema = {
    "core.v1.ResourceQuota", resource_quota_fields, "The most a namespace may use."};

/* clang-format on */
