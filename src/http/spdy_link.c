/*
 * spdy_link.c - bytes of SPDY from where they come: a connection that was switched to it, or binary
 * messages. What the streams' owners have not consumed holds back the whole connection.
 */
#include "http/h1_parse.h"
#include "http/stream_priv.h"
#include "net/loop.h"

#include <string.h>

enum { HELD_BYTES_MAX = 256 * 1024 };

struct spdy_link {
    struct exchange *x;
    struct websocket *ws; /* NULL: plain. */
    struct spdy *spdy;
    struct spdy_link_handler handler;
    size_t held;       /* Given to streams' owners, not consumed. */
    size_t unreturned; /* Of the exchange's bytes. */
    struct timer end;
    bool over;
};

str_t spdy_field(const struct http_field *fields, size_t n, str_t name)
{
    for (size_t i = 0; i < n; i++)
        if (http_name_eq(fields[i].name, name))
            return fields[i].value;
    return STR("");
}

static void link_send(void *self, struct http_bytes bytes)
{
    struct spdy_link *link = self;
    if (link->over)
        bytes.release(bytes.owner);
    else if (link->ws != NULL)
        ws_send(link->ws, false, bytes);
    else
        http_write(link->x, bytes);
}

static bool link_opened(void *self, struct spdy_stream *stream, const struct http_field *fields,
                        size_t n)
{
    struct spdy_link *link = self;
    return !link->over && link->handler.opened(link->handler.self, stream, fields, n);
}

static void link_data(void *self, struct spdy_stream *stream, str_t bytes)
{
    struct spdy_link *link = self;
    if (link->over)
        return;
    link->held += bytes.len;
    link->handler.data(link->handler.self, stream, bytes);
}

static void link_ended(void *self, struct spdy_stream *stream)
{
    struct spdy_link *link = self;
    if (!link->over)
        link->handler.ended(link->handler.self, stream);
}

/* The peer has gone. */
static void lost(struct spdy_link *link)
{
    if (link->over)
        return;
    link->over = true;
    link->handler.closed(link->handler.self);
    spdy_free(link->spdy);
    link->spdy = NULL;
}

static void gone_at_last(struct exchange *x)
{
    timer_stop(&((struct spdy_link *)x->self)->end);
}

static void end_now(struct timer *timer)
{
    struct exchange *x = CONTAINER_OF(timer, struct spdy_link, end)->x;
    x->on_gone = NULL;
    http_end(x, NULL, 0);
}

/* Not at once: that may end the exchange, and all in its arena, below whoever is at work. */
static void end_soon(struct spdy_link *link)
{
    link->x->on_gone = gone_at_last;
    link->x->on_drain = NULL;
    timer_set(link->x->loop, &link->end, 0, end_now);
}

void spdy_link_end(struct spdy_link *link)
{
    if (link->over)
        return;
    link->over = true;
    spdy_free(link->spdy);
    link->spdy = NULL;
    if (link->ws != NULL) {
        ws_close(link->ws, WS_NORMAL, STR(""));
        return;
    }
    end_soon(link);
}

static void give_back(struct spdy_link *link)
{
    size_t n = link->unreturned;
    if (link->over || link->held >= HELD_BYTES_MAX)
        return;
    link->unreturned = 0;
    if (link->ws != NULL)
        ws_resume(link->ws);
    else if (n > 0)
        http_consumed(link->x, n);
}

void spdy_link_consumed(struct spdy_link *link, struct spdy_stream *stream, size_t n)
{
    if (link->over)
        return;
    MUST(n <= link->held);
    link->held -= n;
    if (stream != NULL)
        spdy_consumed(stream, n);
    if (link->held < HELD_BYTES_MAX / 2)
        give_back(link);
}

static void broken(struct spdy_link *link)
{
    lost(link);
    if (link->ws != NULL)
        ws_close(link->ws, WS_PROTOCOL_ERROR, STR("broken frame of SPDY"));
    else
        end_soon(link);
}

/* --- a connection --- */

static void on_piece(struct exchange *x, str_t bytes)
{
    struct spdy_link *link = x->self;
    struct err err;
    if (link->over)
        return;
    link->unreturned += bytes.len;
    if (spdy_read(link->spdy, bytes, &err) < 0 && !link->over)
        broken(link);
    else
        give_back(link);
}

static void on_end(struct exchange *x)
{
    struct spdy_link *link = x->self;
    if (link->over)
        return;
    lost(link);
    end_soon(link);
}

static void on_gone(struct exchange *x)
{
    lost(x->self);
}

static void on_drain(struct exchange *x)
{
    struct spdy_link *link = x->self;
    if (!link->over)
        link->handler.drained(link->handler.self);
}

/* --- messages --- */

static void on_message(struct websocket *ws, bool text, str_t bytes)
{
    struct spdy_link *link = ws_self(ws);
    struct err err;
    (void)text;
    if (link->over)
        return;
    if (spdy_read(link->spdy, bytes, &err) < 0 && !link->over)
        broken(link);
    else if (!link->over && link->held >= HELD_BYTES_MAX)
        ws_pause(ws);
}

static void on_ws_drained(struct websocket *ws)
{
    struct spdy_link *link = ws_self(ws);
    if (!link->over)
        link->handler.drained(link->handler.self);
}

static void on_closed(struct websocket *ws, int code, str_t reason)
{
    (void)code;
    (void)reason;
    lost(ws_self(ws));
}

struct spdy_link *spdy_link_accept(struct exchange *x, str_t subprotocol,
                                   const struct http_field *fields, size_t n_fields,
                                   const struct spdy_link_handler *handler)
{
    struct spdy_link *link = arena_new(x->arena, struct spdy_link);
    *link = (struct spdy_link){.x = x, .handler = *handler};
    if (subprotocol.len > 0) {
        struct ws_handler socket = {
            .self = link, .message = on_message, .drained = on_ws_drained, .closed = on_closed};
        link->ws = ws_accept(x, subprotocol, &socket);
        if (link->ws == NULL)
            return NULL;
    } else if (!http_upgrade(x, STR("SPDY/3.1"), fields, n_fields)) {
        return NULL;
    }
    link->spdy =
        spdy_new(&(struct spdy_handler){link, link_send, link_opened, link_data, link_ended});
    if (link->ws == NULL) {
        x->self = link;
        x->on_gone = on_gone;
        x->on_drain = on_drain;
        http_receive(x, on_piece, on_end);
    }
    return link;
}
