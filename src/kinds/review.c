/* review.c - questions that are answered and not stored: who is this, may they. */
#include "kinds/kinds.h"
#include "kinds/tables.h"

#define AUTHENTICATION "authentication.k8s.io"
#define AUTHORIZATION "authorization.k8s.io"

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
    .schema = &subject_access_review_schema,
};
const struct kind kind_localsubjectaccessreview = {
    .group = AUTHORIZATION, .version = "v1", .name = "LocalSubjectAccessReview",
    .plural = "localsubjectaccessreviews", .singular = "localsubjectaccessreview",
    .namespaced = true, .only_create = true, .schema = &local_subject_access_review_schema,
};
const struct kind kind_selfsubjectaccessreview = {
    .group = AUTHORIZATION, .version = "v1", .name = "SelfSubjectAccessReview",
    .plural = "selfsubjectaccessreviews", .singular = "selfsubjectaccessreview",
    .only_create = true, .schema = &self_subject_access_review_schema,
};
const struct kind kind_selfsubjectrulesreview = {
    .group = AUTHORIZATION, .version = "v1", .name = "SelfSubjectRulesReview",
    .plural = "selfsubjectrulesreviews", .singular = "selfsubjectrulesreview",
    .only_create = true, .schema = &self_subject_rules_review_schema,
};
/* clang-format on */
