/*
 * ws_client.c - a connection of our own that becomes a tunnel, with an exchange around it so that
 * websocket.c does not know which end it is.
 */
#include "codec/base64.h"
#include "http/exchange_priv.h"
#include "http/h1_parse.h"
#include "http/out.h"
#include "http/websocket_priv.h"
#include "net/sockets.h"
#include "net/stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { IN_BYTES = HTTP_HEAD_BYTES_MAX, OPEN_MS = 60000, KEY_BYTES = 16 };

struct ws_client {
    struct exchange x;
    struct arena arena;
    struct stream stream;
    struct timer timer;
    struct ws_handler handler;
    struct out_queue out;
    str_t key; /* Of the handshake. */
    size_t in_len, scanned;
    size_t unconsumed; /* The tunnel's reader has not given them back. */
    void (*piece)(struct exchange *x, str_t bytes);
    void (*end)(struct exchange *x);
    bool open; /* A tunnel. */
    bool ended, dead, busy;
    char in[IN_BYTES];
};

static struct ws_client *client_of(const struct exchange *x)
{
    return CONTAINER_OF(x, struct ws_client, x);
}

static void stream_freed(struct stream *stream)
{
    free(CONTAINER_OF(stream, struct ws_client, stream));
}

static void client_free(struct ws_client *c)
{
    timer_stop(&c->timer);
    out_done(&c->out);
    arena_done(&c->arena);
    c->stream.freed = stream_freed;
    if (stream_done(&c->stream))
        free(c);
}

static void client_end(struct ws_client *c)
{
    c->dead = true;
    if (!c->busy)
        client_free(c);
}

/* The peer has gone, or nothing came of it. */
static void gone(struct ws_client *c, const char *why)
{
    bool open = c->open;
    void (*on_gone)(struct exchange *) = c->x.on_gone;
    c->x.on_gone = NULL;
    c->busy = true;
    if (open && !c->ended && on_gone != NULL)
        on_gone(&c->x);
    else if (!open && c->handler.closed != NULL)
        c->handler.closed(NULL, WS_ABNORMAL, str_from_z(why));
    c->busy = false;
    client_end(c);
}

static void time_over(struct timer *timer)
{
    gone(CONTAINER_OF(timer, struct ws_client, timer), "no answer in time");
}

/* --- the tunnel, as an exchange --- */

static void want(struct ws_client *c)
{
    bool read = !c->open || c->unconsumed == 0;
    stream_want(&c->stream, (read ? LOOP_READ : 0) | (c->out.bytes > 0 ? LOOP_WRITE : 0));
}

static void x_receive(struct exchange *x, void (*piece)(struct exchange *x, str_t bytes),
                      void (*end)(struct exchange *x))
{
    client_of(x)->piece = piece;
    client_of(x)->end = end;
}

static void x_consumed(struct exchange *x, size_t n)
{
    struct ws_client *c = client_of(x);
    MUST(n <= c->unconsumed);
    c->unconsumed -= n;
    if (!c->busy && !c->dead)
        want(c);
}

static void x_write(struct exchange *x, struct http_bytes bytes)
{
    struct ws_client *c = client_of(x);
    out_add(&c->out, bytes);
    if (!c->busy && !c->dead)
        want(c);
}

static void x_flush(struct exchange *x)
{
    (void)x;
}

/* What waits is still sent; then the connection is closed. */
static void x_end(struct exchange *x, const struct http_field *trailers, size_t n_trailers)
{
    struct ws_client *c = client_of(x);
    (void)trailers;
    (void)n_trailers;
    c->ended = true;
    if (!c->busy)
        stream_want(&c->stream, LOOP_WRITE);
}

static size_t x_waiting(const struct exchange *x)
{
    return client_of(x)->out.bytes;
}

static void x_abort(struct exchange *x)
{
    struct ws_client *c = client_of(x);
    x->on_gone = NULL;
    c->ended = true;
    client_end(c);
}

static const struct exchange_ops tunnel_ops = {
    /* The rest is for servers. */
    .receive = x_receive, .consumed = x_consumed, .write = x_write, .flush = x_flush,
    .end = x_end,         .waiting = x_waiting,   .abort = x_abort,
};

/* --- the handshake --- */

static void render(struct ws_client *c, const struct ws_dial *dial)
{
    unsigned char dice[KEY_BYTES];
    struct buf out = {0};
    const char *host = dial->server_name != NULL ? dial->server_name : "localhost";
    MUST(getrandom(dice, sizeof(dice), 0) == (ssize_t)sizeof(dice));
    c->key = base64_encode((str_t){(const char *)dice, sizeof(dice)}, &c->arena);
    buf_printf(&out,
               "GET " STR_F " HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " STR_F "\r\n",
               STR_A(dial->target), host, STR_A(c->key));
    if (dial->subprotocols != NULL)
        buf_printf(&out, "Sec-WebSocket-Protocol: %s\r\n", dial->subprotocols);
    for (size_t i = 0; i < dial->n_fields; i++)
        buf_printf(&out, STR_F ": " STR_F "\r\n", STR_A(dial->fields[i].name),
                   STR_A(http_clean_value(dial->fields[i].value, &c->arena)));
    buf_add(&out, STR("\r\n"));
    out_add(&c->out, (struct http_bytes){buf_str(&out), free, out.at});
}

