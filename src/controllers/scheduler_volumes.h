/* scheduler_volumes.h - what the PersistentVolumeClaims of a pod say about where it may go. */
#pragma once

#include "control/cache.h"
#include "controllers/scheduler_filter.h"

struct sched_claims {
    struct sched_volume *volumes; /* For the request. */
    size_t n_volumes;
    const char *refused;   /* No node will do, and why; NULL: some may. */
    struct json **waiting; /* Claims that get their volume when a node is chosen. */
    size_t n_waiting;
};

void sched_claims_read(struct reconcile *rc, const struct json *pod, struct sched_claims *out);
/* Tells who makes volumes where they are wanted. > 0: so many are not bound yet. */
int sched_claims_select(struct reconcile *rc, const struct sched_claims *claims, str_t node,
                        struct err *err);
