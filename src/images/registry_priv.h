/* registry_priv.h - what the files registry_*.c share. All but work() runs on the loop's thread. */
#pragma once

#include "base/list.h"
#include "images/blob.h"
#include "images/images_priv.h"
#include "images/registry.h"
#include "images/registry_route.h"

enum {
    REGISTRY_UPLOADS_MAX = 64,      /* At once; the one that rests longest goes. */
    REGISTRY_REST_MS = 3600 * 1000, /* Then an upload that rests goes. */
    REGISTRY_PIECE = 256 * 1024,
};

struct registry {
    struct registry_settings settings;
    struct pool *pool; /* Of its own: who pulls from us holds the store's. */
    char *name;
    struct list visits, uploads, sendings;
    unsigned n_uploads;
    struct timer rest; /* Set while there are uploads. */
};

struct registry_error {
    int status;
    const char *code; /* "MANIFEST_UNKNOWN"; NULL: there is none. */
    str_t text;
};

struct page { /* Of a list: `n` of what comes behind `last`. */
    str_t last;
    int64_t n;
};

/* One question that is answered when its work is done. */
struct visit {
    struct job job;
    struct list link;
    struct registry *registry;
    struct exchange *x; /* NULL: it has gone. */
    bool running;       /* On the pool: it ends there. */
    struct arena arena;
    void (*work)(struct visit *visit); /* On the pool. */
    void (*tell)(struct visit *visit);
    str_t repository, reference, body, type;
    str_t digest, text, link_field; /* What came of it. */
    struct page page;
    struct registry_error error;
};

struct visit *visit_new(struct registry *registry, struct exchange *x,
                        const struct registry_route *route);
void visit_run(struct visit *visit, void (*work)(struct visit *visit),
               void (*tell)(struct visit *visit));
/* "localhost:5000/REPO:TAG", or with "@" and a digest. */
str_t visit_name(const struct visit *visit, str_t reference);
void visit_fail(struct visit *visit, int status, const char *code, const char *text);

void registry_refuse(struct exchange *x, int status, const char *code, const char *text);
/* 2xx without a body. */
void registry_answer(struct exchange *x, int status, const struct http_field *fields, size_t n);

/* Each answers for one kind of path. */
void registry_manifest(struct registry *registry, struct exchange *x,
                       const struct registry_route *route);
void registry_tags(struct registry *registry, struct exchange *x,
                   const struct registry_route *route);
void registry_catalog(struct registry *registry, struct exchange *x,
                      const struct registry_route *route);
void registry_blob(struct registry *registry, struct exchange *x,
                   const struct registry_route *route);
void registry_uploads(struct registry *registry, struct exchange *x,
                      const struct registry_route *route);
void registry_upload(struct registry *registry, struct exchange *x,
                     const struct registry_route *route);

void sendings_close(struct registry *registry); /* registry_blob.c */
void uploads_close(struct registry *registry);  /* registry_upload.c */
