/*
 * registry_blob.c - blobs out: read on the pool, a piece at a time, and no faster than the client
 * takes them.
 */
#include "images/registry_priv.h"

#include <stdlib.h>
#include <unistd.h>

struct sending {
    struct list link;
    struct registry *registry;
    struct exchange *x; /* NULL: it has gone. */
    struct job job;
    int fd;
    uint64_t at, end;
    char *piece;
    ssize_t n; /* Of the piece. */
    bool reading;
};

static void sending_free(struct sending *s)
{
    list_remove(&s->link);
    close(s->fd);
    free(s->piece);
    free(s);
}

static void sending_gone(struct exchange *x)
{
    struct sending *s = x->self;
    s->x = NULL;
    if (!s->reading)
        sending_free(s);
}

static void read_piece(struct job *job)
{
    struct sending *s = CONTAINER_OF(job, struct sending, job);
    uint64_t left = s->end - s->at;
    s->n =
        pread(s->fd, s->piece, left < REGISTRY_PIECE ? (size_t)left : REGISTRY_PIECE, (off_t)s->at);
}

static void read_on(struct sending *s);

static void drain(struct exchange *x)
{
    struct sending *s = x->self;
    if (!s->reading)
        read_on(s);
}

static void piece_read(struct job *job)
{
    struct sending *s = CONTAINER_OF(job, struct sending, job);
    s->reading = false;
    if (s->x == NULL) {
        sending_free(s);
        return;
    }
    struct exchange *x = s->x;
    if (s->n <= 0) { /* So much was promised: cut, so that nobody takes it for whole. */
        x->on_gone = NULL;
        sending_free(s);
        http_abort(x);
        return;
    }
    char *piece = s->piece;
    s->piece = NULL;
    s->at += (uint64_t)s->n;
    http_write(x, (struct http_bytes){{piece, (size_t)s->n}, free, piece});
    if (s->at < s->end) {
        if (http_waiting(x) < REGISTRY_PIECE)
            read_on(s);
        return;
    }
    x->on_gone = NULL;
    x->on_drain = NULL;
    sending_free(s);
    http_end(x, NULL, 0);
}

static void read_on(struct sending *s)
{
    s->reading = true;
    s->piece = malloc(REGISTRY_PIECE);
    MUST(s->piece != NULL);
    pool_run(s->registry->pool, &s->job);
}

static void send(struct registry *registry, struct exchange *x, int fd, struct byte_range range)
{
    struct sending *s = calloc(1, sizeof(*s));
    MUST(s != NULL);
    *s = (struct sending){.registry = registry,
                          .x = x,
                          .fd = fd,
                          .at = range.from,
                          .end = range.end,
                          .job = {.work = read_piece, .done = piece_read}};
    list_add_before(&registry->sendings, &s->link);
    x->self = s;
    x->on_gone = sending_gone;
    x->on_drain = drain;
    read_on(s);
}

void sendings_close(struct registry *registry)
{
    LIST_EACH(&registry->sendings, item)
        sending_free(CONTAINER_OF(item, struct sending, link));
}

static void begin(struct registry *registry, struct exchange *x, const struct registry_route *route,
                  int fd, uint64_t bytes)
{
    struct byte_range range = {0, bytes};
    enum range_is is = range_parse(http_get(x, STR("Range")), bytes, &range);
    struct http_field fields[] = {
        {STR("Docker-Content-Digest"), route->reference},
        {STR("Content-Type"), STR("application/octet-stream")},
        {STR("Accept-Ranges"), STR("bytes")},
        {STR("Content-Range"), STR("")},
    };
    size_t n = ARRAY_LEN(fields) - 1;
    if (is == RANGE_BAD) {
        close(fd);
        registry_refuse(x, 416, "RANGE_INVALID", "the range is not in the blob");
        return;
    }
    if (is == RANGE_PART)
        fields[n++].value =
            arena_printf(x->arena, "bytes %llu-%llu/%llu", (unsigned long long)range.from,
                         (unsigned long long)range.end - 1, (unsigned long long)bytes);
    http_begin_sized(x, is == RANGE_PART ? 206 : 200, fields, n, range.end - range.from);
    if (x->method == HTTP_HEAD || range.end == range.from) {
        close(fd);
        http_end(x, NULL, 0);
        return;
    }
    send(registry, x, fd, range);
}

void registry_blob(struct registry *registry, struct exchange *x,
                   const struct registry_route *route)
{
    struct images *images = registry->settings.images;
    uint64_t bytes;
    struct err err;
    int fd;
    if (x->method != HTTP_GET && x->method != HTTP_HEAD) {
        registry_refuse(x, 405, "UNSUPPORTED", "the operation is unsupported");
        return;
    }
    blob_keep(images, route->reference); /* Who asks may be about to name it. */
    if (blob_open(images->dir, route->reference, &fd, &bytes, &err) < 0)
        registry_refuse(x, 404, "BLOB_UNKNOWN", "blob unknown to registry");
    else
        begin(registry, x, route, fd, bytes);
}
