/*
 * object.h - one version of one object: immutable, counted, ready to be sent.
 *
 * An object is its JSON text and the few words by which it is found. There is no tree beside it:
 * parsing a ConfigMap takes less than a microsecond, and 20,000 trees would be most of our memory.
 */
#pragma once

#include "base/str.h"

struct object {
    uint64_t rv;    /* resourceVersion: of the write that made this version. */
    str_t resource; /* "configmaps" or "deployments.apps": plural[.group] */
    str_t ns;       /* "" for cluster-scoped. */
    str_t name;
    str_t json;    /* Complete, with metadata.resourceVersion == rv; also followed by a NUL. */
    unsigned refs; /* Of the loop's thread only. */
};

/* One allocation that copies all texts; comes with one reference. */
struct object *object_new(str_t resource, str_t ns, str_t name, uint64_t rv, str_t json);
struct object *object_ref(const struct object *object);
void object_unref(const struct object *object); /* NULL-safe. */
