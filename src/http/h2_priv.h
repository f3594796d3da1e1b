/*
 * h2_priv.h - one HTTP/2 connection (h2_server.c) and its streams (h2_exchange.c).
 *
 * nghttp2 keeps the protocol: frames, HPACK, windows, states. We keep what is between it and the
 * handlers. Body bytes of answers are never copied: a DATA frame in session->out points into the
 * handler's pieces, so a stream stays in memory until its last frame has been taken by the kernel,
 * even when the protocol has closed it long before.
 */
#pragma once

#include "base/buf.h"
#include "http/out.h"
#include "http/server_priv.h"

#include <nghttp2/nghttp2.h>

enum h2_wait {                  /* What the deadline is for. */
               H2_WAIT_HANDLED, /* It has passed, or there was none. */
               H2_WAIT_FIRST,
               H2_WAIT_NEXT,
               H2_WAIT_LOOK,   /* At all streams, now and then; see look(). */
               H2_WAIT_NOTICE, /* From the first GOAWAY of a drain to the second. */
               H2_WAIT_LINGER,
};

struct h2_session {
    struct connection *c;
    nghttp2_session *ng;
    struct list streams;
    struct list ready; /* Streams whose handler is to be called. */
    struct out_queue out;
    size_t n_open;    /* Streams the protocol has not closed. */
    msec_t resets_ms; /* When `resets` was last brought up to date. */
    unsigned resets;  /* Streams we had to reset lately: the peer's doing. */
    unsigned stalled; /* Looks at which nothing had been sent that waits to be. */
    enum h2_wait wait;
    bool fresh;    /* No request yet. */
    bool progress; /* The kernel took bytes since the last look. */
    bool paused;   /* Enough is framed for now. */
};

enum h2_in { H2_UNASKED, H2_COLLECT, H2_RECEIVE, H2_DONE };

struct h2_stream {
    struct exchange x;
    struct arena arena;
    struct h2_session *session;
    struct list link;
    struct list ready_link;
    int32_t id;
    unsigned stalled; /* Looks without progress while we wait for the peer. */

    /* The request. */
    str_t method, path, authority, scheme, protocol;
    size_t head_bytes;
    bool requested; /* The head is complete. */
    int refuse;     /* A status, or 0. */
    enum h2_in in;
    bool in_end;     /* The peer has sent its last byte. */
    struct buf held; /* Arrived and not handed on; still counted in the connection's window. */
    struct buf collected;
    size_t collect_max;
    size_t discarded;
    size_t unconsumed; /* Handed on; still counted in the stream's window. */
    void (*collect_done)(struct exchange *x, str_t body);
    void (*piece)(struct exchange *x, str_t bytes);
    void (*end)(struct exchange *x);

    /* The answer. */
    struct http_bytes *pieces; /* Not framed yet, or only partly. */
    unsigned piece_at, n_pieces, pieces_cap;
    size_t piece_sent; /* Of pieces[piece_at]. */
    size_t unframed;   /* Bytes in `pieces`. */
    size_t framed;     /* Bytes in session->out. */
    unsigned frames;   /* Entries there: they hold this struct. */
    const struct http_field *trailers;
    size_t n_trailers;
    bool expect_continue;
    bool begun, ended, no_body_out, tunnel;
    bool deferred; /* nghttp2 waits for nghttp2_session_resume_data(). */
    bool drain;    /* on_drain() is due. */
    bool moved;    /* Bytes went in or out since the last look. */
    bool closed;   /* By the protocol, or with the connection. */

    struct http_field fields[HTTP_FIELDS_MAX]; /* Not zeroed. */
};

struct h2_stream *h2_stream_new(struct h2_session *s, int32_t id);
void h2_stream_closed(struct h2_stream *stream);     /* Tells the handler; frees when it can. */
void h2_stream_taken(void *self, size_t body_bytes); /* For session->out. */
void h2_stream_header(struct h2_stream *stream, str_t name, str_t value);
void h2_stream_request(struct h2_stream *stream);           /* The head is complete. */
void h2_stream_data(struct h2_stream *stream, str_t bytes); /* From the peer. */
void h2_stream_ended(struct h2_stream *stream);             /* By the peer. */
void h2_stream_ready(struct h2_stream *stream);             /* What session->ready is for. */
bool h2_stream_waits_for_peer(const struct h2_stream *stream);
int h2_stream_send_data(struct h2_stream *stream, str_t frame, size_t n);
