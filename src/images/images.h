/*
 * images.h - images on this machine: taken in, found, mounted, removed.
 *
 *     DIR/blobs/sha256/...   manifests, configurations and layers as they came
 *     DIR/layers/...         layers unpacked, once for all images that have them
 *     DIR/names.json         what people call them
 *
 * Everything in it is complete: what is being made is in DIR/tmp, which is emptied at the start.
 * What blocks is done on the pool, and a `struct images_call` tells when.
 */
#pragma once

#include "base/json.h"
#include "base/log.h"
#include "images/credentials.h"
#include "images/reference.h"
#include "net/pool.h"

struct images;

struct images_settings {
    struct loop *loop;
    struct pool *pool; /* Whose work may last as long as a download. */
    const struct log *log;
    const char *dir; /* Absolute; made when it is not there, 0700. */
};

int images_open(const struct images_settings *settings, struct images **out, struct err *err);
/* Pulls under way end soon, as ERR_BUSY: before the pool is waited for. */
void images_stop(struct images *images);
void images_close(struct images *images); /* No call may be waiting. */

struct image {           /* Texts live in the call's arena. */
    str_t name;          /* "docker.io/library/web:v1" */
    str_t id;            /* Digest of its configuration. */
    str_t manifest;      /* Digest of its manifest: what it is mounted by. */
    str_t target;        /* What the name means in its registry: the manifest, or an index. */
    struct json *config; /* Entrypoint, Cmd, Env, User ... */
    uint64_t bytes;      /* Of its blobs. */
    int64_t used_ms;     /* Unix time; of images_list(). */
};

struct images_call { /* The caller's, in place until done(). */
    void (*done)(struct images_call *call);
    int r;
    struct err err;
    struct arena arena; /* What was found; images_call_done() frees it. */
    struct image *found;
    size_t n_found;
    str_t told;     /* Of a pull: all of the error, which err is too small for. */
    uint64_t freed; /* Bytes, of prune. */
    /* The rest is images.c's. */
    struct images *images;
    struct job job;
    void (*work)(struct images_call *call);
    str_t name, path;
    size_t (*used)(void *self, struct arena *arena, str_t **manifests);
    void *self;
    const struct images_pull_want *want;
    const struct images_budget *budget;
};

void images_call_done(struct images_call *call);

/* By a whole name (reference_name()) or an id. ERR_NOT_FOUND. */
void images_look(struct images *images, struct images_call *call, str_t name,
                 void (*done)(struct images_call *call));
void images_list(struct images *images, struct images_call *call,
                 void (*done)(struct images_call *call));

struct images_pull_want {                 /* The caller's, in place until done(). */
    str_t reference;                      /* "web:v1" */
    const struct credential *credentials; /* Tried in this order; see credentials_find(). */
    size_t n_credentials;                 /* 0: as nobody. */
};
/*
 * From its registry: always asked, but what is here already does not come again. Registries of this
 * machine (localhost, 127.0.0.1) are spoken to over http. ERR_NOT_FOUND; ERR_FORBIDDEN; ERR_IO may
 * be better later; ERR_INVALID will not. Errors are worded as containerd's.
 */
void images_pull(struct images *images, struct images_call *call,
                 const struct images_pull_want *want, void (*done)(struct images_call *call));
/* A tar of `docker save` or of an OCI layout, perhaps compressed. Gives what was in it. */
void images_import(struct images *images, struct images_call *call, str_t path,
                   void (*done)(struct images_call *call));
/* The other way, as docker-archive; `path` is written anew. */
void images_save(struct images *images, struct images_call *call, str_t name, str_t path,
                 void (*done)(struct images_call *call));
/* Takes a name away; blobs and layers go with the next prune. */
void images_remove(struct images *images, struct images_call *call, str_t name,
                   void (*done)(struct images_call *call));
/* One more name for what is there. */
void images_tag(struct images *images, struct images_call *call, str_t name, str_t as,
                void (*done)(struct images_call *call));
/*
 * All blobs and layers that no name needs, and no manifest of those that `used` (on a thread of the
 * pool; may be NULL) gives: nothing is mounted meanwhile.
 */
void images_prune(struct images *images, struct images_call *call,
                  size_t (*used)(void *self, struct arena *arena, str_t **manifests), void *self,
                  void (*done)(struct images_call *call));

struct images_budget {     /* The caller's, in place until done(). */
    unsigned high_percent; /* Of the file system in use, from which on something goes, */
    unsigned low_percent;  /* until no more than this is. */
    int64_t age_min_ms;    /* What was used later than so long ago stays. */
};
/* Names go, those used longest ago first, but for manifests of `used`; tells which, and `freed`. */
void images_collect(struct images *images, struct images_call *call,
                    const struct images_budget *budget,
                    size_t (*used)(void *self, struct arena *arena, str_t **manifests), void *self,
                    void (*done)(struct images_call *call));

/* A container's own file system at `path`; see mount.h. */
void images_mount(struct images *images, struct images_call *call, str_t manifest, str_t path,
                  void (*done)(struct images_call *call));
void images_unmount(struct images *images, struct images_call *call, str_t path,
                    void (*done)(struct images_call *call));
