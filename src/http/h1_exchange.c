/*
 * h1_exchange.c - how HTTP/1.1 takes a body and sends an answer.
 *
 * Nothing is sent from inside these functions: what a handler does in one go leaves in one writev,
 * at the end of the connection's turn.
 */
#include "http/h1_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct h1_exchange *exchange_of(const struct exchange *x)
{
    return CONTAINER_OF(x, struct h1_exchange, x);
}

struct h1_exchange *h1_exchange_new(struct h1_connection *c)
{
    struct h1_exchange *e = malloc(sizeof(*e));
    MUST(e != NULL);
    memset(e, 0, offsetof(struct h1_exchange, out));
    e->connection = c;
    e->in = IN_DONE;
    e->x = (struct exchange){.ops = &h1_exchange_ops,
                             .arena = &e->arena,
                             .loop = c->base.server->loop,
                             .tls = c->base.stream.tls,
                             .local = c->base.local,
                             .peer_uid = c->base.peer_uid,
                             .fd = c->base.stream.watch.fd,
                             .version = 11};
    out_init(&e->out);
    return e;
}

void h1_exchange_free(struct h1_exchange *e)
{
    out_done(&e->out);
    buf_done(&e->collected);
    arena_done(&e->arena);
    free(e);
}

void h1_exchange_gone(struct h1_exchange *e)
{
    void (*on_gone)(struct exchange *) = e->x.on_gone;
    e->x.on_gone = NULL;
    if (!e->ended && on_gone != NULL)
        on_gone(&e->x);
}

/* --- the answer --- */

static char *put(char *to, str_t text)
{
    if (text.len > 0)
        memcpy(to, text.at, text.len);
    return to + text.len;
}

static char *put_fields(struct h1_exchange *e, char *to, const struct http_field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        MUST(http_is_token(fields[i].name));
        to = put(to, fields[i].name);
        to = put(to, STR(": "));
        to = put(to, http_clean_value(fields[i].value, &e->arena));
        to = put(to, STR("\r\n"));
    }
    return to;
}

static size_t fields_bytes(const struct http_field *fields, size_t n)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += fields[i].name.len + fields[i].value.len + 4;
    return bytes;
}

/* `framing`: the fields that say how the body is sent, each with its line end. */
static void send_head(struct h1_exchange *e, int status, const struct http_field *fields,
                      size_t n_fields, str_t framing)
{
    char line[64];
    int line_len = snprintf(line, sizeof(line), "HTTP/1.1 %d %s\r\n", status, http_reason(status));
    size_t room = (size_t)line_len + fields_bytes(fields, n_fields) + framing.len + 64;
    char *head = arena_bytes(&e->arena, room), *at = head;
    at = put(at, (str_t){line, (size_t)line_len});
    at = put(at, STR("Date: "));
    at = put(at, server_date(e->connection->base.server));
    at = put(at, STR("\r\n"));
    at = put_fields(e, at, fields, n_fields);
    at = put(at, framing);
    at = put(at, STR("\r\n"));
    MUST((size_t)(at - head) <= room);
    out_add(&e->out, (struct http_bytes){.bytes = {head, (size_t)(at - head)}});
}

/* Will this connection be closed after the answer that begins now? */
static bool is_last(const struct h1_exchange *e, bool whole)
{
    const struct h1_connection *c = e->connection;
    bool unread_much = e->request.head.chunked || e->body_left > DISCARD_BYTES_MAX;
    bool body_waits = e->in == IN_UNASKED && e->request.expect_continue;
    return c->close_after || e->request.head.close || c->base.server->draining ||
           (whole && e->in != IN_DONE && (unread_much || body_waits)) ||
           (!whole && e->x.version == 10 && !e->no_body_out);
}

