/* stream_priv.h - the two ways of a stream_session, and the connection below SPDY. */
#pragma once

#include "http/spdy.h"
#include "http/stream_session.h"
#include "http/websocket.h"

struct stream_ops {
    void (*write)(struct stream_session *session, bool to_stderr, str_t bytes);
    void (*consumed)(struct stream_session *session, size_t n);
    void (*finish)(struct stream_session *session, str_t status);
};

struct stream_session { /* In the exchange's arena. */
    const struct stream_ops *ops;
    struct exchange *x;
    struct stream_want want;
    struct stream_handler handler;
    size_t unconsumed;
    bool input_over; /* input_ended() was called. */
    bool over;       /* No more calls of the handler. */
    struct websocket *ws;
    bool half_close; /* v5: a channel can end by itself. */
    struct spdy_link *link;
    struct spdy_stream *streams[5]; /* By channel. */
};

enum stream_channel {
    CHANNEL_STDIN = 0,
    CHANNEL_STDOUT = 1,
    CHANNEL_STDERR = 2,
    CHANNEL_ERROR = 3,
    CHANNEL_RESIZE = 4,
};

bool session_accept_channels(struct stream_session *session, str_t protocol);
bool session_accept_spdy(struct stream_session *session);
/* True: the handler has the bytes, and consumes them. */
bool session_input(struct stream_session *session, str_t bytes);
void session_input_end(struct stream_session *session);
void session_resize(struct stream_session *session, str_t text);
void session_close(struct stream_session *session);

/*
 * SPDY on an exchange that was switched to it, or in the messages of a WebSocket. In the
 * exchange's arena.
 */
struct spdy_link;
struct spdy_link_handler {
    void *self;
    bool (*opened)(void *self, struct spdy_stream *stream, const struct http_field *fields,
                   size_t n_fields);
    void (*data)(void *self, struct spdy_stream *stream, str_t bytes);
    void (*ended)(void *self, struct spdy_stream *stream);
    void (*drained)(void *self);
    void (*closed)(void *self); /* The peer has gone. All streams end after it. */
};
/* `protocol` "": a plain upgrade. NULL: answered. */
struct spdy_link *spdy_link_accept(struct exchange *x, str_t subprotocol,
                                   const struct http_field *fields, size_t n_fields,
                                   const struct spdy_link_handler *handler);
void spdy_link_consumed(struct spdy_link *link, struct spdy_stream *stream, size_t n);
void spdy_link_end(struct spdy_link *link); /* What waits is sent, then it closes. */
/* The field of a stream's head, whatever its case. */
str_t spdy_field(const struct http_field *fields, size_t n, str_t name);
