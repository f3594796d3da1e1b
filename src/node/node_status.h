/*
 * node_status.h - what a Node says of its machine, in kubelet's words. Pure.
 *
 * Pressure is told at kubelet's own thresholds and, as there, for five minutes after it was last
 * seen, so that pods do not come and go with it.
 */
#pragma once

#include "base/json.h"
#include "node/machine.h"

enum {
    NODE_PODS_MAX = 110,
    PRESSURE_CALM_MS = 300000,
    NODE_MEMORY_KEPT = 100 << 20, /* Bytes that pods do not get. */
};

struct pressures { /* When each was last seen; 0: never. In the order of the conditions. */
    msec_t memory_ms, disk_ms, tasks_ms;
};

struct node_facts {
    const char *name;
    const struct machine *machine;
    const struct machine_now *now;
    const struct pressures *pressures;
    const char *runtime;   /* "crun://1.8.1" */
    const char *not_ready; /* Why no pod can be run; NULL: pods can. */
    msec_t mono_ms, wall_ms;
};

/* Of what is now, after what was. */
void pressures_see(struct pressures *pressures, const struct machine *machine,
                   const struct machine_now *now, msec_t mono_ms);

/* A Node to be created; without its status, which is written by itself. */
struct json *node_object(const struct node_facts *facts, struct arena *arena);
/* Labels that every node has and `node` has not, or has with another value. NULL: none. */
struct json *node_labels_missing(const struct node_facts *facts, const struct json *node,
                                 struct arena *arena);
/* `before`: the status that the API has; NULL: none. When a condition changed is kept from it. */
struct json *node_status(const struct node_facts *facts, const struct json *before,
                         struct arena *arena);
/* Is anything else in it than other times of heartbeats? */
bool node_status_changed(const struct json *before, const struct json *now);
/* For an Event: conditions whose status is another now. At most `max` of their reasons. */
size_t node_status_news(const struct json *before, const struct json *now, str_t *reasons,
                        size_t max);
