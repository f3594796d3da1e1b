/*
 * host.h - what pods need of their machine and of the API, as functions: the node fills them in
 * with what is real (host_*.c), a test with what it likes.
 *
 * Calls that take a `struct step` return at once and call done() later, never from within; until
 * then the step and what was handed over stay put. Nothing is cancelled: who no longer wants an
 * answer ignores it.
 */
#pragma once

#include "base/json.h"
#include "base/log.h"
#include "net/loop.h"
#include "node/expand.h"
#include "runtime/runtime.h"

struct step {
    void (*done)(struct step *step);
    int r;
    struct err err;
    const char *reason; /* Of what failed, as Kubernetes has it: "ErrImagePull". May be NULL. */
};

struct image_want {
    str_t uid, ns;              /* Of the pod. */
    str_t ref;                  /* As it was written. */
    str_t policy;               /* "Always", "IfNotPresent", "Never" */
    const struct json *secrets; /* imagePullSecrets of the pod. */
};

struct image_got { /* The texts are malloc()ed; image_got_done() frees them. */
    void (*pulling)(struct image_got *got); /* It is not here: a download begins. May be NULL. */
    char *name;                             /* In full: "docker.io/library/web:v1" */
    char *id;     /* "sha256:..." or the name with its digest, as it is shown. */
    char *key;    /* For rootfs(). */
    char *config; /* JSON: the `config` of its configuration. */
    bool pulled;
    uint64_t bytes; /* Pulled. */
    msec_t took_ms;
};

void image_got_done(struct image_got *got);

struct ground {    /* What a pod stands on. */
    char ip[64];   /* "" with hostNetwork. */
    char net[128]; /* Paths of namespaces; "": the host's or each container's own. */
    char ipc[128];
    char pid[128];
    char hostname[256];
};

struct mounts_want {
    const struct json *pod, *container;
    const struct variables *env; /* For subPathExpr. */
};

struct mounts {
    struct container_mount *at;
    size_t n;
};

struct config_ref {
    bool secret;
    str_t name;
};

struct pod_event {
    const struct json *pod;
    const char *container; /* NULL: the pod as a whole. */
    bool warning;
    const char *reason; /* "Pulled" */
    str_t message;
};

struct pod_host {
    void *self;
    struct loop *loop;
    const struct log *log;
    const char *pods_dir; /* DIR/UID/... is the pod's. */
    const char *logs_dir; /* "/var/log/pods" */
    const char *seccomp_dir;
    uint64_t memory_bytes;
    int64_t cpu_millis;
    const char *host_ip;

    void (*image)(void *self, struct step *step, const struct image_want *want,
                  struct image_got *got);
    /* A file system of its own over the image's layers, at `path`. */
    void (*rootfs)(void *self, struct step *step, str_t image_key, str_t path);
    void (*rootfs_gone)(void *self, struct step *step, str_t path);

    /* Network, volumes and group of a pod: all there, or as before. Doing it again is harmless. */
    void (*ground)(void *self, struct step *step, const struct json *pod, struct ground *out);
    void (*clear)(void *self, struct step *step, str_t uid);
    /* The API has no such pod any more: what is kept for people who ask later goes, its logs. */
    void (*gone)(void *self, str_t ns, str_t name, str_t uid);
    /* Mounts of one container on that ground. ERR_INVALID says which subPath cannot be. */
    int (*mounts)(void *self, const struct mounts_want *want, struct arena *arena,
                  struct mounts *out, struct err *err);

    /*
     * Makes sure that is known what these hold, or that they are not there: config() then tells.
     * They are held for the pod until clear(). config() gives their `data`, of Secrets decoded.
     */
    void (*configs)(void *self, struct step *step, str_t uid, str_t ns,
                    const struct config_ref *refs, size_t n);
    const struct json *(*config)(void *self, bool secret, str_t ns, str_t name,
                                 struct arena *arena);
    void (*each_service)(void *self, str_t ns, void (*each)(void *to, const struct json *service),
                         void *to, struct arena *arena);

    void (*create)(void *self, struct runtime_call *call, const struct container_spec *spec,
                   void (*done)(struct runtime_call *call));
    void (*start)(void *self, struct runtime_call *call, str_t id,
                  void (*done)(struct runtime_call *call));
    void (*remove)(void *self, struct runtime_call *call, str_t id,
                   void (*done)(struct runtime_call *call));
    int (*signal)(void *self, str_t id, int signal, struct err *err);
    void (*run)(void *self, struct runtime_run *run, str_t id, const struct exec_spec *exec,
                msec_t limit_ms, void (*done)(struct runtime_run *run));
    void (*run_cancel)(void *self, struct runtime_run *run); /* done() comes soon. */

    /* Written as it is; done() when it is committed, ERR_NOT_FOUND when the pod is gone. */
    void (*report)(void *self, struct step *step, const struct json *pod,
                   const struct json *status);
    /* The pod is over here: the object goes, if its uid is still this. */
    void (*forget)(void *self, struct step *step, str_t ns, str_t name, str_t uid);
    void (*event)(void *self, const struct pod_event *event);
};