static void h1_begin(struct exchange *x, int status, const struct http_field *fields,
                     size_t n_fields, bool whole, size_t body_bytes)
{
    struct h1_exchange *e = exchange_of(x);
    MUST(!e->begun && status >= 200 && status <= 599);
    e->begun = true;
    e->no_body_out = x->method == HTTP_HEAD || status == 204 || status == 304;
    e->chunked_out = !whole && x->version == 11 && !e->no_body_out;
    e->connection->close_after = is_last(e, whole);

    char framing[96];
    int n = 0;
    if (whole && status != 204 && status != 304)
        n = snprintf(framing, sizeof(framing), "Content-Length: %zu\r\n", body_bytes);
    else if (e->chunked_out)
        n = snprintf(framing, sizeof(framing), "Transfer-Encoding: chunked\r\n");
    const char *connection = e->connection->close_after ? "Connection: close\r\n"
                             : x->version == 10         ? "Connection: keep-alive\r\n"
                                                        : "";
    n += snprintf(framing + n, sizeof(framing) - (size_t)n, "%s", connection);
    send_head(e, status, fields, n_fields, (str_t){framing, (size_t)n});
}

static bool h1_upgrade(struct exchange *x, str_t protocol, const struct http_field *fields,
                       size_t n_fields)
{
    struct h1_exchange *e = exchange_of(x);
    MUST(!e->begun);
    e->begun = e->tunnel = true;
    e->in = IN_UNASKED;
    e->connection->close_after = true;
    str_t framing =
        arena_printf(&e->arena, "Upgrade: " STR_F "\r\nConnection: Upgrade\r\n", STR_A(protocol));
    send_head(e, 101, fields, n_fields, framing);
    connection_flush_later(&e->connection->base);
    return true;
}

static void h1_write(struct exchange *x, struct http_bytes body)
{
    struct h1_exchange *e = exchange_of(x);
    MUST(e->begun && !e->ended);
    if (body.bytes.len == 0 || e->no_body_out) {
        if (body.release != NULL)
            body.release(body.owner);
        return;
    }
    if (e->chunked_out) {
        char frame[OUT_FRAME_BYTES];
        int n = snprintf(frame, sizeof(frame), "%zx\r\n", body.bytes.len);
        out_add_framed(&e->out, (str_t){frame, (size_t)n}, body, true, NULL);
    } else {
        out_add(&e->out, body);
    }
    connection_flush_later(&e->connection->base);
}

static void h1_flush(struct exchange *x)
{
    connection_flush_later(&exchange_of(x)->connection->base);
}

/* Only a client that said so gets trailers; others might not expect them (RFC 9110, 6.5.1). */
static void send_last_chunk(struct h1_exchange *e, const struct http_field *trailers, size_t n)
{
    if (n == 0 || !http_list_has(http_get(&e->x, STR("TE")), STR("trailers"))) {
        out_add(&e->out, (struct http_bytes){.bytes = STR("0\r\n\r\n")});
        return;
    }
    char *text = arena_bytes(&e->arena, fields_bytes(trailers, n) + 5), *at = text;
    at = put(at, STR("0\r\n"));
    at = put_fields(e, at, trailers, n);
    at = put(at, STR("\r\n"));
    out_add(&e->out, (struct http_bytes){.bytes = {text, (size_t)(at - text)}});
}

static void h1_end(struct exchange *x, const struct http_field *trailers, size_t n_trailers)
{
    struct h1_exchange *e = exchange_of(x);
    struct h1_connection *c = e->connection;
    MUST(e->begun && !e->ended);
    if (e->chunked_out)
        send_last_chunk(e, trailers, n_trailers);
    e->ended = true;
    e->unconsumed = 0;
    /* A client that waits for 100 may send its body now or leave it out: nobody can tell. */
    if (e->in == IN_UNASKED && e->request.expect_continue)
        c->close_after = true;
    if (e->in != IN_DONE)
        e->in = IN_DISCARD;
    if (!c->base.busy)
        connection_turn(&c->base, 0);
}

static size_t h1_waiting(const struct exchange *x)
{
    return exchange_of(x)->out.bytes;
}

static void h1_abort(struct exchange *x)
{
    struct h1_exchange *e = exchange_of(x);
    x->on_gone = NULL;
    connection_close(&e->connection->base);
}

