/* namespace_plan.c - content first, then the finalizer. */
#include "controllers/namespace_plan.h"

enum namespace_step namespace_next(const struct namespace_view *view)
{
    if (!view->there || !view->deleted || !view->ours_to_release)
        return NAMESPACE_NOTHING;
    return view->content ? NAMESPACE_EMPTY : NAMESPACE_RELEASE;
}
