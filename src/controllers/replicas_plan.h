/* replicas_plan.h - how many Pods to make, and which to delete first. Pure. */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"

enum { REPLICAS_BURST = 500 };

struct replicas_step {
    size_t make, remove; /* At most one of them is not 0. */
};
struct replicas_step replicas_next(int64_t wanted, size_t active, size_t being_made);

/*
 * The order in which Pods go, Kubernetes' own: without a node, not running, not ready, of the lower
 * deletion cost, with more of its kind on its node, ready for a shorter time, restarted more often,
 * newer.
 */
void replicas_sort(struct json **pods, size_t n, struct arena *arena);
