/* namespace_plan.h - the end of a namespace: what to do next, decided from what is seen. Pure. */
#pragma once

#include "base/base.h"

struct namespace_view {
    bool there;
    bool deleted;         /* It has a deletionTimestamp. */
    bool ours_to_release; /* spec.finalizers has "kubernetes". */
    bool content;         /* Something is in it. */
};

enum namespace_step {
    NAMESPACE_NOTHING,
    NAMESPACE_EMPTY,  /* Delete what is in it, and say so in status. */
    NAMESPACE_RELEASE /* Take "kubernetes" off spec.finalizers. */
};

enum namespace_step namespace_next(const struct namespace_view *view);
