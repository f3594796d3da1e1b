/*
 * request.h - one question to a registry, asked by libcurl. Blocks; any thread.
 *
 * What a registry answers is bounded: its fields, its body, the time without a byte. Errors read as
 * those of Go's client, which is what people search for.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "images/reference.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdatomic.h>

enum { REQUEST_FIELD_BYTES_MAX = 4096, REQUEST_STALL_S = 60 };

struct request {
    const char *method;  /* "GET", "HEAD" */
    str_t url;           /* With a NUL behind it, in place until request_done(). */
    str_t authorization; /* "Bearer ...", or "" */
    str_t accept;
    uint64_t from;   /* The first byte wanted, by Range. */
    bool plain;      /* http, and never through a proxy. */
    size_t body_max; /* Of `body`; */
    /* instead, if it is set; false ends the request. */
    bool (*sink)(struct request *request, str_t bytes);
    const atomic_bool *stopping; /* NULL, or set when it is to end. */
    struct arena *arena;         /* Of what comes back. */

    long status;                   /* 0: none came. */
    str_t challenge, type, digest; /* Fields; "" if they were not there. */
    int64_t range_from;            /* Of Content-Range; -1. */
    struct buf body;

    CURL *curl; /* request.c's. */
    struct curl_slist *fields;
    char why[CURL_ERROR_SIZE];
    struct sockaddr_storage peer;
    bool too_large;
};

/* Ready for curl_multi_add_handle(); of `request` the first half is set. */
void request_begin(struct request *request);
/* Asks and waits. ERR_IO if no answer came: `text` says why, in the arena. */
int request_run(struct request *request, str_t *text);
/* What `code` of libcurl means, as Go says it. */
str_t request_error(const struct request *request, CURLcode code);
void request_done(struct request *request); /* Harmless after itself. */
/* "repository:a:pull" as part of a query. */
str_t request_escape(str_t text, struct arena *arena);
