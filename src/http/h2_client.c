/*
 * h2_client.c - an HTTP/2 connection of a client: nghttp2 between the socket and the calls.
 *
 * The connection's window is opened as bytes arrive, each stream's when its caller has taken them:
 * a caller that pauses holds at most one stream's window in memory and nobody else up. Bodies of
 * requests are copied once, frame by frame; a call that is cancelled may free its body at once.
 *
 * A connection that has begun to end (GOAWAY) finishes the streams it has; new calls get a new one.
 */
#include "base/buf.h"
#include "http/client_priv.h"
#include "http/h2_upload.h"
#include "net/stream.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

enum {
    IN_BYTES = 16 * 1024,
    WINDOW_BYTES = 128 * 1024,
    CONNECTION_WINDOW_BYTES = 1 << 20,
    FIELD_OVERHEAD = 32, /* RFC 9113, 6.5.2 */
    STATUS_LEN = 3,
    REQUEST_FIELDS_MAX = HTTP_FIELDS_MAX + 8,
    ROUNDS_MAX = 8,
};

struct h2_client {
    struct list link; /* In client->h2_all. */
    struct http_client *client;
    struct stream stream;
    nghttp2_session *ng;
    struct list calls;
    struct list drained;  /* Calls that may write more. */
    const uint8_t *frame; /* What nghttp2 made and the kernel has not taken. */
    size_t frame_len;
    bool agreed; /* Both sides speak HTTP/2. */
    bool busy;   /* On the stack: what ends now is freed later. */
    bool dead;
    bool cancelled; /* Its calls are not told of their end. */
    char in[IN_BYTES];
};

struct h2_call {
    struct list link;
    struct h2_client *c;
    struct http_call *call;  /* NULL: cancelled or done. */
    struct h2_upload upload; /* A streamed body. */
    struct list drain_link;  /* In c->drained: drained() is due. */
    struct arena arena;      /* Of the head that arrives. */
    struct timer timer;
    int32_t id;
    size_t body_at;
    int status;
    bool deferred; /* nghttp2 waits for more of the body. */
    bool answered; /* The final head is here. */
    bool ended;    /* The server's last byte is. */
    bool paused;
    bool second; /* Not its first try. */
    bool refused;
    size_t head_bytes;
    size_t n_fields;
    struct buf held; /* Arrived while paused. */
    struct http_field fields[HTTP_FIELDS_MAX];
};

static void send_call(struct http_client *client, struct http_call *call, bool second);
static void run(struct h2_client *c);

/* --- ends --- */

/* Gives bytes to the caller, who may pause. */
static void hand_on(struct h2_call *h2, str_t bytes)
{
    struct http_call *call = h2->call;
    (void)nghttp2_session_consume_stream(h2->c->ng, h2->id, bytes.len);
    if (call != NULL && call->piece != NULL && !call->piece(call, bytes) && h2->call == call)
        h2->paused = true;
}

static void stream_freed(struct stream *stream)
{
    free(CONTAINER_OF(stream, struct h2_client, stream));
}

/* `call` may be NULL. The call's own end; it may send it again. */
static void call_over(struct h2_call *h2, int r, const struct err *err)
{
    struct http_call *call = h2->call;
    struct http_client *client = h2->c->client;
    bool again = r < 0 && call != NULL && !h2->second && !h2->answered && call->written == 0 &&
                 (h2->refused || (r == ERR_IO && h2->id > 1 && http_may_repeat(call->method)));
    h2->call = NULL;
    if (h2->id > 0)
        (void)nghttp2_session_set_stream_user_data(h2->c->ng, h2->id, NULL);
    timer_stop(&h2->timer);
    list_remove(&h2->link);
    list_remove(&h2->drain_link);
    upload_done(&h2->upload);
    arena_done(&h2->arena);
    buf_done(&h2->held);
    free(h2);
    if (call == NULL)
        return;
    call->stream = NULL;
    if (again)
        send_call(client, call, true);
    else
        call->done(call, r, err);
}

