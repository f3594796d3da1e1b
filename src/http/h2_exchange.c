/* h2_exchange.c - how an HTTP/2 stream takes a body and sends an answer. */
#include "http/h1_parse.h"
#include "http/h2_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    METHOD_LEN_MAX = 32,
    FIELD_OVERHEAD = 32 /* RFC 9113, 6.5.2 */,
    DISCARD_BYTES_MAX = 256 * 1024,
    RESPONSE_FIELDS_MAX = 128
};

static const struct exchange_ops h2_exchange_ops;

static struct h2_stream *stream_of(const struct exchange *x)
{
    return CONTAINER_OF(x, struct h2_stream, x);
}

/* --- life --- */

struct h2_stream *h2_stream_new(struct h2_session *s, int32_t id)
{
    struct h2_stream *stream = malloc(sizeof(*stream));
    MUST(stream != NULL);
    memset(stream, 0, offsetof(struct h2_stream, fields));
    stream->session = s;
    stream->id = id;
    stream->x = (struct exchange){.ops = &h2_exchange_ops,
                                  .fields = stream->fields,
                                  .version = 20,
                                  .arena = &stream->arena,
                                  .loop = s->c->server->loop,
                                  .tls = s->c->stream.tls,
                                  .local = s->c->local,
                                  .peer_uid = s->c->peer_uid,
                                  .fd = s->c->stream.watch.fd};
    list_add_before(&s->streams, &stream->link);
    s->n_open++;
    s->fresh = false;
    return stream;
}

static void pieces_release(struct h2_stream *stream)
{
    for (; stream->piece_at < stream->n_pieces; stream->piece_at++) {
        struct http_bytes *piece = &stream->pieces[stream->piece_at];
        if (piece->release != NULL)
            piece->release(piece->owner);
    }
    stream->n_pieces = stream->piece_at = 0;
    stream->piece_sent = stream->unframed = 0;
}

static void free_if_over(struct h2_stream *stream)
{
    if (!stream->closed || stream->frames > 0)
        return;
    pieces_release(stream);
    list_remove(&stream->link);
    list_remove(&stream->ready_link);
    free(stream->pieces);
    buf_done(&stream->held);
    buf_done(&stream->collected);
    arena_done(&stream->arena);
    free(stream);
}

static void tell_gone(struct h2_stream *stream)
{
    void (*on_gone)(struct exchange *) = stream->x.on_gone;
    stream->x.on_gone = NULL;
    if (!stream->ended && on_gone != NULL)
        on_gone(&stream->x);
}

void h2_stream_closed(struct h2_stream *stream)
{
    struct h2_session *s = stream->session;
    if (stream->closed)
        return;
    tell_gone(stream);
    stream->closed = true;
    list_remove(&stream->ready_link);
    if (stream->held.len > 0)
        (void)nghttp2_session_consume_connection(s->ng, stream->held.len);
    s->n_open--;
    free_if_over(stream);
}

static void call_later(struct h2_stream *stream)
{
    if (!stream->closed && !list_in(&stream->ready_link))
        list_add_before(&stream->session->ready, &stream->ready_link);
    connection_flush_later(stream->session->c);
}

/* --- the request --- */

static bool pseudo_header(struct h2_stream *stream, str_t name, str_t value)
{
    const struct {
        str_t name;
        str_t *to;
    } rows[] = {
        {STR(":method"), &stream->method},       {STR(":path"), &stream->path},
        {STR(":authority"), &stream->authority}, {STR(":scheme"), &stream->scheme},
        {STR(":protocol"), &stream->protocol},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq(name, rows[i].name)) {
            *rows[i].to = arena_str(&stream->arena, value);
            return true;
        }
    return name.len > 0 && name.at[0] == ':';
}

/* Browsers cut a Cookie into one field a pair (RFC 9113, 8.2.3). */
static bool join_cookie(struct h2_stream *stream, str_t value)
{
    for (size_t i = 0; i < stream->x.n_fields; i++)
        if (str_eq(stream->fields[i].name, STR("cookie"))) {
            str_t *old = &stream->fields[i].value;
            *old = arena_printf(&stream->arena, STR_F "; " STR_F, STR_A(*old), STR_A(value));
            return true;
        }
    return false;
}

