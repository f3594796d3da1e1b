/* host_open.h - the real thing behind pods: this machine's runtime, images and network, the API. */
#pragma once

#include "images/images.h"
#include "node/events.h"
#include "node/host.h"

struct podnet;
struct pods;

struct host_settings {
    struct loop *loop;
    const struct log *log;
    struct remote *remote;
    struct events *events;
    struct runtime *runtime;
    struct images *images;
    struct podnet *podnet;
    struct pool *pool;
    const char *dir;     /* The data directory. */
    const char *node;    /* Its name. */
    const char *host_ip; /* Stays where it is, and may change. */
    uint64_t memory_bytes, cpus;
};

struct host;

int host_open(const struct host_settings *settings, struct host **out, struct err *err);
void host_close(struct host *host); /* After pods_free(). */
const struct pod_host *host_ops(const struct host *host);

/* Containers of ours that are no pod's: those that hold a pid namespace. True: it is one. */
bool host_found(struct host *host, const struct container_seen *seen);
/* Manifests of the images that containers here stand on, from what is on disk. Any thread. */
size_t host_images_used(void *self, struct arena *arena, str_t **manifests);
/* All pods are known: what is on disk of others goes. */
void host_sweep(struct host *host, const struct pods *pods);
/* The object has changed: its labels and annotations may be in files. */
void host_changed(struct host *host, str_t uid, str_t object);
