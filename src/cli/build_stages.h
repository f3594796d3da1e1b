/* build_stages.h - which stages a Dockerfile has, and how large what was built is. Pure. */
#pragma once

#include "base/json.h"

enum { BUILD_STAGES_MAX = 64, DOCKERFILE_BYTES_MAX = 1 << 20 };

struct build_stage {
    str_t name; /* After AS; "" : it has none. */
    str_t base; /* After FROM. */
};

/* In their order; further ones than BUILD_STAGES_MAX are left out. Views of the arena. */
size_t build_stages(str_t dockerfile, struct arena *arena, struct build_stage *out);

/*
 * Bytes of an image's layers, without compression, from the two lists that containers/storage
 * keeps. False: it is not in them.
 */
bool build_size(const struct json *images, const struct json *layers, str_t id, int64_t *bytes);
