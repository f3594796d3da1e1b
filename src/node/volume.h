/*
 * volume.h - the volumes of a pod: directories below the pod's own, and what of them each of its
 * containers sees.
 *
 *     DIR/volumes          a tmpfs: all that need not be on disk
 *     DIR/volumes/NAME     files made of ConfigMaps, Secrets, tokens and the pod itself; a tmpfs of
 *                          its own; or a link to where the files are
 *     DIR/empty/NAME       an emptyDir on disk
 *     DIR/subpaths/C/N     what subPath of mount N of container C was when it started
 *
 * All of this blocks: it is for a thread of the pool, one call at a time for one pod. Nothing is
 * kept in memory: what is on disk is found again by the next process, and every call may be made
 * again, also after one that was killed half way. What containers wrote is not trusted: no link of
 * theirs is followed out of its volume.
 *
 * How they go together, for the node:
 *   1. volume_needs() tells which objects are asked for; the caller looks them up and fills them
 * in.
 *   2. volumes_make() before the first container; again whenever one of the objects or the pod's
 *      labels or annotations change, and when a token is 80 % through its time: files that changed
 *      are swapped for the new ones at once, what did not is not touched.
 *   3. volume_mounts() at each start of a container.
 *   4. volumes_over() now and then; volumes_clear() when all containers are gone.
 */
#pragma once

#include "base/json.h"
#include "node/downward.h"
#include "node/expand.h"
#include "runtime/spec.h"

/* `spec.csi.driver` of PersistentVolumes that are directories of ours: STORE/volumeHandle. */
#define VOLUME_PROVISIONER "davy.dev/local"
#define VOLUME_STORE "volumes" /* STORE, in the data directory. */

enum volume_need_kind { NEED_CONFIG_MAP, NEED_SECRET, NEED_CLAIM, NEED_TOKEN };

struct volume_need {
    enum volume_need_kind kind;
    str_t name;      /* Of the object; of a token: its audience, "" : the API's own. */
    int64_t seconds; /* How long a token is to last; it is bound to the pod. */
    bool optional;

    /* Filled in by the caller: as the API has it, NULL if there is none. */
    const struct json *object; /* The ConfigMap, Secret or PersistentVolumeClaim. */
    const struct json *bound;  /* The PersistentVolume that spec.volumeName of a claim names. */
    str_t token;               /* Of the pod's ServiceAccount; "" : none could be had. */
};

struct volume_needs {
    struct volume_need *at;
    size_t n;
};

/* All in the pod's namespace; the same name may come more than once. Views of the pod. Pure. */
void volume_needs(const struct json *pod, struct arena *arena, struct volume_needs *out);

struct volume_input {
    const struct json *pod;           /* The tree that volume_needs() was asked about. */
    const struct volume_needs *needs; /* Filled in. */
    struct downward downward;         /* For volumes of the downward API; `pod` is not used. */
    const char *dir;                  /* PODS_DIR/UID, absolute; made if it is not there. */
    const char *store; /* Volumes of VOLUME_PROVISIONER are in here; "" : none are. */
    msec_t wall_ms;
};

/*
 * All volumes, also those after one that fails; then the first error, as kubelet puts it in an
 * event of reason "FailedMount": 'MountVolume.SetUp failed for volume "a" : secret "b" not found'.
 */
int volumes_make(const struct volume_input *in, struct err *err);

/* Unmounts and removes all that volumes_make() and volume_mounts() made; nothing there is fine. */
int volumes_clear(const char *dir, struct err *err);

/*
 * Whether an emptyDir holds more than its sizeLimit (those in memory cannot); then `message` is
 * what the pod is evicted with. Reads whole trees, so at most once in ten seconds or so.
 */
bool volumes_over(const struct json *pod, const char *dir, struct arena *arena, str_t *message);

struct volume_mounts_input {
    const struct json *pod, *container;
    const char *dir;
    const struct variables *env; /* For subPathExpr; NULL: no variables. */
    /* Of the node's own: /etc/hosts, /etc/resolv.conf, /dev/shm, the file for the termination
     * message. Left out where the container mounts a volume at the same path. */
    const struct container_mount *own;
    size_t n_own;
};

/*
 * Outer paths first. ERR_INVALID in kubelet's words: 'failed to prepare subPath for volumeMount
 * "a" of container "b"'. Mounts of subPaths are made on the way; all of it takes microseconds.
 */
int volume_mounts(const struct volume_mounts_input *in, struct arena *arena,
                  struct container_mount **mounts, size_t *n, struct err *err);
