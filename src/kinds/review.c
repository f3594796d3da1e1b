/* review.c - questions that are answered and not stored: who is this, may they. */
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"

#define AUTHENTICATION "authentication.k8s.io"
#define AUTHORIZATION "authorization.k8s.io"

/* Exactly one of the two requests. */
static void self_access_check(const struct json *object, const struct json *old,
                              struct field_errors *errors)
{
    const struct json *spec = json_get(object, STR("spec"));
    const struct json *resource = json_get(spec, STR("resourceAttributes"));
    const struct json *path = json_get(spec, STR("nonResourceAttributes"));
    const struct place *at = IN(NULL, "spec");
    (void)old;
    if (resource != NULL && path != NULL)
        rule_error(errors, FIELD_INVALID, IN(at, "nonResourceAttributes"),
                   "Invalid value: \"\": cannot be specified in combination with "
                   "resourceAttributes");
    if (resource == NULL && path == NULL)
        rule_error(errors, FIELD_INVALID, IN(at, "resourceAttributes"),
                   "Invalid value: \"null\": exactly one of nonResourceAttributes or "
                   "resourceAttributes must be specified");
}

static void access_check(const struct json *object, const struct json *old,
                         struct field_errors *errors)
{
    const struct json *spec = json_get(object, STR("spec"));
    self_access_check(object, old, errors);
    if (json_get_text(spec, STR("user")).len == 0 && json_count(json_get(spec, STR("groups"))) == 0)
        rule_error(errors, FIELD_INVALID, IN(IN(NULL, "spec"), "user"),
                   "Invalid value: \"\": at least one of user or group must be specified");
}

static void local_access_check(const struct json *object, const struct json *old,
                               struct field_errors *errors)
{
    const struct json *spec = json_get(object, STR("spec"));
    const struct json *resource = json_get(spec, STR("resourceAttributes"));
    const struct place *at = IN(NULL, "spec");
    str_t ns = json_text(json_at(object, "metadata.namespace"), STR(""));
    str_t asked = json_get_text(resource, STR("namespace"));
    access_check(object, old, errors);
    if (resource != NULL && !str_eq(ns, asked))
        rule_error(errors, FIELD_INVALID, IN(IN(at, "resourceAttributes"), "namespace"),
                   "Invalid value: \"" STR_F "\": must match metadata.namespace", STR_A(asked));
    if (json_get(spec, STR("nonResourceAttributes")) != NULL)
        rule_error(errors, FIELD_INVALID, IN(at, "nonResourceAttributes"),
                   "Invalid value: \"\": disallowed on this kind of request");
}

/* clang-format off */
const struct kind kind_tokenrequest = {
    .group = AUTHENTICATION, .version = "v1", .name = "TokenRequest", .plural = "tokenrequests",
    .singular = "tokenrequest", .namespaced = true, .only_create = true,
    .schema = &token_request_schema,
};
const struct kind kind_tokenreview = {
    .group = AUTHENTICATION, .version = "v1", .name = "TokenReview", .plural = "tokenreviews",
    .singular = "tokenreview", .only_create = true, .schema = &token_review_schema,
};
const struct kind kind_selfsubjectreview = {
    .group = AUTHENTICATION, .version = "v1", .name = "SelfSubjectReview",
    .plural = "selfsubjectreviews", .singular = "selfsubjectreview", .only_create = true,
    .schema = &self_subject_review_schema,
};
const struct kind kind_subjectaccessreview = {
    .group = AUTHORIZATION, .version = "v1", .name = "SubjectAccessReview",
    .plural = "subjectaccessreviews", .singular = "subjectaccessreview", .only_create = true,
    .schema = &subject_access_review_schema, .check = access_check,
};
const struct kind kind_localsubjectaccessreview = {
    .group = AUTHORIZATION, .version = "v1", .name = "LocalSubjectAccessReview",
    .plural = "localsubjectaccessreviews", .singular = "localsubjectaccessreview",
    .namespaced = true, .only_create = true, .schema = &local_subject_access_review_schema,
    .check = local_access_check,
};
const struct kind kind_selfsubjectaccessreview = {
    .group = AUTHORIZATION, .version = "v1", .name = "SelfSubjectAccessReview",
    .plural = "selfsubjectaccessreviews", .singular = "selfsubjectaccessreview",
    .only_create = true, .schema = &self_subject_access_review_schema,
    .check = self_access_check,
};
const struct kind kind_selfsubjectrulesreview = {
    .group = AUTHORIZATION, .version = "v1", .name = "SelfSubjectRulesReview",
    .plural = "selfsubjectrulesreviews", .singular = "selfsubjectrulesreview",
    .only_create = true, .schema = &self_subject_rules_review_schema,
};
/* clang-format on */
