/*
 * client.h - requests to one origin, whatever version of HTTP carries them: what roles speak to the
 * API, the edge to its backends, and `davy` to webhooks.
 *
 * HTTP/1.1: connections are kept and used again, one request at a time each. HTTP/2: all requests
 * are streams of one connection; those past what the server allows at once wait in it. The answer
 * comes piece by piece; not calling http_call_more() after a pause is the back-pressure on the
 * server. Everything runs on the loop's thread.
 *
 * A request on a kept connection that turns out to be closed is sent once more on a fresh one, if
 * nothing of an answer was seen and the method is safe to repeat (RFC 9110, 9.2.2). One that an
 * HTTP/2 server says it has not looked at (GOAWAY, REFUSED_STREAM; RFC 9113, 8.7) is sent once
 * more whatever its method. Neither happens once bytes of a streamed body were given.
 *
 * Bodies of requests are sent from where they are (HTTP/2 copies them once, into its frames), those
 * of answers are views of what was read; what waits in between is bounded in both directions.
 */
#pragma once

#include "http/http.h"
#include "net/loop.h"

struct http_client;
struct http_call;

enum { HTTP_UPLOAD_BYTES = 256 * 1024 }; /* Write no more of a body while so much waits. */

struct http_client_settings {
    const char *unix_path;  /* A unix socket, or */
    const char *address;    /* an IP address */
    uint16_t port;          /* and a port. */
    struct tls_config *tls; /* NULL: plain. The reference is taken over. */
    /*
     * Over TLS: if the server agrees; the config's alpn must offer "h2" and may offer "http/1.1".
     * Plain: with prior knowledge (RFC 9113, 3.3).
     */
    bool http2;
    const char *server_name; /* For TLS, and for Host. */
    unsigned idle_max;       /* Connections kept; 0: 4. */
    msec_t head_ms;          /* For connecting, sending and the answer's head; 0: 60 s. */
    msec_t gap_ms;           /* Between two bytes of the answer; 0: no limit (watches). */
};

struct http_answer_head { /* Views that end with the call of head(). */
    int status;
    const struct http_field *fields;
    size_t n_fields;
};

struct http_call { /* The caller's, in place until done() or http_call_cancel(). */
    str_t method;
    str_t target;
    const struct http_field *fields; /* Without Host, Content-Length and framing. */
    size_t n_fields;
    str_t body;
    /* Instead of `body`: it comes by http_call_write(), from the first drained() on. */
    bool streams;
    int64_t body_bytes; /* Of such a body, exactly; 0: not known. */
    void (*head)(struct http_call *call, const struct http_answer_head *head);
    /* Views that end with the call. Return false to pause; http_call_more() goes on. */
    bool (*piece)(struct http_call *call, str_t bytes);
    /* HTTP/2: fields behind the body, as gRPC has them; views that end with the call. May be NULL.
     */
    void (*trailers)(struct http_call *call, const struct http_field *fields, size_t n_fields);
    /* More of a streamed body may be written: half of HTTP_UPLOAD_BYTES or less is waiting. */
    void (*drained)(struct http_call *call);
    /* Once, last: 0 when the whole answer was there; ERR_TIMEOUT, ERR_IO. */
    void (*done)(struct http_call *call, int r, const struct err *err);
    struct client_connection *connection; /* The client's: of HTTP/1.1, */
    struct h2_call *stream;               /* of HTTP/2. */
    int64_t written;                      /* Of a streamed body. */
    bool ended;                           /* All of it. */
};

int http_client_new(struct loop *loop, const struct http_client_settings *settings,
                    struct http_client **out, struct err *err);
void http_client_free(struct http_client *client); /* Calls that are under way are cancelled. */

void http_client_send(struct http_client *client, struct http_call *call);
void http_call_more(struct http_call *call);
/* Piece by piece; released when they are no longer needed. */
void http_call_write(struct http_call *call, struct http_bytes bytes);
void http_call_end(struct http_call *call);
size_t http_call_waiting(const struct http_call *call); /* Written and not yet on its way. */
void http_call_cancel(struct http_call *call);          /* done() is not called. */
