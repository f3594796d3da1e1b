/* server_priv.h - what server.c and the connections of each version share. */
#pragma once

#include "http/exchange_priv.h"
#include "http/server.h"
#include "net/stream.h"

enum { SLAB_BYTES = HTTP_HEAD_BYTES_MAX, SLABS_KEPT_MAX = 64 };

struct http_server {
    struct loop *loop;
    struct http_handler handler;
    struct http_server_limits limits;
    struct list listeners;
    struct list connections;
    size_t n_connections;
    bool draining;
    struct timer drain_timer;
    struct post drain_post;
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

/* A connection has closed; it frees itself. */
void server_connection_gone(struct http_server *server, struct list *link);

/* Takes the descriptor, in every case. The link of the new connection is in server->connections. */
void h1_connection_new(struct http_server *server, int fd, struct tls_config *tls);
void h1_connection_drain(struct list *link); /* Close when idle, else after this answer. */
void h1_connection_cut(struct list *link);
