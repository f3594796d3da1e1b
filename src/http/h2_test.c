/* h2_test.c - nghttp2's client against our server: streams, windows, resets, drains, chance. */
#include "http/fixture.h"
#include "http/h1_parse.h"
#include "testkit/test.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS_MAX = 4000, BLOCK_BYTES = 50000 };

static struct {
    struct exchange *held;
    int begun, answered, gone, released, taken, drained;
    unsigned left;
    bool hold_bytes;
    size_t received;
} seen;

/* --- the server's side --- */

static void echo(struct exchange *x, str_t body)
{
    struct http_field fields[] = {{STR("X-Upper"), STR("a")}, {STR("Connection"), STR("close")}};
    str_t text = arena_printf(x->arena, STR_F " " STR_F " " STR_F " [" STR_F "] %d " STR_F,
                              STR_A(x->method_text), STR_A(x->host), STR_A(x->target), STR_A(body),
                              (int)x->body_bytes, STR_A(http_get(x, STR("Cookie"))));
    http_answer(x, 200, fields, 2, (struct http_bytes){.bytes = text});
    seen.answered++;
}

static void on_piece(struct exchange *x, str_t bytes)
{
    seen.received += bytes.len;
    http_write(x, (struct http_bytes){.bytes = arena_str(x->arena, bytes)});
    if (!seen.hold_bytes)
        http_consumed(x, bytes.len);
}

static void on_end(struct exchange *x)
{
    struct http_field trailer = {STR("Sum"), STR("12")};
    http_end(x, &trailer, 1);
    seen.answered++;
}

static void on_gone(struct exchange *x)
{
    (void)x;
    seen.gone++;
}

static void on_release(void *owner)
{
    seen.released++;
    free(owner);
}

static void pour(struct exchange *x)
{
    while (seen.left > 0 && http_waiting(x) < 300000) {
        char *bytes = malloc(BLOCK_BYTES);
        MUST(bytes != NULL);
        memset(bytes, 'b', BLOCK_BYTES);
        seen.left--;
        seen.taken++;
        http_write(x, (struct http_bytes){{bytes, BLOCK_BYTES}, on_release, bytes});
    }
    if (seen.left == 0) {
        http_end(x, NULL, 0);
        seen.answered++;
    }
}

static void handle(void *self, struct exchange *x)
{
    (void)self;
    seen.begun++;
    x->on_gone = on_gone;
    if (str_eq(x->path, STR("/stream"))) {
        http_begin(x, 200, NULL, 0);
        http_receive(x, on_piece, on_end);
    } else if (str_eq(x->path, STR("/hold"))) {
        seen.held = x;
        http_begin(x, 200, NULL, 0);
        http_flush(x);
    } else if (str_eq(x->path, STR("/pour"))) {
        seen.held = x;
        x->on_drain = pour;
        http_begin(x, 200, NULL, 0);
        pour(x);
    } else if (str_eq(x->path, STR("/now"))) {
        http_answer_text(x, 200, STR("text/plain"), STR("early"));
        seen.answered++;
    } else if (str_eq(x->path, STR("/abort"))) {
        http_begin(x, 200, NULL, 0);
        http_write(x, (struct http_bytes){.bytes = STR("half")});
        seen.answered++;
        http_abort(x);
    } else if (x->offer.len > 0) {
        CHECK(http_upgrade(x, STR("echo"), NULL, 0));
        http_receive(x, on_piece, on_end);
    } else {
        http_collect(x, 1000, echo);
    }
}

/* --- the client's side --- */

struct call {
    int status;
    int32_t id;
    size_t to_send;
    bool endless; /* It never says that it has sent all. */
    struct buf body;
    bool trailer, closed;
    uint32_t code;
};

struct h2 {
    struct client client;
    nghttp2_session *ng;
    struct call calls[CALLS_MAX];
    int n_calls;
    int goaways, goaway_code;
    bool no_window; /* Nothing read is given back. */
};

