/* jsonschema_priv.h - what the files about JSON schemas share. */
#pragma once

#include "kube/jsonschema.h"

bool jsonschema_is(const struct json *schema, const char *word); /* "nullable": true */
str_t jsonschema_type(const struct json *schema);
/* NULL: it can be compiled. */
const char *pattern_fault(str_t pattern, struct arena *arena);
/* A match that takes too much work is none. */
bool pattern_matches(str_t pattern, str_t text);
