/* authorization_table.c - the fields of authorization.k8s.io/v1: may somebody do something? */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field non_resource_attributes_fields[] = {
    {"path", FIELD_STRING, 1, .doc = "The path."},
    {"verb", FIELD_STRING, 2, .doc = "What is to be done."},
    {0},
};
static const struct schema non_resource_attributes_schema = {
    "authorization.v1.NonResourceAttributes", non_resource_attributes_fields};

static const struct field field_selector_attributes_fields[] = {
    {"rawSelector", FIELD_STRING, 1, .doc = "The selector as text."},
    {"requirements", FIELD_LIST, 2, .of = &label_selector_requirement_schema,
     .doc = "The selector in its parts."},
    {0},
};
static const struct schema field_selector_attributes_schema = {
    "authorization.v1.FieldSelectorAttributes", field_selector_attributes_fields};

static const struct field label_selector_attributes_fields[] = {
    {"rawSelector", FIELD_STRING, 1, .doc = "The selector as text."},
    {"requirements", FIELD_LIST, 2, .of = &label_selector_requirement_schema,
     .doc = "The selector in its parts."},
    {0},
};
static const struct schema label_selector_attributes_schema = {
    "authorization.v1.LabelSelectorAttributes", label_selector_attributes_fields};

static const struct field resource_attributes_fields[] = {
    {"fieldSelector", FIELD_OBJECT, 8, .of = &field_selector_attributes_schema,
     .doc = "Limits the question to what these fields select."},
    {"group", FIELD_STRING, 3, .doc = "API group; * is all."},
    {"labelSelector", FIELD_OBJECT, 9, .of = &label_selector_attributes_schema,
     .doc = "Limits the question to what these labels select."},
    {"name", FIELD_STRING, 7, .doc = "Name."},
    {"namespace", FIELD_STRING, 1, .doc = "Namespace."},
    {"resource", FIELD_STRING, 5, .doc = "The resource; * is all."},
    {"subresource", FIELD_STRING, 6, .doc = "The subresource."},
    {"verb", FIELD_STRING, 2, .doc = "What is to be done."},
    {"version", FIELD_STRING, 4, .doc = "API version; * is all."},
    {0},
};
static const struct schema resource_attributes_schema = {
    "authorization.v1.ResourceAttributes", resource_attributes_fields};

static const struct field subject_access_review_spec_fields[] = {
    {"extra", FIELD_MAP, .item = FIELD_RAW, .doc = "More that is known of the user."},
    {"groups", FIELD_LIST, 4, .item = FIELD_STRING, .doc = "The groups of the user."},
    {"nonResourceAttributes", FIELD_OBJECT, 2, .of = &non_resource_attributes_schema,
     .doc = "The path that is asked about."},
    {"resourceAttributes", FIELD_OBJECT, 1, .of = &resource_attributes_schema,
     .doc = "The object that is asked about."},
    {"uid", FIELD_STRING, 6, .doc = "UID."},
    {"user", FIELD_STRING, 3, .doc = "Who that is."},
    {0},
};
static const struct schema subject_access_review_spec_schema = {
    "authorization.v1.SubjectAccessReviewSpec", subject_access_review_spec_fields};

static const struct field subject_access_review_status_fields[] = {
    {"allowed", FIELD_BOOL, 1, .required = true, .doc = "Whether it is allowed."},
    {"denied", FIELD_BOOL, 4, .doc = "Whether it is forbidden, whatever others say."},
    {"evaluationError", FIELD_STRING, 3, .doc = "What could not be found out."},
    {"reason", FIELD_STRING, 2, .doc = "Why."},
    {0},
};
static const struct schema subject_access_review_status_schema = {
    "authorization.v1.SubjectAccessReviewStatus", subject_access_review_status_fields};

static const struct field subject_access_review_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &subject_access_review_spec_schema, .required = true,
     .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &subject_access_review_status_schema, .doc = "What is."},
    {0},
};
const struct schema subject_access_review_schema = {
    "authorization.v1.SubjectAccessReview", subject_access_review_fields};

