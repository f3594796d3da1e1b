/*
 * manifest.h - what registries and archives say of images, read from hostile JSON. Pure.
 *
 * https://github.com/opencontainers/image-spec and Docker's schema 2, which differ in names only.
 */
#pragma once

#include "base/json.h"

enum { LAYERS_MAX = 256, PLATFORMS_MAX = 256, MANIFEST_BYTES_MAX = 4 << 20 };

struct blob_ref {
    str_t digest; /* "sha256:..." */
    int64_t bytes;
    str_t media_type;
};

struct manifest {
    str_t media_type; /* "" : it does not say. */
    bool is_index;    /* Of several platforms: one manifest each. */
    struct blob_ref config;
    struct blob_ref *layers;       /* Lowest first; of an index its manifests. */
    const struct json **platforms; /* Of an index, beside them; NULL: not said. */
    size_t n_layers;
};

/* All views live in the text or the arena. ERR_INVALID says what is missing. */
int manifest_parse(str_t text, struct arena *arena, struct manifest *out, struct err *err);
/* The one for a machine such as ours, in an index; NULL: there is none. */
const struct blob_ref *manifest_choose(const struct manifest *index, const char *architecture);

struct image_config {
    struct json *config; /* Entrypoint, Cmd, Env, User ... An empty object if there is none. */
    str_t *diff_ids;     /* Digests of the layers as plain tar, lowest first. */
    size_t n_diff_ids;
    str_t architecture, os;
};
int image_config_parse(str_t text, struct arena *arena, struct image_config *out, struct err *err);

struct archived { /* One image of a file that `docker save` wrote. */
    str_t config; /* Names of entries of the file. */
    str_t *layers;
    size_t n_layers;
    str_t *names; /* "web:v1" */
    size_t n_names;
};
int archive_manifest_parse(str_t text, struct arena *arena, struct archived **out, size_t *n,
                           struct err *err);

/* A manifest in OCI's form of these. */
struct json *manifest_make(const struct blob_ref *config, const struct blob_ref *layers, size_t n,
                           struct arena *arena);

/* What Go calls this machine: "amd64". */
const char *machine_architecture(void);
