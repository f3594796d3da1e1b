/*
 * relay.c - one connection beside an exchange. Each side is read only while the other has taken
 * most of what came before.
 */
#include "http/relay.h"

#include "base/buf.h"
#include "http/h1_parse.h"
#include "http/out.h"
#include "net/sockets.h"
#include "net/stream.h"

#include <stdlib.h>
#include <string.h>

enum {
    PIECE_BYTES = 16 * 1024,
    WAITING_BYTES_MAX = 256 * 1024, /* Of the client. */
    BODY_BYTES_MAX = 8 * 1024,      /* Of a refusal. */
    OPEN_MS = 60000,
    ONLY_HTTP1 = 505,
};

struct tunnel {
    struct exchange *x; /* NULL: it has gone. */
    struct relay relay;
    struct stream stream;
    struct timer timer;
    struct out_queue out;
    struct buf in; /* The head, and what came behind it. */
    size_t scanned;
    size_t unconsumed; /* Of what the client sent. */
    struct h1_response answer;
    bool open;
    bool finishing; /* The client sends no more. */
    bool finished;
};

static void on_freed(struct stream *stream)
{
    free(CONTAINER_OF(stream, struct tunnel, stream));
}

/* The connection to the other side ends; the exchange is let go of. */
static void tunnel_free(struct tunnel *t)
{
    if (t->x != NULL) {
        t->x->on_gone = NULL;
        t->x->on_drain = NULL;
    }
    timer_stop(&t->timer);
    out_done(&t->out);
    buf_done(&t->in);
    t->stream.freed = on_freed;
    if (stream_done(&t->stream))
        free(t);
}

static void refuse(struct tunnel *t, int status, str_t body)
{
    AUTO(arena_done) struct arena arena = {0};
    struct exchange *x = t->x;
    struct relay relay = t->relay;
    str_t text = arena_str(&arena, body);
    tunnel_free(t);
    relay.refused(x, relay.self, status, text);
}

/* The other side has gone. */
static void lost(struct tunnel *t)
{
    struct exchange *x = t->x;
    if (!t->open) {
        refuse(t, 0, STR(""));
        return;
    }
    tunnel_free(t);
    http_end(x, NULL, 0);
}

static void want(struct tunnel *t)
{
    bool full = t->open && http_waiting(t->x) > WAITING_BYTES_MAX;
    bool write = t->out.bytes > 0 || (t->finishing && !t->finished);
    stream_want(&t->stream, (full ? 0 : LOOP_READ) | (write ? LOOP_WRITE : 0));
}

/* --- the client --- */

static void on_gone(struct exchange *x)
{
    struct tunnel *t = x->self;
    t->x = NULL;
    tunnel_free(t);
}

static void on_drain(struct exchange *x)
{
    want(x->self);
}

static void on_piece(struct exchange *x, str_t bytes)
{
    struct tunnel *t = x->self;
    char *copy = malloc(bytes.len);
    MUST(copy != NULL);
    memcpy(copy, bytes.at, bytes.len);
    t->unconsumed += bytes.len;
    out_add(&t->out, (struct http_bytes){{copy, bytes.len}, free, copy});
    want(t);
}

static void on_end(struct exchange *x)
{
    struct tunnel *t = x->self;
    t->finishing = true;
    want(t);
}

/* --- the other side --- */

static void to_client(struct tunnel *t, str_t bytes)
{
    if (bytes.len == 0)
        return;
    char *copy = malloc(bytes.len);
    MUST(copy != NULL);
    memcpy(copy, bytes.at, bytes.len);
    http_write(t->x, (struct http_bytes){{copy, bytes.len}, free, copy});
}

static str_t field_of(const struct h1_response *answer, str_t name)
{
    for (size_t i = 0; i < answer->head.n_fields; i++)
        if (http_name_eq(answer->head.fields[i].name, name))
            return answer->head.fields[i].value;
    return STR("");
}

static void open_tunnel(struct tunnel *t, size_t head_bytes)
{
    static const str_t passed[] = {STR("Sec-WebSocket-Accept"), STR("Sec-WebSocket-Protocol"),
                                   STR("X-Stream-Protocol-Version")};
    struct http_field fields[ARRAY_LEN(passed)];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(passed); i++) {
        str_t value = field_of(&t->answer, passed[i]);
        if (value.len > 0)
            fields[n++] = (struct http_field){passed[i], arena_str(t->x->arena, value)};
    }
    str_t protocol = arena_str(t->x->arena, field_of(&t->answer, STR("Upgrade")));
    timer_stop(&t->timer);
    t->open = true;
    t->relay.opened(t->x, t->relay.self);
    MUST(http_upgrade(t->x, protocol, fields, n)); /* HTTP/1.1 always can. */
    t->x->on_drain = on_drain;
    to_client(t, (str_t){t->in.at + head_bytes, t->in.len - head_bytes});
    buf_done(&t->in);
    http_receive(t->x, on_piece, on_end);
}

