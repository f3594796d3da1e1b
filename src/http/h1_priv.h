/* h1_priv.h - one HTTP/1.1 connection (h1_server.c) and its one exchange (h1_exchange.c). */
#pragma once

#include "base/buf.h"
#include "http/h1_parse.h"
#include "http/out.h"
#include "http/server_priv.h"

enum { DISCARD_BYTES_MAX = 256 * 1024 };

enum h1_in {             /* What becomes of the request's body. */
             IN_UNASKED, /* The handler has not said what it wants. */
             IN_COLLECT,
             IN_RECEIVE,
             IN_DISCARD, /* Answered already; read on for the sake of the next request. */
             IN_DONE,    /* All of it is read, or there is none. */
};

enum h1_wait { /* What the deadline is for. */
               WAIT_HANDLER,
               WAIT_HEAD,
               WAIT_NEXT,
               WAIT_BODY,
               WAIT_READER,
               WAIT_LINGER,
};

struct h1_connection {
    struct connection base;
    struct h1_exchange *exchange; /* NULL between requests. */
    char *slab;
    unsigned slab_len, slab_at;
    unsigned scanned;
    enum h1_wait wait;
    bool fresh;       /* No request yet. */
    bool progress;    /* Bytes went in or out in this turn. */
    bool eof;         /* The peer has finished sending. */
    bool close_after; /* This answer is the last. */
    bool lingering;   /* Our side has finished; what comes is thrown away. */
};

struct h1_exchange {
    struct exchange x;
    struct arena arena;
    struct h1_connection *connection;

    enum h1_in in;
    int64_t body_left; /* With a Content-Length. */
    struct h1_chunks chunks;
    struct buf collected;
    size_t collect_max;
    size_t unconsumed;
    size_t discarded;
    void (*collect_done)(struct exchange *x, str_t body);
    void (*piece)(struct exchange *x, str_t bytes);
    void (*end)(struct exchange *x);

    bool begun;
    bool ended;
    bool chunked_out;
    bool no_body_out; /* HEAD, 204, 304: the length is told, the bytes are not sent. */
    bool tunnel;      /* After an upgrade. */

    struct out_queue out; /* From here on not zeroed. */
    struct h1_request request;
};

extern const struct exchange_ops h1_exchange_ops;

struct h1_exchange *h1_exchange_new(struct h1_connection *c);
void h1_exchange_free(struct h1_exchange *e);
void h1_exchange_gone(struct h1_exchange *e); /* Tells the handler, once. */
/* The next part of the body for whoever wants it, and its end. */
void h1_body_piece(struct h1_exchange *e, str_t data);
void h1_body_end(struct h1_exchange *e);
/* -1: the connection is broken. */
int h1_exchange_send(struct h1_exchange *e);
