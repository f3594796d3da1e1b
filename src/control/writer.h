/*
 * writer.h - how a controller changes the world: the API server's front door, or a test's.
 *
 * Every call goes the way of a client's request: checked, admitted, stored. It returns at once; a
 * refusal that is known at once is returned, anything later brings the name back to the queue by
 * the change itself or by the runner's retry. Trees are copied.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

struct kind;

struct writer {
    void *self;
    int (*create)(void *self, const struct kind *kind, const struct json *object, struct err *err);
    /* `subresource` "" or "status" or "finalize"; metadata.resourceVersion is the precondition. */
    int (*update)(void *self, const struct kind *kind, const char *subresource,
                  const struct json *object, struct err *err);
    int (*remove)(void *self, const struct kind *kind, str_t ns, str_t name, struct err *err);
};
