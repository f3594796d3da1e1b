/*
 * make.h - from a pod's container and its image to what the runtime is to make of them. Pure, but
 * for the image's passwd and group.
 */
#pragma once

#include "base/json.h"
#include "node/expand.h"
#include "runtime/spec.h"

struct make_input {
    const struct json *pod, *container;
    const struct json *image; /* `config` of its configuration: Entrypoint, Cmd, User ... */
    str_t id, label, group, log;
    str_t rootfs;
    const struct variables *env;
    const struct container_mount *mounts;
    size_t n_mounts;
    str_t hostname;
    str_t net, ipc, pid;   /* Paths of the pod's namespaces; "" : its own, or the host's. */
    uint64_t memory_bytes; /* Of the node: what shares of it are counted by. */
    uint32_t ids_outside;  /* hostUsers: false: where its 65,536 users begin; 0: not given. */
    str_t seccomp_dir;     /* Of profiles by name. */
};

/*
 * ERR_INVALID in kubelet's words, what CreateContainerConfigError says: "container has runAsNonRoot
 * and image will run as root (...)". All views of `out` live in the arena or the input.
 */
int make_container(const struct make_input *in, struct arena *arena, struct container_spec *out,
                   struct err *err);

/* "Guaranteed", "Burstable", "BestEffort" and how soon the kernel kills of it (-997 ... 1000). */
int make_oom_score(const struct json *pod, const struct json *container, uint64_t memory_bytes);
/* Sum of requests or limits ("limits", "cpu") in thousandths; 0: none asked. */
uint64_t make_amount(const struct json *container, const char *side, const char *name);
/* What all of the pod's containers together may use, for its group; 0 where one has no limit. */
struct container_resources make_pod_resources(const struct json *pod);