void h2_stream_header(struct h2_stream *stream, str_t name, str_t value)
{
    stream->head_bytes += name.len + value.len + FIELD_OVERHEAD;
    if (stream->head_bytes > HTTP_HEAD_BYTES_MAX)
        stream->refuse = 431;
    if (stream->refuse != 0 || pseudo_header(stream, name, value))
        return;
    if (str_eq(name, STR("cookie")) && join_cookie(stream, value))
        return;
    if (stream->x.n_fields == HTTP_FIELDS_MAX) {
        stream->refuse = 431;
        return;
    }
    struct http_field *field = &stream->fields[stream->x.n_fields++];
    field->name = arena_str(&stream->arena, name);
    field->value = arena_str(&stream->arena, value);
}

static void read_host(struct h2_stream *stream)
{
    str_t host = http_get(&stream->x, STR("host"));
    if (stream->authority.len == 0)
        stream->authority = host;
    else if (host.len > 0 && !http_name_eq(host, stream->authority))
        stream->refuse = 400;
    if (!http_is_host(stream->authority))
        stream->refuse = 400;
    for (size_t i = 0, hosts = 0; i < stream->x.n_fields; i++)
        if (str_eq(stream->fields[i].name, STR("host")) && ++hosts > 1)
            stream->refuse = 400;
}

static bool is_path(str_t path, str_t method)
{
    bool whole_server = str_eq(path, STR("*")) && str_eq(method, STR("OPTIONS"));
    return http_is_target(path) && (path.at[0] == '/' || whole_server);
}

/* nghttp2 has checked what RFC 9113 asks; here is what HTTP/1.1 is held to as well. */
static void check_request(struct h2_stream *stream)
{
    str_t method = stream->method;
    bool tunnel = str_eq(method, STR("CONNECT")) && stream->protocol.len == 0;
    if (stream->refuse != 0)
        return;
    bool ok = http_is_token(method) && method.len <= METHOD_LEN_MAX &&
              (tunnel || is_path(stream->path, method));
    for (size_t i = 0; i < stream->x.n_fields; i++)
        ok = ok && http_is_field_value(stream->fields[i].value);
    stream->refuse = !ok ? 400 : tunnel ? 405 : 0;
    read_host(stream);
}

static void describe(struct h2_stream *stream)
{
    struct exchange *x = &stream->x;
    /* An extended CONNECT (RFC 8441) is to handlers what GET with Upgrade is in HTTP/1.1. */
    bool offers = stream->protocol.len > 0 && str_eq(stream->method, STR("CONNECT"));
    x->offer = offers ? stream->protocol : STR("");
    x->method_text = offers ? STR("GET") : stream->method;
    x->method = http_method_of(x->method_text);
    x->target = stream->path;
    str_cut(x->target, '?', &x->path, &x->query);
    x->host = stream->authority;
    x->body_bytes = -1;
    if (stream->in_end)
        x->body_bytes = 0;
    else if (!str_to_i64(http_get(x, STR("content-length")), &x->body_bytes))
        x->body_bytes = -1;
    stream->expect_continue = http_name_eq(http_get(x, STR("expect")), STR("100-continue"));
}

void h2_stream_request(struct h2_stream *stream)
{
    struct http_server *server = stream->session->c->server;
    stream->requested = true;
    check_request(stream);
    if (stream->refuse == 0)
        describe(stream);
    stream->in = stream->in_end || stream->refuse != 0 ? H2_DONE : H2_UNASKED;
    if (stream->refuse != 0)
        http_answer_text(
            &stream->x, stream->refuse, STR("text/plain; charset=utf-8"),
            arena_printf(&stream->arena, "%d %s\n", stream->refuse, http_reason(stream->refuse)));
    else
        server->handler.head(server->handler.self, &stream->x);
}

/* --- the answer --- */

static nghttp2_nv name_value(str_t name, str_t value)
{
    return (nghttp2_nv){.name = (uint8_t *)name.at,
                        .value = (uint8_t *)value.at,
                        .namelen = name.len,
                        .valuelen = value.len};
}

/* Fields that mean something to one HTTP/1.1 connection only (RFC 9113, 8.2.2). */
static bool is_hop_field(str_t name)
{
    static const str_t names[] = {STR("connection"), STR("keep-alive"), STR("proxy-connection"),
                                  STR("transfer-encoding"), STR("upgrade")};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (http_name_eq(name, names[i]))
            return true;
    return false;
}

