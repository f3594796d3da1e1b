/*
 * stats.h - what pods and the machine use: processor time and memory, for metrics.k8s.io.
 *
 * Use of the processor is a difference, so groups are read every STATS_EVERY_MS as long as
 * somebody asks; the first one who does waits for STATS_FIRST_MS.
 */
#pragma once

#include "http/http.h"
#include "node/pods.h"
#include "runtime/runtime.h"

struct stats;

enum {
    STATS_EVERY_MS = 10000,
    STATS_FIRST_MS = 1000,
    STATS_IDLE_MS = 120000, /* Nobody has asked for so long: it rests. */
};

struct stats_settings {
    struct loop *loop;
    const char *name; /* Of the node. */
    void *self;       /* Of the two below. */
    /* As pods_each_running(). */
    void (*each)(void *self, void (*see)(void *with, const struct pod_running *running),
                 void *with);
    /* As runtime_group_stats(). */
    int (*group)(void *self, str_t group, struct group_stats *out, struct err *err);
};

struct stats *stats_new(const struct stats_settings *settings);
void stats_free(struct stats *stats); /* Before the server whose exchanges wait here. */

/*
 * GET /stats: {"timestamp": RFC 3339, "window_ms": n, "node": {"name", "cpu_nanos": n,
 * "memory_bytes": n}, "pods": [{"namespace", "name", "uid", "containers": [{"name", "cpu_nanos",
 * "memory_bytes"}]}]}, where cpu_nanos are nanoseconds of a processor per second.
 */
void stats_head(struct stats *stats, struct exchange *x);
