/*
 * out.h - what waits to be sent on one connection: pieces from where they are, each perhaps with a
 * small frame before it and a line end after it.
 */
#pragma once

#include "http/http.h"
#include "net/stream.h"

enum { OUT_FRAME_BYTES = 22, OUT_INLINE = 4 };

struct out_piece {
    struct http_bytes body;
    void *holder; /* Whose memory the bytes are; see `taken`. */
    uint8_t frame_len;
    bool line_end;
    char frame[OUT_FRAME_BYTES];
};

struct out_queue {
    struct out_piece *pieces; /* first[], or more than that on the heap. */
    unsigned at, n, cap;
    size_t sent;                                    /* Of pieces[at]. */
    size_t bytes;                                   /* Not yet taken by the kernel. */
    void (*taken)(void *holder, size_t body_bytes); /* A piece with a holder has left the queue. */
    struct out_piece first[OUT_INLINE];
};

void out_init(struct out_queue *q);
void out_done(struct out_queue *q); /* Lets go of all that is left. */
/* Of the body's own bytes and the rest; a body without bytes is released at once. */
void out_add(struct out_queue *q, struct http_bytes body);
void out_add_framed(struct out_queue *q, str_t frame, struct http_bytes body, bool line_end,
                    void *holder);
/* Bytes taken now, perhaps 0; -1: the connection is broken. Stops after a while, for the others. */
ssize_t out_send(struct out_queue *q, struct stream *stream);
