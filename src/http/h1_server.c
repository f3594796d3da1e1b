/*
 * h1_server.c - one HTTP/1.1 connection: requests in, answers out, in order.
 *
 * A connection reads into a 16 KiB slab that it holds only while bytes are in it. The head of a
 * request is copied to the request's arena, so the slab is free for the body. The next request is
 * looked at only when the answer to this one has been taken by the kernel: that keeps order under
 * pipelining, and is the back-pressure on a client that does not read.
 */
#include "base/buf.h"
#include "http/h1_parse.h"
#include "http/server_priv.h"
#include "net/sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_PARTS_MAX = 32, DRAIN_BODY_MAX = 256 * 1024, LINGER_MS = 1000, FRAME_BYTES = 20 };

enum body_mode {
    BODY_NOT_ASKED, /* The handler has not said what it wants. */
    BODY_COLLECT,
    BODY_RECEIVE,
    BODY_DISCARD, /* Answered already. */
    BODY_READ,    /* All of it. */
};

struct out { /* One piece waiting to be sent. */
    struct http_bytes body;
    char frame[FRAME_BYTES]; /* The chunk's size line. */
    uint8_t frame_len;
    bool chunk_end; /* CRLF after it. */
};

struct h1_exchange {
    struct exchange x;
    struct arena arena;
    struct h1_connection *connection;
    struct h1_request request;

    enum body_mode body_mode;
    int64_t body_left; /* With a Content-Length. */
    struct h1_chunks chunks;
    struct buf collected;
    size_t collect_max;
    size_t unconsumed;
    size_t discarded;
    void (*collect_done)(struct exchange *x, str_t body);
    void (*piece)(struct exchange *x, str_t bytes);
    void (*end)(struct exchange *x);

    bool begun;
    bool ended;
    bool chunked_out;
    bool no_body_out; /* HEAD, 204, 304: the length is told, the bytes are not sent. */
};

struct h1_connection {
    struct list link;
    struct http_server *server;
    struct stream stream;
    struct timer timer;
    struct post flush;
    struct h1_exchange *exchange; /* NULL between requests. */
    char *slab;
    unsigned slab_len, slab_at;
    size_t scanned;
    struct out *out;
    unsigned n_out, out_at, out_cap;
    size_t out_sent; /* Of the first piece. */
    size_t out_bytes;
    bool flush_waiting;
    bool close_after; /* This answer is the last. */
    bool lingering;   /* Our side has finished; what comes is thrown away. */
    bool dead;
    bool busy; /* connection_run() is on the stack. */
};

static const struct exchange_ops h1_ops;
static void connection_run(struct h1_connection *c);
static void connection_close(struct h1_connection *c);

static struct h1_exchange *exchange_of(struct exchange *x)
{
    return CONTAINER_OF(x, struct h1_exchange, x);
}

/* --- the end --- */

static void connection_free(struct stream *stream)
{
    struct h1_connection *c = CONTAINER_OF(stream, struct h1_connection, stream);
    if (c->flush_waiting)
        return; /* on_flush() comes, and then frees. */
    free(c->out);
    free(c);
}

static void out_release(struct h1_connection *c)
{
    for (; c->out_at < c->n_out; c->out_at++)
        if (c->out[c->out_at].body.release != NULL)
            c->out[c->out_at].body.release(c->out[c->out_at].body.owner);
    c->n_out = c->out_at = 0;
    c->out_bytes = c->out_sent = 0;
}

static void exchange_free(struct h1_connection *c)
{
    struct h1_exchange *e = c->exchange;
    c->exchange = NULL;
    buf_done(&e->collected);
    arena_done(&e->arena);
    free(e);
}