/* False: refused, and `t` is gone. */
static bool read_head(struct tunnel *t)
{
    int n = h1_head_len(buf_str(&t->in), &t->scanned);
    if (n == 0)
        return true;
    if (n < 0 || h1_parse_response((str_t){t->in.at, (size_t)n}, false, &t->answer) < 0) {
        refuse(t, 0, STR(""));
        return false;
    }
    if (t->answer.status == 101) {
        open_tunnel(t, (size_t)n);
        return true;
    }
    size_t got = t->in.len - (size_t)n, all = 0;
    if (t->answer.body == H1_LENGTH)
        all = t->answer.head.content_length < BODY_BYTES_MAX ? (size_t)t->answer.head.content_length
                                                             : BODY_BYTES_MAX;
    if (got < all)
        return true; /* The rest of it comes. */
    refuse(t, t->answer.status, (str_t){t->in.at + n, all});
    return false;
}

/* False: `t` is gone. */
static bool read_some(struct tunnel *t)
{
    char bytes[PIECE_BYTES];
    struct err err;
    ssize_t n = stream_read(&t->stream, bytes, sizeof(bytes), &err);
    if (n == STREAM_AGAIN)
        return true;
    if (n <= 0) {
        lost(t);
        return false;
    }
    if (t->open) {
        to_client(t, (str_t){bytes, (size_t)n});
        return true;
    }
    buf_add(&t->in, (str_t){bytes, (size_t)n});
    return read_head(t);
}

static void on_ready(struct stream *stream, unsigned events)
{
    struct tunnel *t = CONTAINER_OF(stream, struct tunnel, stream);
    if (t->out.bytes > 0 && out_send(&t->out, stream) < 0) {
        lost(t);
        return;
    }
    if (t->out.bytes == 0 && t->unconsumed > 0) {
        size_t n = t->unconsumed;
        t->unconsumed = 0;
        http_consumed(t->x, n);
    }
    if (t->out.bytes == 0 && t->finishing && !t->finished) {
        t->finished = true;
        stream_finish(stream);
    }
    if ((events & LOOP_READ) != 0 && !read_some(t))
        return;
    want(t);
}

static void time_over(struct timer *timer)
{
    refuse(CONTAINER_OF(timer, struct tunnel, timer), 0, STR(""));
}

static void write_head(struct tunnel *t, str_t target)
{
    static const str_t passed[] = {STR("Upgrade"), STR("Sec-WebSocket-Key"),
                                   STR("Sec-WebSocket-Version"), STR("Sec-WebSocket-Protocol"),
                                   STR("X-Stream-Protocol-Version")};
    const struct exchange *x = t->x;
    struct buf head = {0};
    buf_printf(&head, STR_F " " STR_F " HTTP/1.1\r\nHost: node\r\nConnection: Upgrade\r\n",
               STR_A(x->method_text), STR_A(target));
    if (x->method != HTTP_GET)
        buf_add(&head, STR("Content-Length: 0\r\n"));
    for (size_t i = 0; i < x->n_fields; i++)
        for (size_t j = 0; j < ARRAY_LEN(passed); j++)
            if (http_name_eq(x->fields[i].name, passed[j]))
                buf_printf(&head, STR_F ": " STR_F "\r\n", STR_A(passed[j]),
                           STR_A(x->fields[i].value));
    buf_add(&head, STR("\r\n"));
    out_add(&t->out, (struct http_bytes){buf_str(&head), free, head.at});
}

void relay_start(struct exchange *x, const struct relay *relay)
{
    struct err err;
    if (x->version >= 20) {
        relay->refused(x, relay->self, ONLY_HTTP1, STR("upgrades are for HTTP/1.1 only\n"));
        return;
    }
    int fd = socket_dial_unix(relay->unix_path, &err);
    if (fd < 0) {
        relay->refused(x, relay->self, 0, STR(""));
        return;
    }
    struct tunnel *t = calloc(1, sizeof(*t));
    MUST(t != NULL);
    t->x = x;
    t->relay = *relay;
    out_init(&t->out);
    if (stream_init(&t->stream, x->loop, fd, NULL, NULL, on_ready, &err) < 0) {
        free(t);
        relay->refused(x, relay->self, 0, STR(""));
        return;
    }
    x->self = t;
    x->on_gone = on_gone;
    write_head(t, relay->target);
    timer_set(x->loop, &t->timer, OPEN_MS, time_over);
    want(t);
}
