/* h2_upload.h - bytes of a request that wait for their HTTP/2 frames, piece after piece. */
#pragma once

#include "http/http.h"

struct h2_upload { /* All zero: empty. */
    struct http_bytes *pieces;
    unsigned at, n, cap;
    size_t sent;  /* Of pieces[at]. */
    size_t bytes; /* That wait. */
};

void upload_done(struct h2_upload *upload); /* Lets go of what is left. */
void upload_add(struct h2_upload *upload, struct http_bytes piece);
/* Moves at most `n` bytes to `to`; a piece is released with its last. */
size_t upload_take(struct h2_upload *upload, char *to, size_t n);