static void connection_close(struct h1_connection *c)
{
    if (c->dead)
        return;
    c->dead = true;
    timer_stop(&c->timer);
    if (c->exchange != NULL) {
        struct h1_exchange *e = c->exchange;
        if (!e->ended && e->x.on_gone != NULL)
            e->x.on_gone(&e->x);
        out_release(c);
        exchange_free(c);
    }
    out_release(c);
    if (c->slab != NULL)
        slab_give(c->server, c->slab);
    c->slab = NULL;
    server_connection_gone(c->server, &c->link);
    c->stream.freed = connection_free;
    bool now = stream_done(&c->stream);
    if (now && !c->busy)
        connection_free(&c->stream);
}

/* --- time --- */

static void linger_over(struct timer *timer)
{
    connection_close(CONTAINER_OF(timer, struct h1_connection, timer));
}

static void refuse(struct h1_connection *c, int status);

static void time_over(struct timer *timer)
{
    struct h1_connection *c = CONTAINER_OF(timer, struct h1_connection, timer);
    bool in_head = c->exchange == NULL && c->slab != NULL && c->slab_at < c->slab_len;
    bool in_body = c->exchange != NULL && !c->exchange->begun;
    if (!in_head && !in_body) {
        connection_close(c);
        return;
    }
    c->busy = true;
    refuse(c, 408);
    c->busy = false;
    if (c->dead && stream_done(&c->stream))
        connection_free(&c->stream);
}

static void set_timer(struct h1_connection *c)
{
    const struct http_server_limits *limits = &c->server->limits;
    if (c->dead || c->lingering)
        return;
    msec_t ms;
    if (c->exchange == NULL)
        ms = c->slab != NULL && c->slab_at < c->slab_len ? limits->head_ms : limits->idle_ms;
    else if (c->out_bytes > 0 || c->exchange->body_mode != BODY_READ)
        ms = limits->body_gap_ms;
    else
        ms = 0; /* The handler takes its time; that is its own affair. */
    if (ms == 0)
        timer_stop(&c->timer);
    else
        timer_set(c->server->loop, &c->timer, ms, time_over);
}

/* --- sending --- */

static void out_add(struct h1_connection *c, struct http_bytes body, bool chunk)
{
    if (c->out_at > 0 && c->out_at == c->n_out)
        c->out_at = c->n_out = 0;
    if (c->n_out == c->out_cap) {
        if (c->out_at > c->n_out / 2) {
            memmove(c->out, c->out + c->out_at, (c->n_out - c->out_at) * sizeof(*c->out));
            c->n_out -= c->out_at;
            c->out_at = 0;
        } else {
            c->out_cap = c->out_cap == 0 ? 4 : c->out_cap * 2;
            c->out = reallocarray(c->out, c->out_cap, sizeof(*c->out));
            MUST(c->out != NULL);
        }
    }
    struct out *out = &c->out[c->n_out++];
    *out = (struct out){.body = body, .chunk_end = chunk};
    if (chunk)
        out->frame_len =
            (uint8_t)snprintf(out->frame, sizeof(out->frame), "%zx\r\n", body.bytes.len);
    c->out_bytes += out->frame_len + body.bytes.len + (chunk ? 2 : 0);
}

static size_t out_parts(const struct h1_connection *c, struct iovec *parts)
{
    size_t n = 0, skip = c->out_sent;
    for (unsigned i = c->out_at; i < c->n_out && n + 3 <= OUT_PARTS_MAX; i++) {
        const struct out *out = &c->out[i];
        const str_t texts[3] = {
            {out->frame, out->frame_len}, out->body.bytes, {"\r\n", out->chunk_end ? 2 : 0}};
        for (int j = 0; j < 3; j++) {
            size_t cut = skip < texts[j].len ? skip : texts[j].len;
            skip -= cut;
            if (texts[j].len > cut)
                parts[n++] = (struct iovec){(char *)texts[j].at + cut, texts[j].len - cut};
        }
    }
    return n;
}

