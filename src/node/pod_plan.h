/*
 * pod_plan.h - which containers of a pod to start and to stop now. Pure.
 *
 * Kubernetes' order: init containers one after the other, each to its good end; one that restarts
 * always (a sidecar) only until it has started; then all the others at once. On the way out
 * sidecars go last, in the opposite order. A container that ends is started again as the pod's
 * policy says, at once the first time, then after 10 s, 20 s, 40 s up to five minutes, and at once
 * again after ten calm minutes.
 */
#pragma once

#include "base/base.h"

enum { BACKOFF_FIRST_MS = 10 * 1000, BACKOFF_MAX_MS = 300 * 1000 };

struct backoff { /* All zero: nothing has failed. */
    msec_t delay_ms;
    msec_t since_ms;
};

/* When it may be tried again what failed or ended at `ended_ms`. */
msec_t backoff_due_ms(const struct backoff *backoff, msec_t ended_ms);
/* It is tried again now: the next time waits longer. */
void backoff_next(struct backoff *backoff, msec_t ended_ms, msec_t now_ms);

enum unit_kind { UNIT_INIT, UNIT_SIDECAR, UNIT_MAIN, UNIT_EPHEMERAL };

enum unit_state {
    UNIT_NEVER,    /* Was not run yet, or its last try to be made failed. */
    UNIT_STARTING, /* Being made. */
    UNIT_RUNNING,
    UNIT_STOPPING, /* Was told to end. */
    UNIT_EXITED,
};

enum unit_step { STEP_NONE, STEP_START, STEP_STOP };

struct unit { /* A container as the plan sees it. */
    enum unit_kind kind;
    enum unit_state state;
    int exit_code;
    msec_t ended_ms; /* Of the last run, or of the last failure to start it. */
    bool failed;     /* UNIT_NEVER: it could not be made; it is tried again after its backoff. */
    bool ran;        /* It was run to an end before. */
    bool started;    /* Its startup probe has passed, or it has none. */
    bool unhealthy;  /* A probe wants it to end. */
    struct backoff backoff;
    enum unit_step step; /* Out. */
    bool waits;          /* Out: only for its backoff. */
};

enum restart_policy { RESTART_ALWAYS, RESTART_ON_FAILURE, RESTART_NEVER };

struct pod_view {
    struct unit *units; /* Init containers and sidecars in their order, the mains, ephemerals. */
    size_t n;
    enum restart_policy policy;
    bool leaving; /* Deleted, evicted, out of time: nothing is started any more. */
    bool ground;  /* Its network and volumes are there. */
    msec_t now_ms;
    /* Out. */
    bool initialized; /* The mains may run. */
    bool over;        /* By itself: no main will run again. */
    bool quiet;       /* No container runs or is on its way. */
    msec_t again_ms;  /* Look again then; 0: not before something happens. */
};

void pod_plan(struct pod_view *view);

/* "Pending", "Running", "Succeeded" or "Failed" of a pod that was planned. */
const char *pod_phase(const struct pod_view *view);
