/*
 * stream_session.h - a command's stdin, stdout, stderr, end and terminal size over one connection,
 * whichever way the client asked for it: WebSocket channels (v5 and v4 of channel.k8s.io) or
 * SPDY/3.1 streams.
 *
 * opened() comes when all that the client wants is there, perhaps within session_accept(). Then
 * input and sizes come, and output is written; nothing is kept without bound: input that is not
 * given back stops the client, and session_waiting() says when output should wait for drained().
 * session_finish() is the last call; closed(), when the client goes first, is the last one back.
 */
#pragma once

#include "http/http.h"

struct stream_session;

enum { STREAM_INPUT_BYTES = 256 * 1024, STREAM_OUTPUT_BYTES = 256 * 1024 };

struct stream_want {
    bool in, out, err, tty;
};

struct stream_handler {
    void *self;
    void (*opened)(struct stream_session *session);
    void (*input)(struct stream_session *session, str_t bytes);
    void (*input_ended)(struct stream_session *session);
    void (*resized)(struct stream_session *session, unsigned columns, unsigned rows);
    void (*drained)(struct stream_session *session);
    void (*closed)(struct stream_session *session);
};

/* NULL: the client offers nothing that is spoken here, and was told so. */
struct stream_session *session_accept(struct exchange *x, const struct stream_want *want,
                                      const struct stream_handler *handler);
void *session_self(const struct stream_session *session);
void session_write(struct stream_session *session, bool to_stderr, str_t bytes); /* Copied. */
size_t session_waiting(const struct stream_session *session);
void session_consumed(struct stream_session *session, size_t n); /* Of input. */

/* How the command ended, for session_finish(): JSON of a Status. */
str_t session_exit_status(int code, struct arena *arena);
str_t session_failure_status(str_t message, struct arena *arena);
void session_finish(struct stream_session *session, str_t status);
