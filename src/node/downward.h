/*
 * downward.h - what a container may be told of its own pod: fieldRef and resourceFieldRef.
 * https://kubernetes.io/docs/concepts/workloads/pods/downward-api/
 */
#pragma once

#include "base/json.h"

struct downward { /* What is told of. */
    const struct json *pod;
    str_t pod_ip, host_ip; /* "": not known yet. */
    int64_t cpu_millis;    /* Allocatable of the node: the limit of who has none. */
    int64_t memory_bytes;
};

/*
 * The value of "metadata.name", "metadata.labels['app']", "status.podIP" and so on; of
 * "metadata.labels" and "metadata.annotations" as lines of key="value". ERR_INVALID names a path
 * that there is not. `value` lives in the arena or in the pod.
 */
int downward_field(const struct downward *from, str_t path, struct arena *arena, str_t *value,
                   struct err *err);
/* `ref`: a resourceFieldRef. `container`: its own one, when it names none. */
int downward_resource(const struct downward *from, const struct json *ref,
                      const struct json *container, struct arena *arena, str_t *value,
                      struct err *err);
/* Of spec.containers and spec.initContainers; NULL if there is none. */
const struct json *pod_container(const struct json *pod, str_t name);