static size_t add_fields(struct h2_stream *stream, nghttp2_nv *to, const struct http_field *fields,
                         size_t n_fields)
{
    size_t n = 0;
    for (size_t i = 0; i < n_fields; i++) {
        MUST(http_is_token(fields[i].name));
        if (!is_hop_field(fields[i].name))
            to[n++] = name_value(fields[i].name, http_clean_value(fields[i].value, &stream->arena));
    }
    return n;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): nghttp2's type. */
static ssize_t read_body(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t length,
                         uint32_t *flags, nghttp2_data_source *source, void *self)
{
    struct h2_stream *stream = source->ptr;
    (void)buf;
    (void)self;
    if (stream->unframed == 0 && !stream->ended) {
        stream->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    size_t n = stream->unframed < length ? stream->unframed : length;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (n < stream->unframed || !stream->ended)
        return (ssize_t)n;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream->n_trailers > 0) {
        nghttp2_nv trailers[RESPONSE_FIELDS_MAX];
        size_t n_trailers = add_fields(stream, trailers, stream->trailers, stream->n_trailers);
        if (nghttp2_submit_trailer(ng, id, trailers, n_trailers) == 0)
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    }
    return (ssize_t)n;
}

/* The DATA frame nghttp2 has made room for: its head, and the pieces where they are. */
int h2_stream_send_data(struct h2_stream *stream, str_t frame, size_t n)
{
    struct out_queue *out = &stream->session->out;
    MUST(n <= stream->unframed);
    stream->unframed -= n;
    stream->framed += n;
    do {
        struct http_bytes part = {0};
        if (n > 0) {
            const struct http_bytes *piece = &stream->pieces[stream->piece_at];
            size_t left = piece->bytes.len - stream->piece_sent;
            part.bytes = (str_t){piece->bytes.at + stream->piece_sent, left < n ? left : n};
            stream->piece_sent += part.bytes.len;
            n -= part.bytes.len;
            if (part.bytes.len == left) { /* The last of it lets it go. */
                part.release = piece->release;
                part.owner = piece->owner;
                stream->piece_at++;
                stream->piece_sent = 0;
            }
        }
        out_add_framed(out, frame, part, false, stream);
        stream->frames++;
        frame = STR("");
    } while (n > 0);
    if (stream->piece_at == stream->n_pieces)
        stream->piece_at = stream->n_pieces = 0;
    return 0;
}

void h2_stream_taken(void *self, size_t body_bytes)
{
    struct h2_stream *stream = self;
    size_t low = stream->session->c->server->limits.send_bytes_max / 2;
    size_t before = stream->framed + stream->unframed, now = before - body_bytes;
    stream->framed -= body_bytes;
    stream->frames--;
    stream->moved = true;
    if (!stream->closed && !stream->ended && stream->x.on_drain != NULL && body_bytes > 0 &&
        (now == 0 || (before > low && now <= low))) {
        stream->drain = true;
        if (!list_in(&stream->ready_link))
            list_add_before(&stream->session->ready, &stream->ready_link);
    }
    free_if_over(stream);
}

static void submit(struct h2_stream *stream, int status, const struct http_field *fields,
                   size_t n_fields, bool has_body, str_t length)
{
    struct h2_session *s = stream->session;
    nghttp2_nv nv[RESPONSE_FIELDS_MAX];
    MUST(n_fields + 3 <= RESPONSE_FIELDS_MAX);
    str_t code = arena_printf(&stream->arena, "%d", status);
    size_t n = 0;
    nv[n++] = name_value(STR(":status"), code);
    nv[n++] = name_value(STR("date"), server_date(s->c->server));
    if (length.len > 0)
        nv[n++] = name_value(STR("content-length"), length);
    n += add_fields(stream, nv + n, fields, n_fields);
    nghttp2_data_provider body = {.source.ptr = stream, .read_callback = read_body};
    /* Fails only for a stream that has gone meanwhile, which is told apart from this. */
    (void)nghttp2_submit_response(s->ng, stream->id, nv, n, has_body ? &body : NULL);
}

static void h2_begin(struct exchange *x, int status, const struct http_field *fields,
                     size_t n_fields, bool whole, size_t body_bytes)
{
    struct h2_stream *stream = stream_of(x);
    MUST(!stream->begun && status >= 200 && status <= 599);
    stream->begun = true;
    stream->no_body_out = x->method == HTTP_HEAD || status == 204 || status == 304;
    str_t length = STR("");
    if (whole && status != 204 && status != 304)
        length = arena_printf(&stream->arena, "%zu", body_bytes);
    bool has_body = !stream->no_body_out && !(whole && body_bytes == 0);
    submit(stream, status, fields, n_fields, has_body, length);
}

