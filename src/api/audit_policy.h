/*
 * audit_policy.h - what is written down about which request: a Policy of audit.k8s.io/v1.
 *
 * The first rule that matches a request decides; what no rule matches is not written down. A rule
 * asks for the user as the request came in, before anybody is impersonated.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

struct audit_policy;

enum audit_level { AUDIT_NONE, AUDIT_METADATA, AUDIT_REQUEST, AUDIT_REQUEST_RESPONSE };

/* A stage's bit in `omitted`. */
enum audit_stage {
    AUDIT_RECEIVED = 1 << 0, /* Before anything is done. */
    AUDIT_STARTED = 1 << 1,  /* A watch's head is out. */
    AUDIT_COMPLETE = 1 << 2,
};

const char *audit_level_word(enum audit_level level);
const char *audit_stage_word(enum audit_stage stage);

/* What rules ask for. */
struct audit_question {
    str_t user;
    const str_t *groups;
    size_t n_groups;
    str_t verb;
    bool resource; /* Of the API; else only `path` counts. */
    str_t group, plural, subresource, ns, name;
    str_t path;
};

struct audit_verdict {
    enum audit_level level;
    unsigned omitted; /* Stages. */
    bool omit_managed_fields;
};

/* YAML or JSON. ERR_INVALID names the rule and what is wrong with it. */
int audit_policy_read(str_t text, struct audit_policy **out, struct err *err);
void audit_policy_free(struct audit_policy *policy); /* NULL-safe. */
struct audit_verdict audit_policy_decide(const struct audit_policy *policy,
                                         const struct audit_question *question);
