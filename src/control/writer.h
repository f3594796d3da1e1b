/*
 * writer.h - how a controller changes the world: the API server's front door, or a test's.
 *
 * Every call goes the way of a client's request: checked, admitted, stored. It returns at once; a
 * refusal that is known at once is returned. A write that is committed brings the name back to the
 * queue as a change; one whose commit fails makes the runner look at everything again. Trees are
 * copied.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

struct kind;

/* Only if it is still the one that was looked at. */
struct removal {
    str_t uid, rv; /* "": whatever it is. */
    const char
        *policy; /* "Background", "Foreground", "Orphan"; NULL: as the kind does by itself. */
};

struct writer {
    void *self;
    /* A Binding (v1) sends the pod of its name to the node it names. */
    int (*create)(void *self, const struct kind *kind, const struct json *object, struct err *err);
    /* `subresource` "" or "status" or "finalize"; metadata.resourceVersion is the precondition. */
    int (*update)(void *self, const struct kind *kind, const char *subresource,
                  const struct json *object, struct err *err);
    int (*remove)(void *self, const struct kind *kind, str_t ns, str_t name, struct err *err);
    /* ERR_CONFLICT: it is another now. */
    int (*remove_if)(void *self, const struct kind *kind, str_t ns, str_t name,
                     const struct removal *removal, struct err *err);
};