static void free_connection(struct h2_client *c)
{
    nghttp2_session_del(c->ng);
    c->stream.freed = stream_freed;
    if (stream_done(&c->stream))
        c->stream.freed(&c->stream);
}

/* The connection ends, and this call with it; `cancelled`: without a word. */
static void call_ends(struct h2_call *h2, bool cancelled, const struct err *err)
{
    if (cancelled && h2->call != NULL) {
        h2->call->stream = NULL;
        h2->call = NULL;
    }
    bool whole = h2->id == -1;
    if (whole && h2->call != NULL) /* All is here: it gets the rest, paused or not. */
        hand_on(h2, buf_str(&h2->held));
    call_over(h2, whole ? 0 : err->code, whole ? NULL : err);
}

/* All its calls end with `err`; NULL: they are cancelled, as when done() frees the client. */
static void close_connection(struct h2_client *c, const struct err *err)
{
    struct err copy = err != NULL ? *err : (struct err){0};
    c->cancelled |= err == NULL;
    if (c->dead)
        return;
    c->dead = true;
    if (c->client->h2 == c)
        c->client->h2 = NULL;
    while (list_in(&c->calls)) {
        struct h2_call *h2 = CONTAINER_OF(c->calls.next, struct h2_call, link);
        list_remove(&h2->link);
        MUST(c->calls.next != &h2->link); /* For the analyzer, too. */
        call_ends(h2, c->cancelled, &copy);
    }
    list_remove(&c->link);
    if (!c->busy)
        free_connection(c);
}

static void time_over(struct timer *timer)
{
    struct h2_call *h2 = CONTAINER_OF(timer, struct h2_call, timer);
    struct h2_client *c = h2->c;
    struct http_call *call = h2->call;
    struct err err;
    err_set(&err, ERR_TIMEOUT, "no answer in time");
    if (h2->id == 0 || !c->agreed) { /* Nothing works here: the next call dials again. */
        close_connection(c, &err);
        return;
    }
    (void)nghttp2_submit_rst_stream(c->ng, NGHTTP2_FLAG_NONE, h2->id, NGHTTP2_CANCEL);
    h2->call = NULL;
    call->stream = NULL;
    timer_stop(&h2->timer);
    c->busy = true;
    call->done(call, err.code, &err);
    c->busy = false;
    run(c);
}

/* --- what nghttp2 tells --- */

static struct h2_call *call_by(nghttp2_session *ng, int32_t id)
{
    return nghttp2_session_get_stream_user_data(ng, id);
}

static void new_head(struct h2_call *h2)
{
    arena_reset(&h2->arena);
    h2->n_fields = h2->head_bytes = 0;
}

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *self)
{
    (void)self;
    struct h2_call *h2 = call_by(ng, frame->hd.stream_id);
    if (frame->hd.type == NGHTTP2_HEADERS && h2 != NULL)
        new_head(h2);
    return 0;
}

static str_t rcbuf_str(nghttp2_rcbuf *rcbuf)
{
    nghttp2_vec bytes = nghttp2_rcbuf_get_buf(rcbuf);
    return (str_t){(const char *)bytes.base, bytes.len};
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                     nghttp2_rcbuf *value, uint8_t flags, void *self)
{
    (void)flags;
    (void)self;
    struct h2_call *h2 = call_by(ng, frame->hd.stream_id);
    str_t key = rcbuf_str(name), text = rcbuf_str(value);
    int64_t status;
    if (h2 == NULL)
        return 0;
    h2->head_bytes += key.len + text.len + FIELD_OVERHEAD;
    if (h2->head_bytes > HTTP_HEAD_BYTES_MAX || h2->n_fields == HTTP_FIELDS_MAX)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* Resets the stream. */
    if (str_eq(key, STR(":status"))) {
        h2->status = text.len == STATUS_LEN && str_to_i64(text, &status) ? (int)status : 0;
        return 0;
    }
    struct http_field *field = &h2->fields[h2->n_fields++];
    field->name = arena_str(&h2->arena, key);
    field->value = arena_str(&h2->arena, text);
    return 0;
}

