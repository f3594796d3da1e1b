/*
 * forward_session.h - port-forward: connections of a client to ports of a pod, many over one
 * connection: SPDY/3.1 by a plain upgrade or in a WebSocket (kubectl), or channels of a WebSocket,
 * two for each port in the query (other clients).
 *
 * opened() comes for each connection; forward_self_set() gives it something of its own. What came
 * and is not consumed holds the client back. After forward_end() with the port's last words, or
 * closed(), the connection is not touched again.
 */
#pragma once

#include "http/http.h"

struct forward;      /* One connection to a port. */
struct forward_link; /* All of one client. */

enum { FORWARD_PORTS_MAX = 64, FORWARD_OUTPUT_BYTES = 256 * 1024 };

struct forward_handler {
    void *self;
    void (*opened)(struct forward *forward, void *self, uint16_t port);
    void (*data)(struct forward *forward, str_t bytes);
    void (*ended)(struct forward *forward); /* The client sends no more. */
    /* Less is waiting to be sent: for each connection. */
    void (*drained)(struct forward *forward);
    void (*closed)(struct forward *forward); /* The client has gone. */
};

/* False: answered. */
bool forward_accept(struct exchange *x, const struct forward_handler *handler);

void *forward_self(const struct forward *forward);
void forward_self_set(struct forward *forward, void *self);
void forward_write(struct forward *forward, str_t bytes); /* Copied. */
size_t forward_waiting(const struct forward *forward);
void forward_consumed(struct forward *forward, size_t n);
void forward_finish(struct forward *forward); /* The port sends no more. */
/* It is over; `why` "" or what went wrong. Not touched again. */
void forward_end(struct forward *forward, str_t why);
