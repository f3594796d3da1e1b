/* pull_priv.h - a pull under way: pull.c asks, pull_auth.c says who we are, pull_blobs.c fetches.
 */
#pragma once

#include "images/credentials.h"
#include "images/pull.h"
#include "images/request.h"

struct pull {
    struct images *images;
    struct arena *arena;
    struct reference reference;
    str_t name;
    str_t base;                          /* "https://registry-1.docker.io/v2/library/web" */
    bool plain;                          /* http: the registry is on this machine. */
    const struct credential *credential; /* NULL: nobody. */
    str_t authorization;                 /* What the registry took last, or "". */
    str_t why;                           /* Of the failure. */
};

/* Keeps the text; gives the code. */
int pull_fail(struct pull *pull, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* After a 401 with this challenge. The next question carries what came of it. */
int pull_authorize(struct pull *pull, str_t field);
/* "unexpected status from GET request to URL: 500 Internal Server Error" */
int pull_unexpected(struct pull *pull, const struct request *request);
/* Those that are not here, several at a time. */
int pull_blobs(struct pull *pull, const struct blob_ref *refs, size_t n);
