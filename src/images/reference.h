/*
 * reference.h - names of images as people write them, made whole: "web" is
 * "docker.io/library/web:latest". https://github.com/distribution/reference
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

enum {
    REGISTRY_BYTES = 256,
    REPOSITORY_BYTES = 256,
    TAG_BYTES = 129,
    DIGEST_BYTES = 72,     /* "sha256:" and 64 digits. */
    IMAGE_NAME_BYTES = 728 /* All of them. */
};

struct reference {
    char registry[REGISTRY_BYTES];     /* "docker.io", "localhost:5000" */
    char repository[REPOSITORY_BYTES]; /* "library/web" */
    char tag[TAG_BYTES];               /* "" with a digest only. */
    char digest[DIGEST_BYTES];         /* "" : none. */
};

/* ERR_INVALID in the words of that library: "invalid reference format ...". */
int reference_parse(str_t text, struct reference *out, struct err *err);
/* "docker.io/library/web:v1", with "@sha256:..." instead of the tag if there is a digest. */
str_t reference_name(const struct reference *reference, struct arena *arena);

/* Parts of a name on their own. */
bool repository_is_valid(str_t text);
bool tag_is_valid(str_t tag);

/* "sha256:" and 64 digits of a small hex number. */
bool digest_is_valid(str_t text);
