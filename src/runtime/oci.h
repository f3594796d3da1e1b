/* oci.h - a container's config.json (OCI runtime specification 1.0.2). Pure. */
#pragma once

#include "base/json.h"
#include "runtime/spec.h"

struct oci_limit {
    const char *name; /* "RLIMIT_NOFILE"; NULL ends the list. */
    uint64_t hard;    /* The most this process may give. */
};

/* What this machine and this process can, and what was made for this container. */
struct oci_host {
    bool v2, swap;
    uint64_t caps;
    int oom_score_adj_min;
    const struct oci_limit *limits; /* NULL: everything may be given. */
    str_t cgroups_path;
    str_t seccomp_bpf;            /* In base64, for crun; "" : none. */
    const struct json *seccomp;   /* For runc; NULL: none. */
    const struct json *devices;   /* linux.devices; NULL: none. */
    const struct json *dev_rules; /* Which of them may be used. */
};

struct json *oci_config(const struct container_spec *spec, const struct oci_host *host,
                        struct arena *arena);
/* The process of an exec: as the container's, in `config`, but for what `exec` says. */
struct json *oci_exec_process(const struct json *config, const struct exec_spec *exec,
                              struct arena *arena);
