/*
 * h1_parse.h - HTTP/1.1 heads and chunks (RFC 9112), strictly: bytes to structs, no I/O.
 *
 * What two implementations might read differently is refused: bare CR or LF, blanks before a colon,
 * folded lines, two Hosts, Content-Length beside Transfer-Encoding, any coding but one `chunked`.
 */
#pragma once

#include "http/http.h"

#include <sys/types.h>

struct h1_request {
    str_t method;
    str_t target;
    str_t host;
    int version; /* 10 or 11. */
    size_t n_fields;
    struct http_field fields[HTTP_FIELDS_MAX];
    int64_t content_length; /* -1: none. */
    bool chunked;
    bool close; /* After this answer: HTTP/1.0 without keep-alive, or Connection: close. */
    bool expect_continue;
    bool upgrade; /* Connection names it. */
};

/*
 * Is a whole head there? > 0: its bytes with the empty line; 0: not yet; < 0: a broken line end, or
 * more than HTTP_HEAD_BYTES_MAX, as -400, -414 or -431. `*scanned` remembers how far we looked and
 * starts at 0. Up to three empty lines before the request line are part of the head.
 */
int h1_head_len(str_t bytes, size_t *scanned);

/* A whole head as h1_head_len() found it. 0, or the status to refuse with as a negative number. */
int h1_parse_request(str_t head, struct h1_request *out);

enum h1_chunk_state { CHUNK_SIZE, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER, CHUNK_DONE };

struct h1_chunks { /* All zero to begin. */
    enum h1_chunk_state state;
    uint64_t left;     /* Of this chunk's data. */
    size_t line_bytes; /* Of the trailer so far. */
};

/*
 * One step. Gives how many bytes were used (0: more are needed), or -400. When they hold data,
 * *data is the part of `bytes` that is the body's. The end is state == CHUNK_DONE.
 */
ssize_t h1_chunk_next(struct h1_chunks *chunks, str_t bytes, str_t *data);

bool http_is_token(str_t text);
bool http_is_field_value(str_t text);
