/*
 * h2_server.c - one HTTP/2 connection: nghttp2 between the socket and the streams.
 *
 * A turn reads once, lets nghttp2 call us for what it finds, calls the handlers that are ready, and
 * then frames and sends in rounds until nothing moves. Frames are made only while little waits to
 * be sent, and nothing is read while much does: so what a peer can make us hold is bounded by its
 * windows, and a peer that asks but does not read gets no further.
 *
 * Who opens streams only to have them reset pays from a bucket: nghttp2 keeps the one for resets by
 * the peer (CVE-2023-44487), we keep the one for resets the peer provokes (CVE-2025-8671).
 */
#include "http/h2_priv.h"

#include <stdlib.h>

enum {
    STREAM_WINDOW_BYTES = 128 * 1024,
    CONNECTION_WINDOW_BYTES = 1 << 20,
    FRAMED_BYTES_MAX = 256 * 1024, /* Then no more frames are made until some are sent. */
    RESETS_MAX = 500,
    RESETS_PER_SECOND = 50,
    CONTINUATIONS_MAX = 8,
    ROUNDS_MAX = 8,
    LOOKS = 4, /* A gap is looked for so many times while it lasts. */
    NOTICE_MS = 1000,
    LINGER_MS = 2000,
};

/* --- what nghttp2 tells --- */

static struct h2_stream *stream_by(nghttp2_session *ng, int32_t id)
{
    return nghttp2_session_get_stream_user_data(ng, id);
}

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *self)
{
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        struct h2_stream *stream = h2_stream_new(self, frame->hd.stream_id);
        (void)nghttp2_session_set_stream_user_data(ng, frame->hd.stream_id, stream);
    }
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
    struct h2_stream *stream = stream_by(ng, frame->hd.stream_id);
    if (stream != NULL && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        h2_stream_header(stream, rcbuf_str(name), rcbuf_str(value));
    return 0;
}

static int on_frame_recv(nghttp2_session *ng, const nghttp2_frame *frame, void *self)
{
    (void)self;
    bool headers = frame->hd.type == NGHTTP2_HEADERS;
    struct h2_stream *stream =
        headers || frame->hd.type == NGHTTP2_DATA ? stream_by(ng, frame->hd.stream_id) : NULL;
    if (stream == NULL)
        return 0;
    bool end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (headers && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        stream->in_end = end;
        h2_stream_request(stream);
    } else if (end) {
        h2_stream_ended(stream);
    }
    return 0;
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
                   void *self)
{
    (void)flags;
    (void)self;
    struct h2_stream *stream = stream_by(ng, id);
    if (stream != NULL)
        h2_stream_data(stream, (str_t){(const char *)data, len});
    else
        (void)nghttp2_session_consume(ng, id, len);
    return 0;
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t code, void *self)
{
    (void)code;
    (void)self;
    struct h2_stream *stream = stream_by(ng, id);
    if (stream != NULL) {
        (void)nghttp2_session_set_stream_user_data(ng, id, NULL);
        h2_stream_closed(stream);
    }
    return 0;
}

/* A reset that the peer provoked; too many of them, and the connection ends. */
static void pay_for_reset(struct h2_session *s)
{
    msec_t now_ms = loop_now_ms(s->c->server->loop);
    int64_t back = (now_ms - s->resets_ms) * RESETS_PER_SECOND / 1000;
    if (back > 0) {
        s->resets = back < s->resets ? s->resets - (unsigned)back : 0;
        s->resets_ms = now_ms;
    }
    if (++s->resets == RESETS_MAX)
        (void)nghttp2_session_terminate_session(s->ng, NGHTTP2_ENHANCE_YOUR_CALM);
}

static int on_frame_send(nghttp2_session *ng, const nghttp2_frame *frame, void *self)
{
    (void)ng;
    if (frame->hd.type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != NGHTTP2_NO_ERROR &&
        frame->rst_stream.error_code != NGHTTP2_REFUSED_STREAM &&
        frame->rst_stream.error_code != NGHTTP2_INTERNAL_ERROR)
        pay_for_reset(self);
    return 0;
}

static int on_send_data(nghttp2_session *ng, nghttp2_frame *frame, const uint8_t *head,
                        size_t length, nghttp2_data_source *source, void *self)
{
    struct h2_session *s = self;
    (void)ng;
    MUST(frame->data.padlen == 0);
    h2_stream_send_data(source->ptr, (str_t){(const char *)head, 9}, length);
    s->paused = s->out.bytes >= FRAMED_BYTES_MAX;
    return s->paused ? NGHTTP2_ERR_PAUSE : 0;
}

