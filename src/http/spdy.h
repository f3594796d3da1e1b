/*
 * spdy.h - SPDY/3.1 as Kubernetes still speaks it: many streams over one connection, for exec of
 * kubectl up to 1.29 and for every port-forward (draft-mbelshe-httpbis-spdy-00, and 3.1's session
 * windows, which nobody there keeps).
 *
 * We are the server: the peer opens streams. Bytes come and go by the owner's functions, so that
 * they may be those of a connection or of messages in a WebSocket. What the peer sends is bounded:
 * SPDY_STREAMS_MAX streams, heads of SPDY_HEAD_BYTES_MAX. Its window is told, but ours is not
 * obeyed, since the peers there are (spdystream) never open it again: back-pressure is the
 * connection's.
 */
#pragma once

#include "base/buf.h"
#include "base/map.h"
#include "http/http.h"

enum { SPDY_STREAMS_MAX = 512, SPDY_HEAD_BYTES_MAX = 16 * 1024, SPDY_FIELDS_MAX = 32 };

struct spdy;

enum spdy_status { SPDY_PROTOCOL_ERROR = 1, SPDY_REFUSED = 3, SPDY_CANCEL = 5 };

struct spdy_stream {
    struct map_node by_id;
    struct spdy *spdy;
    uint32_t id;
    uint32_t unconsumed; /* Since its window was last opened. */
    bool in_ended;       /* By the peer. */
    bool out_ended;      /* By us. */
    void *self;          /* The owner's. */
};

struct spdy_handler {
    void *self;
    void (*send)(void *self, struct http_bytes bytes);
    /* False: reset. The fields are views that end with the call. */
    bool (*opened)(void *self, struct spdy_stream *stream, const struct http_field *fields,
                   size_t n_fields);
    void (*data)(void *self, struct spdy_stream *stream, str_t bytes);
    void (*ended)(void *self, struct spdy_stream *stream); /* By the peer, or reset. */
};

struct spdy *spdy_new(const struct spdy_handler *handler);
void spdy_free(struct spdy *spdy); /* With its streams; also from within a call of the handler. */
/* ERR_INVALID: the peer breaks the rules, and the connection should end. */
int spdy_read(struct spdy *spdy, str_t bytes, struct err *err);
void spdy_write(struct spdy_stream *stream, str_t bytes); /* Copied. */
void spdy_end(struct spdy_stream *stream);                /* No more from us. */
void spdy_consumed(struct spdy_stream *stream, size_t n); /* Of what data() gave. */
/* Resets it if it is not over, and forgets it. */
void spdy_drop(struct spdy_stream *stream);

/* --- heads, for tests and fuzzing --- */
struct spdy_heads; /* Both directions of compression. */
struct spdy_heads *spdy_heads_new(void);
void spdy_heads_free(struct spdy_heads *heads);
void spdy_heads_write(struct spdy_heads *heads, const struct http_field *fields, size_t n,
                      struct buf *out);
int spdy_heads_read(struct spdy_heads *heads, str_t block, struct arena *arena,
                    struct http_field *fields, size_t *n, struct err *err);
