/*
 * status.h - a pod's status in kubelet's words, from what is known of it. Pure.
 */
#pragma once

#include "base/json.h"
#include "node/container.h"

struct pod_facts {
    const struct json *pod;    /* The object: its spec and what others wrote in its status. */
    const struct json *before; /* The status reported last; NULL: none yet. */
    const struct pod_view *view;
    const struct container_facts *containers; /* In the order of view->units. */
    bool ground;                              /* Its network and volumes are there. */
    bool leaving;
    str_t pod_ip, host_ip; /* "": none. */
    int64_t start_ms;      /* Unix time: when this node took it. */
    int64_t now_ms;
    const char *phase;  /* "Failed" whatever its containers say; NULL: as they say. */
    const char *reason; /* Of that: "Evicted", "DeadlineExceeded"; NULL: none. */
    str_t message;
};

/* All views live in the arena or in the facts. */
struct json *status_make(const struct pod_facts *facts, struct arena *arena);
bool status_is_ready(const struct json *status); /* Its condition Ready is True. */
