/*
 * pull_blobs.c - blobs as they come, several at a time on one thread. A transfer that breaks goes
 * on where it was; what is wrong is not asked for again.
 */
#include "images/blob.h"
#include "images/pull_priv.h"

#include <time.h>

enum { AT_ONCE = 3, TRIES = 6, WAIT_MS = 250, PROGRESS_BYTES = 1 << 20, POLL_MS = 200 };

struct download {
    const struct blob_ref *ref;
    struct request request;
    struct blob_writer writer;
    bool writing; /* It is open. */
    bool active;  /* In the multi handle. */
    bool done;
    bool begun;      /* Bytes of this try were seen. */
    bool authorized; /* Once more is enough. */
    bool too_long;
    unsigned tries;
    uint64_t at_start; /* Bytes that were there when this try began. */
    int64_t not_before_ms;
    struct pull *pull;
    struct err err;
};

static int64_t now_ms(void)
{
    struct timespec now;
    MUST(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int writer_anew(struct download *d)
{
    if (d->writing)
        blob_drop(&d->writer);
    d->writing = blob_begin(d->pull->images->dir, &d->writer, &d->err) == 0;
    return d->writing ? 0 : d->err.code;
}

/* The answer to a Range may be the whole again, or another part than was asked for. */
static bool begin_body(struct download *d)
{
    (void)curl_easy_getinfo(d->request.curl, CURLINFO_RESPONSE_CODE, &d->request.status);
    d->begun = true;
    bool goes_on = d->request.status == 206 && d->request.range_from == (int64_t)d->writer.bytes;
    if (d->request.status == 200 && d->writer.bytes > 0)
        return writer_anew(d) == 0;
    return d->request.status != 206 || goes_on;
}

static bool on_bytes(struct request *request, str_t bytes)
{
    struct download *d = CONTAINER_OF(request, struct download, request);
    if (!d->begun && !begin_body(d))
        return false;
    if (request->status != 200 && request->status != 206)
        return true; /* What an error says of itself. */
    if (bytes.len > (uint64_t)d->ref->bytes - d->writer.bytes) {
        d->too_long = true;
        return false;
    }
    return blob_add(&d->writer, bytes.at, bytes.len, &d->err) == 0;
}

static int start(struct pull *pull, struct download *d, CURLM *multi)
{
    if (!d->writing && writer_anew(d) < 0)
        return pull_fail(pull, d->err.code, "%s", d->err.text);
    d->request = (struct request){.method = "GET",
                                  .url = arena_printf(pull->arena, STR_F "/blobs/" STR_F,
                                                      STR_A(pull->base), STR_A(d->ref->digest)),
                                  .authorization = pull->authorization,
                                  .from = d->writer.bytes,
                                  .plain = pull->plain,
                                  .sink = on_bytes,
                                  .stopping = &pull->images->stopping,
                                  .arena = pull->arena};
    d->begun = false;
    d->at_start = d->writer.bytes;
    request_begin(&d->request);
    d->active = true;
    MUST(curl_multi_add_handle(multi, d->request.curl) == CURLM_OK);
    return 0;
}

static void stop(struct download *d, CURLM *multi)
{
    if (!d->active)
        return;
    (void)curl_multi_remove_handle(multi, d->request.curl);
    request_done(&d->request);
    d->active = false;
}

static int finish(struct pull *pull, struct download *d)
{
    char digest[DIGEST_BYTES];
    d->writing = false;
    if (blob_end(pull->images->dir, &d->writer, d->ref->digest, digest, &d->err) == 0) {
        d->done = true;
        return 0;
    }
    if (d->err.code == ERR_INVALID)
        return pull_fail(pull, ERR_INVALID,
                         "failed commit on ref \"" STR_F "\": unexpected commit digest %s, "
                         "expected " STR_F ": failed precondition",
                         STR_A(d->ref->digest), digest, STR_A(d->ref->digest));
    return pull_fail(pull, d->err.code, "%s", d->err.text);
}

static bool is_passing(long status)
{
    return status == 0 || status == 408 || status == 429 || status >= 500;
}

/* It broke: once more, later, unless that has been enough. */
static int retry(struct pull *pull, struct download *d, CURLcode code)
{
    if (d->writer.bytes >= d->at_start + PROGRESS_BYTES)
        d->tries = 0;
    if (++d->tries < TRIES) {
        d->not_before_ms = now_ms() + ((int64_t)WAIT_MS << d->tries);
        return 0;
    }
    if (code == CURLE_OK)
        return pull_unexpected(pull, &d->request);
    str_t why = request_error(&d->request, code);
    return pull_fail(pull, ERR_IO,
                     "failed to copy: httpReadSeeker: failed open: failed to do "
                     "request: Get \"%s\": " STR_F,
                     d->request.url.at, STR_A(why));
}

/* libcurl is through with it. */
static int ended(struct pull *pull, struct download *d, CURLcode code)
{
    long status = 0;
    (void)curl_easy_getinfo(d->request.curl, CURLINFO_RESPONSE_CODE, &status);
    d->request.status = status;
    bool good = status == 200 || status == 206;
    if (d->err.code != 0)
        return pull_fail(pull, d->err.code, "%s", d->err.text);
    if (d->too_long)
        return pull_fail(pull, ERR_INVALID,
                         "failed commit on ref \"" STR_F "\": more bytes came than the %lld that "
                         "were promised: failed precondition",
                         STR_A(d->ref->digest), (long long)d->ref->bytes);
    if (code == CURLE_OK && status == 401 && !d->authorized) {
        d->authorized = true; /* A token does not live long. */
        return pull_authorize(pull, d->request.challenge);
    }
    if (code == CURLE_OK && good && d->writer.bytes == (uint64_t)d->ref->bytes)
        return finish(pull, d);
    if (code == CURLE_OK && status == 404)
        return pull_fail(pull, ERR_NOT_FOUND,
                         "failed to copy: httpReadSeeker: failed open: content at %s not found: "
                         "not found",
                         d->request.url.at);
    if (code == CURLE_OK && !good && !is_passing(status))
        return pull_unexpected(pull, &d->request);
    if (code == CURLE_OK && good && d->tries + 1 == TRIES)
        return pull_fail(pull, ERR_INVALID,
                         "failed commit on ref \"" STR_F "\": failed size validation: %llu != "
                         "%lld: failed precondition",
                         STR_A(d->ref->digest), (unsigned long long)d->writer.bytes,
                         (long long)d->ref->bytes);
    if (code == CURLE_WRITE_ERROR && writer_anew(d) < 0) /* Another part than was asked for. */
        return pull_fail(pull, d->err.code, "%s", d->err.text);
    return retry(pull, d, code);
}

static int start_some(struct pull *pull, struct download *all, size_t n, CURLM *multi)
{
    size_t active = 0;
    for (size_t i = 0; i < n; i++)
        active += all[i].active;
    for (size_t i = 0; i < n && active < AT_ONCE; i++) {
        if (all[i].done || all[i].active || all[i].not_before_ms > now_ms())
            continue;
        if (start(pull, &all[i], multi) < 0)
            return ERR_IO;
        active++;
    }
    return 0;
}

static int look_at_ended(struct pull *pull, CURLM *multi)
{
    CURLMsg *message;
    int left, r = 0;
    while (r == 0 && (message = curl_multi_info_read(multi, &left)) != NULL) {
        char *self = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        MUST(curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self) == CURLE_OK);
        struct download *d = CONTAINER_OF((struct request *)(void *)self, struct download, request);
        r = ended(pull, d, message->data.result);
        stop(d, multi);
    }
    return r;
}

static bool all_done(const struct download *all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!all[i].done)
            return false;
    return true;
}