/* --- framing and sending --- */

/* Frames other than DATA: small ones go into the queue itself. */
static void out_add_copy(struct out_queue *out, str_t bytes)
{
    struct http_bytes none = {0};
    if (bytes.len <= OUT_FRAME_BYTES) {
        out_add_framed(out, bytes, none, false, NULL);
        return;
    }
    char *copy = malloc(bytes.len);
    MUST(copy != NULL);
    __builtin_memcpy(copy, bytes.at, bytes.len);
    out_add(out, (struct http_bytes){{copy, bytes.len}, free, copy});
}

static int make_frames(struct h2_session *s)
{
    while (s->out.bytes < FRAMED_BYTES_MAX) {
        const uint8_t *bytes;
        s->paused = false;
        ssize_t n = nghttp2_session_mem_send(s->ng, &bytes);
        if (n < 0)
            return -1;
        if (n > 0)
            out_add_copy(&s->out, (str_t){(const char *)bytes, (size_t)n});
        else if (!s->paused)
            break;
    }
    return 0;
}

static void call_ready(struct h2_session *s)
{
    while (list_in(&s->ready))
        h2_stream_ready(CONTAINER_OF(s->ready.next, struct h2_stream, ready_link));
}

/* -1: the connection is broken. */
static int pump(struct h2_session *s)
{
    for (int i = 0; i < ROUNDS_MAX; i++) {
        call_ready(s);
        if (make_frames(s) < 0)
            return -1;
        if (s->out.bytes == 0)
            return 0;
        ssize_t put = out_send(&s->out, &s->c->stream);
        if (put < 0)
            return -1;
        s->progress |= put > 0;
        if (s->out.bytes > 0 && !list_in(&s->ready))
            return 0;
    }
    connection_turn_again(s->c); /* Others first. */
    return 0;
}

/* --- turns --- */

static msec_t look_ms(const struct h2_session *s)
{
    return (s->c->server->limits.body_gap_ms + LOOKS - 1) / LOOKS;
}

static void set_deadline(struct h2_session *s)
{
    const struct http_server_limits *limits = &s->c->server->limits;
    enum h2_wait wait = s->n_open > 0 || s->out.bytes > 0 ? H2_WAIT_LOOK
                        : s->fresh                        ? H2_WAIT_FIRST
                                                          : H2_WAIT_NEXT;
    if (wait == s->wait || s->wait == H2_WAIT_NOTICE || s->wait == H2_WAIT_LINGER)
        return;
    s->wait = wait;
    connection_deadline(s->c, wait == H2_WAIT_LOOK    ? look_ms(s)
                              : wait == H2_WAIT_FIRST ? limits->head_ms
                                                      : limits->idle_ms);
}

static void linger(struct h2_session *s)
{
    s->wait = H2_WAIT_LINGER;
    stream_finish(&s->c->stream);
    stream_want(&s->c->stream, LOOP_READ);
    connection_deadline(s->c, LINGER_MS);
}

/* Sends what there is, then says what it waits for. */
static void go_on(struct h2_session *s)
{
    if (pump(s) < 0) {
        connection_close(s->c);
        return;
    }
    if (s->out.bytes == 0 && !nghttp2_session_want_read(s->ng) &&
        !nghttp2_session_want_write(s->ng)) {
        linger(s);
        return;
    }
    bool read = s->out.bytes < (size_t)2 * FRAMED_BYTES_MAX;
    stream_want(&s->c->stream, (read ? LOOP_READ : 0) | (s->out.bytes > 0 ? LOOP_WRITE : 0));
    set_deadline(s);
}

/* False: the connection is over. */
static bool read_some(struct h2_session *s)
{
    struct http_server *server = s->c->server;
    struct err err;
    char *slab = slab_take(server);
    ssize_t n = stream_read(&s->c->stream, slab, SLAB_BYTES, &err);
    bool ok = n > 0 || n == STREAM_AGAIN;
    if (n > 0 && s->wait != H2_WAIT_LINGER)
        ok = nghttp2_session_mem_recv(s->ng, (const uint8_t *)slab, (size_t)n) >= 0;
    slab_give(server, slab);
    return ok;
}

static void h2_turn(struct connection *c, unsigned events)
{
    struct h2_session *s = c->h2;
    bool over = events & LOOP_READ ? !read_some(s) : (events & LOOP_HANGUP) != 0;
    if (over)
        connection_close(c);
    else if (s->wait != H2_WAIT_LINGER)
        go_on(s);
}

