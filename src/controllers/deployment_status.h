/* deployment_status.h - what a Deployment says of itself, in Kubernetes' words. Pure. */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"

struct deployment_view {
    const struct json *object;
    struct json *const *sets; /* All its ReplicaSets. */
    size_t n;
    size_t newest; /* Among them; n: there is none of the present template. */
    int64_t unavailable_max;
    int64_t collisions; /* Of names; 0 is not shown. */
    msec_t wall_ms;
};

bool deployment_is_complete(const struct json *object, const struct json *status);
/* The status it should have now; *again_ms: when its deadline may have passed, or 0. */
struct json *deployment_status(const struct deployment_view *view, msec_t *again_ms,
                               struct arena *arena);
