/*
 * sse.h - an event stream (text/event-stream; WHATWG HTML, 9.2) read piece by piece.
 *
 * What a server sends with http_begin(), http_write() and http_flush() comes out here as events,
 * wherever the pieces were cut. A line or an event past the limit is an error: who sends it does
 * not end.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum { SSE_EVENT_BYTES_MAX = 1 << 20 };

struct sse_event { /* Views that end with the call. */
    str_t type;    /* "message" if the server named none. */
    str_t data;    /* Its lines, with '\n' between them. */
    str_t id;      /* The last that was said: what to send as Last-Event-ID. */
};

struct sse_reader { /* All zero to begin, but for `event` and `self`. */
    void (*event)(void *self, const struct sse_event *event);
    void *self;
    struct buf line, type, data, id;
    int64_t retry_ms; /* As the server asked; 0: it did not. */
    bool begun;       /* The byte order mark may not come any more. */
    bool had_cr;      /* A '\n' now belongs to the line end before. */
    bool has_data;
};

/* ERR_INVALID when an event is too large. */
int sse_read(struct sse_reader *reader, str_t piece, struct err *err);
void sse_done(struct sse_reader *reader);