/* Looks for streams, and for a connection, that have not moved for too long. */
static void look(struct h2_session *s)
{
    LIST_EACH(&s->streams, link) {
        struct h2_stream *stream = CONTAINER_OF(link, struct h2_stream, link);
        bool waits = h2_stream_waits_for_peer(stream) && !stream->moved;
        stream->stalled = waits ? stream->stalled + 1 : 0;
        stream->moved = false;
        if (!stream->closed && stream->stalled >= LOOKS)
            (void)nghttp2_submit_rst_stream(s->ng, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_CANCEL);
    }
    s->stalled = s->out.bytes > 0 && !s->progress ? s->stalled + 1 : 0;
    s->progress = false;
    s->wait = H2_WAIT_HANDLED; /* Look again. */
}

static void go_away(struct h2_session *s)
{
    (void)nghttp2_submit_goaway(s->ng, NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(s->ng), NGHTTP2_NO_ERROR,
                                NULL, 0);
    s->wait = H2_WAIT_HANDLED;
}

static void h2_late(struct connection *c)
{
    struct h2_session *s = c->h2;
    switch (s->wait) {
    case H2_WAIT_FIRST:
    case H2_WAIT_NEXT:
        (void)nghttp2_session_terminate_session(s->ng, NGHTTP2_NO_ERROR);
        break;
    case H2_WAIT_LOOK:
        look(s);
        break;
    case H2_WAIT_NOTICE:
        go_away(s);
        break;
    case H2_WAIT_LINGER:
        connection_close(c);
        return;
    case H2_WAIT_HANDLED:
        break;
    }
    if (s->stalled >= LOOKS)
        connection_close(c);
    else
        go_on(s);
}

/* First the news, and what is already on the way is still served; then the end. */
static void h2_drain(struct connection *c)
{
    struct h2_session *s = c->h2;
    if (s->wait == H2_WAIT_LINGER)
        return;
    if (s->n_open == 0 && !s->fresh) {
        go_away(s);
    } else {
        (void)nghttp2_submit_shutdown_notice(s->ng);
        s->wait = H2_WAIT_NOTICE;
        connection_deadline(c, NOTICE_MS);
    }
    go_on(s);
}

static void h2_gone(struct connection *c)
{
    struct h2_session *s = c->h2;
    /* Frames hold their streams: first all handlers are told, then the frames let go. */
    LIST_EACH(&s->streams, link)
        h2_stream_closed(CONTAINER_OF(link, struct h2_stream, link));
    out_done(&s->out);
    MUST(!list_in(&s->streams));
    nghttp2_session_del(s->ng);
    free(s);
    c->h2 = NULL;
}

static const struct connection_ops h2_ops = {
    .turn = h2_turn,
    .late = h2_late,
    .drain = h2_drain,
    .gone = h2_gone,
};

/* --- the beginning --- */

static nghttp2_session *session_new(struct h2_session *s)
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
    nghttp2_session_callbacks_set_on_frame_send_callback(calls, on_frame_send);
    nghttp2_session_callbacks_set_send_data_callback(calls, on_send_data);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_continuations(option, CONTINUATIONS_MAX);
    nghttp2_option_set_stream_reset_rate_limit(option, RESETS_MAX, RESETS_PER_SECOND);
    MUST(nghttp2_session_server_new2(&ng, calls, s, option) == 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(calls);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, s->c->server->limits.streams_max},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP_HEAD_BYTES_MAX},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
    };
    MUST(nghttp2_submit_settings(ng, NGHTTP2_FLAG_NONE, settings, ARRAY_LEN(settings)) == 0);
    MUST(nghttp2_session_set_local_window_size(ng, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW_BYTES) ==
         0);
    return ng;
}

void h2_take_over(struct connection *c, str_t bytes)
{
    struct h2_session *s = calloc(1, sizeof(*s));
    MUST(s != NULL);
    s->c = c;
    s->fresh = true;
    s->wait = H2_WAIT_HANDLED;
    s->resets_ms = loop_now_ms(c->server->loop);
    list_init(&s->streams);
    list_init(&s->ready);
    out_init(&s->out);
    s->out.taken = h2_stream_taken;
    s->ng = session_new(s);
    c->h2 = s;
    c->ops = &h2_ops;
    if (nghttp2_session_mem_recv(s->ng, (const uint8_t *)bytes.at, bytes.len) < 0)
        connection_close(c);
    else if (c->server->draining)
        h2_drain(c);
    else
        go_on(s);
}