static str_t field_of(const struct h1_response *answer, str_t name)
{
    for (size_t i = 0; i < answer->head.n_fields; i++)
        if (http_name_eq(answer->head.fields[i].name, name))
            return answer->head.fields[i].value;
    return STR("");
}

/* NULL: it is one. */
static const char *why_not(struct ws_client *c, const struct h1_response *answer)
{
    if (answer->status != 101)
        return arena_printf(&c->arena, "the server answered %d instead", answer->status).at;
    if (!http_name_eq(field_of(answer, STR("Upgrade")), STR("websocket")) ||
        !str_eq(field_of(answer, STR("Sec-WebSocket-Accept")), ws_accept_key(c->key, &c->arena)))
        return "the answer is no WebSocket handshake";
    return NULL;
}

/* False: it came to nothing, and `c` is gone. */
static bool read_head(struct ws_client *c)
{
    struct h1_response *answer = arena_new(&c->arena, struct h1_response);
    int len = h1_head_len((str_t){c->in, c->in_len}, &c->scanned);
    if (len == 0 && c->in_len < IN_BYTES)
        return true;
    const char *why = "the answer is not HTTP";
    if (len > 0 && h1_parse_response((str_t){c->in, (size_t)len}, false, answer) == 0)
        why = why_not(c, answer);
    if (why != NULL) {
        gone(c, why);
        return false;
    }
    timer_stop(&c->timer);
    c->open = true;
    struct websocket *ws = ws_begin(&c->x, &c->handler, false);
    str_t chosen = arena_str(&c->arena, field_of(answer, STR("Sec-WebSocket-Protocol")));
    if (c->handler.opened != NULL)
        c->handler.opened(ws, chosen);
    str_t rest = {c->in + len, c->in_len - (size_t)len};
    c->in_len = 0;
    if (rest.len > 0 && !c->dead && !c->ended) {
        c->unconsumed += rest.len;
        c->piece(&c->x, rest);
    }
    return true;
}

/* False: `c` is gone. */
static bool read_some(struct ws_client *c)
{
    struct err err;
    size_t at = c->open ? 0 : c->in_len;
    ssize_t n = stream_read(&c->stream, c->in + at, IN_BYTES - at, &err);
    if (n == STREAM_AGAIN)
        return true;
    if (n <= 0) {
        gone(c, n == 0 ? "the server closed the connection" : err.text);
        return false;
    }
    c->busy = true;
    if (c->open) {
        c->unconsumed += (size_t)n;
        c->piece(&c->x, (str_t){c->in, (size_t)n});
    } else {
        c->in_len += (size_t)n;
        if (!read_head(c))
            return false;
    }
    c->busy = false;
    return true;
}

static void on_ready(struct stream *stream, unsigned events)
{
    struct ws_client *c = CONTAINER_OF(stream, struct ws_client, stream);
    bool may_read = !c->open || c->unconsumed == 0;
    if ((events & (LOOP_READ | LOOP_HANGUP)) && may_read && !c->ended && !read_some(c))
        return;
    if (!c->dead && out_send(&c->out, &c->stream) < 0) {
        gone(c, "the connection broke");
        return;
    }
    if (c->dead || (c->ended && c->out.bytes == 0)) {
        client_end(c);
        return;
    }
    if (c->ended) {
        stream_want(&c->stream, LOOP_WRITE);
        return;
    }
    if (c->out.bytes == 0 && c->open && c->x.on_drain != NULL)
        c->x.on_drain(&c->x);
    want(c);
}

int ws_dial(struct loop *loop, const struct ws_dial *dial, const struct ws_handler *handler,
            struct err *err)
{
    int fd = dial->unix_path != NULL ? socket_dial_unix(dial->unix_path, err)
                                     : socket_dial_tcp(dial->address, dial->port, err);
    if (fd < 0)
        return fd;
    struct ws_client *c = calloc(1, sizeof(*c));
    MUST(c != NULL);
    int r = stream_init(&c->stream, loop, fd, dial->tls, dial->server_name, on_ready, err);
    if (r < 0) {
        free(c);
        return r;
    }
    c->x = (struct exchange){.ops = &tunnel_ops,
                             .method = HTTP_GET,
                             .version = 11,
                             .arena = &c->arena,
                             .loop = loop,
                             .tls = c->stream.tls};
    c->handler = *handler;
    out_init(&c->out);
    render(c, dial);
    timer_set(loop, &c->timer, dial->open_ms > 0 ? dial->open_ms : OPEN_MS, time_over);
    stream_want(&c->stream, LOOP_READ | LOOP_WRITE);
    return 0;
}
