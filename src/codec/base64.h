/* base64.h - RFC 4648: the standard alphabet with padding, and the URL alphabet without. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

str_t base64_encode(str_t bytes, struct arena *arena);
str_t base64url_encode(str_t bytes, struct arena *arena);
/* ERR_INVALID in Go's words: "illegal base64 data at input byte 3". */
int base64_decode(str_t text, struct arena *arena, str_t *bytes, struct err *err);
int base64url_decode(str_t text, struct arena *arena, str_t *bytes, struct err *err);
