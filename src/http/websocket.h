/*
 * websocket.h - a WebSocket (RFC 6455, and RFC 8441 over HTTP/2) on an exchange that offers one.
 *
 * Messages arrive whole. Pings are answered, and sent when the peer is silent; one that does not
 * answer is cut. closed() comes exactly once and is the last call: after the closing handshake,
 * whoever began it, or when the peer has gone. Who may connect (Origin!) is decided before
 * ws_accept().
 */
#pragma once

#include "http/http.h"
#include "http/ws_frame.h"

struct websocket;

struct ws_handler {
    void *self;
    size_t message_bytes_max;                                      /* 0: 1 MiB. */
    msec_t ping_ms;                                                /* 0: 30 s. */
    void (*message)(struct websocket *ws, bool text, str_t bytes); /* A view, until the return. */
    void (*drained)(struct websocket *ws); /* As on_drain() of an exchange. May be NULL. */
    void (*closed)(struct websocket *ws, int code, str_t reason); /* May be NULL. */
};

/* Does the client offer this subprotocol? */
bool ws_offers(const struct exchange *x, str_t subprotocol);
/*
 * Takes the exchange. NULL: it was no proper handshake, and has been answered. `subprotocol` is one
 * that the client offers, or "".
 */
struct websocket *ws_accept(struct exchange *x, str_t subprotocol,
                            const struct ws_handler *handler);

void *ws_self(const struct websocket *ws);
struct exchange *ws_exchange(const struct websocket *ws);
void ws_send(struct websocket *ws, bool text, struct http_bytes bytes); /* From where they are. */
void ws_send_copy(struct websocket *ws, bool text, str_t bytes);
size_t ws_waiting(const struct websocket *ws); /* Bytes the kernel has not taken. */
/* No message() until ws_resume(): the back-pressure on the peer. */
void ws_pause(struct websocket *ws);
void ws_resume(struct websocket *ws);
/* Begins the closing handshake; what is sent afterwards is dropped. */
void ws_close(struct websocket *ws, int code, str_t reason);