static void heard(struct h2_call *h2)
{
    msec_t gap_ms = h2->c->client->settings.gap_ms;
    if (!h2->answered || h2->call == NULL)
        return;
    if (gap_ms > 0)
        timer_set(h2->c->client->loop, &h2->timer, gap_ms, time_over);
    else
        timer_stop(&h2->timer);
}

static void head_here(struct h2_call *h2)
{
    struct http_call *call = h2->call;
    if (h2->answered) {
        if (call->trailers != NULL)
            call->trailers(call, h2->fields, h2->n_fields);
        return;
    }
    if (h2->status < 200)
        return; /* Others follow. */
    h2->answered = true;
    heard(h2);
    struct http_answer_head head = {h2->status, h2->fields, h2->n_fields};
    if (call->head != NULL)
        call->head(call, &head);
}

static int on_frame_recv(nghttp2_session *ng, const nghttp2_frame *frame, void *self)
{
    struct h2_client *c = self;
    if (frame->hd.type == NGHTTP2_GOAWAY && c->client->h2 == c)
        c->client->h2 = NULL; /* The next call dials. */
    struct h2_call *h2 = call_by(ng, frame->hd.stream_id);
    if (h2 == NULL)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && h2->call != NULL)
        head_here(h2);
    bool carries = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (!carries || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    h2->ended = true;
    if (h2->call != NULL && !h2->call->ended) /* The rest of the body is of no use. */
        (void)nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, h2->id, NGHTTP2_NO_ERROR);
    return 0;
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
                   void *self)
{
    (void)flags;
    (void)self;
    struct h2_call *h2 = call_by(ng, id);
    (void)nghttp2_session_consume_connection(ng, len);
    if (h2 == NULL || h2->call == NULL) {
        (void)nghttp2_session_consume_stream(ng, id, len);
        return 0;
    }
    heard(h2);
    str_t bytes = {(const char *)data, len};
    if (h2->paused)
        buf_add(&h2->held, bytes); /* At most a window. */
    else
        hand_on(h2, bytes);
    return 0;
}

static void finish(struct h2_call *h2, uint32_t code)
{
    struct err err;
    if (h2->answered && h2->ended && code == NGHTTP2_NO_ERROR) {
        call_over(h2, 0, NULL);
        return;
    }
    h2->refused = code == NGHTTP2_REFUSED_STREAM;
    err_set(&err, ERR_IO, "the server reset the stream: %s", nghttp2_http2_strerror(code));
    call_over(h2, err.code, &err);
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t code, void *self)
{
    (void)self;
    struct h2_call *h2 = call_by(ng, id);
    if (h2 == NULL)
        return 0;
    (void)nghttp2_session_set_stream_user_data(ng, id, NULL);
    if (!h2->paused || h2->call == NULL || code != NGHTTP2_NO_ERROR) {
        finish(h2, code);
        return 0;
    }
    h2->id = -1; /* Its caller still has to take the rest: h2_call_more(). */
    timer_stop(&h2->timer);
    return 0;
}

/* drained() is called later: nghttp2 may not be called from here. */
static void drain_later(struct h2_call *h2)
{
    if (!list_in(&h2->drain_link))
        list_add_before(&h2->c->drained, &h2->drain_link);
}