static bool h2_upgrade(struct exchange *x, str_t protocol, const struct http_field *fields,
                       size_t n_fields)
{
    struct h2_stream *stream = stream_of(x);
    (void)protocol;
    MUST(!stream->begun);
    stream->begun = stream->tunnel = true;
    submit(stream, 200, fields, n_fields, true, STR(""));
    connection_flush_later(stream->session->c);
    return true;
}

static void resume(struct h2_stream *stream)
{
    if (stream->deferred) {
        stream->deferred = false;
        (void)nghttp2_session_resume_data(stream->session->ng, stream->id);
    }
    connection_flush_later(stream->session->c);
}

static void h2_write(struct exchange *x, struct http_bytes body)
{
    struct h2_stream *stream = stream_of(x);
    MUST(stream->begun && !stream->ended);
    if (body.bytes.len == 0 || stream->no_body_out) {
        if (body.release != NULL)
            body.release(body.owner);
        return;
    }
    if (stream->n_pieces == stream->pieces_cap) {
        stream->pieces_cap = stream->pieces_cap == 0 ? 4 : stream->pieces_cap * 2;
        stream->pieces = reallocarray(stream->pieces, stream->pieces_cap, sizeof(*stream->pieces));
        MUST(stream->pieces != NULL);
    }
    stream->pieces[stream->n_pieces++] = body;
    stream->unframed += body.bytes.len;
    resume(stream);
}

static void h2_flush(struct exchange *x)
{
    connection_flush_later(stream_of(x)->session->c);
}

static void h2_end(struct exchange *x, const struct http_field *trailers, size_t n_trailers)
{
    struct h2_stream *stream = stream_of(x);
    MUST(stream->begun && !stream->ended && n_trailers <= RESPONSE_FIELDS_MAX);
    struct http_field *copy =
        n_trailers == 0 ? NULL : arena_array(&stream->arena, struct http_field, n_trailers);
    for (size_t i = 0; i < n_trailers; i++) {
        copy[i].name = arena_str(&stream->arena, trailers[i].name);
        copy[i].value = arena_str(&stream->arena, trailers[i].value);
    }
    stream->trailers = copy;
    stream->n_trailers = n_trailers;
    stream->ended = true;
    stream->in = H2_DONE;
    if (stream->held.len > 0)
        call_later(stream); /* To be thrown away. */
    resume(stream);
}

static size_t h2_waiting(const struct exchange *x)
{
    const struct h2_stream *stream = stream_of(x);
    return stream->unframed + stream->framed;
}

static void h2_abort(struct exchange *x)
{
    struct h2_stream *stream = stream_of(x);
    x->on_gone = NULL;
    x->on_drain = NULL;
    stream->ended = true;
    stream->in = H2_DONE;
    pieces_release(stream);
    (void)nghttp2_submit_rst_stream(stream->session->ng, NGHTTP2_FLAG_NONE, stream->id,
                                    NGHTTP2_INTERNAL_ERROR);
    connection_flush_later(stream->session->c);
}

/* --- the body --- */

static void too_large(struct h2_stream *stream)
{
    tell_gone(stream);
    if (stream->begun) {
        h2_abort(&stream->x);
        return;
    }
    stream->in = H2_DONE;
    http_answer_text(&stream->x, 413, STR("text/plain; charset=utf-8"),
                     arena_printf(&stream->arena,
                                  "the body has more than the %zu bytes allowed here\n",
                                  stream->collect_max));
}

static void ask_for_body(struct h2_stream *stream, enum h2_in in)
{
    MUST(stream->in == H2_UNASKED);
    stream->in = in;
    if (stream->expect_continue && !stream->begun && stream->held.len == 0 && !stream->in_end) {
        nghttp2_nv status = name_value(STR(":status"), STR("100"));
        (void)nghttp2_submit_headers(stream->session->ng, NGHTTP2_FLAG_NONE, stream->id, NULL,
                                     &status, 1, NULL);
    }
    call_later(stream);
}

static void h2_collect(struct exchange *x, size_t bytes_max,
                       void (*done)(struct exchange *x, str_t body))
{
    struct h2_stream *stream = stream_of(x);
    stream->collect_max = bytes_max;
    stream->collect_done = done;
    if (x->body_bytes > 0 && (uint64_t)x->body_bytes > bytes_max)
        too_large(stream);
    else if (stream->in == H2_DONE)
        done(x, STR(""));
    else
        ask_for_body(stream, H2_COLLECT);
}

