/*
 * server.h - listening sockets to exchanges: HTTP/1.1 (RFC 9112), HTTP/2 (RFC 9113), TLS.
 *
 * One server belongs to one loop. Several servers (threads, processes) may share a listening
 * descriptor. HTTP/2 is spoken after ALPN "h2" or the client's preface.
 */
#pragma once

#include "http/http.h"
#include "net/loop.h"

struct http_server;

struct http_server_limits {   /* 0 takes the default. */
    unsigned connections_max; /* 20000; more wait in the kernel's queue. */
    msec_t head_ms;           /* 10 s for a complete head. */
    msec_t idle_ms;           /* 75 s between requests. */
    msec_t body_gap_ms;       /* 30 s without a byte of a body, or without the peer reading. */
    size_t send_bytes_max;    /* 1 MiB waiting before on_drain matters; see http_waiting(). */
    unsigned streams_max;     /* 128 per HTTP/2 connection. */
};

int http_server_new(struct loop *loop, const struct http_handler *handler,
                    const struct http_server_limits *limits, struct http_server **out,
                    struct err *err);
void http_server_free(struct http_server *server); /* Cuts what is left. */

/* Takes a listening descriptor (TCP or unix). `tls` NULL: plain; its reference is taken over. */
int http_server_listen(struct http_server *server, int fd, struct tls_config *tls, struct err *err);
void http_server_set_tls(struct http_server *server, struct tls_config *tls); /* New ones use it. */

/*
 * Graceful end: stop accepting, close idle connections, `Connection: close` / GOAWAY on the others;
 * `drained` is called once when none is left or `within_ms` is over (then the rest is cut).
 */
void http_server_drain(struct http_server *server, msec_t within_ms, void (*drained)(void *self),
                       void *self);