static struct call *call_by(struct h2 *h, int32_t id)
{
    for (int i = 0; i < h->n_calls; i++)
        if (h->calls[i].id == id)
            return &h->calls[i];
    return NULL;
}

static str_t rcbuf_str(nghttp2_rcbuf *rcbuf)
{
    nghttp2_vec bytes = nghttp2_rcbuf_get_buf(rcbuf);
    return (str_t){(const char *)bytes.base, bytes.len};
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                     nghttp2_rcbuf *value, uint8_t flags, void *self)
{
    (void)ng;
    (void)flags;
    struct call *call = call_by(self, frame->hd.stream_id);
    str_t n = rcbuf_str(name);
    int64_t status;
    if (str_eq(n, STR(":status")) && str_to_i64(rcbuf_str(value), &status))
        call->status = call->status * 1000 + (int)status;
    CHECK(!str_eq(n, STR("connection")));
    call->trailer |= str_eq(n, STR("sum"));
    return 0;
}

static int on_chunk(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
                    void *self)
{
    (void)flags;
    struct h2 *h = self;
    struct call *call = call_by(h, id);
    buf_add(&call->body, (str_t){(const char *)data, len});
    if (!h->no_window)
        nghttp2_session_consume(ng, id, len);
    return 0;
}

static int on_close(nghttp2_session *ng, int32_t id, uint32_t code, void *self)
{
    (void)ng;
    struct call *call = call_by(self, id);
    call->closed = true;
    call->code = code;
    return 0;
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *self)
{
    (void)ng;
    struct h2 *h = self;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        h->goaways++;
        h->goaway_code = (int)frame->goaway.error_code;
    }
    return 0;
}

