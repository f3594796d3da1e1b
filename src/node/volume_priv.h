/* volume_priv.h - what the files of volume*.c share. */
#pragma once

#include "node/volume.h"
#include "node/volume_files.h"

#include <sys/types.h>

enum { CONFIG_MODE = 0644, VOLUME_NAME_MAX = 63 };

/* While volumes are made: the pod's directory is open, needs are taken one after the other. */
struct making {
    const struct volume_input *in;
    struct arena *arena;
    int pod, volumes, empty; /* Directories; the latter are -1 until they are needed. */
    size_t next;             /* Of the needs. */
    int64_t gid;             /* fsGroup; -1: none. */
    bool on_mismatch;        /* fsGroupChangePolicy: OnRootMismatch */
    int64_t uid; /* That all containers run as; -1: they differ, or it is the image's. */
};

/* The member of a volume (or a projected source) that says what it is; NULL if there is none. */
const struct json *volume_source(const struct json *volume);
bool volume_name_fits(str_t name);
bool volume_handle_fits(str_t handle); /* Of a volume of ours: one element of a path. */
/* One whose files we make of API objects: no container may write it. */
bool volume_is_files(const struct json *source);

/* The next need, which is that of this source: they are walked in the same order. */
const struct volume_need *making_next(struct making *m, enum volume_need_kind kind);
/* volume_content.c: the files of a configMap, secret, downwardAPI or projected volume. */
int volume_content(struct making *m, const struct json *source, struct volume_files *files,
                   struct err *err);
/* volume_place.c: emptyDir, hostPath and claims, which are places that are there or are made. */
int volume_empty(struct making *m, str_t name, const struct json *source, struct err *err);
int volume_host_path(struct making *m, str_t name, const struct json *source, struct err *err);
int volume_claim(struct making *m, str_t name, const struct json *source, struct err *err);
bool volume_is_on_disk(const struct json *source); /* empty/NAME, not volumes/NAME */
/* Opens `name` in `at`, made if it is not there. */
int volume_dir(int at, const char *name, mode_t mode, int *fd, struct err *err);
int making_volumes(struct making *m, struct err *err); /* m->volumes is open and a tmpfs. */
/* volumes/NAME is a link to there: by one rename, however often. */
int volume_link(struct making *m, str_t name, str_t to, struct err *err);
bool volume_is_linked(struct making *m, str_t name, str_t to);
