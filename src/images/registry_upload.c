/*
 * registry_upload.c - blobs in: one upload over any number of requests, hashed and written on the
 * pool while they come. No more of a body is asked for than is being written.
 */
#include "images/registry_priv.h"
#include "images/unpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { ID_BYTES = 33 };

struct upload {
    struct list link; /* The one used last is last. */
    struct registry *registry;
    char id[ID_BYTES];
    struct blob_writer writer;
    struct exchange *x; /* Of the request under way; NULL: there is none. */
    char *repository;   /* Of that request. */
    char wanted[DIGEST_BYTES], digest[DIGEST_BYTES];
    struct buf in, writing;
    struct job job;
    bool working;  /* On the pool. */
    bool ended;    /* The body is all there. */
    bool finish;   /* It was the last. */
    bool finished; /* In its place. */
    bool unknown;  /* Nobody was told its id. */
    msec_t used_ms;
    int r;
    struct err err;
};

/* --- their life --- */

static void upload_free(struct upload *up)
{
    list_remove(&up->link);
    up->registry->n_uploads--;
    blob_drop(&up->writer);
    buf_done(&up->in);
    buf_done(&up->writing);
    free(up->repository);
    free(up);
}

void uploads_close(struct registry *registry)
{
    timer_stop(&registry->rest);
    LIST_EACH(&registry->uploads, item)
        upload_free(CONTAINER_OF(item, struct upload, link));
}

static bool rests(const struct upload *up)
{
    return up->x == NULL && !up->working;
}

/* Of clients that have gone for ever. */
static void drop_old(struct timer *timer)
{
    struct registry *registry = CONTAINER_OF(timer, struct registry, rest);
    msec_t now_ms = loop_now_ms(registry->settings.loop);
    LIST_EACH(&registry->uploads, item) {
        struct upload *up = CONTAINER_OF(item, struct upload, link);
        if (rests(up) && now_ms - up->used_ms >= REGISTRY_REST_MS)
            upload_free(up);
    }
    if (registry->n_uploads > 0)
        timer_set(registry->settings.loop, timer, REGISTRY_REST_MS / 4, drop_old);
}

static void make_room(struct registry *registry)
{
    LIST_EACH(&registry->uploads, item) {
        struct upload *up = CONTAINER_OF(item, struct upload, link);
        if (rests(up)) {
            upload_free(up);
            return;
        }
    }
}

static struct upload *upload_new(struct registry *registry, struct err *err)
{
    unsigned char random[(ID_BYTES - 1) / 2];
    if (registry->n_uploads >= REGISTRY_UPLOADS_MAX)
        make_room(registry);
    if (registry->n_uploads >= REGISTRY_UPLOADS_MAX) {
        (void)err_set(err, ERR_BUSY, "too many uploads at once");
        return NULL;
    }
    struct upload *up = calloc(1, sizeof(*up));
    MUST(up != NULL && getrandom(random, sizeof(random), 0) == (ssize_t)sizeof(random));
    for (size_t i = 0; i < sizeof(random); i++)
        (void)snprintf(up->id + 2 * i, 3, "%02x", random[i]);
    up->registry = registry;
    up->writer.fd = -1;
    list_add_before(&registry->uploads, &up->link);
    if (registry->n_uploads++ == 0)
        timer_set(registry->settings.loop, &registry->rest, REGISTRY_REST_MS / 4, drop_old);
    up->used_ms = loop_now_ms(registry->settings.loop);
    if (blob_begin(registry->settings.images->dir, &up->writer, err) < 0) {
        upload_free(up);
        return NULL;
    }
    return up;
}

static struct upload *upload_find(struct registry *registry, str_t id)
{
    LIST_EACH(&registry->uploads, item) {
        struct upload *up = CONTAINER_OF(item, struct upload, link);
        if (str_eq(str_from_z(up->id), id))
            return up;
    }
    return NULL;
}

/* --- answers --- */