static ssize_t read_upload(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t length,
                           uint32_t *flags, nghttp2_data_source *source, void *self)
{
    (void)ng;
    (void)self;
    (void)source;
    struct call *call = call_by(self, id);
    size_t n = call->to_send < length ? call->to_send : length;
    memset(buf, 'u', n);
    call->to_send -= n;
    if (call->to_send == 0 && call->endless)
        return n > 0 ? (ssize_t)n : NGHTTP2_ERR_DEFERRED;
    if (call->to_send == 0)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static void h2_start(struct h2 *h, struct fixture *f)
{
    memset(h, 0, sizeof(*h));
    nghttp2_session_callbacks *calls;
    nghttp2_option *option;
    MUST(nghttp2_session_callbacks_new(&calls) == 0 && nghttp2_option_new(&option) == 0);
    nghttp2_session_callbacks_set_on_header_callback2(calls, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
    nghttp2_option_set_no_auto_window_update(option, 1);
    MUST(nghttp2_session_client_new2(&h->ng, calls, h, option) == 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(calls);
    MUST(nghttp2_submit_settings(h->ng, 0, NULL, 0) == 0);
    client_dial(&h->client, f);
}

static void h2_done(struct h2 *h)
{
    for (int i = 0; i < h->n_calls; i++)
        buf_done(&h->calls[i].body);
    nghttp2_session_del(h->ng);
    client_done(&h->client);
}

/* Both ways, `n` turns. */
static void h2_turns(struct h2 *h, int n)
{
    for (int i = 0; i < n; i++) {
        const uint8_t *bytes;
        ssize_t len;
        while (h->client.to_say.len < 1000000 &&
               (len = nghttp2_session_mem_send(h->ng, &bytes)) > 0)
            buf_add(&h->client.to_say, (str_t){(const char *)bytes, (size_t)len});
        client_say(&h->client, STR(""));
        fixture_turns(h->client.fixture, 1);
        struct buf *heard = &h->client.heard;
        if (heard->len > 0)
            MUST(nghttp2_session_mem_recv(h->ng, (uint8_t *)heard->at, heard->len) >= 0);
        heard->len = 0;
    }
}

struct h2_ask {
    const char *method, *path, *authority, *protocol;
    size_t body;
    bool endless;
    struct http_field fields[4];
    size_t n_fields;
};

static nghttp2_nv nv(const char *name, str_t value)
{
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value.at, strlen(name), value.len, 0};
}

static struct call *h2_call(struct h2 *h, const struct h2_ask *ask)
{
    nghttp2_nv fields[10];
    size_t n = 0;
    MUST(h->n_calls < CALLS_MAX);
    struct call *call = &h->calls[h->n_calls++];
    fields[n++] = nv(":method", str_from_z(ask->method == NULL ? "GET" : ask->method));
    bool tunnel = ask->path == NULL;
    if (!tunnel)
        fields[n++] = nv(":scheme", STR("http"));
    fields[n++] = nv(":authority", str_from_z(ask->authority == NULL ? "a.b" : ask->authority));
    if (!tunnel)
        fields[n++] = nv(":path", str_from_z(ask->path));
    if (ask->protocol != NULL)
        fields[n++] = nv(":protocol", str_from_z(ask->protocol));
    for (size_t i = 0; i < ask->n_fields; i++)
        fields[n++] = nv(ask->fields[i].name.at, ask->fields[i].value);
    call->to_send = ask->body;
    call->endless = ask->endless;
    nghttp2_data_provider upload = {.read_callback = read_upload};
    bool has_body = ask->body > 0 || ask->endless;
    call->id = nghttp2_submit_request(h->ng, NULL, fields, n, has_body ? &upload : NULL, call);
    MUST(call->id > 0);
    return call;
}

static void h2_wait(struct h2 *h, const struct call *call)
{
    for (int i = 0; i < 5000 && !call->closed && !h->client.closed; i++)
        h2_turns(h, 1);
}

static bool body_has(const struct call *call, const char *text)
{
    return call->body.len > 0 && memmem(call->body.at, call->body.len, text, strlen(text)) != NULL;
}

static struct h2 *h2; /* Large. */

static void start(struct fixture *f)
{
    memset(&seen, 0, sizeof(seen));
    h2 = malloc(sizeof(*h2));
    MUST(h2 != NULL);
    fixture_start(f, handle);
    h2_start(h2, f);
}

static void stop(struct fixture *f)
{
    h2_done(h2);
    fixture_end(f);
    free(h2);
    CHECK_INT(seen.answered + seen.gone, seen.begun); /* Every handler came to an end, once. */
    CHECK_INT(seen.released, seen.taken);             /* And nothing it gave was kept. */
}

static void many_streams(struct fixture *f)
{
    start(f);
    struct call *a = h2_call(h2, &(struct h2_ask){.path = "/a?b"});
    struct call *b = h2_call(h2, &(struct h2_ask){.method = "POST", .path = "/b", .body = 5});
    struct call *c = h2_call(h2, &(struct h2_ask){.method = "HEAD", .path = "/c"});
    struct call *d = h2_call(h2, &(struct h2_ask){.method = "POST", .path = "/stream", .body = 3});
    struct call *e = h2_call(
        h2, &(struct h2_ask){.path = "/e",
                             .fields = {{STR("cookie"), STR("a=b")}, {STR("cookie"), STR("c=d")}},
                             .n_fields = 2});
    struct call *g = h2_call(h2, &(struct h2_ask){.method = "PUT",
                                                  .path = "/g",
                                                  .body = 2,
                                                  .fields = {{STR("content-length"), STR("2")},
                                                             {STR("expect"), STR("100-continue")}},
                                                  .n_fields = 2});
    struct call *all[] = {a, b, c, d, e, g};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        h2_wait(h2, all[i]);
        CHECK_INT(all[i]->code, 0);
    }
    CHECK(a->status == 200 && body_has(a, "GET a.b /a?b [] 0"));
    CHECK(b->status == 200 && body_has(b, "POST a.b /b [uuuuu] -1"));
    CHECK(c->status == 200 && c->body.len == 0);
    CHECK(d->status == 200 && body_has(d, "uuu") && d->trailer);
    CHECK(body_has(e, "a=b; c=d"));
    CHECK(g->status == 100200 && body_has(g, "[uu] 2"));
    stop(f);
}

TEST(streams_of_one_connection_are_answered)
{
    many_streams(&(struct fixture){0});
}

TEST(http2_is_agreed_on_in_tls)
{
    many_streams(&(struct fixture){.tls = true, .alpn = "h2"});
}

TEST(what_http2_allows_is_held_to_the_rules_of_http1)
{
    static const struct {
        struct h2_ask ask;
        int status;
    } rows[] = {
        {{.path = "/a#b"}, 400},
        {{.path = "/%zz"}, 400},
        {{.path = "*"}, 0}, /* nghttp2 resets it. */
        {{.method = "OPTIONS", .path = "*"}, 200},
        {{.path = "/", .authority = "u@a"}, 400},
        {{.path = "/", .authority = "a:x"}, 400},
        {{.path = "/", .fields = {{STR("host"), STR("other")}}, .n_fields = 1}, 400},
        {{.path = "/", .fields = {{STR("host"), STR("a.b")}}, .n_fields = 1}, 200},
        {{.method = "CONNECT", .authority = "a:1"}, 405},
        {{.method = "POST", .path = "/big", .body = 2000}, 413},
        {{.method = "POST",
          .path = "/big",
          .body = 2000,
          .fields = {{STR("content-length"), STR("2000")}},
          .n_fields = 1},
         413},
        {{.method = "POST", .path = "/now", .body = 1000000}, 200},
    };
    struct fixture f = {0};
    start(&f);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct call *call = h2_call(h2, &rows[i].ask);
        h2_wait(h2, call);
        if (!CHECK_INT(call->status, rows[i].status) || !CHECK(call->closed))
            printf("row %zu\n", i);
    }
    AUTO(buf_done) struct buf large = {0};
    while (large.len < 17000)
        buf_add_char(&large, 'x');
    struct h2_ask ask = {.path = "/", .fields = {{STR("x-large"), buf_str(&large)}}, .n_fields = 1};
    struct call *call = h2_call(h2, &ask);
    h2_wait(h2, call);
    CHECK_INT(call->status, 431);
    stop(&f);
}

