/*
 * h1_parse.h - HTTP/1.1 heads and chunks (RFC 9112), strictly: bytes to structs, no I/O.
 *
 * What two implementations might read differently is refused: bare CR or LF, blanks before a colon,
 * folded lines, two Hosts, Content-Length beside Transfer-Encoding, any coding but one `chunked`.
 * All views point into the bytes given.
 */
#pragma once

#include "http/http.h"

#include <sys/types.h>

struct h1_head {            /* What requests and responses share. */
    int version;            /* 10 or 11; any later 1.x is 11. */
    int64_t content_length; /* -1: none. */
    bool chunked;
    bool close;   /* After this message: HTTP/1.0 without keep-alive, or Connection: close. */
    bool upgrade; /* Connection names it. */
    size_t n_fields;
    struct http_field fields[HTTP_FIELDS_MAX];
};

struct h1_request {
    str_t method;
    str_t target;
    str_t host; /* Of an absolute target, else of the Host field. */
    bool expect_continue;
    struct h1_head head;
};

enum h1_body { H1_NO_BODY, H1_LENGTH, H1_CHUNKED, H1_UNTIL_CLOSE };

struct h1_response {
    int status; /* 100 to 599. */
    str_t reason;
    enum h1_body body;
    struct h1_head head;
};

/*
 * Is a whole head there? > 0: its bytes with the empty line; 0: not yet; < 0: a broken line end or
 * beginning, or more than HTTP_HEAD_BYTES_MAX, as -400, -414 or -431. `*scanned` remembers how far
 * we looked and starts at 0. Up to three empty lines before the request line are part of the head.
 */
int h1_head_len(str_t bytes, size_t *scanned);

/* A whole head as h1_head_len() found it. 0, or the status to refuse with as a negative number. */
int h1_parse_request(str_t head, struct h1_request *out);
/* 0 or -502. `to_head`: the answer to a HEAD, which has no body whatever its fields say. */
int h1_parse_response(str_t head, bool to_head, struct h1_response *out);

enum h1_chunk_state { CHUNK_SIZE, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER, CHUNK_DONE };

struct h1_chunks { /* All zero to begin. */
    enum h1_chunk_state state;
    unsigned line_bytes; /* Of extensions, then of the trailer, so far. */
    uint64_t left;       /* Of this chunk's data. */
};

/*
 * One step. Gives how many bytes were used (0: more are needed), or -400. When they hold data,
 * *data is the part of `bytes` that is the body's. The end is state == CHUNK_DONE. A step never
 * needs more than HTTP_HEAD_BYTES_MAX at once.
 */
ssize_t h1_chunk_next(struct h1_chunks *chunks, str_t bytes, str_t *data);

bool http_is_token(str_t text);
bool http_is_field_value(str_t text);
bool http_is_host(str_t text);   /* uri-host [":" port], not empty, without user information. */
bool http_is_target(str_t text); /* The characters only: printable, no '#', whole escapes. */
bool http_list_has(str_t list, str_t token); /* "keep-alive, Upgrade" has "upgrade". */