static void out_taken(struct h1_connection *c, size_t n)
{
    c->out_bytes -= n;
    c->out_sent += n;
    while (c->out_at < c->n_out) {
        struct out *out = &c->out[c->out_at];
        size_t whole = out->frame_len + out->body.bytes.len + (out->chunk_end ? 2u : 0u);
        if (c->out_sent < whole)
            return;
        c->out_sent -= whole;
        c->out_at++;
        if (out->body.release != NULL)
            out->body.release(out->body.owner);
    }
}

/* False: the connection is broken. */
static bool send_out(struct h1_connection *c)
{
    size_t before = c->out_bytes;
    while (c->out_bytes > 0) {
        struct iovec parts[OUT_PARTS_MAX];
        struct err err;
        size_t n = out_parts(c, parts);
        ssize_t put = stream_write(&c->stream, parts, (int)n, &err);
        if (put == STREAM_AGAIN)
            break;
        if (put < 0)
            return false;
        out_taken(c, (size_t)put);
    }
    if (c->out_bytes == 0)
        out_taken(c, 0); /* Pieces of no bytes. */
    struct h1_exchange *e = c->exchange;
    size_t low = c->server->limits.send_bytes_max / 2;
    if (e != NULL && !e->ended && before > low && c->out_bytes <= low && e->x.on_drain != NULL)
        e->x.on_drain(&e->x);
    return true;
}

static void on_flush(struct post *post)
{
    struct h1_connection *c = CONTAINER_OF(post, struct h1_connection, flush);
    c->flush_waiting = false;
    if (!c->dead)
        connection_run(c);
    else if (stream_done(&c->stream))
        connection_free(&c->stream);
}

static void flush_later(struct h1_connection *c)
{
    if (c->flush_waiting || c->busy || c->dead)
        return;
    c->flush_waiting = true;
    c->flush.run = on_flush;
    loop_later(c->server->loop, &c->flush);
}

static void render_head(struct h1_exchange *e, int status, const struct http_field *fields,
                        size_t n_fields, bool whole, size_t body_bytes)
{
    struct h1_connection *c = e->connection;
    size_t need = 256;
    for (size_t i = 0; i < n_fields; i++)
        need += fields[i].name.len + fields[i].value.len + 4;
    char *head = arena_bytes(&e->arena, need);
    str_t date = server_date(c->server);
    int n = snprintf(head, need, "HTTP/1.1 %d %s\r\nDate: " STR_F "\r\n", status,
                     http_reason(status), STR_A(date));
    size_t len = (size_t)n;
    for (size_t i = 0; i < n_fields; i++)
        len += (size_t)snprintf(head + len, need - len, STR_F ": " STR_F "\r\n",
                                STR_A(fields[i].name), STR_A(fields[i].value));
    if (whole && status != 204 && status >= 200)
        len += (size_t)snprintf(head + len, need - len, "Content-Length: %zu\r\n", body_bytes);
    else if (e->chunked_out)
        len += (size_t)snprintf(head + len, need - len, "Transfer-Encoding: chunked\r\n");
    if (c->close_after)
        len += (size_t)snprintf(head + len, need - len, "Connection: close\r\n");
    else if (e->request.head.version == 10)
        len += (size_t)snprintf(head + len, need - len, "Connection: keep-alive\r\n");
    len += (size_t)snprintf(head + len, need - len, "\r\n");
    MUST(len < need);
    out_add(c, (struct http_bytes){.bytes = {head, len}}, false);
}

static void h1_begin(struct exchange *x, int status, const struct http_field *fields,
                     size_t n_fields, bool whole, size_t body_bytes)
{
    struct h1_exchange *e = exchange_of(x);
    struct h1_connection *c = e->connection;
    MUST(!e->begun);
    e->begun = true;
    e->no_body_out = x->method == HTTP_HEAD || status == 204 || status == 304;
    e->chunked_out = !whole && x->version == 11 && !e->no_body_out;
    bool unread_much =
        e->body_mode != BODY_READ && (e->request.head.chunked || e->body_left > DRAIN_BODY_MAX);
    if (e->request.head.close || c->server->draining || unread_much ||
        (e->request.expect_continue && e->body_mode == BODY_NOT_ASKED) ||
        (!whole && x->version == 10))
        c->close_after = true;
    render_head(e, status, fields, n_fields, whole, body_bytes);
}

