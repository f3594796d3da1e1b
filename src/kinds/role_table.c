/* role_table.c - the fields of roles and their bindings (rbac.authorization.k8s.io/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field policy_rule_fields[] = {
    {"apiGroups", FIELD_LIST, 2, .item = FIELD_STRING,
     .doc = "Groups of the resources; \"\" is core, * all."},
    {"nonResourceURLs", FIELD_LIST, 5, .item = FIELD_STRING,
     .doc = "Paths outside the API, as /healthz or /metrics/*."},
    {"resourceNames", FIELD_LIST, 4, .item = FIELD_STRING,
     .doc = "Only objects of these names; empty: all."},
    {"resources", FIELD_LIST, 3, .item = FIELD_STRING,
     .doc = "Resources, also with a subresource as pods/log; * is all."},
    {"verbs", FIELD_LIST, 1, .item = FIELD_STRING,
     .doc = "What may be done: get, list, watch, create ... or *."},
    {0},
};
static const struct schema policy_rule_schema = {"rbac.v1.PolicyRule", policy_rule_fields};

static const struct field role_fields[] = {
    META_ROWS,
    {"rules", FIELD_LIST, 2, .of = &policy_rule_schema, .doc = "What the role allows."},
    {0},
};
const struct schema role_schema = {
    "rbac.v1.Role", role_fields, "What may be done in one namespace."};

static const struct field aggregation_rule_fields[] = {
    {"clusterRoleSelectors", FIELD_LIST, 1, .of = &label_selector_schema,
     .doc = "Roles that match one of these are taken in."},
    {0},
};
static const struct schema aggregation_rule_schema = {
    "rbac.v1.AggregationRule", aggregation_rule_fields};

static const struct field cluster_role_fields[] = {
    META_ROWS,
    {"aggregationRule", FIELD_OBJECT, 3, .of = &aggregation_rule_schema,
     .doc = "Which other roles' rules are put together here."},
    {"rules", FIELD_LIST, 2, .of = &policy_rule_schema, .doc = "What the role allows."},
    {0},
};
const struct schema cluster_role_schema = {
    "rbac.v1.ClusterRole", cluster_role_fields, "What may be done anywhere."};

static const struct field role_ref_fields[] = {
    {"apiGroup", FIELD_STRING, 1, .doc = "API group of the object."},
    {"kind", FIELD_STRING, 2, .doc = "Role or ClusterRole."},
    {"name", FIELD_STRING, 3, .doc = "Name."},
    {0},
};
static const struct schema role_ref_schema = {"rbac.v1.RoleRef", role_ref_fields};

static const struct field subject_fields[] = {
    {"apiGroup", FIELD_STRING, 2, .doc = "API group of the object."},
    {"kind", FIELD_STRING, 1, .doc = "User, Group or ServiceAccount."},
    {"name", FIELD_STRING, 3, .doc = "Name."},
    {"namespace", FIELD_STRING, 4, .doc = "Namespace."},
    {0},
};
static const struct schema subject_schema = {"rbac.v1.Subject", subject_fields};

static const struct field role_binding_fields[] = {
    META_ROWS,
    {"roleRef", FIELD_OBJECT, 3, .of = &role_ref_schema, .required = true,
     .doc = "The role that is given; it never changes."},
    {"subjects", FIELD_LIST, 2, .of = &subject_schema, .doc = "Who gets what the role allows."},
    {0},
};
const struct schema role_binding_schema = {
    "rbac.v1.RoleBinding", role_binding_fields, "Who may do it in one namespace."};

static const struct field cluster_role_binding_fields[] = {
    META_ROWS,
    {"roleRef", FIELD_OBJECT, 3, .of = &role_ref_schema, .required = true,
     .doc = "The role that is given; it never changes."},
    {"subjects", FIELD_LIST, 2, .of = &subject_schema, .doc = "Who gets what the role allows."},
    {0},
};
const struct schema cluster_role_binding_schema = {
    "rbac.v1.ClusterRoleBinding", cluster_role_binding_fields, "Who may do it anywhere."};

/* clang-format on */