static size_t where(const struct upload *up, struct exchange *x, str_t repository,
                    struct http_field *fields)
{
    uint64_t last = up->writer.bytes > 0 ? up->writer.bytes - 1 : 0;
    fields[0] = (struct http_field){
        STR("Location"),
        arena_printf(x->arena, "/v2/" STR_F "/blobs/uploads/%s", STR_A(repository), up->id)};
    fields[1] = (struct http_field){STR("Range"),
                                    arena_printf(x->arena, "0-%llu", (unsigned long long)last)};
    fields[2] =
        (struct http_field){STR("Docker-Upload-UUID"), arena_printf(x->arena, "%s", up->id)};
    return 3;
}

static void tell_where(const struct upload *up, struct exchange *x, str_t repository, int status)
{
    struct http_field fields[3];
    size_t n = where(up, x, repository, fields);
    registry_answer(x, status, fields, n);
}

static void tell_blob(struct exchange *x, str_t repository, str_t digest)
{
    struct http_field fields[] = {
        {STR("Location"),
         arena_printf(x->arena, "/v2/" STR_F "/blobs/" STR_F, STR_A(repository), STR_A(digest))},
        {STR("Docker-Content-Digest"), arena_str(x->arena, digest)},
    };
    registry_answer(x, 201, fields, ARRAY_LEN(fields));
}

static void complete(struct upload *up)
{
    struct exchange *x = up->x;
    MUST(x != NULL); /* Who has gone has ended nothing. */
    str_t repository = arena_printf(x->arena, "%s", up->repository);
    up->x = NULL;
    up->ended = false;
    x->on_gone = NULL;
    if (up->r < 0) {
        bool wrong = up->r == ERR_INVALID;
        registry_refuse(x, wrong ? 400 : 500, wrong ? "DIGEST_INVALID" : "UNKNOWN", up->err.text);
        upload_free(up);
    } else if (up->finished) {
        tell_blob(x, repository, str_from_z(up->digest));
        upload_free(up);
    } else {
        tell_where(up, x, repository, 202);
    }
}

/* --- bytes --- */

static void work(struct job *job)
{
    struct upload *up = CONTAINER_OF(job, struct upload, job);
    if (up->r == 0 && up->writer.bytes + up->writing.len > (uint64_t)LAYER_BYTES_MAX)
        up->r = err_set(&up->err, ERR_INVALID, "blob is too large");
    if (up->r == 0 && up->writing.len > 0)
        up->r = blob_add(&up->writer, up->writing.at, up->writing.len, &up->err);
    if (up->r < 0 || !up->finish)
        return;
    up->r = blob_end(up->registry->settings.images->dir, &up->writer, str_from_z(up->wanted),
                     up->digest, &up->err);
    up->finished = up->r == 0;
    if (up->finished)
        blob_keep(up->registry->settings.images, str_from_z(up->digest));
}

static void go_on(struct upload *up);

static void worked(struct job *job)
{
    struct upload *up = CONTAINER_OF(job, struct upload, job);
    size_t n = up->writing.len;
    up->writing.len = 0;
    if (up->x != NULL && n > 0 && !up->ended)
        http_consumed(up->x, n); /* More may come at once; it is looked at below. */
    up->working = false;
    go_on(up);
}

/* What has come is written; when that was all, it is answered. */
static void go_on(struct upload *up)
{
    if (up->working)
        return;
    bool last = up->ended && up->wanted[0] != '\0' && !up->finished && up->r == 0;
    if (up->in.len > 0 || last) {
        struct buf empty = up->writing;
        up->writing = up->in;
        up->in = empty;
        up->finish = last;
        up->working = true;
        pool_run(up->registry->pool, &up->job);
    } else if (up->ended) {
        complete(up);
    } else if (up->x == NULL && (up->finished || up->r < 0 || up->unknown)) {
        upload_free(up);
    }
}

static void piece(struct exchange *x, str_t bytes)
{
    struct upload *up = x->self;
    buf_add(&up->in, bytes);
    go_on(up);
}

static void end(struct exchange *x)
{
    struct upload *up = x->self;
    up->ended = true;
    go_on(up);
}

