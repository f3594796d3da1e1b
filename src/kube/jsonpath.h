/*
 * jsonpath.h - the part of Kubernetes' JSONPath that printer columns use: `.spec.name`,
 * `.metadata.labels['a.b']`, `.items[0].x`, `[*]`, and filters
 * `.status.conditions[?(@.type=="Ready")].status`.
 */
#pragma once

#include "base/json.h"

enum { JSONPATH_LEN_MAX = 1024 };

/* ERR_INVALID when it is none of these. */
int jsonpath_check(str_t path, struct err *err);
/* The first value at a path that was checked, or NULL. */
const struct json *jsonpath_get(const struct json *object, str_t path);
