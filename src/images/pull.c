/*
 * pull.c - by its name to its digest, from there to the manifest for this machine, and from that to
 * the blobs. https://github.com/opencontainers/distribution-spec
 */
#include "images/blob.h"
#include "images/pull_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ACCEPTED                                                                                   \
    "application/vnd.oci.image.index.v1+json, "                                                    \
    "application/vnd.docker.distribution.manifest.list.v2+json, "                                  \
    "application/vnd.oci.image.manifest.v1+json, "                                                 \
    "application/vnd.docker.distribution.manifest.v2+json"

enum { WHY_BYTES = 4096 };

int pull_fail(struct pull *pull, int code, const char *fmt, ...)
{
    char text[WHY_BYTES];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    pull->why = arena_str(pull->arena, str_from_z(text));
    return code;
}

static const char *status_text(long status)
{
    switch (status) {
    case 400:
        return " Bad Request";
    case 403:
        return " Forbidden";
    case 404:
        return " Not Found";
    case 429:
        return " Too Many Requests";
    case 500:
        return " Internal Server Error";
    case 502:
        return " Bad Gateway";
    case 503:
        return " Service Unavailable";
    case 504:
        return " Gateway Timeout";
    default:
        return "";
    }
}

int pull_unexpected(struct pull *pull, const struct request *request)
{
    return pull_fail(pull, request->status == 429 ? ERR_BUSY : ERR_IO,
                     "unexpected status from %s request to %s: %ld%s", request->method,
                     request->url.at, request->status, status_text(request->status));
}

/* --- asking the registry --- */

static int denied(struct pull *pull, const struct request *request)
{
    return pull_fail(pull, ERR_FORBIDDEN,
                     "pull access denied, repository does not exist or may require "
                     "authorization: server message: %s",
                     request->status == 403 ? "denied: requested access to the resource is denied"
                                            : "insufficient_scope: authorization failed");
}

/* Asked once more with what the registry wants to know of us. */
static int ask(struct pull *pull, struct request *request)
{
    for (bool again = true;; again = false) {
        str_t why;
        request->authorization = pull->authorization;
        if (request_run(request, &why) < 0)
            return pull_fail(pull, ERR_IO, "failed to do request: %s \"%s\": " STR_F,
                             request->method[0] == 'H' ? "Head" : "Get", request->url.at,
                             STR_A(why));
        if (request->status != 401)
            return request->status == 403 ? denied(pull, request) : 0;
        if (!again)
            return denied(pull, request);
        int r = pull_authorize(pull, request->challenge);
        if (r < 0)
            return r;
        request_done(request);
    }
}

static struct request manifest_request(struct pull *pull, const char *method, str_t which)
{
    return (struct request){.method = method,
                            .url = arena_printf(pull->arena, STR_F "/manifests/" STR_F,
                                                STR_A(pull->base), STR_A(which)),
                            .accept = STR(ACCEPTED),
                            .plain = pull->plain,
                            .stopping = &pull->images->stopping,
                            .body_max = MANIFEST_BYTES_MAX,
                            .arena = pull->arena};
}

static int not_found(struct pull *pull)
{
    return pull_fail(pull, ERR_NOT_FOUND, STR_F ": not found", STR_A(pull->name));
}

/* What the name means now. "" : the registry does not say it without the manifest. */
static int resolve(struct pull *pull, str_t which, str_t *digest)
{
    struct request request = manifest_request(pull, "HEAD", which);
    int r = ask(pull, &request);
    *digest = STR("");
    if (r == 0 && request.status == 404)
        r = not_found(pull);
    else if (r == 0 && request.status >= 500)
        r = pull_unexpected(pull, &request);
    else if (r == 0 && request.status == 200 && digest_is_valid(request.digest))
        *digest = request.digest;
    request_done(&request);
    return r;
}

/* Into the store, if it is not there: `digest` is what it must be, or "" and then what it is. */
static int fetch_manifest(struct pull *pull, str_t which, str_t *digest)
{
    char own[DIGEST_BYTES];
    struct err err;
    struct blob_writer writer;
    if (digest->len > 0 && blob_is_there(pull->images->dir, *digest))
        return 0;
    struct request request = manifest_request(pull, "GET", which);
    int r = ask(pull, &request);
    if (r == 0 && request.status == 404)
        r = not_found(pull);
    else if (r == 0 && request.status != 200)
        r = pull_unexpected(pull, &request);
    if (r == 0) {
        str_t text = buf_str(&request.body);
        if ((r = blob_begin(pull->images->dir, &writer, &err)) == 0) {
            r = blob_add(&writer, text.at, text.len, &err);
            if (r == 0)
                r = blob_end(pull->images->dir, &writer, *digest, own, &err);
            blob_drop(&writer);
        }
        if (r < 0)
            (void)pull_fail(pull, r, "manifest: %s", err.text);
        else
            *digest = arena_str(pull->arena, str_from_z(own));
    }
    request_done(&request);
    return r;
}

static int read_manifest(struct pull *pull, str_t digest, struct manifest *out)
{
    struct err err;
    str_t text;
    *out = (struct manifest){0};
    if (blob_read(pull->images->dir, digest, pull->arena, &text, &err) < 0 ||
        manifest_parse(text, pull->arena, out, &err) < 0)
        return pull_fail(pull, err.code, "%s", err.text);
    return 0;
}

