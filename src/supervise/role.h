/*
 * role.h - one child of the supervisor: started, watched, started again when it dies.
 *
 * It inherits descriptors under agreed numbers and says that it is ready by one byte on FD_READY.
 * One that dies is started again after a delay that doubles; one that ends with EXIT_CONFIG has
 * said why, and is not.
 */
#pragma once

#include "net/loop.h"
#include "supervise/ceiling.h"

#include <sys/types.h>

enum { ROLE_FDS_MAX = 8, ROLE_ARGS_MAX = 20 };

enum role_state {
    ROLE_STOPPED,  /* Perhaps `restart` is set. */
    ROLE_STARTING, /* Runs, and has not said that it is ready. */
    ROLE_READY,
    ROLE_ENDING, /* Has got SIGTERM. */
};

struct role_fd {
    int fd, as; /* Ours, and its number there. */
};

struct role { /* What is set before role_init(): up to `ended`. */
    const char *name;
    const char *argv[ROLE_ARGS_MAX]; /* Ends with NULL. */
    struct role_fd fds[ROLE_FDS_MAX];
    size_t n_fds;
    void (*ready)(struct role *role);
    /* It is stopped now. `refused`: by EXIT_CONFIG; else it was asked to stop and not to go on. */
    void (*ended)(struct role *role, bool refused);

    struct loop *loop;
    enum role_state state;
    bool again; /* ROLE_ENDING: start it when it has. */
    pid_t pid;
    struct loop_fd ready_watch; /* The pipe's end we read. */
    struct ceiling ceiling;
    struct timer restart, kill;
    msec_t restart_ms, started_ms;
};

void role_init(struct role *role, struct loop *loop);
void role_arg(struct role *role, const char *word);
void role_start(struct role *role);
/* It runs already, as `pid`: we are the new program of its supervisor. */
void role_resume(struct role *role, pid_t pid);
/* SIGTERM, and SIGKILL when its time is over. `again`: then it is started anew. */
void role_stop(struct role *role, bool again);
void role_reaped(struct role *role, int status); /* waitpid() has given its pid. */
bool role_is_over(const struct role *role);      /* Neither runs nor will be started. */
