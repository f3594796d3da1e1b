/*
 * websocket.h - a WebSocket (RFC 6455, and RFC 8441 over HTTP/2) on an exchange that offers one,
 * or to a server that we dial.
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
    void (*opened)(struct websocket *ws, str_t subprotocol);       /* Of ws_dial(). May be NULL. */
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

struct ws_dial {
    const char *unix_path;   /* A unix socket, or */
    const char *address;     /* an IP address */
    uint16_t port;           /* and a port. */
    struct tls_config *tls;  /* NULL: plain. The caller keeps its reference. */
    const char *server_name; /* For TLS, and for Host. */
    str_t target;
    const struct http_field *fields; /* Without Host and those of the handshake. */
    size_t n_fields;
    const char *subprotocols; /* "v5.channel.k8s.io, v4..." or NULL. */
    msec_t open_ms;           /* For connecting and the handshake; 0: 60 s. */
};

/*
 * A WebSocket of a client, over HTTP/1.1. handler->opened() comes first, with the subprotocol the
 * server chose; if there is no WebSocket to be had, closed() with WS_ABNORMAL and why instead. < 0:
 * it could not even begin, and neither will be called.
 */
int ws_dial(struct loop *loop, const struct ws_dial *dial, const struct ws_handler *handler,
            struct err *err);

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
