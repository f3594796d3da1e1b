/*
 * spec.h - what a container is to be: plain values, filled in by whoever knows why.
 *
 * All of it is read only while a verb that was given it runs; nothing is kept. An all-zero spec
 * with `id`, `rootfs` and `args` is a container of its own namespaces, without limits, without
 * capabilities and without a seccomp filter; text may be empty wherever it is not needed.
 */
#pragma once

#include "base/str.h"

enum { CONTAINER_ID_MAX = 128 }; /* [A-Za-z0-9][A-Za-z0-9_.-]*  */

struct texts {
    const str_t *at;
    size_t n;
};

struct container_mount {
    str_t target; /* Absolute, in the container. */
    str_t source; /* A path for a bind mount; for others only a name. */
    str_t type;   /* "" : a bind mount; else a file system such as "tmpfs". */
    bool read_only;
    /* More, by commas: "mode=1777,size=64k"; of binds also "rslave", "rshared" (else rprivate),
     * "noexec" and so on. */
    str_t options;
};

enum ns_kind { NS_NET, NS_PID, NS_IPC, NS_UTS, NS_USER, NS_CGROUP, NS_KINDS };
enum ns_mode {
    NS_NEW, /* Of users: none; see `uid_map`. Of cgroups: where the kernel has v2. */
    NS_HOST,
    NS_PATH, /* Joined, such as "/proc/123/ns/pid" or one that is pinned (namespaces.h). */
};

struct container_namespace {
    enum ns_mode mode;
    str_t path;
};

struct id_map {
    uint32_t inside, outside, count;
};

enum seccomp_mode { SECCOMP_NONE, SECCOMP_DEFAULT, SECCOMP_FILE };

/* 0 everywhere: no limit. */
struct container_resources {
    uint64_t memory_bytes;
    uint64_t cpu_millis; /* The most it may use: 1000 is one processor. */
    uint64_t cpu_shares; /* Its weight among others as v1 counts it: 1024 for a processor. */
    uint64_t pids;
    str_t cpus; /* "0-1"; "" : all. */
};

struct container_device {
    str_t path;   /* On this machine: its type and numbers are taken from there. */
    str_t target; /* "" : the same. */
    str_t access; /* "" : "rwm". */
};

struct container_pair {
    str_t name, value;
};

struct container_rlimit {
    str_t name;          /* "RLIMIT_NOFILE" */
    uint64_t soft, hard; /* Clamped to what this process may give. */
};

struct container_spec {
    str_t id;
    str_t label;  /* Of the caller's: kept with the container and told by runtime_list(). */
    str_t rootfs; /* An absolute path, mounted already; unmounting it is the caller's too. */
    bool rootfs_read_only;

    struct texts args; /* At least one. */
    struct texts env;  /* "NAME=value" */
    str_t cwd;         /* "" : "/" */
    uint32_t uid, gid;
    const uint32_t *groups;
    size_t n_groups;
    uint32_t umask; /* 0: the usual 022. */

    /* Beside /proc, /dev, /dev/pts, /dev/shm, /dev/mqueue, /sys and /sys/fs/cgroup; one of the same
     * target takes the place of such. */
    const struct container_mount *mounts;
    size_t n_mounts;
    str_t hostname;
    struct container_namespace namespaces[NS_KINDS];
    const struct id_map *uid_map, *gid_map; /* Given: a new user namespace. */
    size_t n_uid_map, n_gid_map;

    uint64_t caps; /* Bits by number, see caps.h; those this process has not are left out. */
    uint64_t ambient_caps;
    bool privileged;     /* All capabilities and devices, nothing masked, no filter. */
    bool new_privileges; /* May gain more by set-user-id programs. */
    bool proc_unmasked;  /* procMount: Unmasked */
    enum seccomp_mode seccomp;
    str_t seccomp_file; /* An OCI profile in JSON, with SECCOMP_FILE. */
    const struct container_pair *sysctls;
    size_t n_sysctls;
    const struct container_rlimit *rlimits;
    size_t n_rlimits;
    const struct container_device *devices;
    size_t n_devices;
    int oom_score_adj;

    /* Below the root of all of Davy's groups: "pods/UID/NAME". The last part is the container's
     * own; those before it are made when they are not there. "" : "other/ID". */
    str_t group;
    struct container_resources resources;

    str_t log; /* A file for CRI log lines; its directory is there. "" : output is dropped. */
    bool tty;
    bool stdin_open; /* Has an input that attached clients write to; else /dev/null. */
    bool stdin_once; /* Which ends when the first of them leaves. */
};

struct exec_spec {
    struct texts args;
    struct texts env; /* Beside the container's own. */
    str_t cwd;        /* "" : the container's. */
    bool tty;
    bool stdin_open;
    uint16_t columns, rows; /* Of the terminal; 0: not known. */
};
