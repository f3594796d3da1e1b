/*
 * state.h - what is on disk of a container, in DIR/ID/.
 *
 *     meta.json    what runtime_list() and runtime_delete() must know; the first file
 *     lock         flock()ed by whoever makes it, then by the shim until it ends
 *     config.json  the OCI bundle, with the rootfs elsewhere
 *     shim, init   "PID START BOOT": the processes, by when they were started in which boot
 *     pid          as crun and runc write it
 *     started      there from just before the start; its time is startedAt
 *     attach.sock  see wire.h
 *     exit.json    {pid, status, signal, oom, startedAt, finishedAt}: it has ended
 *     runtime.log  what crun or runc said, in JSON lines
 *     exec-*       of an exec that begins
 *
 * DIR/.oci/ is what crun and runc keep for themselves. No name of ours is an ID.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "runtime/runtime.h"

#include <sys/types.h>

struct identity {
    pid_t pid;
    uint64_t start; /* Clock ticks since boot. */
    bool this_boot;
};

bool container_id_ok(str_t id);

/* DIR/ID/FILE */
const char *state_path(const char *dir, str_t id, const char *file, struct arena *arena);

/* Made anew; ERR_EXISTS. *lock: held, the caller's to close. */
int state_make(const char *dir, const struct container_spec *spec, str_t group, int *lock,
               struct err *err);
/* "" for what is not known. ERR_NOT_FOUND: there is no such container. */
int state_meta(const char *dir, str_t id, struct arena *arena, str_t *label, str_t *group,
               struct err *err);
bool state_is_locked(const char *dir, str_t id);
bool state_identity(const char *dir, str_t id, const char *file, struct identity *identity);
bool state_exit(const char *dir, str_t id, struct container_exit *exit);
int64_t state_started_ms(const char *dir, str_t id); /* 0: not started. */
/* Created, and waiting for its start: crun and runc keep a pipe for that. */
bool state_waits(const char *dir, str_t id);
int state_remove(const char *dir, str_t id, struct err *err);

/* What crun or runc gave as the reason, of its JSON lines; else `otherwise`. */
str_t runtime_words(str_t lines, str_t otherwise, struct arena *arena);

/* A descriptor of that very process; negative when it is gone or another one. */
int identity_open(const struct identity *identity);