static void h1_write(struct exchange *x, struct http_bytes bytes)
{
    struct h1_exchange *e = exchange_of(x);
    MUST(e->begun && !e->ended);
    if (e->no_body_out || bytes.bytes.len == 0) {
        if (bytes.release != NULL)
            bytes.release(bytes.owner);
        return;
    }
    out_add(e->connection, bytes, e->chunked_out);
    flush_later(e->connection);
}

static void h1_flush(struct exchange *x)
{
    flush_later(exchange_of(x)->connection);
}

static void h1_end(struct exchange *x, const struct http_field *trailers, size_t n_trailers)
{
    struct h1_exchange *e = exchange_of(x);
    (void)trailers;
    (void)n_trailers; /* Only for a peer that sent `TE: trailers`; HTTP/2 carries them. */
    MUST(e->begun && !e->ended);
    e->ended = true;
    if (e->chunked_out)
        out_add(e->connection, (struct http_bytes){.bytes = STR("0\r\n\r\n")}, false);
    if (e->body_mode != BODY_READ)
        e->body_mode = BODY_DISCARD;
    if (!e->connection->busy)
        connection_run(e->connection);
}

static size_t h1_waiting(const struct exchange *x)
{
    return CONTAINER_OF(x, struct h1_exchange, x)->connection->out_bytes;
}

static void h1_abort(struct exchange *x)
{
    struct h1_connection *c = exchange_of(x)->connection;
    x->on_gone = NULL;
    c->close_after = true;
    exchange_of(x)->ended = true;
    out_release(c);
    connection_close(c);
}

/* --- receiving --- */

static void ask_for_body(struct h1_exchange *e, enum body_mode mode)
{
    MUST(e->body_mode == BODY_NOT_ASKED || e->body_mode == BODY_READ);
    struct h1_connection *c = e->connection;
    bool has_body = e->request.head.chunked || e->body_left > 0;
    if (has_body && e->request.expect_continue && c->slab_at == c->slab_len)
        out_add(c, (struct http_bytes){.bytes = STR("HTTP/1.1 100 Continue\r\n\r\n")}, false);
    if (e->body_mode == BODY_NOT_ASKED)
        e->body_mode = mode;
    flush_later(c);
}

static void too_large(struct h1_exchange *e)
{
    e->connection->close_after = true;
    http_answer_text(&e->x, 413, STR("text/plain; charset=utf-8"),
                     arena_printf(&e->arena, "the body has more than the %zu bytes allowed here\n",
                                  e->collect_max));
}

static void h1_collect(struct exchange *x, size_t bytes_max,
                       void (*done)(struct exchange *x, str_t body))
{
    struct h1_exchange *e = exchange_of(x);
    e->collect_max = bytes_max;
    if (!e->request.head.chunked && e->body_left > (int64_t)bytes_max) {
        too_large(e);
        return;
    }
    if (e->body_mode == BODY_READ) { /* There is none. */
        done(x, STR(""));
        return;
    }
    e->collect_done = done;
    ask_for_body(e, BODY_COLLECT);
}

static void h1_receive(struct exchange *x, void (*piece)(struct exchange *x, str_t bytes),
                       void (*end)(struct exchange *x))
{
    struct h1_exchange *e = exchange_of(x);
    if (e->body_mode == BODY_READ) {
        end(x);
        return;
    }
    e->piece = piece;
    e->end = end;
    ask_for_body(e, BODY_RECEIVE);
}

static void h1_consumed(struct exchange *x, size_t n)
{
    struct h1_exchange *e = exchange_of(x);
    MUST(n <= e->unconsumed);
    e->unconsumed -= n;
    if (e->unconsumed == 0)
        flush_later(e->connection);
}

