/*
 * runtime.h - containers: made, started, signalled, entered, watched and removed.
 *
 * A container is made by crun or runc (OCI runtime specification 1.0) under a small process of its
 * own, `davy-shim`, which keeps its output, its exit and its terminal. So containers go on when
 * this process ends or is killed, and the next one finds them: runtime_list() says what is there.
 * What was decided is on disk before it is done, in DIR/ID/ (see state.h), so that whatever was
 * interrupted can be removed: runtime_delete() takes containers in any state, also twice.
 *
 * Knows nothing of Kubernetes. Everything is for the loop's own thread unless it says otherwise;
 * what blocks is done on the pool, and a `struct runtime_call` tells when. Of one container one
 * call at a time is allowed, except for exec, signal, attach and stats.
 */
#pragma once

#include "base/arena.h"
#include "base/log.h"
#include "net/pool.h"
#include "runtime/spec.h"

struct runtime;

struct container_exit {
    int code;   /* As a shell has it: 128 + signal when killed. */
    int signal; /* 0: it ended by itself. */
    bool oom;   /* The kernel killed for want of memory. */
    bool lost;  /* Its shim was killed: code 137 is a guess, and the rest of it was killed too. */
    int64_t started_at_ms; /* Unix time; 0: it never started. */
    int64_t finished_at_ms;
};

struct runtime_settings {
    struct loop *loop;
    struct pool *pool;        /* Whose work may last as long as a container takes to be made. */
    const char *dir;          /* Absolute; made when it is not there, 0700. */
    const char *shim;         /* The path of davy-shim. */
    const char *program;      /* "crun", "runc", a path, or "" : crun if it is there, else runc. */
    const char *cgroup_root;  /* "" : chosen, see cgroup.h; else such as "/davy" */
    const char *seccomp_file; /* RuntimeDefault; "" : /usr/share/containers/seccomp.json */
    /* A container has ended, once for each that was started or found alive by runtime_list(). */
    void (*exited)(void *self, str_t id, const struct container_exit *exit);
    void *self;
};

/*
 * First of all, before there are threads: where cgroups are hybrid, crun only works without the
 * tree of v2 in sight. Then this process moves to a mount namespace without it, which is pinned at
 * DIR/mounts so that the next process finds the same one and the mounts in it. Mounts of the
 * machine go on to be seen there, ours are not seen outside. Elsewhere it does nothing.
 */
int runtime_enter(const char *dir, const char *program, struct err *err);
/* Undoes it, for those outside: mounts in it go with the last process that lives in it. */
int runtime_leave(const char *dir, struct err *err);

int runtime_open(const struct runtime_settings *settings, struct runtime **out, struct err *err);
void runtime_close(struct runtime *runtime); /* Containers go on. No call may be waiting. */
const char *runtime_program(const struct runtime *runtime); /* "crun 1.8.1" */

/* --- what is there --- */

enum container_state {
    CONTAINER_BROKEN,  /* Not made to the end, or of before a reboot: only to be deleted. */
    CONTAINER_CREATED, /* Waits to be started. */
    CONTAINER_RUNNING,
    CONTAINER_EXITED,
};

struct container_seen {
    str_t id;
    str_t label;
    enum container_state state;
    int pid;                    /* Of its first process, seen from here; 0: none. */
    int64_t started_at_ms;      /* 0: not started. */
    struct container_exit exit; /* When it has exited. */
};

/*
 * Once, after runtime_open(): all containers in DIR, from whatever time. Those alive are watched
 * from now on. Blocks for about 20 microseconds each.
 */
int runtime_list(struct runtime *runtime, struct arena *arena, struct container_seen **out,
                 size_t *n, struct err *err);

/* --- verbs --- */

struct runtime_call {
    void (*done)(struct runtime_call *call);
    int r;          /* 0 or what failed, then `err` says more. */
    struct err err; /* Texts of crun and runc are in it: "executable file `x` not found ..." */
    int pid;        /* Of create. */
    int fd;         /* Of exec: the caller's to close. */
    /* The rest is the runtime's. */
    void (*told)(struct runtime_call *call);
    struct job job;
    struct runtime *runtime;
    const struct container_spec *spec;
    const struct exec_spec *exec;
    int shim;
    uint64_t start; /* Of `pid`. */
    char id[CONTAINER_ID_MAX + 1];
};

/* `call` and `spec` stay put until done(). After a failure nothing of it is left. */
void runtime_create(struct runtime *runtime, struct runtime_call *call,
                    const struct container_spec *spec, void (*done)(struct runtime_call *call));
void runtime_start(struct runtime *runtime, struct runtime_call *call, str_t id,
                   void (*done)(struct runtime_call *call));
/* To its first process. SIGKILL goes to all of them. ERR_NOT_FOUND: it is not running. */
int runtime_signal(struct runtime *runtime, str_t id, int signal, struct err *err);
/* One more process in a running container; its streams are on `call->fd`, see wire.h. */
void runtime_exec(struct runtime *runtime, struct runtime_call *call, str_t id,
                  const struct exec_spec *exec, void (*done)(struct runtime_call *call));
/*
 * Kills what runs, removes everything but the rootfs and the log. What is not there is no error.
 * From this call on exited() is not called for it.
 */
void runtime_delete(struct runtime *runtime, struct runtime_call *call, str_t id,
                    void (*done)(struct runtime_call *call));
/* A descriptor of its streams from now on, see wire.h. Any thread. */
int runtime_attach(struct runtime *runtime, str_t id, int *fd, struct err *err);

/*
 * One more process, to its end: for probes and hooks. Keeps the first RUN_OUTPUT_MAX bytes of what
 * it writes to either output. Past `limit_ms` it is killed, and r is ERR_TIMEOUT.
 */
enum { RUN_OUTPUT_MAX = 10 * 1024 };

struct runtime_run {
    void (*done)(struct runtime_run *run);
    int r; /* 0: it ran, see `code`. */
    struct err err;
    int code;
    char output[RUN_OUTPUT_MAX];
    size_t n_output;
    /* The rest is the runtime's. */
    struct runtime_call call;
    struct loop_fd watch;
    struct timer timer;
    struct loop *loop;
    msec_t limit_ms;
    bool late;
};

void runtime_run(struct runtime *runtime, struct runtime_run *run, str_t id,
                 const struct exec_spec *exec, msec_t limit_ms,
                 void (*done)(struct runtime_run *run));
void runtime_run_cancel(struct runtime_run *run); /* As if the limit had passed now. */

/* --- groups: a pod's cgroup around those of its containers. Any thread; blocks shortly. --- */

struct group_stats {
    uint64_t cpu_usec;
    uint64_t memory_bytes; /* Working set: without what is cached and was not used lately. */
    uint64_t memory_used;  /* With it. */
    uint64_t pids;
    uint64_t oom_kills;
};

/* `group` as in container_spec, such as "pods/UID". Made, or its limits changed. */
int runtime_group_set(struct runtime *runtime, str_t group,
                      const struct container_resources *resources, struct err *err);
/* Kills what is in it and in those below, and removes them. */
int runtime_group_remove(struct runtime *runtime, str_t group, struct err *err);
int runtime_group_stats(struct runtime *runtime, str_t group, struct group_stats *stats,
                        struct err *err);
/* The names of those directly below `group`. */
int runtime_group_list(struct runtime *runtime, str_t group, struct arena *arena,
                       struct texts *names, struct err *err);