/* The manifest for this machine, through an index if there is one. */
static int find_manifest(struct pull *pull, str_t digest, struct manifest *out)
{
    if (read_manifest(pull, digest, out) < 0)
        return ERR_INVALID;
    if (!out->is_index)
        return 0;
    const struct blob_ref *own = manifest_choose(out, machine_architecture());
    if (own == NULL)
        return pull_fail(pull, ERR_NOT_FOUND,
                         "no match for platform in manifest: image has nothing for linux/%s: not "
                         "found",
                         machine_architecture());
    str_t wanted = own->digest;
    int r = fetch_manifest(pull, wanted, &wanted);
    if (r == 0)
        r = read_manifest(pull, wanted, out);
    if (r == 0 && out->is_index)
        r = pull_fail(pull, ERR_INVALID, "manifest is an index in an index");
    return r;
}

/* --- the whole way --- */

static bool is_local(str_t registry)
{
    str_t host, port;
    str_cut(registry, ':', &host, &port);
    return str_eq(host, STR("localhost")) || str_starts(host, STR("127."));
}

static int begin(struct pull *pull, str_t text)
{
    struct err err;
    if (reference_parse(text, &pull->reference, &err) < 0) {
        pull->name = text;
        return pull_fail(pull, ERR_INVALID, "failed to parse reference \"" STR_F "\": %s",
                         STR_A(text), err.text);
    }
    const struct reference *reference = &pull->reference;
    bool docker = strcmp(reference->registry, "docker.io") == 0;
    pull->name = reference_name(reference, pull->arena);
    pull->plain = is_local(str_from_z(reference->registry));
    pull->base =
        arena_printf(pull->arena, "%s://%s/v2/%s", pull->plain ? "http" : "https",
                     docker ? "registry-1.docker.io" : reference->registry, reference->repository);
    return 0;
}

static int resolve_name(struct pull *pull, str_t *digest)
{
    const struct reference *reference = &pull->reference;
    str_t pinned = str_from_z(reference->digest);
    str_t which = pinned.len > 0 ? pinned : str_from_z(reference->tag);
    int r = resolve(pull, which, digest);
    if (r == 0 && pinned.len > 0)
        *digest = pinned;
    if (r == 0) /* By its digest: the tag may mean another a moment later. */
        r = fetch_manifest(pull, digest->len > 0 ? *digest : which, digest);
    if (r < 0) {
        str_t why = pull->why;
        (void)pull_fail(pull, r, "failed to resolve reference \"" STR_F "\": " STR_F,
                        STR_A(pull->name), STR_A(why));
    }
    return r;
}

static int fetch_blobs(struct pull *pull, const struct manifest *manifest)
{
    struct blob_ref *refs = arena_array(pull->arena, struct blob_ref, manifest->n_layers + 1);
    refs[0] = manifest->config;
    if (manifest->n_layers > 0)
        memcpy(refs + 1, manifest->layers, manifest->n_layers * sizeof(*refs));
    if (refs[0].bytes > MANIFEST_BYTES_MAX)
        return pull_fail(pull, ERR_INVALID, "configuration of the image is larger than %d bytes",
                         MANIFEST_BYTES_MAX);
    return pull_blobs(pull, refs, manifest->n_layers + 1);
}

static int settle(struct pull *pull, str_t digest, struct image *out)
{
    AUTO(arena_done) struct arena arena = {0};
    struct parts parts;
    struct err err;
    str_t own = digest;
    int r = parts_resolve(pull->images, &own, &arena, &err);
    if (r == 0)
        r = parts_read(pull->images, own, &arena, &parts, &err);
    if (r == 0)
        r = parts_unpack(pull->images, &parts, &err);
    if (r == 0)
        r = names_set(&pull->images->names, pull->name, digest.at, wall_now_ms(), &err);
    if (r == 0)
        r = image_read(pull->images, pull->name, digest, pull->arena, out, &err);
    return r == 0 ? 0 : pull_fail(pull, r, "%s", err.text);
}

static int pull_once(struct pull *pull, struct image *out)
{
    struct manifest manifest;
    str_t digest;
    int r = resolve_name(pull, &digest);
    if (r == 0)
        r = find_manifest(pull, digest, &manifest);
    if (r == 0)
        r = fetch_blobs(pull, &manifest);
    if (r == 0)
        r = settle(pull, arena_printf(pull->arena, STR_F, STR_A(digest)), out);
    return r;
}

int image_pull(struct images *images, const struct images_pull_want *want, struct arena *arena,
               struct image *out, str_t *text, struct err *err)
{
    struct pull pull = {.images = images, .arena = arena};
    int r = begin(&pull, want->reference);
    bool ready = r == 0;
    for (size_t i = 0; ready && (i < want->n_credentials || i == 0); i++) {
        pull.credential = i < want->n_credentials ? &want->credentials[i] : NULL;
        pull.authorization = STR("");
        r = pull_once(&pull, out);
        if (r != ERR_FORBIDDEN) /* Then perhaps another of them may. */
            break;
    }
    if (r == 0)
        return 0;
    *text = arena_printf(arena, "failed to pull and unpack image \"" STR_F "\": " STR_F,
                         STR_A(pull.name), STR_A(pull.why));
    return err_set(err, r, STR_F, STR_A(*text));
}
