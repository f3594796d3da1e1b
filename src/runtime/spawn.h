/* spawn.h - other programs, from any thread, without what fork() copies. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <sys/types.h>

struct spawn {
    const char *const *args; /* args[0] is the path. Ends with NULL. */
    const char *dir;         /* Its working directory; NULL: ours. */
    const int *fds;          /* Become 3, 4, ... of it. */
    size_t n_fds;
    int output; /* Its stdout and stderr; 0: /dev/null. */
};

/* Its environment is only a PATH; its stdin is /dev/null; no signal is blocked or ignored. */
int spawn_start(const struct spawn *spawn, pid_t *pid, struct err *err);
/* True: the child has ended, and is reaped. < 0: for ever. */
bool spawn_wait(pid_t pid, int ms);
/* To its end; past `limit_ms` it is killed. Keeps at most `max` bytes of what it says. */
int spawn_run(const struct spawn *spawn, int limit_ms, size_t max, struct arena *arena,
              str_t *output, int *status, struct err *err);
int pidfd_of(pid_t pid); /* Negative: there is no such process. */
