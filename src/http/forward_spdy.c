/*
 * forward_spdy.c - a connection is two streams with the same requestID: `error`, that stays silent
 * while all is well, and `data`.
 */
#include "http/forward_priv.h"

static void spdy_end_both(struct forward *f, str_t why)
{
    if (why.len > 0 && f->error != NULL)
        spdy_write(f->error, why);
    if (f->unconsumed > 0)
        spdy_link_consumed(f->all->spdy, NULL, f->unconsumed);
    if (f->error != NULL) {
        spdy_end(f->error);
        spdy_drop(f->error);
    }
    if (f->data != NULL) {
        spdy_end(f->data);
        spdy_drop(f->data);
    }
}

static void streams_write(struct forward *f, str_t bytes)
{
    spdy_write(f->data, bytes);
}

static void streams_consumed(struct forward *f, size_t n)
{
    spdy_link_consumed(f->all->spdy, f->data, n);
}

static void streams_finish(struct forward *f)
{
    spdy_end(f->data);
}

static const struct forward_ops ops = {streams_write, streams_consumed, streams_finish,
                                       spdy_end_both};

static struct forward *find(struct forward_link *all, str_t id)
{
    LIST_EACH(&all->all, link) {
        struct forward *f = CONTAINER_OF(link, struct forward, link);
        if (str_eq(f->id, id) && !f->opened)
            return f;
    }
    return NULL;
}

static bool on_opened(void *self, struct spdy_stream *stream, const struct http_field *fields,
                      size_t n)
{
    enum { ID_MAX = 64, PORT_MAX = 65535 };
    struct forward_link *all = self;
    str_t type = spdy_field(fields, n, STR("streamtype"));
    str_t id = spdy_field(fields, n, STR("requestid"));
    int64_t port;
    bool is_error = str_eq(type, STR("error"));
    if ((!is_error && !str_eq(type, STR("data"))) || id.len > ID_MAX ||
        !str_to_i64(spdy_field(fields, n, STR("port")), &port) || port < 1 || port > PORT_MAX)
        return false;
    struct forward *f = find(all, id);
    if (f == NULL)
        f = forward_new(all, &ops, id);
    struct spdy_stream **place = is_error ? &f->error : &f->data;
    if (*place != NULL)
        return false;
    *place = stream;
    stream->self = f;
    f->port = (uint16_t)port;
    if (f->data == NULL || f->error == NULL)
        return true;
    f->opened = true;
    all->handler.opened(f, all->handler.self, f->port);
    return true;
}

static void on_data(void *self, struct spdy_stream *stream, str_t bytes)
{
    struct forward_link *all = self;
    struct forward *f = stream->self;
    if (stream != f->data || !f->opened) {
        spdy_link_consumed(all->spdy, stream, bytes.len);
        return;
    }
    f->unconsumed += bytes.len;
    all->handler.data(f, bytes);
}

static void on_ended(void *self, struct spdy_stream *stream)
{
    struct forward_link *all = self;
    struct forward *f = stream->self;
    if (stream == f->data && f->opened) /* Clients end their side of `error` at once. */
        all->handler.ended(f);
}

static void on_drained(void *self)
{
    forward_all_drained(self);
}

static void on_closed(void *self)
{
    forward_all_closed(self);
}

bool forward_accept_spdy(struct forward_link *all, str_t subprotocol)
{
    struct spdy_link_handler handler = {all, on_opened, on_data, on_ended, on_drained, on_closed};
    struct http_field field = {STR("X-Stream-Protocol-Version"), STR("portforward.k8s.io")};
    all->spdy = spdy_link_accept(all->x, subprotocol, &field, 1, &handler);
    return all->spdy != NULL;
}
