/* forward_priv.h - one connection of a port-forward, and the two ways. */
#pragma once

#include "base/list.h"
#include "http/forward_session.h"
#include "http/stream_priv.h"

struct forward_ops {
    void (*write)(struct forward *f, str_t bytes);
    void (*consumed)(struct forward *f, size_t n);
    void (*finish)(struct forward *f);
    void (*end)(struct forward *f, str_t why);
};

struct forward_link { /* In the exchange's arena. */
    struct exchange *x;
    struct forward_handler handler;
    struct list all;
    struct spdy_link *spdy;
    struct websocket *ws;
    size_t unconsumed, n_ports;
    struct forward *by_channel[FORWARD_PORTS_MAX];
    bool over;
};

struct forward { /* malloc()ed. */
    struct list link;
    const struct forward_ops *ops;
    struct forward_link *all;
    void *self;
    str_t id; /* Of SPDY: which two streams belong together. */
    uint16_t port;
    size_t at; /* Of channels. */
    struct spdy_stream *data, *error;
    size_t unconsumed;
    bool opened, finished;
    char text[];
};

bool forward_accept_spdy(struct forward_link *all, str_t subprotocol);
bool forward_accept_channels(struct forward_link *all, str_t subprotocol);
struct forward *forward_new(struct forward_link *all, const struct forward_ops *ops, str_t id);
void forward_free(struct forward *f);
void forward_all_closed(struct forward_link *all);
void forward_all_drained(struct forward_link *all);
