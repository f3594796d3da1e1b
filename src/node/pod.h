/*
 * pod.h - one pod and its containers, for the files of this room that move it.
 *
 * pod_sync() looks at all there is, asks pod_plan() and begins what is to be done; whatever ends
 * later changes the facts and calls pod_sync() again. Of a container one thing is under way at a
 * time (`doing`).
 */
#pragma once

#include "base/map.h"
#include "node/host.h"
#include "node/pods.h"
#include "node/status.h"

enum doing {
    DOING_NOTHING,
    DOING_IMAGE,
    DOING_CONFIG,
    DOING_CLEANING, /* What is left of the last run goes. */
    DOING_ROOTFS,
    DOING_CREATE,
    DOING_START,
    DOING_POST_START,
    DOING_PRE_STOP,
};

struct container {
    struct pod *pod;
    size_t at; /* In pod->units and pod->facts. */
    enum doing doing;
    struct step step;
    struct runtime_call call;
    struct probe *hook; /* postStart or preStop, under way. */
    struct arena arena; /* Of the start under way: spec, environment. */
    struct container_spec spec;
    struct image_got image;
    bool kept;                         /* The runtime has it, in whatever state. */
    char *rootfs;                      /* Mounted there; NULL: not. */
    void (*then)(struct container *c); /* After container_clean(). */
    char stop_signal[16];
    bool image_failed; /* The last failure was of its image. */
    msec_t kill_ms;    /* When SIGKILL follows; 0: not stopping. */
    bool term_sent, kill_sent;
    msec_t grace_ms;         /* A probe's own; -1: the pod's. */
    const char *stop_reason; /* "Liveness probe failed" */
    struct prober *prober;
};

enum pod_stage {
    POD_NEW,
    POD_GROUNDING,
    POD_GROUNDED,
    POD_CLEARING,
    POD_CLEARED,
    POD_FORGETTING, /* Its object is being removed. */
    POD_FORGOTTEN,
};

struct pod {
    struct map_node by_uid;
    struct map_node by_name; /* "NS/NAME"; of several the newest. */
    struct pods *pods;
    char *uid, *key, *ns, *name;
    char *object; /* JSON, the newest. */
    size_t n_object;
    enum pod_stage stage;
    bool gone;    /* The API has it no more. */
    bool leaving; /* Is to end: deleted, evicted, out of time. */
    bool syncing; /* pod_sync() is at work or waits for its turn. */
    struct post soon;
    struct timer timer;
    struct step step; /* Of the stage. */
    struct ground ground;
    struct backoff ground_backoff;
    msec_t ground_failed_ms;
    const char *phase, *reason; /* Decided here: "Failed", "Evicted". */
    char *message;
    int64_t start_ms;
    msec_t leave_ms; /* When its grace ends. */
    size_t n;
    struct unit *units;
    struct container_facts *facts;
    struct container **containers;
    /* report.c */
    struct step reporting;
    bool is_reporting;
    char *reported; /* Status as JSON, what was written last. */
    size_t n_reported;
    char *reported_now; /* What is being written. */
    size_t n_reported_now;
    bool reports_over, reported_over; /* The one being written, or written, is the last. */
};

struct pods {
    struct pod_host host;
    struct map by_uid, by_name;
    struct map ids; /* struct found, by container id, of containers nobody asked for yet. */
    bool synced;
};

/* pod.c */
void pod_sync(struct pod *pod); /* Soon, once however often it is called. */
struct json *pod_tree(const struct pod *pod, struct arena *arena);
msec_t pod_now(const struct pod *pod);
void pod_free(struct pod *pod);
/* The entry of the container in the object; NULL: it is in there no more. */
const struct json *container_in(const struct json *pod, const char *name);

/* Ephemeral ones are added to a pod that runs; others never come or go. */
void pod_find_containers(struct pod *pod, const struct json *object);

/* start.c */
void container_start(struct container *c, const struct json *object);
void container_clean(struct container *c, void (*then)(struct container *c));

/* hook.c */
/* Runs a lifecycle hook; `done` (never from within) frees it. One at a time. */
void container_hook(struct container *c, const struct json *container, const struct json *hook,
                    msec_t limit_ms, void (*done)(void *self, bool fine, const char *words));
void container_hook_end(struct container *c); /* done() is not called. */

/* stop.c */
void container_stop(struct container *c, const struct json *object);
void container_exited(struct container *c, const struct container_exit *exit);

/* adopt.c */
void pod_adopt(struct pod *pod, const struct json *object);
void pods_drop_found(struct pods *pods);

/* report.c */
void pod_report(struct pod *pod, const struct json *object, struct pod_view *view);
void container_event(struct container *c, bool warning, const char *reason, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void pod_event(struct pod *pod, bool warning, const char *reason, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