static const struct exchange_ops h1_ops = {
    .collect = h1_collect,
    .receive = h1_receive,
    .consumed = h1_consumed,
    .begin = h1_begin,
    .write = h1_write,
    .flush = h1_flush,
    .end = h1_end,
    .waiting = h1_waiting,
    .abort = h1_abort,
};

/* Hands one piece of the body on. */
static void body_piece(struct h1_exchange *e, str_t data)
{
    switch (e->body_mode) {
    case BODY_COLLECT:
        if (e->collected.len + data.len > e->collect_max)
            too_large(e);
        else
            buf_add(&e->collected, data);
        return;
    case BODY_RECEIVE:
        e->unconsumed += data.len;
        e->piece(&e->x, data);
        return;
    case BODY_DISCARD:
        e->discarded += data.len;
        if (e->discarded > DRAIN_BODY_MAX)
            e->connection->close_after = true;
        return;
    case BODY_NOT_ASKED:
    case BODY_READ:
        return;
    }
}

static void body_end(struct h1_exchange *e)
{
    enum body_mode mode = e->body_mode;
    e->body_mode = BODY_READ;
    if (mode == BODY_COLLECT)
        e->collect_done(&e->x, buf_str(&e->collected));
    else if (mode == BODY_RECEIVE)
        e->end(&e->x);
}

/* Uses what the slab holds. False: nothing more can be done with it now. */
static bool body_step(struct h1_connection *c)
{
    struct h1_exchange *e = c->exchange;
    if (e->body_mode == BODY_NOT_ASKED || e->body_mode == BODY_READ || e->unconsumed > 0)
        return false;
    str_t bytes = {c->slab + c->slab_at, c->slab_len - c->slab_at}, data = bytes;
    if (!e->request.head.chunked) {
        if (bytes.len == 0)
            return false;
        if ((int64_t)data.len > e->body_left)
            data.len = (size_t)e->body_left;
        e->body_left -= (int64_t)data.len;
        c->slab_at += (unsigned)data.len;
        body_piece(e, data);
        if (c->exchange == e && e->body_left == 0)
            body_end(e);
        return !c->dead;
    }
    ssize_t used = h1_chunk_next(&e->chunks, bytes, &data);
    if (used < 0) {
        if (e->begun)
            connection_close(c);
        else
            refuse(c, 400);
        return false;
    }
    c->slab_at += (unsigned)used;
    if (data.len > 0)
        body_piece(e, data);
    if (!c->dead && e->chunks.state == CHUNK_DONE && e->body_mode != BODY_READ)
        body_end(e);
    return !c->dead && used > 0;
}

/* --- one request after the other --- */

