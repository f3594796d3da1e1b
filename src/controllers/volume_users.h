/*
 * volume_users.h - which claims the pods that have a node use: kept as pods come and go, so that a
 * claim that is deleted need not look at every pod of its namespace.
 */
#pragma once

#include "base/json.h"
#include "base/map.h"

struct volume_users {
    struct map pods;   /* "namespace/name": their claims. */
    struct map claims; /* "namespace/name": by how many. */
};

void volume_users_done(struct volume_users *users);
/* NULL: the pod is gone. `freed` is told of each claim that nobody uses any more. */
void volume_users_set(struct volume_users *users, str_t ns, str_t name, const struct json *pod,
                      void (*freed)(void *self, str_t claim), void *self);
bool volume_is_used(const struct volume_users *users, str_t claim);

/* The claim of one of the pod's volumes, "" : it has none. `own`: a generic ephemeral volume's. */
str_t pod_volume_claim(str_t pod_name, const struct json *volume, struct arena *arena, bool *own);