static const struct field local_subject_access_review_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &subject_access_review_spec_schema, .required = true,
     .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &subject_access_review_status_schema, .doc = "What is."},
    {0},
};
const struct schema local_subject_access_review_schema = {
    "authorization.v1.LocalSubjectAccessReview", local_subject_access_review_fields};

static const struct field self_subject_access_review_spec_fields[] = {
    {"nonResourceAttributes", FIELD_OBJECT, 2, .of = &non_resource_attributes_schema,
     .doc = "The path that is asked about."},
    {"resourceAttributes", FIELD_OBJECT, 1, .of = &resource_attributes_schema,
     .doc = "The object that is asked about."},
    {0},
};
static const struct schema self_subject_access_review_spec_schema = {
    "authorization.v1.SelfSubjectAccessReviewSpec", self_subject_access_review_spec_fields};

static const struct field self_subject_access_review_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &self_subject_access_review_spec_schema, .required = true,
     .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &subject_access_review_status_schema, .doc = "What is."},
    {0},
};
const struct schema self_subject_access_review_schema = {
    "authorization.v1.SelfSubjectAccessReview", self_subject_access_review_fields};

static const struct field self_subject_rules_review_spec_fields[] = {
    {"namespace", FIELD_STRING, 1, .doc = "Namespace."},
    {0},
};
static const struct schema self_subject_rules_review_spec_schema = {
    "authorization.v1.SelfSubjectRulesReviewSpec", self_subject_rules_review_spec_fields};

static const struct field non_resource_rule_fields[] = {
    {"nonResourceURLs", FIELD_LIST, 2, .item = FIELD_STRING,
     .doc = "Paths outside the API, as /healthz or /metrics/*."},
    {"verbs", FIELD_LIST, 1, .item = FIELD_STRING, .required = true,
     .doc = "What may be done: get, list, watch, create ... or *."},
    {0},
};
static const struct schema non_resource_rule_schema = {
    "authorization.v1.NonResourceRule", non_resource_rule_fields};

static const struct field resource_rule_fields[] = {
    {"apiGroups", FIELD_LIST, 2, .item = FIELD_STRING,
     .doc = "Groups of the resources; \"\" is core, * all."},
    {"resourceNames", FIELD_LIST, 4, .item = FIELD_STRING,
     .doc = "Only objects of these names; empty: all."},
    {"resources", FIELD_LIST, 3, .item = FIELD_STRING,
     .doc = "Resources, also with a subresource as pods/log; * is all."},
    {"verbs", FIELD_LIST, 1, .item = FIELD_STRING, .required = true,
     .doc = "What may be done: get, list, watch, create ... or *."},
    {0},
};
static const struct schema resource_rule_schema = {
    "authorization.v1.ResourceRule", resource_rule_fields};

static const struct field subject_rules_review_status_fields[] = {
    {"evaluationError", FIELD_STRING, 4, .doc = "What could not be found out."},
    {"incomplete", FIELD_BOOL, 3, .required = true,
     .doc = "Whether there may be more rules than these."},
    {"nonResourceRules", FIELD_LIST, 2, .of = &non_resource_rule_schema, .required = true,
     .doc = "What is allowed on paths."},
    {"resourceRules", FIELD_LIST, 1, .of = &resource_rule_schema, .required = true,
     .doc = "What is allowed on objects."},
    {0},
};
static const struct schema subject_rules_review_status_schema = {
    "authorization.v1.SubjectRulesReviewStatus", subject_rules_review_status_fields};

static const struct field self_subject_rules_review_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &self_subject_rules_review_spec_schema, .required = true,
     .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &subject_rules_review_status_schema, .doc = "What is."},
    {0},
};
const struct schema self_subject_rules_review_schema = {
    "authorization.v1.SelfSubjectRulesReview", self_subject_rules_review_fields};

/* clang-format on */
