/* images_priv.h - the store, for the files that change it. All of them block; any thread. */
#pragma once

#include "images/images.h"
#include "images/manifest.h"
#include "images/names.h"

#include <stdatomic.h>

enum { FRESH_MAX = 4096, FRESH_MS = 3600 * 1000 };

struct fresh { /* A blob that somebody brings or has asked for, and no manifest names yet. */
    char digest[DIGEST_BYTES];
    int64_t at_ms;
};

struct images {
    struct images_settings settings;
    char *dir;
    struct names names;
    atomic_bool stopping;
    struct fresh fresh[FRESH_MAX];
    size_t n_fresh; /* Ever; the oldest are written over. */
    pthread_mutex_t fresh_lock;
    pthread_rwlock_t blobs; /* Read: adds some that no name needs yet; write: prunes. */
};

struct parts { /* What an image is made of, in an arena. */
    struct manifest manifest;
    struct image_config config;
};

/* Through an index to the manifest for this machine. ERR_NOT_FOUND. */
int parts_resolve(const struct images *images, str_t *digest, struct arena *arena, struct err *err);
/* A manifest that is here, its configuration too. ERR_INVALID if they do not fit each other. */
int parts_read(const struct images *images, str_t manifest, struct arena *arena, struct parts *out,
               struct err *err);
int parts_unpack(const struct images *images, const struct parts *parts, struct err *err);
/* `target`: a manifest or an index. */
int image_read(struct images *images, str_t name, str_t target, struct arena *arena,
               struct image *out, struct err *err);

/* archive.c */
int archive_import(struct images *images, const char *path, struct arena *arena, struct image **out,
                   size_t *n, struct err *err);
/* save.c */
int archive_save(struct images *images, str_t name, str_t manifest, const char *path,
                 struct err *err);
/* prune.c */
int store_prune(struct images *images, const str_t *used, size_t n, uint64_t *freed,
                struct err *err);

/* For an hour the blob is not pruned. Any thread. */
void blob_keep(struct images *images, str_t digest);

/* collect.c: with `blobs` locked for writing. */
struct collected {
    struct image *found; /* What went, in this order. */
    size_t n;
    uint64_t freed;
};
int store_collect(struct images *images, const struct images_budget *budget, const str_t *used,
                  size_t n_used, struct arena *arena, struct collected *out, struct err *err);

int64_t wall_now_ms(void);
