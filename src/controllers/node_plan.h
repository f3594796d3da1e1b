/*
 * node_plan.h - what becomes of a node that has fallen silent, and who is kept away from nodes that
 * are not well. Pure: both change the tree they are given.
 */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"

enum { NODE_GRACE_MS = 40000 }; /* Kubernetes' node-monitor-grace-period. */

/* Conditions of a node of which nothing was heard become Unknown. False: they are already. */
bool node_lose(struct json *node, msec_t wall_ms, struct arena *arena);
bool node_is_well(const struct json *node); /* Its condition Ready is True. */
/*
 * The taints that follow from conditions and from spec.unschedulable, and no others, are as they
 * should be; those of people stay. False: they were.
 */
bool node_taint(struct json *node, msec_t wall_ms, struct arena *arena);