TEST(an_upload_comes_back_through_windows_and_waits_for_who_takes_it)
{
    struct fixture f = {0};
    start(&f);
    struct call *call =
        h2_call(h2, &(struct h2_ask){.method = "POST", .path = "/stream", .body = 5000000});
    h2_wait(h2, call);
    CHECK_INT((int64_t)call->body.len, 5000000);
    CHECK_INT((int64_t)seen.received, 5000000);

    seen.hold_bytes = true; /* Held back: no more than a window comes, and others are not held. */
    seen.received = 0;
    call = h2_call(h2, &(struct h2_ask){.method = "POST", .path = "/stream", .body = 5000000});
    h2_turns(h2, 100);
    CHECK(seen.received > 0 && seen.received <= 16384);
    CHECK(call->to_send > 4000000);
    seen.hold_bytes = false;
    struct call *other = h2_call(h2, &(struct h2_ask){.path = "/other"});
    h2_wait(h2, other);
    CHECK_INT(other->status, 200);
    nghttp2_submit_rst_stream(h2->ng, 0, call->id, NGHTTP2_CANCEL);
    h2_turns(h2, 10);
    CHECK_INT(seen.gone, 1);
    stop(&f);
}

TEST(a_closed_window_stops_the_handler_and_a_reset_ends_it)
{
    struct fixture f = {0};
    start(&f);
    h2->no_window = true;
    seen.left = 100;
    struct call *call = h2_call(h2, &(struct h2_ask){.path = "/pour"});
    h2_turns(h2, 100);
    CHECK(seen.left > 80 && call->body.len == 65535);
    CHECK(http_waiting(seen.held) < 400000);
    h2->no_window = false;
    nghttp2_session_consume(h2->ng, call->id, call->body.len);
    h2_wait(h2, call);
    CHECK_INT((int64_t)call->body.len, (int64_t)100 * BLOCK_BYTES);
    CHECK_INT(seen.released, 100);

    seen.left = 100;
    call = h2_call(h2, &(struct h2_ask){.path = "/pour"});
    h2_turns(h2, 4);
    nghttp2_submit_rst_stream(h2->ng, 0, call->id, NGHTTP2_CANCEL);
    h2_turns(h2, 10);
    CHECK_INT(seen.gone, 1);
    CHECK_INT(seen.released, seen.taken);

    call = h2_call(h2, &(struct h2_ask){.path = "/abort"});
    h2_wait(h2, call);
    CHECK_INT(call->code, NGHTTP2_INTERNAL_ERROR);
    stop(&f);
}

