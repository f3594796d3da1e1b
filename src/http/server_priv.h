/*
 * server_priv.h - what server.c, connection.c and the versions of HTTP share.
 *
 * A connection begins as HTTP/1.1 (h1_server.c); when its first bytes say HTTP/2, h2_server.c takes
 * it over by setting other ops. Everything a version does for a connection happens inside
 * connection_turn(), so nothing is freed under its feet.
 */
#pragma once

#include "http/exchange_priv.h"
#include "http/server.h"
#include "net/stream.h"

enum { SLAB_BYTES = HTTP_HEAD_BYTES_MAX, SLABS_KEPT_MAX = 64, FIRST_REQUEST_GRACE_MS = 1000 };

struct http_server {
    struct loop *loop;
    struct http_handler handler;
    struct http_server_limits limits;
    struct list listeners;
    struct list connections;
    size_t n_connections;
    bool draining;
    struct timer drain_timer;
    void (*drained)(void *self);
    void *drained_self;
    void *slabs; /* Read buffers nobody needs now, linked through their first word. */
    unsigned n_slabs;
    int64_t date_s; /* Of date_text. */
    char date_text[30];
};

/* One of 16 KiB; a connection holds one only while bytes are in it. */
char *slab_take(struct http_server *server);
void slab_give(struct http_server *server, char *slab);
str_t server_date(struct http_server *server);
void server_connection_gone(struct http_server *server, struct list *link);

struct connection;

struct connection_ops {                                  /* All called inside a turn. */
    void (*turn)(struct connection *c, unsigned events); /* Do what can be done now. */
    void (*late)(struct connection *c);                  /* The deadline has passed. */
    void (*drain)(struct connection *c);                 /* The server is ending. */
    void (*gone)(struct connection *c); /* Closed: tell the handlers, free what is yours. */
};

struct connection {
    struct list link;
    struct http_server *server;
    const struct connection_ops *ops;
    struct stream stream;
    struct timer timer;
    struct post flush;
    msec_t due_ms;         /* 0: no deadline. The timer may be early, never late. */
    struct h2_session *h2; /* NULL: HTTP/1.1. */
    uint32_t peer_uid;
    bool local;
    bool flush_waiting;
    bool dead;
    bool busy; /* A turn is on the stack. */
};

/* Where a connection came from. */
struct arrival {
    int fd;
    struct tls_config *tls;
    bool local;
};

/* False: it could not be watched; the descriptor is closed. */
bool connection_init(struct connection *c, struct http_server *server,
                     const struct connection_ops *ops, const struct arrival *arrival);
void connection_turn(struct connection *c, unsigned events);
void connection_flush_later(struct connection *c); /* A turn, soon, unless this is one. */
void connection_turn_again(struct connection *c);  /* A turn, soon. */
void connection_deadline(struct connection *c, msec_t in_ms); /* 0: none. */
void connection_drain(struct connection *c);
void connection_close(struct connection *c); /* At once; frees it unless inside a turn. */

void h1_connection_new(struct http_server *server, const struct arrival *arrival);
/* Inside a turn. `bytes` have been read already and end with the call. */
void h2_take_over(struct connection *c, str_t bytes);