/* What came stays: it can go on from there. */
static void gone(struct exchange *x)
{
    struct upload *up = x->self;
    up->x = NULL;
    up->ended = false;
    go_on(up);
}

static void receive(struct upload *up, struct exchange *x, const struct registry_route *route,
                    str_t wanted)
{
    up->x = x;
    up->used_ms = loop_now_ms(up->registry->settings.loop);
    free(up->repository);
    up->repository = strndup(route->repository.at, route->repository.len);
    MUST(up->repository != NULL);
    memcpy(up->wanted, wanted.at, wanted.len);
    up->wanted[wanted.len] = '\0';
    up->job.work = work;
    up->job.done = worked;
    list_remove(&up->link);
    list_add_before(&up->registry->uploads, &up->link);
    x->self = up;
    x->on_gone = gone;
    http_receive(x, piece, end);
}

/* --- requests --- */

/* False: it is there and is no digest, which was answered. */
static bool query_digest(struct exchange *x, str_t name, str_t *out)
{
    *out = STR("");
    if (!http_query_get(x, name, out) || digest_is_valid(*out))
        return true;
    registry_refuse(x, 400, "DIGEST_INVALID", "provided digest is no sha256 digest");
    return false;
}

void registry_uploads(struct registry *registry, struct exchange *x,
                      const struct registry_route *route)
{
    struct images *images = registry->settings.images;
    str_t digest, mount;
    struct err err;
    if (x->method != HTTP_POST) {
        registry_refuse(x, 405, "UNSUPPORTED", "the operation is unsupported");
        return;
    }
    if (!query_digest(x, STR("digest"), &digest) || !query_digest(x, STR("mount"), &mount))
        return;
    if (mount.len > 0) {
        blob_keep(images, mount);
        if (blob_is_there(images->dir, mount)) {
            tell_blob(x, route->repository, mount);
            return;
        }
    }
    struct upload *up = upload_new(registry, &err);
    if (up == NULL)
        registry_refuse(x, err.code == ERR_BUSY ? 429 : 500,
                        err.code == ERR_BUSY ? "TOOMANYREQUESTS" : "UNKNOWN", err.text);
    else if (digest.len == 0)
        tell_where(up, x, route->repository, 202);
    else {
        up->unknown = true;
        receive(up, x, route, digest);
    }
}

/* "Content-Range: 0-999" of a chunk: it begins where the last one ended. */
static bool is_next(const struct upload *up, const struct exchange *x)
{
    str_t field = http_get(x, STR("Content-Range")), first, last;
    int64_t from;
    if (field.len == 0)
        return true;
    return str_cut(field, '-', &first, &last) && str_to_i64(first, &from) &&
           from == (int64_t)up->writer.bytes;
}

static void put(struct upload *up, struct exchange *x, const struct registry_route *route)
{
    str_t digest;
    if (!query_digest(x, STR("digest"), &digest))
        return;
    if (digest.len == 0)
        registry_refuse(x, 400, "DIGEST_INVALID", "the digest of the blob is missing");
    else
        receive(up, x, route, digest);
}

void registry_upload(struct registry *registry, struct exchange *x,
                     const struct registry_route *route)
{
    struct upload *up = upload_find(registry, route->reference);
    bool writes = x->method == HTTP_PATCH || x->method == HTTP_PUT;
    if (up == NULL)
        registry_refuse(x, 404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    else if (up->x != NULL || up->working)
        registry_refuse(x, 409, "BLOB_UPLOAD_INVALID", "another request of this upload runs");
    else if (writes && !is_next(up, x))
        tell_where(up, x, route->repository, 416);
    else if (x->method == HTTP_PATCH)
        receive(up, x, route, STR(""));
    else if (x->method == HTTP_PUT)
        put(up, x, route);
    else if (x->method == HTTP_GET)
        tell_where(up, x, route->repository, 204);
    else if (x->method == HTTP_DELETE) {
        upload_free(up);
        registry_answer(x, 204, NULL, 0);
    } else
        registry_refuse(x, 405, "UNSUPPORTED", "the operation is unsupported");
}
