/*
 * deployment_plan.h - how many Pods each ReplicaSet of a Deployment should have next. Pure.
 *
 * Kubernetes' arithmetic (pkg/controller/deployment): never more than replicas + surge, never fewer
 * available than replicas - unavailable because of us.
 */
#pragma once

#include "base/arena.h"
#include "base/json.h"

struct fleet_set { /* One ReplicaSet; in a fleet the older stands before the newer. */
    int64_t wanted, there, ready, available;
    int64_t most; /* What replicas + surge was when it was scaled last; 0: not known. */
    int64_t next; /* Out: what it should have now. */
};

struct fleet {
    int64_t replicas, surge, unavailable;
    struct fleet_set *sets;
    size_t n;
    size_t newest; /* Which is of the present template; n: none is. */
};

/* spec.strategy.rollingUpdate, resolved: surge rounds up, unavailable down, and not both are 0. */
void fleet_limits(struct fleet *fleet, const struct json *spec);
int64_t fleet_first(const struct fleet *fleet, bool recreate); /* For a set that is not there. */
void fleet_roll(struct fleet *fleet); /* One step: the new one up, or else the old ones down. */
void fleet_stop_old(struct fleet *fleet);
/* The Deployment was scaled, or is paused: keep the proportions. */
void fleet_scale(struct fleet *fleet, struct arena *arena);
