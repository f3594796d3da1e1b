/*
 * ceiling.h - a cgroup with a memory ceiling for a role, where we may make one.
 *
 * Both kinds of cgroups: v2 (ours is delegated by systemd: Delegate=yes) and v1's memory hierarchy.
 * A role that grows past its ceiling is ended by the kernel and started again, instead of taking
 * the machine with it.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

struct ceiling {
    str_t dir;    /* "" when there is none. */
    int procs_fd; /* Whoever writes "0" here is under it. -1 when there is none. */
};

/*
 * Makes or finds the cgroup for this role of the Davy with this data directory. An error is no
 * reason not to start: an ordinary user may not make any. Texts live in `arena`.
 */
int ceiling_open(struct ceiling *ceiling, str_t data_dir, const char *role, uint64_t bytes,
                 struct arena *arena, struct err *err);
void ceiling_join(const struct ceiling *ceiling); /* Between fork and exec. */
void ceiling_close(struct ceiling *ceiling);      /* When nobody is under it any more. */