TEST(who_does_not_move_is_reset_and_a_silent_connection_ends)
{
    struct fixture f = {0};
    start(&f);
    struct call *body =
        h2_call(h2, &(struct h2_ask){.method = "POST", .path = "/x", .body = 5, .endless = true});
    struct call *held = h2_call(h2, &(struct h2_ask){.path = "/hold"});
    for (int i = 0; i < 6; i++) {
        h2_turns(h2, 3);
        fixture_wait(&f, 7500);
    }
    h2_turns(h2, 5);
    CHECK(body->closed && body->code == NGHTTP2_CANCEL);
    CHECK(!held->closed); /* The handler takes its time. */
    seen.answered++;
    http_end(seen.held, NULL, 0);
    h2_turns(h2, 5);
    CHECK(held->closed && !h2->client.closed);
    fixture_wait(&f, 80000);
    h2_turns(h2, 5);
    CHECK(h2->goaways == 1 && h2->goaway_code == NGHTTP2_NO_ERROR && h2->client.closed);
    stop(&f);
}

TEST(a_peer_that_stops_reading_is_cut)
{
    struct fixture f = {0};
    start(&f);
    nghttp2_settings_entry wide = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 100000000};
    nghttp2_submit_settings(h2->ng, 0, &wide, 1);
    nghttp2_session_set_local_window_size(h2->ng, 0, 0, 100000000);
    seen.left = 1000;
    h2_call(h2, &(struct h2_ask){.path = "/pour"});
    h2_turns(h2, 3);
    h2->client.reading = false;
    for (int i = 0; i < 200 && seen.gone == 0; i++) { /* The kernel takes some first. */
        client_say(&h2->client, STR(""));
        fixture_turns(&f, 50);
        fixture_wait(&f, 7500);
    }
    CHECK_INT(seen.gone, 1);
    stop(&f);
}

TEST(resets_in_masses_end_the_connection)
{
    struct fixture f = {0};
    start(&f);
    for (int i = 0; i < 2000 && !h2->client.closed; i++) {
        struct call *call = h2_call(h2, &(struct h2_ask){.path = "/hold"});
        h2_turns(h2, 1); /* Or it would never be sent. */
        nghttp2_submit_rst_stream(h2->ng, 0, call->id, NGHTTP2_CANCEL);
    }
    CHECK(h2->client.closed && h2->goaways > 0);
    CHECK(seen.begun < 600);
    stop(&f);
}

TEST(provoked_resets_end_the_connection_too)
{
    struct fixture f = {0};
    start(&f);
    for (int i = 0; i < 2000 && !h2->client.closed; i++) {
        struct call *call =
            h2_call(h2, &(struct h2_ask){.method = "POST", .path = "/hold", .endless = true});
        h2_turns(h2, 1);
        char frame[13] = {0, 0, 4, 8, 0, 0, 0, (char)(call->id >> 8), (char)call->id};
        if (h2->client.to_say.len == 0) /* WINDOW_UPDATE by 0: an error of the stream. */
            client_say(&h2->client, (str_t){frame, 13});
        h2_turns(h2, 1);
    }
    CHECK(h2->client.closed && h2->goaways > 0);
    CHECK(seen.begun < 600);
    stop(&f);
}

