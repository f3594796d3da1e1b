/*
 * h1_server.c - one HTTP/1.1 connection: requests in, answers out, in order.
 *
 * A connection reads into a 16 KiB slab that it holds only while bytes are in it. The head of a
 * request is copied to the request's arena, so the slab is free for the body. The next request is
 * looked at only when the answer to this one has been taken by the kernel: that keeps order under
 * pipelining, and is the back-pressure on a client that does not read.
 */
#include "http/h1_priv.h"

#include <stdlib.h>
#include <string.h>

enum { LINGER_MS = 2000 };

static const str_t h2_preface = STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

static struct h1_connection *connection_of(struct connection *base)
{
    return CONTAINER_OF(base, struct h1_connection, base);
}

static str_t slab_bytes(const struct h1_connection *c)
{
    return (str_t){c->slab + c->slab_at, c->slab_len - c->slab_at};
}

static void slab_settle(struct h1_connection *c)
{
    if (c->slab == NULL || c->slab_at < c->slab_len)
        return;
    slab_give(c->base.server, c->slab);
    c->slab = NULL;
    c->slab_at = c->slab_len = c->scanned = 0;
}

/* Our side has finished. Closing now could reset what the peer has not read (RFC 9112, 9.6). */
static void linger(struct h1_connection *c)
{
    c->lingering = true;
    c->slab_at = c->slab_len;
    c->wait = WAIT_LINGER;
    stream_finish(&c->base.stream);
    stream_want(&c->base.stream, LOOP_READ);
    connection_deadline(&c->base, LINGER_MS);
}

/* --- requests --- */

/* Answers in place of a handler, and is the last thing this connection says. */
static void refuse(struct h1_connection *c, int status)
{
    struct h1_exchange *e = c->exchange;
    if (e != NULL) {
        h1_exchange_gone(e);
        if (e->begun) {
            connection_close(&c->base);
            return;
        }
        h1_exchange_free(e);
    }
    e = c->exchange = h1_exchange_new(c);
    memset(&e->request, 0, sizeof(e->request));
    c->close_after = true;
    c->slab_at = c->slab_len; /* Nothing behind it is looked at. */
    http_answer_text(&e->x, status, STR("text/plain; charset=utf-8"),
                     arena_printf(&e->arena, "%d %s\n", status, http_reason(status)));
}

static void describe(struct h1_exchange *e)
{
    const struct h1_request *r = &e->request;
    struct exchange *x = &e->x;
    e->body_left = r->head.content_length > 0 ? r->head.content_length : 0;
    e->in = r->head.chunked || e->body_left > 0 ? IN_UNASKED : IN_DONE;
    x->method = http_method_of(r->method);
    x->method_text = r->method;
    x->target = r->target;
    x->host = r->host;
    x->fields = r->head.fields;
    x->n_fields = r->head.n_fields;
    x->version = r->head.version;
    x->body_bytes = r->head.chunked ? -1 : e->body_left;
    str_cut(r->target, '?', &x->path, &x->query);
    if (r->head.upgrade && r->head.version == 11 && e->in == IN_DONE)
        x->offer = http_get(x, STR("Upgrade"));
}

/* False: no whole head is there. */
static bool next_request(struct h1_connection *c)
{
    if (c->slab_at == c->slab_len)
        return false;
    size_t scanned = c->scanned;
    int len = h1_head_len(slab_bytes(c), &scanned);
    c->scanned = (unsigned)scanned;
    if (len == 0)
        return false;
    c->scanned = 0;
    c->fresh = false;
    c->wait = WAIT_HANDLER; /* Whatever comes next has its own time. */
    if (len < 0) {
        refuse(c, -len);
        return true;
    }
    struct h1_exchange *e = c->exchange = h1_exchange_new(c);
    str_t head = arena_str(&e->arena, (str_t){c->slab + c->slab_at, (size_t)len});
    c->slab_at += (unsigned)len;
    int status = h1_parse_request(head, &e->request);
    if (status < 0) {
        refuse(c, -status);
        return true;
    }
    describe(e);
    c->base.server->handler.head(c->base.server->handler.self, &e->x);
    return true;
}

static bool body_bytes(struct h1_connection *c, struct h1_exchange *e)
{
    str_t data = slab_bytes(c);
    if (!e->tunnel && (uint64_t)e->body_left < data.len)
        data.len = (size_t)e->body_left;
    if (!e->tunnel)
        e->body_left -= (int64_t)data.len;
    c->slab_at += (unsigned)data.len;
    h1_body_piece(e, data);
    if (!c->base.dead && !e->tunnel && e->body_left == 0)
        h1_body_end(e);
    return true;
}

