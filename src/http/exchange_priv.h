/*
 * exchange_priv.h - how one version of HTTP carries out what http.h promises.
 */
#pragma once

#include "http/http.h"

struct exchange_ops {
    void (*collect)(struct exchange *x, size_t bytes_max,
                    void (*done)(struct exchange *x, str_t body));
    void (*receive)(struct exchange *x, void (*piece)(struct exchange *x, str_t bytes),
                    void (*end)(struct exchange *x));
    void (*consumed)(struct exchange *x, size_t n);
    /* `whole`: this body and no more, so its length is known. */
    void (*begin)(struct exchange *x, int status, const struct http_field *fields, size_t n_fields,
                  bool whole, size_t body_bytes);
    void (*write)(struct exchange *x, struct http_bytes bytes);
    void (*flush)(struct exchange *x);
    void (*end)(struct exchange *x, const struct http_field *trailers, size_t n_trailers);
    size_t (*waiting)(const struct exchange *x);
    void (*abort)(struct exchange *x);
    bool (*upgrade)(struct exchange *x, str_t protocol, const struct http_field *fields,
                    size_t n_fields);
};

enum http_method http_method_of(str_t text);
/* Field names and values of an answer come from our own code, but values often from elsewhere. */
str_t http_clean_value(str_t value, struct arena *arena); /* What may not stand there is a blank. */

/* "Tue, 24 Nov 2026 12:00:00 GMT" (RFC 9110, 5.6.7); `out` holds 30 bytes. */
void http_date(int64_t unix_s, char *out);
