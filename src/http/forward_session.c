/* forward_session.c - choosing the way of a port-forward, and what both have in common. */
#include "http/forward_priv.h"
#include "http/h1_parse.h"

#include <stdlib.h>
#include <string.h>

bool forward_accept(struct exchange *x, const struct forward_handler *handler)
{
    static const str_t tunnel = STR("SPDY/3.1+portforward.k8s.io");
    static const str_t channels[] = {STR("v5.channel.k8s.io"), STR("v4.channel.k8s.io"),
                                     STR("portforward.k8s.io")};
    struct forward_link *all = arena_new(x->arena, struct forward_link);
    *all = (struct forward_link){.x = x, .handler = *handler};
    list_init(&all->all);
    if (http_list_has(x->offer, STR("SPDY/3.1")))
        return forward_accept_spdy(all, STR(""));
    if (http_list_has(x->offer, STR("websocket")) && ws_offers(x, tunnel))
        return forward_accept_spdy(all, tunnel);
    for (size_t i = 0; i < ARRAY_LEN(channels); i++)
        if (http_list_has(x->offer, STR("websocket")) && ws_offers(x, channels[i]))
            return forward_accept_channels(all, channels[i]);
    http_answer_text(x, 400, STR("text/plain; charset=utf-8"),
                     STR("this needs an upgrade to SPDY/3.1 or to a WebSocket of "
                         "SPDY/3.1+portforward.k8s.io or v4.channel.k8s.io\n"));
    return false;
}

struct forward *forward_new(struct forward_link *all, const struct forward_ops *ops, str_t id)
{
    struct forward *f = calloc(1, sizeof(*f) + id.len + 1);
    MUST(f != NULL);
    if (id.len > 0)
        memcpy(f->text, id.at, id.len);
    f->id = (str_t){f->text, id.len};
    f->ops = ops;
    f->all = all;
    list_add_before(&all->all, &f->link);
    return f;
}

void forward_free(struct forward *f)
{
    list_remove(&f->link);
    free(f);
}

void forward_all_closed(struct forward_link *all)
{
    all->over = true;
    LIST_EACH(&all->all, link) {
        struct forward *f = CONTAINER_OF(link, struct forward, link);
        if (f->opened)
            all->handler.closed(f);
        forward_free(f);
    }
}

void forward_all_drained(struct forward_link *all)
{
    LIST_EACH(&all->all, link) {
        struct forward *f = CONTAINER_OF(link, struct forward, link);
        if (f->opened && !all->over)
            all->handler.drained(f);
    }
}

void *forward_self(const struct forward *f)
{
    return f->self;
}

void forward_self_set(struct forward *f, void *self)
{
    f->self = self;
}

void forward_write(struct forward *f, str_t bytes)
{
    if (bytes.len > 0 && !f->finished)
        f->ops->write(f, bytes);
}

size_t forward_waiting(const struct forward *f)
{
    return f->all->over ? 0 : http_waiting(f->all->x);
}

void forward_consumed(struct forward *f, size_t n)
{
    MUST(n <= f->unconsumed);
    f->unconsumed -= n;
    f->ops->consumed(f, n);
}

void forward_finish(struct forward *f)
{
    if (!f->finished)
        f->ops->finish(f);
    f->finished = true;
}

void forward_end(struct forward *f, str_t why)
{
    f->ops->end(f, why);
    forward_free(f);
}