/* Uses what the slab holds of the body. False: nothing more can be done with it now. */
static bool body_step(struct h1_connection *c)
{
    struct h1_exchange *e = c->exchange;
    if (e->in == IN_UNASKED || e->in == IN_DONE || e->unconsumed > 0 || c->slab_at == c->slab_len)
        return false;
    if (!e->request.head.chunked)
        return body_bytes(c, e);
    str_t data;
    ssize_t used = h1_chunk_next(&e->chunks, slab_bytes(c), &data);
    if (used < 0) {
        refuse(c, 400);
        return true;
    }
    c->slab_at += (unsigned)used;
    if (data.len > 0)
        h1_body_piece(e, data);
    if (!c->base.dead && e->chunks.state == CHUNK_DONE)
        h1_body_end(e);
    return used > 0;
}

/* --- turns --- */

/* What comes after this exchange? True: it is over, and the connection goes on. */
static bool exchange_over(struct h1_connection *c)
{
    struct h1_exchange *e = c->exchange;
    if (!e->ended || e->out.bytes > 0 || (e->in != IN_DONE && !c->close_after))
        return false;
    c->exchange = NULL;
    h1_exchange_free(e);
    if (!c->close_after)
        return true;
    linger(c);
    return false;
}

static void want(struct h1_connection *c)
{
    const struct h1_exchange *e = c->exchange;
    bool room = c->slab_len - c->slab_at < SLAB_BYTES;
    /* While a handler works nothing need be read, but a peer that goes away should be noticed. */
    bool read = room && !c->eof && (e == NULL || (e->in != IN_UNASKED && e->unconsumed == 0));
    bool write = e != NULL && e->out.bytes > 0;
    stream_want(&c->base.stream, (read ? LOOP_READ : 0) | (write ? LOOP_WRITE : 0));
}

static enum h1_wait wait_for(const struct h1_connection *c)
{
    const struct h1_exchange *e = c->exchange;
    if (e == NULL)
        return c->fresh || c->slab_at < c->slab_len ? WAIT_HEAD : WAIT_NEXT;
    if (e->out.bytes > 0)
        return WAIT_READER;
    bool reading = e->in == IN_COLLECT || e->in == IN_RECEIVE || e->in == IN_DISCARD;
    return reading && !e->tunnel && e->unconsumed == 0 ? WAIT_BODY : WAIT_HANDLER;
}

static void set_deadline(struct h1_connection *c)
{
    const struct http_server_limits *limits = &c->base.server->limits;
    enum h1_wait wait = wait_for(c);
    bool same = wait == c->wait;
    c->wait = wait;
    switch (wait) {
    case WAIT_HANDLER: /* It takes its time; that is its own affair. */
        connection_deadline(&c->base, 0);
        return;
    case WAIT_HEAD: /* For the whole of it, however slowly it drips. */
        if (!same)
            connection_deadline(&c->base, limits->head_ms);
        return;
    case WAIT_NEXT:
        if (!same)
            connection_deadline(&c->base, limits->idle_ms);
        return;
    case WAIT_BODY:
    case WAIT_READER:
        if (!same || c->progress)
            connection_deadline(&c->base, limits->body_gap_ms);
        return;
    case WAIT_LINGER:
        return;
    }
}

static bool closes_now(const struct h1_connection *c)
{
    return c->exchange == NULL && c->base.server->draining && !c->fresh &&
           c->slab_at == c->slab_len;
}

/* Does everything that can be done now, then says what it waits for. */
static void go_on(struct h1_connection *c)
{
    bool more = true;
    while (more && !c->base.dead && !c->lingering) {
        more = c->exchange == NULL ? next_request(c) : body_step(c);
        if (c->base.dead || c->exchange == NULL)
            break;
        if (more && !c->exchange->ended)
            continue;
        if (h1_exchange_send(c->exchange) < 0)
            connection_close(&c->base);
        else if (!c->base.dead && exchange_over(c))
            more = true;
    }
    if (c->base.dead)
        return;
    if (!c->lingering && closes_now(c))
        linger(c);
    slab_settle(c);
    if (c->lingering)
        return;
    want(c);
    set_deadline(c);
    c->progress = false;
}

