/*
 * pods.h - the pods of this node: from what the API says of them to what runs.
 *
 * Whoever follows the API hands in each pod as it changes; everything else is done here, step by
 * step, and told through the host (host.h). Level-triggered: what was missed or comes twice does
 * not matter.
 */
#pragma once

#include "node/host.h"

struct pods;

struct pods *pods_new(const struct pod_host *host);
void pods_free(struct pods *pods); /* Containers go on. No step may be waiting. */

/* First of all: containers of an earlier life of this process, as runtime_list() has them. */
void pods_found(struct pods *pods, const struct container_seen *seen, size_t n);
void pods_set(struct pods *pods, str_t object);                     /* Added or changed, as JSON. */
void pods_gone(struct pods *pods, str_t ns, str_t name, str_t uid); /* No longer in the API. */
/* All there are have been handed in: what else was found is removed. */
void pods_synced(struct pods *pods);
void pods_exited(struct pods *pods, str_t id, const struct container_exit *exit);

/* --- for streams and statistics --- */
struct pod_place {
    char id[CONTAINER_ID_MAX + 1]; /* "": it does not run. */
    char previous[CONTAINER_ID_MAX + 1];
    int64_t restarts;
    bool running, has_previous;
    const struct ground *ground;
    str_t uid;
};
/* ERR_NOT_FOUND names what there is not; `container` "" is the only one, or the first. */
int pods_find(struct pods *pods, str_t ns, str_t name, str_t container, struct pod_place *out,
              struct err *err);
size_t pods_count(const struct pods *pods);
bool pods_has(const struct pods *pods, str_t uid);

struct pod_running { /* A container that runs. */
    const char *uid, *ns, *name, *container;
};
/* Of a pod one after the other. `each` may not change anything. */
void pods_each_running(const struct pods *pods,
                       void (*each)(void *self, const struct pod_running *running), void *self);