static void on_drained(void *self)
{
    (void)self;
    seen.drained++;
}

TEST(a_drain_says_goaway_twice_and_waits_for_streams)
{
    struct fixture f = {0};
    start(&f);
    struct call *held = h2_call(h2, &(struct h2_ask){.path = "/hold"});
    h2_turns(h2, 5);
    http_server_drain(f.server, 60000, on_drained, &f);
    h2_turns(h2, 5);
    CHECK_INT(h2->goaways, 1);
    fixture_wait(&f, 1001);
    h2_turns(h2, 5);
    CHECK_INT(h2->goaways, 2);
    CHECK(!held->closed && !h2->client.closed && seen.drained == 0);
    http_write(seen.held, (struct http_bytes){.bytes = STR("last")});
    http_end(seen.held, NULL, 0);
    seen.answered++;
    h2_wait(h2, held);
    CHECK(body_has(held, "last") && held->code == 0);
    h2_turns(h2, 5);
    CHECK(h2->client.closed);
    client_done(&h2->client);
    fixture_turns(&f, 5);
    CHECK_INT(seen.drained, 1);
    stop(&f);
}

TEST(an_extended_connect_is_an_upgrade)
{
    struct fixture f = {0};
    start(&f);
    h2_turns(h2, 5); /* Its setting has to be known first. */
    struct call *call = h2_call(h2, &(struct h2_ask){.method = "CONNECT",
                                                     .path = "/switch",
                                                     .protocol = "echo",
                                                     .body = 5,
                                                     .endless = true});
    h2_turns(h2, 10);
    CHECK(call->status == 200 && body_has(call, "uuuuu") && !call->closed);
    fixture_wait(&f, 100000);
    h2_turns(h2, 10);
    CHECK(!call->closed);
    call->endless = false;
    nghttp2_session_resume_data(h2->ng, call->id);
    h2_wait(h2, call);
    CHECK_INT(call->code, 0);
    stop(&f);
}

TEST(whatever_clients_do_every_stream_comes_to_its_end)
{
    static const char *const paths[] = {"/stream", "/pour", "/x", "/now", "/abort"};
    for (unsigned seed = 1; seed <= 12; seed++) {
        struct dice dice = {seed};
        struct fixture f = {.tls = seed % 4 == 0, .alpn = "h2"};
        start(&f);
        for (int i = 0; i < 120 && !h2->client.closed; i++) {
            seen.left = dice_roll(&dice, 20);
            struct call *call = h2_call(
                h2, &(struct h2_ask){.method = "POST",
                                     .path = paths[dice_roll(&dice, ARRAY_LEN(paths))],
                                     .body = (size_t)dice_roll(&dice, 3) * dice_roll(&dice, 60000),
                                     .endless = dice_roll(&dice, 4) == 0});
            h2->no_window = dice_roll(&dice, 5) == 0;
            h2_turns(h2, (int)dice_roll(&dice, 4));
            if (dice_roll(&dice, 3) == 0)
                nghttp2_submit_rst_stream(h2->ng, 0, call->id, NGHTTP2_CANCEL);
            if (dice_roll(&dice, 10) == 0)
                fixture_wait(&f, dice_roll(&dice, 9000));
        }
        if (dice_roll(&dice, 2) == 0)
            http_server_drain(f.server, 1000, on_drained, NULL);
        h2_turns(h2, (int)dice_roll(&dice, 50));
        int failed = seen.gone + seen.answered > seen.begun;
        CHECK_INT(failed, 0);
        stop(&f);
    }
}