static void h2_receive(struct exchange *x, void (*piece)(struct exchange *x, str_t bytes),
                       void (*end)(struct exchange *x))
{
    struct h2_stream *stream = stream_of(x);
    stream->piece = piece;
    stream->end = end;
    if (stream->in == H2_DONE)
        end(x);
    else
        ask_for_body(stream, H2_RECEIVE);
}

static void h2_consumed(struct exchange *x, size_t n)
{
    struct h2_stream *stream = stream_of(x);
    MUST(n <= stream->unconsumed);
    stream->unconsumed -= n;
    (void)nghttp2_session_consume_stream(stream->session->ng, stream->id, n);
    if (stream->unconsumed == 0)
        call_later(stream);
}

/*
 * The answer was complete before the request. RFC 9113, 8.1 lets us reset the stream then, but curl
 * 7.88 forgets an answer that comes with a reset; a little patience costs us nothing.
 */
static void discard(struct h2_stream *stream, size_t n)
{
    nghttp2_session *ng = stream->session->ng;
    bool enough = stream->discarded > DISCARD_BYTES_MAX;
    stream->discarded += n;
    if (stream->discarded <= DISCARD_BYTES_MAX)
        (void)nghttp2_session_consume_stream(ng, stream->id, n);
    else if (!enough && !stream->in_end)
        (void)nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
}

/* The windows open when the bytes are out of our hands: the connection's here. */
static void hand_on(struct h2_stream *stream, str_t bytes)
{
    nghttp2_session *ng = stream->session->ng;
    (void)nghttp2_session_consume_connection(ng, bytes.len);
    switch (stream->in) {
    case H2_COLLECT:
        (void)nghttp2_session_consume_stream(ng, stream->id, bytes.len);
        if (stream->collected.len + bytes.len > stream->collect_max)
            too_large(stream);
        else
            buf_add(&stream->collected, bytes);
        return;
    case H2_RECEIVE:
        stream->unconsumed += bytes.len;
        stream->piece(&stream->x, bytes);
        return;
    case H2_UNASKED:
    case H2_DONE:
        discard(stream, bytes.len);
        return;
    }
}

static void end_body(struct h2_stream *stream)
{
    enum h2_in in = stream->in;
    stream->in = H2_DONE;
    if (in == H2_COLLECT)
        stream->collect_done(&stream->x, buf_str(&stream->collected));
    else if (in == H2_RECEIVE)
        stream->end(&stream->x);
}

void h2_stream_ready(struct h2_stream *stream)
{
    list_remove(&stream->ready_link);
    if (stream->drain && stream->x.on_drain != NULL && !stream->ended)
        stream->x.on_drain(&stream->x);
    stream->drain = false;
    bool wanted = stream->in == H2_COLLECT || stream->in == H2_RECEIVE || stream->ended;
    if (!wanted || stream->unconsumed > 0)
        return;
    struct buf held = stream->held;
    stream->held = (struct buf){0};
    if (held.len > 0)
        hand_on(stream, buf_str(&held));
    buf_done(&held);
    if (stream->in_end && stream->in != H2_DONE)
        end_body(stream);
}

void h2_stream_data(struct h2_stream *stream, str_t bytes)
{
    stream->moved = true;
    bool hold = !stream->ended &&
                (stream->in == H2_UNASKED || stream->unconsumed > 0 || stream->held.len > 0);
    if (hold)
        buf_add(&stream->held, bytes);
    else
        hand_on(stream, bytes);
}

void h2_stream_ended(struct h2_stream *stream)
{
    stream->in_end = true;
    call_later(stream);
}

bool h2_stream_waits_for_peer(const struct h2_stream *stream)
{
    if (!stream->requested || stream->framed + stream->unframed > 0)
        return true;
    bool reading = stream->in == H2_COLLECT || stream->in == H2_RECEIVE || stream->ended;
    return reading && !stream->tunnel && !stream->in_end && stream->unconsumed == 0;
}

static const struct exchange_ops h2_exchange_ops = {
    .collect = h2_collect,
    .receive = h2_receive,
    .consumed = h2_consumed,
    .begin = h2_begin,
    .write = h2_write,
    .flush = h2_flush,
    .end = h2_end,
    .waiting = h2_waiting,
    .abort = h2_abort,
    .upgrade = h2_upgrade,
};