int h1_exchange_send(struct h1_exchange *e)
{
    struct h1_connection *c = e->connection;
    size_t before = e->out.bytes, low = c->base.server->limits.send_bytes_max / 2;
    if (before == 0)
        return 0;
    ssize_t put_bytes = out_send(&e->out, &c->base.stream);
    if (put_bytes < 0)
        return -1;
    c->progress = c->progress || put_bytes > 0;
    /* Also when nothing waits: a handler may have stopped at less than our mark. */
    bool drained = e->out.bytes == 0 || (before > low && e->out.bytes <= low);
    if (drained && e->begun && !e->ended && e->x.on_drain != NULL)
        e->x.on_drain(&e->x);
    return 0;
}

/* --- the body --- */

/* What cannot be answered any more can only be cut. */
static void too_large(struct h1_exchange *e)
{
    h1_exchange_gone(e);
    if (e->begun) {
        h1_abort(&e->x);
        return;
    }
    e->connection->close_after = true;
    http_answer_text(&e->x, 413, STR("text/plain; charset=utf-8"),
                     arena_printf(&e->arena, "the body has more than the %zu bytes allowed here\n",
                                  e->collect_max));
}

static void ask_for_body(struct h1_exchange *e, enum h1_in in)
{
    MUST(e->in == IN_UNASKED);
    struct h1_connection *c = e->connection;
    if (e->request.expect_continue && !e->begun && c->slab_at == c->slab_len)
        out_add(&e->out, (struct http_bytes){.bytes = STR("HTTP/1.1 100 Continue\r\n\r\n")});
    e->in = in;
    connection_flush_later(&c->base);
}

static void h1_collect(struct exchange *x, size_t bytes_max,
                       void (*done)(struct exchange *x, str_t body))
{
    struct h1_exchange *e = exchange_of(x);
    e->collect_max = bytes_max;
    e->collect_done = done;
    if (e->body_left > 0 && (uint64_t)e->body_left > bytes_max)
        too_large(e);
    else if (e->in == IN_DONE)
        done(x, STR("")); /* There is none. */
    else
        ask_for_body(e, IN_COLLECT);
}

static void h1_receive(struct exchange *x, void (*piece)(struct exchange *x, str_t bytes),
                       void (*end)(struct exchange *x))
{
    struct h1_exchange *e = exchange_of(x);
    e->piece = piece;
    e->end = end;
    if (e->in == IN_DONE)
        end(x);
    else
        ask_for_body(e, IN_RECEIVE);
}

static void h1_consumed(struct exchange *x, size_t n)
{
    struct h1_exchange *e = exchange_of(x);
    MUST(n <= e->unconsumed);
    e->unconsumed -= n;
    if (e->unconsumed == 0)
        connection_flush_later(&e->connection->base);
}

void h1_body_piece(struct h1_exchange *e, str_t data)
{
    switch (e->in) {
    case IN_COLLECT:
        if (e->collected.len + data.len > e->collect_max)
            too_large(e);
        else
            buf_add(&e->collected, data);
        return;
    case IN_RECEIVE:
        e->unconsumed += data.len;
        e->piece(&e->x, data);
        return;
    case IN_DISCARD:
        e->discarded += data.len;
        if (e->discarded > DISCARD_BYTES_MAX)
            e->connection->close_after = true;
        return;
    case IN_UNASKED:
    case IN_DONE:
        return;
    }
}

void h1_body_end(struct h1_exchange *e)
{
    enum h1_in in = e->in;
    e->in = IN_DONE;
    if (in == IN_COLLECT)
        e->collect_done(&e->x, buf_str(&e->collected));
    else if (in == IN_RECEIVE)
        e->end(&e->x);
}

const struct exchange_ops h1_exchange_ops = {
    .collect = h1_collect,
    .receive = h1_receive,
    .consumed = h1_consumed,
    .begin = h1_begin,
    .write = h1_write,
    .flush = h1_flush,
    .end = h1_end,
    .waiting = h1_waiting,
    .abort = h1_abort,
    .upgrade = h1_upgrade,
};