/* Bytes, 0 at the end, STREAM_AGAIN or an error. */
static ssize_t read_some(struct h1_connection *c)
{
    if (c->slab == NULL)
        c->slab = slab_take(c->base.server);
    if (c->slab_len == SLAB_BYTES && c->slab_at > 0) {
        memmove(c->slab, c->slab + c->slab_at, c->slab_len - c->slab_at);
        c->slab_len -= c->slab_at;
        c->slab_at = 0;
    }
    if (c->slab_len == SLAB_BYTES)
        return STREAM_AGAIN; /* A pipelined request waits for this answer. */
    struct err err;
    ssize_t n = stream_read(&c->base.stream, c->slab + c->slab_len, SLAB_BYTES - c->slab_len, &err);
    if (n > 0) {
        c->slab_len += (unsigned)n;
        c->progress = true;
    }
    return n;
}

/*
 * A peer that has finished sending may still read. A tunnel goes on in one direction, and an answer
 * that is complete is sent to its end. But while a handler works it is the only sign of a client
 * that went away, and watches must not outlive theirs: so then it ends the connection.
 */
static bool goes_on_after_eof(struct h1_connection *c)
{
    struct h1_exchange *e = c->exchange;
    c->eof = true;
    c->close_after = true;
    if (e == NULL || c->lingering)
        return false;
    if (e->tunnel && e->in == IN_RECEIVE)
        h1_body_end(e);
    return !c->base.dead && (e->tunnel || (e->ended && e->in == IN_DONE));
}

/* Is it HTTP/2? Asked once, with the first bytes. */
static bool is_h2(struct h1_connection *c, bool *undecided)
{
    str_t bytes = slab_bytes(c);
    if (c->base.stream.tls != NULL && str_eq(tls_alpn(c->base.stream.tls), STR("h2")))
        return true;
    *undecided = bytes.len < h2_preface.len && str_starts(h2_preface, bytes);
    return str_starts(bytes, h2_preface);
}

static void h1_turn(struct connection *base, unsigned events)
{
    struct h1_connection *c = connection_of(base);
    if (events & LOOP_READ) {
        ssize_t n = read_some(c);
        if ((n < 0 && n != STREAM_AGAIN) || (n == 0 && !goes_on_after_eof(c))) {
            connection_close(base);
            return;
        }
    } else if (events & LOOP_HANGUP) {
        connection_close(base);
        return;
    }
    if (c->lingering) {
        c->slab_at = c->slab_len;
        slab_settle(c);
        return;
    }
    bool undecided = false;
    if (c->fresh && c->slab_at < c->slab_len && is_h2(c, &undecided)) {
        char *slab = c->slab;
        str_t bytes = slab_bytes(c);
        c->slab = NULL;
        c->slab_at = c->slab_len = 0;
        h2_take_over(base, bytes);
        slab_give(base->server, slab);
        return;
    }
    if (!undecided)
        go_on(c);
}

static void h1_late(struct connection *base)
{
    struct h1_connection *c = connection_of(base);
    bool has_bytes = c->slab_at < c->slab_len;
    switch (c->wait) {
    case WAIT_HEAD:
    case WAIT_BODY:
        if (c->exchange == NULL && !has_bytes)
            break; /* It never said anything. */
        if (c->exchange != NULL && c->exchange->ended)
            break;
        refuse(c, 408);
        go_on(c);
        return;
    case WAIT_NEXT:
    case WAIT_READER:
    case WAIT_LINGER:
    case WAIT_HANDLER:
        break;
    }
    connection_close(base);
}

static void h1_drain(struct connection *base)
{
    struct h1_connection *c = connection_of(base);
    if (closes_now(c) && !c->lingering)
        linger(c);
    else if (c->fresh && c->slab_at == c->slab_len) /* Its request may be on the way. */
        connection_deadline(base, FIRST_REQUEST_GRACE_MS);
}

static void h1_gone(struct connection *base)
{
    struct h1_connection *c = connection_of(base);
    struct h1_exchange *e = c->exchange;
    if (e != NULL) {
        h1_exchange_gone(e);
        c->exchange = NULL;
        h1_exchange_free(e);
    }
    c->slab_at = c->slab_len;
    slab_settle(c);
}

static const struct connection_ops h1_ops = {
    .turn = h1_turn,
    .late = h1_late,
    .drain = h1_drain,
    .gone = h1_gone,
};

void h1_connection_new(struct http_server *server, const struct arrival *arrival)
{
    struct h1_connection *c = calloc(1, sizeof(*c));
    MUST(c != NULL);
    _Static_assert(sizeof(*c) <= 384, "an idle connection is small");
    if (!connection_init(&c->base, server, &h1_ops, arrival)) {
        free(c);
        return;
    }
    c->fresh = true;
    c->wait = WAIT_HEAD;
    stream_want(&c->base.stream, LOOP_READ);
    connection_deadline(&c->base, server->limits.head_ms);
}
