/* container.h - what is known of one container of a pod; who changes it says so in pod.h. */
#pragma once

#include "node/pod_plan.h"
#include "runtime/runtime.h"

struct run {                         /* One life of a container, after its end. */
    int64_t started_ms, finished_ms; /* Unix time; 0: not known. */
    int code, signal;
    const char *reason; /* "Completed", "Error", "OOMKilled" ... */
    char *message;      /* What it left at its terminationMessagePath; NULL: nothing. */
    char id[CONTAINER_ID_MAX + 1];
};

struct container_facts {
    char *name;
    enum unit_kind kind;
    char *image;                   /* As it is shown: the full name. */
    char *image_id;                /* NULL: not known yet. */
    char id[CONTAINER_ID_MAX + 1]; /* Of the present run or the last; "": never made. */
    int64_t started_ms;            /* Of the present run. */
    int64_t restarts;
    bool ready;
    const char *waiting; /* Why it does not run: "ImagePullBackOff"; NULL: as the pod is made. */
    char *why;           /* The same as a sentence; NULL: none. */
    struct run ended;    /* Of the present run, when it has exited. */
    struct run last;     /* Of the one before. */
    bool has_last;
};

void run_done(struct run *run);
void container_facts_done(struct container_facts *facts);
