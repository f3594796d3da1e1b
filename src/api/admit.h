/*
 * admit.h - what an object must pass, or gets, before it is stored, beyond its own rules: limits
 * and quotas of its namespace, priorities, addresses.
 *
 * The steps are Kubernetes' admission plugins of the same names, in its order, controllers' writes
 * included. A namespace without limits or quotas costs a look-up.
 */
#pragma once

#include "base/json.h"

struct api;
struct call;
struct err;

/* Before the object's rules are checked: may change it. < 0: answered. */
int admit(struct call *call, struct json *object, const struct json *old);
/* When all else is well: takes what there is only so much of. < 0: answered. */
int admit_last(struct call *call, struct json *object, const struct json *old);

/* --- admit_addresses.c --- */
int addresses_start(struct api *api, struct err *err);
void addresses_stop(struct api *api);
void addresses_prepare(struct call *call, struct json *service, const struct json *old);
int addresses_take(struct call *call, struct json *service, const struct json *old);
/* The first address of the range: the API server's own Service. */
int addresses_bootstrap(struct api *api, struct err *err);

/* --- admit_pods.c --- */
int admit_priority(struct call *call, struct json *pod, const struct json *old);
int admit_tolerations(struct call *call, struct json *pod, const struct json *old);
int priority_bootstrap(struct api *api, struct err *err);

/* --- admit_account.c --- */
int admit_account(struct call *call, struct json *pod, const struct json *old);

/* --- admit_secret.c --- */
int admit_token_secret(struct call *call, struct json *secret, const struct json *old);

/* --- admit_limits.c, admit_quota.c --- */
int admit_limits(struct call *call, struct json *object, const struct json *old);
int admit_quota(struct call *call, struct json *object, const struct json *old);

/* --- admit_storage.c --- */
int admit_protection(struct call *call, struct json *object, const struct json *old);
int storage_bootstrap(struct api *api, struct err *err);

/* --- admit_defaults.c --- */
int admit_storage_class(struct call *call, struct json *object, const struct json *old);
int admit_ingress_class(struct call *call, struct json *object, const struct json *old);

/* "pods "x" is forbidden: why" */
int admit_forbid(struct call *call, str_t why);
