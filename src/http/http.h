/*
 * http.h - a request and its answer, whatever version of HTTP carried them.
 *
 * A server hands each request to its handler as a `struct exchange` as soon as the head is
 * complete. The handler, now or later, takes the body (whole, or piece by piece) and answers
 * (whole, or piece by piece). HTTP/1.1 and HTTP/2 are the same here. Everything runs on the loop's
 * thread.
 *
 * The exchange and its arena live until both sides are finished or the peer has gone; on_gone() is
 * the last call for an exchange that ends before its answer was complete, and after it, or after
 * the call that completed the answer, the handler may not touch it again.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "net/tls.h"

enum {
    HTTP_HEAD_BYTES_MAX = 16 * 1024,
    HTTP_FIELDS_MAX = 100,
};

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_CONNECT,
    HTTP_TRACE,
    HTTP_OTHER
};

struct http_field {
    str_t name; /* Any case in HTTP/1.1; compare with http_name_eq(). */
    str_t value;
};

struct loop;
struct exchange_ops; /* exchange_priv.h: how this version of HTTP does it. */

struct exchange {
    const struct exchange_ops *ops;
    enum http_method method;
    str_t method_text;
    str_t target; /* As sent. */
    str_t path;   /* Up to '?'. Not percent-decoded: http_decode() does that, segment by segment. */
    str_t query;  /* After '?', or "". */
    str_t host;   /* Host or :authority. */
    str_t offer;  /* Protocols the client offers to switch to; see http_upgrade(). */
    const struct http_field *fields;
    size_t n_fields;
    int version;         /* 10, 11 or 20. */
    int64_t body_bytes;  /* Content-Length, 0 without a body, -1 unknown (chunked, h2). */
    struct arena *arena; /* The request's. */
    struct loop *loop;
    const struct tls *tls; /* NULL: plain. tls_peer() tells who. */
    bool local;            /* A unix socket: peer_uid is the kernel's word. */
    uint32_t peer_uid;
    int fd; /* The connection's; socket_peer_address() tells where it comes from. */

    /* The handler's own. */
    void *self;
    /* The peer went away, or a rule was broken and answered for you. May stay NULL. */
    void (*on_gone)(struct exchange *x);
    void (*on_drain)(struct exchange *x); /* Less than the low mark is waiting to be sent. */
};

struct http_handler {
    void *self;
    void (*head)(void *self, struct exchange *x);
};

/* --- the request --- */
bool http_name_eq(str_t a, str_t b);                  /* Field names and tokens: without case. */
str_t http_get(const struct exchange *x, str_t name); /* First field of this name, or "". */
/* Percent-decoding into the arena; `plus_is_blank` for queries. False: a broken escape or NUL. */
bool http_decode(str_t text, bool plus_is_blank, struct arena *arena, str_t *out);
bool http_query_get(const struct exchange *x, str_t name, str_t *value); /* First of this name. */

/* The whole body, at most `bytes_max`; else 413 is answered, and on_gone() called instead. */
void http_collect(struct exchange *x, size_t bytes_max,
                  void (*done)(struct exchange *x, str_t body));
/*
 * Piece by piece: `piece` gets views that end with the call; `end` comes once, after the last.
 * Nothing more arrives until the bytes have been given back with http_consumed(): that is the
 * back-pressure on the sender.
 */
void http_receive(struct exchange *x, void (*piece)(struct exchange *x, str_t bytes),
                  void (*end)(struct exchange *x));
void http_consumed(struct exchange *x, size_t n);

/* --- the answer --- */
/* Bytes sent from where they are; release(owner), if set, is called when they are no longer needed.
 */
struct http_bytes {
    str_t bytes;
    void (*release)(void *owner);
    void *owner;
};

/* Content-Length, Date and framing fields are added; do not pass them. */
void http_answer(struct exchange *x, int status, const struct http_field *fields, size_t n_fields,
                 struct http_bytes body);
void http_answer_text(struct exchange *x, int status, str_t content_type,
                      str_t body); /* In x->arena. */

void http_begin(struct exchange *x, int status, const struct http_field *fields, size_t n_fields);
/* A body of exactly so many bytes follows; for HEAD, would follow. */
void http_begin_sized(struct exchange *x, int status, const struct http_field *fields,
                      size_t n_fields, size_t body_bytes);
void http_write(struct exchange *x, struct http_bytes bytes);
void http_flush(struct exchange *x); /* Send the head now, though no body is there yet. */
void http_end(struct exchange *x, const struct http_field *trailers, size_t n_trailers);
size_t http_waiting(const struct exchange *x); /* Bytes written but not yet taken by the kernel. */
void http_abort(struct exchange *x);           /* Cut the connection or reset the stream. */
const char *http_reason(int status);

/*
 * Instead of an answer: switch to `protocol`. False: the client has not offered it. From then on
 * http_receive() gives what the client sends and http_write() sends bytes as they are; http_end()
 * closes our side. The client's end is told as the end of the body, and the exchange goes on.
 */
bool http_upgrade(struct exchange *x, str_t protocol, const struct http_field *fields,
                  size_t n_fields);