static enum http_method method_of(str_t text)
{
    static const struct {
        str_t text;
        enum http_method method;
    } rows[] = {
        {STR("GET"), HTTP_GET},         {STR("HEAD"), HTTP_HEAD},
        {STR("POST"), HTTP_POST},       {STR("PUT"), HTTP_PUT},
        {STR("PATCH"), HTTP_PATCH},     {STR("DELETE"), HTTP_DELETE},
        {STR("OPTIONS"), HTTP_OPTIONS}, {STR("CONNECT"), HTTP_CONNECT},
        {STR("TRACE"), HTTP_TRACE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq(rows[i].text, text))
            return rows[i].method;
    return HTTP_OTHER;
}

static void refuse(struct h1_connection *c, int status)
{
    if (c->exchange != NULL) {
        struct h1_exchange *e = c->exchange;
        if (e->begun) {
            connection_close(c);
            return;
        }
        if (e->x.on_gone != NULL)
            e->x.on_gone(&e->x);
        exchange_free(c);
    }
    struct h1_exchange *e = calloc(1, sizeof(*e));
    MUST(e != NULL);
    e->connection = c;
    e->x = (struct exchange){.ops = &h1_ops, .arena = &e->arena, .loop = c->server->loop};
    e->body_mode = BODY_READ;
    e->request.head.version = 11;
    c->exchange = e;
    c->close_after = true;
    c->slab_at = c->slab_len; /* Nothing behind it is looked at. */
    http_answer_text(&e->x, status, STR("text/plain; charset=utf-8"),
                     arena_printf(&e->arena, "%d %s\n", status, http_reason(status)));
}

static struct h1_exchange *exchange_new(struct h1_connection *c, size_t head_len, int *status)
{
    struct h1_exchange *e = malloc(sizeof(*e));
    MUST(e != NULL);
    memset(e, 0, offsetof(struct h1_exchange, request));
    size_t after = offsetof(struct h1_exchange, body_mode);
    memset((char *)e + after, 0, sizeof(*e) - after);
    e->connection = c;
    str_t head = arena_str(&e->arena, (str_t){c->slab + c->slab_at, head_len});
    *status = h1_parse_request(head, &e->request);
    if (*status < 0) {
        arena_done(&e->arena);
        free(e);
        return NULL;
    }
    const struct h1_request *r = &e->request;
    e->body_left = r->head.content_length > 0 ? r->head.content_length : 0;
    e->body_mode = r->head.chunked || e->body_left > 0 ? BODY_NOT_ASKED : BODY_READ;
    struct exchange *x = &e->x;
    *x = (struct exchange){.ops = &h1_ops,
                           .method = method_of(r->method),
                           .method_text = r->method,
                           .target = r->target,
                           .host = r->host,
                           .fields = r->head.fields,
                           .n_fields = r->head.n_fields,
                           .version = r->head.version,
                           .arena = &e->arena,
                           .body_bytes = r->head.chunked ? -1 : e->body_left,
                           .loop = c->server->loop,
                           .tls = c->stream.tls};
    str_cut(r->target, '?', &x->path, &x->query);
    if (c->stream.tls == NULL)
        x->local = socket_peer_uid(c->stream.watch.fd, &x->peer_uid);
    return e;
}

/* False: no whole head is there. */
static bool next_request(struct h1_connection *c)
{
    if (c->slab == NULL || c->slab_at == c->slab_len)
        return false;
    int len = h1_head_len((str_t){c->slab + c->slab_at, c->slab_len - c->slab_at}, &c->scanned);
    if (len == 0)
        return false;
    c->scanned = 0;
    int status = len;
    struct h1_exchange *e = len < 0 ? NULL : exchange_new(c, (size_t)len, &status);
    if (e == NULL) {
        refuse(c, -status);
        return true;
    }
    c->slab_at += (unsigned)len;
    c->exchange = e;
    c->server->handler.head(c->server->handler.self, &e->x);
    return true;
}

static void linger(struct h1_connection *c)
{
    c->lingering = true;
    c->slab_at = c->slab_len;
    stream_finish(&c->stream);
    stream_want(&c->stream, LOOP_READ);
    timer_set(c->server->loop, &c->timer, LINGER_MS, linger_over);
}

/* The answer is out and the body is read: what comes after this exchange? True: go on. */
static bool exchange_over(struct h1_connection *c)
{
    struct h1_exchange *e = c->exchange;
    if (!e->ended || c->out_bytes > 0)
        return false;
    if (c->close_after) {
        out_release(c);
        exchange_free(c);
        linger(c);
        return false;
    }
    if (e->body_mode != BODY_READ)
        return false;
    out_release(c);
    exchange_free(c);
    return true;
}

static void want(struct h1_connection *c)
{
    struct h1_exchange *e = c->exchange;
    bool room = c->slab == NULL || c->slab_len - c->slab_at < SLAB_BYTES;
    /* While a handler works nothing need be read, but a peer that goes away should be noticed. */
    bool read =
        room && (e == NULL || e->body_mode != BODY_NOT_ASKED) && (e == NULL || e->unconsumed == 0);
    stream_want(&c->stream, (read ? LOOP_READ : 0) | (c->out_bytes > 0 ? LOOP_WRITE : 0));
}

static void slab_settle(struct h1_connection *c)
{
    if (c->slab != NULL && c->slab_at == c->slab_len) {
        slab_give(c->server, c->slab);
        c->slab = NULL;
        c->slab_at = c->slab_len = 0;
        c->scanned = 0;
    }
}

/* Does everything that can be done now, then says what it waits for. */
static void connection_run(struct h1_connection *c)
{
    MUST(!c->busy);
    c->busy = true;
    bool more = true;
    while (more && !c->dead && !c->lingering) {
        more = c->exchange == NULL ? next_request(c) : body_step(c);
        if (c->dead || c->lingering)
            break;
        if (c->out_bytes > 0 && !send_out(c)) {
            connection_close(c);
            break;
        }
        if (!c->dead && c->exchange != NULL && exchange_over(c))
            more = true;
        if (!c->dead && c->exchange == NULL && c->server->draining && !c->lingering) {
            linger(c);
            break;
        }
    }
    c->busy = false;
    if (c->dead) {
        if (stream_done(&c->stream))
            connection_free(&c->stream);
        return;
    }
    slab_settle(c);
    if (!c->lingering)
        want(c);
    set_timer(c);
}

static bool read_some(struct h1_connection *c)
{
    if (c->slab == NULL)
        c->slab = slab_take(c->server);
    if (c->slab_len == SLAB_BYTES && c->slab_at > 0) {
        memmove(c->slab, c->slab + c->slab_at, c->slab_len - c->slab_at);
        c->slab_len -= c->slab_at;
        c->slab_at = 0;
    }
    if (c->slab_len == SLAB_BYTES)
        return true; /* A pipelined request waits for this answer. */
    struct err err;
    ssize_t n = stream_read(&c->stream, c->slab + c->slab_len, SLAB_BYTES - c->slab_len, &err);
    if (n == STREAM_AGAIN)
        return true;
    if (n <= 0)
        return false;
    c->slab_len += (unsigned)n;
    if (c->lingering)
        c->slab_at = c->slab_len;
    return true;
}

static void connection_ready(struct stream *stream, unsigned events)
{
    struct h1_connection *c = CONTAINER_OF(stream, struct h1_connection, stream);
    /*
     * A peer that has finished sending while we answer may still read, but keeping to that costs a
     * watch its only sign of a client that went away. So end of file is the end of the connection.
     */
    if ((events & LOOP_READ) && !read_some(c)) {
        connection_close(c);
        return;
    }
    if ((events & LOOP_HANGUP) && !(events & LOOP_READ)) {
        connection_close(c);
        return;
    }
    if (c->lingering) {
        slab_settle(c);
        return;
    }
    connection_run(c);
}

void h1_connection_new(struct http_server *server, int fd, struct tls_config *tls)
{
    struct h1_connection *c = calloc(1, sizeof(*c));
    MUST(c != NULL);
    c->server = server;
    struct err err;
    if (stream_init(&c->stream, server->loop, fd, tls, NULL, connection_ready, &err) < 0) {
        free(c);
        return;
    }
    list_add_before(&server->connections, &c->link);
    server->n_connections++;
    stream_want(&c->stream, LOOP_READ);
    timer_set(server->loop, &c->timer, server->limits.head_ms, time_over);
}

void h1_connection_drain(struct list *link)
{
    struct h1_connection *c = CONTAINER_OF(link, struct h1_connection, link);
    if (c->exchange == NULL && (c->slab == NULL || c->slab_at == c->slab_len) && !c->lingering)
        linger(c);
}

void h1_connection_cut(struct list *link)
{
    connection_close(CONTAINER_OF(link, struct h1_connection, link));
}
