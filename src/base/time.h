/* time.h - moments as text (RFC 3339), as Kubernetes writes them. */
#pragma once

#include "base/arena.h"

str_t time_text(msec_t wall_ms, struct arena *arena);       /* 2026-01-31T12:00:00Z */
str_t micro_time_text(msec_t wall_ms, struct arena *arena); /* ...00.000000Z */
bool time_parse(str_t text, msec_t *wall_ms);               /* RFC 3339, any offset. */
