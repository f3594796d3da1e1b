/* review.h - the answers to kinds that are questions; api_review.c has the table. */
#pragma once

struct call;
struct json;

/* The object's status, or NULL: the call is answered with a refusal. The object is checked. */
typedef struct json *review_fn(struct call *call, const struct json *object);

/* --- authn_review.c --- */
review_fn review_self_subject, review_token;

/* --- authz_review.c --- */
review_fn review_self_access, review_access, review_self_rules;
