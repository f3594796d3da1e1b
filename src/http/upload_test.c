/* upload_test.c - bodies that our client sends piece by piece, over each version of HTTP. */
#include "http/client.h"
#include "http/fixture.h"
#include "testkit/test.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = 40000, PIECES = 120 };

struct upload {
    struct http_call call;
    unsigned left; /* Pieces. */
    unsigned made, released;
    size_t waiting_max;
    bool never_ends;
    int status, done, r;
    struct buf body;
};

static struct {
    bool hold; /* The server takes nothing. */
    size_t received, unconsumed;
    struct exchange *held;
    int64_t said; /* Content-Length. */
    int version;
    bool early; /* The server answers before the body is there. */
} seen;

/* --- the server --- */

static void on_piece(struct exchange *x, str_t bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        CHECK(bytes.at[i] == 'u');
    seen.received += bytes.len;
    if (seen.hold)
        seen.unconsumed += bytes.len;
    else
        http_consumed(x, bytes.len);
}

static void on_end(struct exchange *x)
{
    http_answer_text(x, 200, STR("text/plain"), arena_printf(x->arena, "%zu", seen.received));
}

static void on_gone(struct exchange *x)
{
    (void)x;
    seen.held = NULL;
}

static void handle(void *self, struct exchange *x)
{
    (void)self;
    seen.said = x->body_bytes;
    seen.version = x->version;
    seen.held = x;
    x->on_gone = on_gone;
    if (seen.early)
        http_answer_text(x, 403, STR("text/plain"), STR("no"));
    else
        http_receive(x, on_piece, on_end);
}

/* --- the client --- */

struct load { /* A piece that knows whose it is. */
    struct upload *upload;
    char bytes[PIECE_BYTES];
};

static void on_release(void *owner)
{
    struct load *load = owner;
    load->upload->released++;
    free(load);
}

static void on_drained(struct http_call *call)
{
    struct upload *upload = CONTAINER_OF(call, struct upload, call);
    while (upload->left > 0 && http_call_waiting(call) < HTTP_UPLOAD_BYTES) {
        struct load *load = malloc(sizeof(*load));
        MUST(load != NULL);
        load->upload = upload;
        memset(load->bytes, 'u', PIECE_BYTES);
        upload->made++;
        upload->left--;
        http_call_write(call, (struct http_bytes){{load->bytes, PIECE_BYTES}, on_release, load});
    }
    if (http_call_waiting(call) > upload->waiting_max)
        upload->waiting_max = http_call_waiting(call);
    if (upload->left == 0 && !call->ended && !upload->never_ends)
        http_call_end(call);
}

static void on_head(struct http_call *call, const struct http_answer_head *head)
{
    CONTAINER_OF(call, struct upload, call)->status = head->status;
}

static bool on_answer(struct http_call *call, str_t bytes)
{
    buf_add(&CONTAINER_OF(call, struct upload, call)->body, bytes);
    return true;
}

static void on_done(struct http_call *call, int r, const struct err *err)
{
    struct upload *upload = CONTAINER_OF(call, struct upload, call);
    upload->done++;
    upload->r = r;
    CHECK((r < 0) == (err != NULL));
}

static struct upload upload_of(unsigned pieces, int64_t length)
{
    return (struct upload){.left = pieces,
                           .call = {.method = STR("POST"),
                                    .target = STR("/up"),
                                    .streams = true,
                                    .body_bytes = length,
                                    .head = on_head,
                                    .piece = on_answer,
                                    .drained = on_drained,
                                    .done = on_done}};
}

static struct http_client *start(struct fixture *f, bool http2)
{
    struct http_client *client;
    struct err err;
    memset(&seen, 0, sizeof(seen));
    fixture_start(f, handle);
    struct http_client_settings settings = {.address = "127.0.0.1",
                                            .port = f->port,
                                            .server_name = "localhost",
                                            .http2 = http2,
                                            .tls = f->client_tls};
    if (f->client_tls != NULL)
        tls_config_ref(f->client_tls);
    MUST(http_client_new(f->loop, &settings, &client, &err) == 0);
    return client;
}

static void until_done(struct fixture *f, const struct upload *upload)
{
    for (int i = 0; i < 20000 && upload->done == 0; i++)
        fixture_turns(f, 1);
}

static void end(struct fixture *f, struct http_client *client, struct upload *upload)
{
    http_client_free(client);
    fixture_end(f);
    CHECK_INT(upload->released, upload->made);
    buf_done(&upload->body);
}

/* The last wishes for HTTP/2, which is not agreed on. */
static const struct {
    const char *alpn;
    int version;
    bool tls, http2;
} ways[] = {
    {NULL, 11, false, false},        {NULL, 11, true, false},      {NULL, 20, false, true},
    {"h2,http/1.1", 20, true, true}, {"http/1.1", 11, true, true},
};

TEST(a_body_is_sent_piece_by_piece_over_every_version)
{
    const int64_t whole = (int64_t)PIECE_BYTES * PIECES;
    for (size_t i = 0; i < ARRAY_LEN(ways) * 2; i++) {
        struct fixture f = {.tls = ways[i / 2].tls, .alpn = ways[i / 2].alpn};
        struct http_client *client = start(&f, ways[i / 2].http2);
        struct upload upload = upload_of(PIECES, i % 2 == 0 ? 0 : whole);
        http_client_send(client, &upload.call);
        until_done(&f, &upload);
        CHECK(upload.done == 1 && upload.r == 0 && upload.status == 200);
        CHECK_STR(buf_str(&upload.body), "4800000");
        CHECK_INT(seen.version, ways[i / 2].version);
        CHECK_INT(seen.said, i % 2 == 0 ? -1 : whole);
        CHECK(upload.waiting_max < HTTP_UPLOAD_BYTES + 2 * PIECE_BYTES);
        end(&f, client, &upload);
    }
}

TEST(a_server_that_takes_nothing_stops_the_upload)
{
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct fixture f = {.tls = ways[i].tls, .alpn = ways[i].alpn};
        struct http_client *client = start(&f, ways[i].http2);
        struct upload upload = upload_of(2000, 0);
        seen.hold = true;
        http_client_send(client, &upload.call);
        /* Until nothing moves any more: the kernel's buffers are full, and so are ours. */
        for (unsigned still = 0, left = 0; still < 50; left = upload.left) {
            fixture_turns(&f, 1);
            still = left == upload.left && seen.unconsumed > 0 ? still + 1 : 0;
        }
        CHECK(upload.left > 0 && upload.done == 0);
        CHECK(http_call_waiting(&upload.call) >= HTTP_UPLOAD_BYTES / 2);
        http_call_cancel(&upload.call);
        fixture_turns(&f, 20);
        seen.hold = false;
        if (seen.held != NULL) /* HTTP/1.1 sees the end behind what it has not taken. */
            http_consumed(seen.held, seen.unconsumed);
        for (int j = 0; j < 5000 && seen.held != NULL; j++)
            fixture_turns(&f, 1);
        CHECK(upload.done == 0 && seen.held == NULL);
        end(&f, client, &upload);
    }
}

TEST(an_answer_before_the_body_is_an_answer)
{
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct fixture f = {.tls = ways[i].tls, .alpn = ways[i].alpn};
        struct http_client *client = start(&f, ways[i].http2);
        struct upload upload = upload_of(3, 0);
        upload.never_ends = true;
        seen.early = true;
        http_client_send(client, &upload.call);
        until_done(&f, &upload);
        CHECK(upload.done == 1 && upload.r == 0 && upload.status == 403);
        CHECK_STR(buf_str(&upload.body), "no");
        end(&f, client, &upload);
    }
}