static ssize_t read_streamed(struct h2_call *h2, uint8_t *to, size_t length, uint32_t *flags)
{
    size_t before = h2->upload.bytes, n = upload_take(&h2->upload, (char *)to, length);
    if (n > 0 && http_call_is_drained(h2->call, before, h2->upload.bytes))
        drain_later(h2);
    if (h2->call->ended && h2->upload.bytes == 0)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    else if (n == 0) {
        h2->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (!h2->answered) /* An upload takes its time. */
        timer_set(h2->c->client->loop, &h2->timer, h2->c->client->settings.head_ms, time_over);
    return (ssize_t)n;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): nghttp2's type. */
static ssize_t read_body(nghttp2_session *ng, int32_t id, uint8_t *to, size_t length,
                         uint32_t *flags, nghttp2_data_source *source, void *self)
{
    struct h2_call *h2 = source->ptr;
    (void)ng;
    (void)id;
    (void)self;
    if (h2->call == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* Cancelled meanwhile. */
    if (h2->call->streams)
        return read_streamed(h2, to, length, flags);
    str_t body = h2->call->body;
    size_t left = body.len - h2->body_at, n = left < length ? left : length;
    memcpy(to, body.at + h2->body_at, n);
    h2->body_at += n;
    if (n == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

/* --- the socket --- */

/* < 0: broken. */
static int write_frames(struct h2_client *c, struct err *err)
{
    for (;;) {
        if (c->frame_len == 0) {
            ssize_t made = nghttp2_session_mem_send(c->ng, &c->frame);
            if (made < 0)
                return err_set(err, ERR_IO, "HTTP/2: %s", nghttp2_strerror((int)made));
            if (made == 0)
                return 0;
            c->frame_len = (size_t)made;
        }
        struct iovec part = {(void *)c->frame, c->frame_len};
        ssize_t n = stream_write(&c->stream, &part, 1, err);
        if (n == STREAM_AGAIN)
            return 0;
        if (n < 0)
            return (int)n;
        c->frame += n;
        c->frame_len -= (size_t)n;
    }
}

/* 1: go on; 0: wait; < 0: broken or ended. */
static int read_frames(struct h2_client *c, struct err *err)
{
    ssize_t n = stream_read(&c->stream, c->in, sizeof(c->in), err);
    if (n == STREAM_AGAIN)
        return 0;
    if (n == 0)
        return err_set(err, ERR_IO, "the server closed the connection");
    if (n < 0)
        return (int)n;
    ssize_t used = nghttp2_session_mem_recv(c->ng, (const uint8_t *)c->in, (size_t)n);
    if (used < 0)
        return err_set(err, ERR_IO, "HTTP/2: %s", nghttp2_strerror((int)used));
    return 1;
}

/* All calls go on over HTTP/1.1, on connections of their own: this one is given up. */
static void fall_back(struct h2_client *c)
{
    struct http_client *client = c->client;
    client->no_h2 = true;
    while (list_in(&c->calls) && !c->dead) {
        struct h2_call *h2 = CONTAINER_OF(c->calls.next, struct h2_call, link);
        struct http_call *call = h2->call;
        h2->call = NULL;
        if (call != NULL)
            call->stream = NULL;
        call_over(h2, 0, NULL);
        if (call != NULL)
            h1_client_send(client, call);
    }
}

/* Over TLS nothing is said before the server has agreed to HTTP/2. < 0: it has not. */
static int agree(struct h2_client *c, struct err *err)
{
    struct tls *tls = c->stream.tls;
    if (tls != NULL && !tls_is_open(tls))
        return 0;
    if (tls != NULL && !str_eq(tls_alpn(tls), STR("h2"))) {
        fall_back(c);
        return err_set(err, ERR_IO, "the server does not speak HTTP/2");
    }
    c->agreed = true;
    return 0;
}

static void call_drained(struct h2_client *c)
{
    while (list_in(&c->drained) && !c->dead) {
        struct h2_call *h2 = CONTAINER_OF(c->drained.next, struct h2_call, drain_link);
        list_remove(&h2->drain_link);
        if (h2->call != NULL && h2->call->drained != NULL)
            h2->call->drained(h2->call);
    }
}

static void run(struct h2_client *c)
{
    struct err err;
    int r = 0;
    if (c->busy)
        return; /* Whoever is on the stack does it. */
    c->busy = true;
    do {
        r = c->dead ? 0 : read_frames(c, &err);
        if (r >= 0 && !c->agreed && !c->dead) {
            int agreed = agree(c, &err);
            r = agreed < 0 ? agreed : r;
        }
    } while (r > 0);
    for (int i = 0; i < ROUNDS_MAX && r == 0 && !c->dead && c->agreed; i++) {
        call_drained(c);
        if (!c->dead)
            r = write_frames(c, &err);
        if (!list_in(&c->drained))
            break;
    }
    if (r == 0 && !c->dead && !nghttp2_session_want_read(c->ng) &&
        !nghttp2_session_want_write(c->ng))
        r = err_set(&err, ERR_IO, "the server ended the connection");
    if (r < 0)
        close_connection(c, &err);
    c->busy = false;
    if (c->dead)
        free_connection(c);
    else
        stream_want(&c->stream,
                    LOOP_READ |
                        (c->frame_len > 0 || list_in(&c->drained) || !c->agreed ? LOOP_WRITE : 0));
}

static void on_ready(struct stream *stream, unsigned events)
{
    (void)events;
    run(CONTAINER_OF(stream, struct h2_client, stream));
}

/* --- calls --- */

static nghttp2_session *session_new(struct h2_client *c)
{
    nghttp2_session_callbacks *calls;
    nghttp2_option *option;
    nghttp2_session *ng;
    MUST(nghttp2_session_callbacks_new(&calls) == 0 && nghttp2_option_new(&option) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(calls, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(calls, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_stream_close);
    nghttp2_option_set_no_auto_window_update(option, 1);
    MUST(nghttp2_session_client_new2(&ng, calls, c, option) == 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(calls);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP_HEAD_BYTES_MAX},
    };
    MUST(nghttp2_submit_settings(ng, NGHTTP2_FLAG_NONE, settings, ARRAY_LEN(settings)) == 0);
    MUST(nghttp2_session_set_local_window_size(ng, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW_BYTES) ==
         0);
    return ng;
}

static int connect_new(struct http_client *client, struct err *err)
{
    const struct http_client_settings *s = &client->settings;
    int fd = http_client_dial(client, err);
    if (fd < 0)
        return fd;
    struct h2_client *c = calloc(1, sizeof(*c));
    MUST(c != NULL);
    c->client = client;
    list_init(&c->calls);
    list_init(&c->drained);
    int r = stream_init(&c->stream, client->loop, fd, s->tls, s->server_name, on_ready, err);
    if (r < 0) {
        free(c);
        return r;
    }
    c->ng = session_new(c);
    list_add_before(&client->h2_all, &c->link);
    client->h2 = c;
    return 0;
}

static nghttp2_nv name_value(str_t name, str_t value)
{
    return (nghttp2_nv){.name = (uint8_t *)name.at,
                        .value = (uint8_t *)value.at,
                        .namelen = name.len,
                        .valuelen = value.len};
}

static str_t lower(str_t name, struct arena *arena)
{
    char *out = arena_bytes(arena, name.len + 1);
    for (size_t i = 0; i < name.len; i++)
        out[i] = (char)(name.at[i] | (name.at[i] >= 'A' && name.at[i] <= 'Z' ? 32 : 0));
    return (str_t){out, name.len};
}

static size_t request_head(const struct h2_client *c, const struct http_call *call, nghttp2_nv *nv,
                           struct arena *arena)
{
    const struct http_client_settings *s = &c->client->settings;
    const char *host = s->server_name != NULL ? s->server_name : "localhost";
    size_t n = 0;
    nv[n++] = name_value(STR(":method"), call->method);
    nv[n++] = name_value(STR(":scheme"), s->tls != NULL ? STR("https") : STR("http"));
    nv[n++] = name_value(STR(":authority"), str_from_z(host));
    nv[n++] = name_value(STR(":path"), call->target);
    MUST(call->n_fields <= HTTP_FIELDS_MAX);
    for (size_t i = 0; i < call->n_fields; i++)
        nv[n++] = name_value(lower(call->fields[i].name, arena), call->fields[i].value);
    int64_t length = call->streams ? call->body_bytes : (int64_t)call->body.len;
    if (length > 0)
        nv[n++] = name_value(STR("content-length"), arena_printf(arena, "%lld", (long long)length));
    return n;
}

static void send_call(struct http_client *client, struct http_call *call, bool second)
{
    struct err err;
    if (client->h2 == NULL && connect_new(client, &err) < 0) {
        call->done(call, err.code, &err);
        return;
    }
    struct h2_client *c = client->h2;
    struct h2_call *h2 = calloc(1, sizeof(*h2));
    MUST(h2 != NULL);
    h2->c = c;
    h2->call = call;
    h2->second = second;
    call->stream = h2;
    list_add_before(&c->calls, &h2->link);
    AUTO(arena_done) struct arena arena = {0};
    nghttp2_nv nv[REQUEST_FIELDS_MAX];
    size_t n = request_head(c, call, nv, &arena);
    nghttp2_data_provider body = {.source.ptr = h2, .read_callback = read_body};
    bool has_body = call->streams || call->body.len > 0;
    call->written = 0;
    call->ended = !call->streams;
    if (call->streams)
        drain_later(h2); /* That is how it learns that it may write. */
    h2->id = nghttp2_submit_request(c->ng, NULL, nv, n, has_body ? &body : NULL, h2);
    if (h2->id < 0) { /* Streams have run out after 2^30: a new connection. */
        client->h2 = NULL;
        h2->refused = true;
        h2->id = 0;
        err_set(&err, ERR_IO, "no more streams on this connection");
        call_over(h2, err.code, &err);
        return;
    }
    timer_set(client->loop, &h2->timer, client->settings.head_ms, time_over);
    if (!c->busy)
        stream_want(&c->stream, LOOP_READ | LOOP_WRITE);
}

void h2_client_send(struct http_client *client, struct http_call *call)
{
    send_call(client, call, false);
}

void h2_call_more(struct http_call *call)
{
    struct h2_call *h2 = call->stream;
    struct h2_client *c = h2->c;
    if (!h2->paused)
        return;
    h2->paused = false;
    bool nested = c->busy;
    c->busy = true;
    struct buf held = h2->held;
    h2->held = (struct buf){0};
    bool over = h2->id == -1; /* The stream has closed: this is all that is left. */
    if (held.len > 0)
        hand_on(h2, buf_str(&held));
    buf_done(&held);
    if (over && call->stream == h2 && !h2->paused)
        finish(h2, NGHTTP2_NO_ERROR);
    c->busy = nested;
    if (!nested && c->dead)
        free_connection(c);
    else if (!nested)
        stream_want(&c->stream, LOOP_READ | LOOP_WRITE); /* The window's news go out. */
}

void h2_call_cancel(struct http_call *call)
{
    struct h2_call *h2 = call->stream;
    struct h2_client *c = h2->c;
    h2->call = NULL;
    call->stream = NULL;
    timer_stop(&h2->timer);
    if (h2->id == -1) {
        call_over(h2, 0, NULL);
        return;
    }
    (void)nghttp2_submit_rst_stream(c->ng, NGHTTP2_FLAG_NONE, h2->id, NGHTTP2_CANCEL);
    if (!c->busy)
        stream_want(&c->stream, LOOP_READ | LOOP_WRITE);
}

void h2_client_close_all(struct http_client *client)
{
    while (list_in(&client->h2_all)) { /* Also those that are ending, further down the stack. */
        struct h2_client *c = CONTAINER_OF(client->h2_all.next, struct h2_client, link);
        list_remove(&c->link);
        close_connection(c, NULL);
    }
}

static void go_on_sending(struct h2_call *h2)
{
    struct h2_client *c = h2->c;
    if (h2->deferred && h2->id > 0) {
        h2->deferred = false;
        (void)nghttp2_session_resume_data(c->ng, h2->id);
    }
    if (!c->busy)
        stream_want(&c->stream, LOOP_READ | LOOP_WRITE);
}

void h2_call_write(struct http_call *call, struct http_bytes bytes)
{
    upload_add(&call->stream->upload, bytes);
    go_on_sending(call->stream);
}

void h2_call_end(struct http_call *call)
{
    go_on_sending(call->stream);
}

size_t h2_call_waiting(const struct http_call *call)
{
    return call->stream->upload.bytes;
}
