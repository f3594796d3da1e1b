/* runtime_priv.h - what the files of the verbs share. */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "net/loop.h"
#include "runtime/cgroup.h"
#include "runtime/oci.h"
#include "runtime/profile.h"
#include "runtime/runtime.h"
#include "runtime/state.h"

enum { CREATE_MS_MAX = 120000, PROGRAM_MS_MAX = 60000, WORDS_MAX = 8 * 1024 };

/* A container that is alive, and an exec's shim. In memory only; what lasts is on disk. */
struct alive {
    struct map_node node; /* Of containers. */
    struct list link;     /* Of execs. */
    struct runtime *runtime;
    struct loop_fd watch; /* The shim's pidfd. */
    struct identity init;
    pid_t shim;
    bool started;
    struct job job; /* Of what its lost shim leaves. */
    struct container_exit exit;
    char id[CONTAINER_ID_MAX + 1];
};

struct runtime { /* After runtime_open() only `alive` and `execs` change, on the loop's thread. */
    struct loop *loop;
    struct pool *pool;
    const char *dir, *shim, *root;
    const char *program;
    bool crun;
    str_t version;
    struct cgroups cgroups;
    struct profiles *profiles;
    uint64_t caps;
    int oom_score_adj_min;
    struct oci_limit limits[17];
    unsigned long n_execs; /* Atomic: for names of files. */
    void (*exited)(void *self, str_t id, const struct container_exit *exit);
    void *self;
    struct map alive;
    struct list execs;
    struct arena arena;
};

/* program.c */
int program_find(const char *wanted, struct arena *arena, bool *crun, const char **path,
                 struct err *err);
int program_version(const char *path, struct arena *arena, str_t *version, struct err *err);
/* crun or runc with these arguments after the usual ones; its words as the error's text. */
int program_call(const struct runtime *runtime, const char *const *args, struct err *err);

/* make.c: blocks. *pid of the shim is also given when it then fails. */
int container_create(struct runtime *runtime, const struct container_spec *spec, int *shim,
                     struct identity *init, struct err *err);
/* remove.c: blocks. */
int container_remove(struct runtime *runtime, str_t id, struct err *err);
/* device.c */
int devices_of(const struct container_spec *spec, struct oci_host *host, struct arena *arena,
               struct err *err);

/* watch.c: the loop's thread. */
struct container_exit exit_lost(const struct runtime *runtime, str_t id);
void alive_add(struct runtime *runtime, str_t id, pid_t shim, int pidfd,
               const struct identity *init, bool started);
struct alive *alive_find(struct runtime *runtime, str_t id);
void alive_drop(struct runtime *runtime, struct alive *alive);
/* A child that only has to be reaped. */
void child_watch(struct runtime *runtime, pid_t pid);
void call_begin(struct runtime *runtime, struct runtime_call *call, str_t id,
                void (*work)(struct job *), void (*done)(struct runtime_call *));