/* Twice in one image, or here already. */
static bool is_needed(const struct pull *pull, const struct download *all, size_t n,
                      const struct blob_ref *ref)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(all[i].ref->digest, ref->digest))
            return false;
    return !blob_is_there(pull->images->dir, ref->digest);
}

int pull_blobs(struct pull *pull, const struct blob_ref *refs, size_t n_refs)
{
    struct download *all = arena_array(pull->arena, struct download, n_refs + 1);
    size_t n = 0;
    int r = 0, running;
    for (size_t i = 0; i < n_refs; i++)
        if (is_needed(pull, all, n, &refs[i]))
            all[n++] = (struct download){.ref = &refs[i], .pull = pull};
    CURLM *multi = curl_multi_init();
    MUST(multi != NULL);
    while (r == 0 && !all_done(all, n)) {
        if (atomic_load(&pull->images->stopping)) {
            r = pull_fail(pull, ERR_BUSY, "context canceled");
            break;
        }
        r = start_some(pull, all, n, multi);
        if (r == 0 && curl_multi_perform(multi, &running) != CURLM_OK)
            r = pull_fail(pull, ERR_INTERNAL, "libcurl does not go on");
        if (r == 0)
            r = look_at_ended(pull, multi);
        if (r == 0 && !all_done(all, n))
            (void)curl_multi_poll(multi, NULL, 0, POLL_MS, NULL);
    }
    for (size_t i = 0; i < n; i++) {
        stop(&all[i], multi);
        if (all[i].writing)
            blob_drop(&all[i].writer);
    }
    (void)curl_multi_cleanup(multi);
    return r;
}
