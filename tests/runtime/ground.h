/*
 * ground.h - a runtime of its own for a test: private mounts, a root of cgroups, a rootfs.
 *
 * Real containers need root, crun or runc, and busybox-static: where one is missing tests say
 * "skipped". PROGRAM in the environment says which of the two is tested, SHIM where davy-shim is.
 */
#pragma once

#include "net/pool.h"
#include "runtime/runtime.h"

struct ended {
    char id[CONTAINER_ID_MAX + 1];
    struct container_exit exit;
};

struct ground {
    struct loop *loop;
    struct pool *pool;
    struct runtime *runtime;
    char dir[64], state[96], rootfs[96], log[96];
    struct ended ended[64];
    size_t n_ended;
    struct err err;
};

/* False: skipped. The first one moves this process to namespaces of its own. */
bool ground_open(struct ground *ground);
/* Checks that nothing is left: no process, mount, cgroup or file. */
void ground_close(struct ground *ground);
/* Memory and processors are limited by cgroups here. v2 may be there without. */
bool ground_has_limits(void);
void ground_reopen(struct ground *ground); /* As the next process would. */

#define TEXTS(...)                                                                                 \
    ((struct texts){(const str_t[]){__VA_ARGS__},                                                  \
                    sizeof((const str_t[]){__VA_ARGS__}) / sizeof(str_t)})
#define SHELL(script) TEXTS(STR("/bin/sh"), STR("-c"), STR(script))

struct container_spec ground_spec(const struct ground *ground, const char *id, struct texts args);
/* Verbs, waited for; 0 or the error's code. */
int ground_create(struct ground *ground, const struct container_spec *spec);
int ground_start(struct ground *ground, const char *id);
int ground_delete(struct ground *ground, const char *id);
int ground_run(struct ground *ground, const char *id, const struct exec_spec *exec, msec_t limit,
               struct runtime_run *run);
int ground_exec(struct ground *ground, const char *id, const struct exec_spec *exec, int *fd);
/* Created and started. */
bool ground_up(struct ground *ground, const struct container_spec *spec);
const struct container_exit *ground_exit(struct ground *ground, const char *id); /* Waits. */
/* What a process in it says, without the log's heads. */
str_t ground_log(const struct ground *ground, struct arena *arena);

/* One frame; 0 at the end. Waits. */
size_t frame_read(int fd, char *frame);
/* All output of an exec until its exit; its code. */
int frames_to_end(int fd, char *output, size_t max, size_t *n);
size_t ground_count(const struct ground *ground, const char *what);
