/* authentication_table.c - the fields of authentication.k8s.io/v1: tokens, and who asks. */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field bound_object_reference_fields[] = {
    {"apiVersion", FIELD_STRING, 2, .doc = "Group and version of the object's kind."},
    {"kind", FIELD_STRING, 1, .doc = "Kind of the object."},
    {"name", FIELD_STRING, 3, .doc = "Name."},
    {"uid", FIELD_STRING, 4, .doc = "UID."},
    {0},
};
static const struct schema bound_object_reference_schema = {
    "authentication.v1.BoundObjectReference", bound_object_reference_fields};

static const struct field token_request_spec_fields[] = {
    {"audiences", FIELD_LIST, 1, .item = FIELD_STRING, .required = true,
     .doc = "For whom the token is."},
    {"boundObjectRef", FIELD_OBJECT, 3, .of = &bound_object_reference_schema,
     .doc = "An object with whose end the token ends."},
    {"expirationSeconds", FIELD_LONG, 4, .doc = "How long it is wanted to be valid."},
    {0},
};
static const struct schema token_request_spec_schema = {
    "authentication.v1.TokenRequestSpec", token_request_spec_fields};

static const struct field token_request_status_fields[] = {
    {"expirationTimestamp", FIELD_TIME, 2, .required = true, .doc = "When it is no longer valid."},
    {"token", FIELD_STRING, 1, .required = true, .doc = "The token."},
    {0},
};
static const struct schema token_request_status_schema = {
    "authentication.v1.TokenRequestStatus", token_request_status_fields};

static const struct field token_request_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &token_request_spec_schema, .required = true,
     .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &token_request_status_schema, .doc = "What is."},
    {0},
};
const struct schema token_request_schema = {"authentication.v1.TokenRequest", token_request_fields};

static const struct field token_review_spec_fields[] = {
    {"audiences", FIELD_LIST, 2, .item = FIELD_STRING, .doc = "For whom the token is."},
    {"token", FIELD_STRING, 1, .doc = "The token."},
    {0},
};
static const struct schema token_review_spec_schema = {
    "authentication.v1.TokenReviewSpec", token_review_spec_fields};

static const struct field user_info_fields[] = {
    {"extra", FIELD_MAP, .item = FIELD_RAW, .doc = "More that is known of the user."},
    {"groups", FIELD_LIST, 3, .item = FIELD_STRING, .doc = "The groups of the user."},
    {"uid", FIELD_STRING, 2, .doc = "UID."},
    {"username", FIELD_STRING, 1, .doc = "The name of the user."},
    {0},
};
static const struct schema user_info_schema = {"authentication.v1.UserInfo", user_info_fields};

static const struct field token_review_status_fields[] = {
    {"audiences", FIELD_LIST, 4, .item = FIELD_STRING, .doc = "For whom the token is."},
    {"authenticated", FIELD_BOOL, 1, .doc = "Whether somebody is known by it."},
    {"error", FIELD_STRING, 3, .doc = "Why not."},
    {"user", FIELD_OBJECT, 2, .of = &user_info_schema, .doc = "Who that is."},
    {0},
};
static const struct schema token_review_status_schema = {
    "authentication.v1.TokenReviewStatus", token_review_status_fields};

static const struct field token_review_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &token_review_spec_schema, .required = true,
     .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &token_review_status_schema, .doc = "What is."},
    {0},
};
const struct schema token_review_schema = {"authentication.v1.TokenReview", token_review_fields};

static const struct field self_subject_review_status_fields[] = {
    {"userInfo", FIELD_OBJECT, 1, .of = &user_info_schema, .doc = "Who asks."},
    {0},
};
static const struct schema self_subject_review_status_schema = {
    "authentication.v1.SelfSubjectReviewStatus", self_subject_review_status_fields};

static const struct field self_subject_review_fields[] = {
    META_ROWS,
    {"status", FIELD_OBJECT, 2, .of = &self_subject_review_status_schema, .doc = "What is."},
    {0},
};
const struct schema self_subject_review_schema = {
    "authentication.v1.SelfSubjectReview", self_subject_review_fields};

/* clang-format on */
