/*
 * host_priv.h - what the files host_*.c share: the real machine and the real API behind struct
 * pod_host. Each file fills in its own functions.
 */
#pragma once

#include "base/map.h"
#include "node/configs.h"
#include "node/host_open.h"
#include "node/volume_lookup.h"

#define PAUSE_LABEL "pause/" /* And the pod's uid. */

struct host {
    struct pod_host ops; /* `self` is this. */
    struct host_settings settings;
    struct configs *configs;
    struct reflector *services;
    struct volume_lookup *lookup;
    struct map places; /* struct place, by uid. */
    char *pods_dir, *logs_dir, *store, *seccomp_dir;
};

struct place { /* Of a pod that has its ground. */
    struct map_node node;
    struct host *host;
    char *uid, *object; /* JSON, the newest. */
    size_t n_object;
    struct refresh *refresh;          /* Under way. */
    bool again;                       /* And once more after that. */
    struct clearing *waiting;         /* For the refresh to end. */
    struct timer renew;               /* Of a token. */
    char pause[CONTAINER_ID_MAX + 1]; /* "" : none. */
    int pause_pid;
};

void host_api_fill(struct host *host);     /* report, forget, event */
void host_configs_fill(struct host *host); /* configs, config, each_service */
void host_runtime_fill(struct host *host); /* create, start, remove, signal, run, run_cancel */
void host_image_fill(struct host *host);   /* image, rootfs, rootfs_gone */
void host_ground_fill(struct host *host);  /* ground, mounts */
void host_clear_fill(struct host *host);   /* clear, gone */

/* host_place.c */
struct place *place_get(struct host *host, str_t uid);
struct place *place_find(const struct host *host, str_t uid); /* NULL: there is none. */
void place_free(struct place *place);
void place_set_object(struct place *place, str_t object);
/* Its volumes are made again of what is now: soon, and not while they are being made. */
void place_refresh(struct place *place);
void place_renew_at(struct place *place, msec_t renew_ms);

/* host_clear.c */
void clearing_go(struct clearing *clearing);

/* host_volumes.c: what volumes are made of is asked for, then they are made on the pool. */
struct volume_work {
    void (*done)(struct volume_work *work);
    int r;
    struct err err;
    msec_t renew_ms; /* By the loop's clock; 0: never. */
    /* The rest is host_volumes.c's. */
    struct host *host;
    struct arena arena;
    const struct json *pod;
    str_t ns;
    struct volume_needs needs;
    struct volume_ask ask;
    struct step step;
    struct job job;
};
void volume_work_run(struct host *host, struct volume_work *work, const struct json *pod,
                     void (*done)(struct volume_work *work));
void volume_work_done(struct volume_work *work);

str_t pod_dir(const struct host *host, str_t uid, struct arena *arena);
