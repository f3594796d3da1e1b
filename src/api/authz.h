/*
 * authz.h - may they? The roles and bindings of the store, kept compiled, and who asks.
 */
#pragma once

#include "api/rbac.h"
#include "net/loop.h"
#include "store/store.h"

struct api;
struct call;
struct user;

struct authz_watch {
    struct store_watch watch;
    struct api *api;
};

enum { AUTHZ_WATCHES = 4 };

struct authz {
    struct rbac *rbac;
    struct authz_watch watches[AUTHZ_WATCHES];
    struct post post; /* Aggregated roles are made anew once a turn. */
    bool posted;
};

int authz_start(struct api *api, struct err *err); /* Reads what the store has. */
void authz_stop(struct api *api);

/* Members of system:masters may do everything, whatever the roles say. */
bool user_is_master(const struct user *user);
struct rbac_who who_of(const struct user *user);

/* The question that a call puts: also for a namespace by its name, and a list of one name. */
struct rbac_ask authz_ask(const struct call *call);
bool authz_may(struct call *call);
bool authz_may_ask(struct api *api, const struct user *user, const struct rbac_ask *ask);
/* An apply of what is not there is a create as well. < 0: answered. */
int authz_check_create(struct call *call);
void answer_forbidden(struct call *call);
/* A 403 for this question, with what could not be looked at. */
void answer_forbidden_ask(struct call *call, const struct rbac_ask *ask);

/* --- authz_escalate.c --- */
/* A role or binding may give no more than its writer has. < 0: answered. */
int authz_check_grant(struct call *call, const struct json *object, const struct json *old);

/* --- authz_impersonate.c --- */
/* Impersonate-User and its like: the call goes on as somebody else. < 0: answered. */
int authz_impersonate(struct call *call);

/* --- authz_defaults.c, authz_bootstrap.c --- */
struct default_role {
    const char *name;
    const char *rules;      /* See authz_defaults.c. */
    const char *aggregates; /* "admin": its rules go to the role of this name; may be NULL. */
    const char *made_of;    /* "admin": its rules are of those that aggregate to it. */
};
struct default_binding {
    const char *name; /* Of the ClusterRole, too. */
    const char *kind; /* Of the subjects. */
    const char *const *subjects;
};
extern const struct default_role default_roles[];       /* Ends with a NULL name. */
extern const struct default_binding default_bindings[]; /* Ends with a NULL name. */
/* What every cluster has is made, or completed. */
int authz_bootstrap(struct api *api, struct err *err);

/* --- authz_aggregate.c --- */
void authz_aggregate_later(struct api *api);

/* --- api_review.c: kinds that are questions --- */
/* True: the call creates one, and is answered. */
bool review_answer(struct call *call, struct json *object);
