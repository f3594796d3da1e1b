/* registry_route.h - what a path of the OCI distribution API means. Pure. */
#pragma once

#include "images/reference.h"

enum registry_thing {
    REGISTRY_NOTHING, /* No such path. */
    REGISTRY_BAD_NAME,
    REGISTRY_ROOT,    /* /v2/ */
    REGISTRY_CATALOG, /* /v2/_catalog */
    REGISTRY_TAGS,    /* /v2/NAME/tags/list */
    REGISTRY_MANIFEST,
    REGISTRY_BLOB,
    REGISTRY_UPLOADS, /* /v2/NAME/blobs/uploads/ */
    REGISTRY_UPLOAD   /* ... and an upload's id. */
};

struct registry_route { /* Views of the path. */
    enum registry_thing thing;
    str_t repository;
    str_t reference; /* Tag, digest or id. */
};

struct registry_route registry_route(str_t path);

struct byte_range {
    uint64_t from, end; /* Not including `end`. */
};
enum range_is { RANGE_NONE, RANGE_PART, RANGE_BAD };
/* A field Range (RFC 9110, 14.2) for `bytes` of content. Several ranges count as none. */
enum range_is range_parse(str_t field, uint64_t bytes, struct byte_range *out);
