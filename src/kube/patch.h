/*
 * patch.h - JSON merge patch (RFC 7386). The other three forms come with the whole object model.
 */
#pragma once

#include "base/json.h"

/* The patched document; shares nodes with neither. Nulls in `patch` remove. */
struct json *patch_merge(const struct json *object, const struct json *patch, struct arena *arena);
