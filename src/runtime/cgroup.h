/*
 * cgroup.h - groups of processes, v1 and v2, by names below one root.
 *
 * The root is "/davy" of every hierarchy. Under systemd with v2 it is the scope `davy-pods`, made
 * once and delegated to us, so that pods go on while the service itself restarts. A group's name is
 * a path below the root, such as "pods/UID/NAME"; making one makes those above it.
 *
 * Any thread. Everything here is files of the kernel: nothing to close.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "runtime/runtime.h"

enum { GROUP_NAME_MAX = 512 };

struct cgroups {
    bool v2;
    bool swap;      /* Limits of memory and swap together are there. */
    char root[128]; /* "/davy": below each hierarchy. */
};

/* `root` "" : chosen. `shim` is what holds a scope under systemd. */
int cgroups_open(struct cgroups *cgroups, const char *root, const char *shim, struct err *err);

/* Letters, digits, '.', '_', '-' and single '/' inside; no part is "." or "..". */
bool group_name_ok(str_t group);
int group_make(const struct cgroups *cgroups, str_t group,
               const struct container_resources *resources, struct err *err);
int group_kill(const struct cgroups *cgroups, str_t group, struct err *err);
/* Kills first. Waits a little for those killed to be gone. Not there: no error. */
int group_remove(const struct cgroups *cgroups, str_t group, struct err *err);
int group_stats(const struct cgroups *cgroups, str_t group, struct group_stats *stats,
                struct err *err);
int group_list(const struct cgroups *cgroups, str_t group, struct arena *arena, struct texts *names,
               struct err *err);

/* The file of a group in the hierarchy of `controller`. */
str_t group_file(const struct cgroups *cgroups, const char *controller, str_t group,
                 const char *file, struct arena *arena);
/* v1's cpu.shares as v2's cpu.weight. */
uint64_t group_weight(uint64_t shares);
uint64_t group_quota_usec(uint64_t cpu_millis); /* Of a period of 100 ms; at least 1 ms. */
enum { GROUP_PERIOD_USEC = 100000 };
