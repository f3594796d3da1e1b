/*
 * relay.h - hands a request that asks for an upgrade on to a unix socket, and from then on bytes in
 * both directions as they are: who speaks what is between the client and whoever listens there.
 */
#pragma once

#include "http/http.h"

struct relay {
    const char *unix_path; /* Both kept until the first callback. */
    str_t target;
    void *self;
    /* It is a tunnel now; nothing more is told. */
    void (*opened)(struct exchange *x, void *self);
    /* Nothing came of it, and `x` is to be answered; status 0: nobody was there. Views. */
    void (*refused)(struct exchange *x, void *self, int status, str_t body);
};

/*
 * The exchange is ours until refused(), which may come at once. A client that goes meanwhile is
 * told to nobody. Upgrades are HTTP/1.1's; HTTP/2 is refused with 505.
 */
void relay_start(struct exchange *x, const struct relay *relay);
