/*
 * custom.h - the kinds that a CustomResourceDefinition describes: one for each version.
 */
#pragma once

#include "base/list.h"
#include "kube/kind.h"

enum { CUSTOM_VERSIONS_MAX = 16 };

struct custom {
    struct list link; /* Its owner's. */
    struct arena arena;
    str_t name; /* Of the definition. */
    size_t n;
    struct kind kinds[CUSTOM_VERSIONS_MAX];
    bool served[CUSTOM_VERSIONS_MAX];
    msec_t gone_ms; /* Its owner's: when it was replaced. */
};

/* Of a definition that was checked. Freed by custom_free(). */
struct custom *custom_new(const struct json *crd);
void custom_free(struct custom *custom);
