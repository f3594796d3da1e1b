/* gc_plan.c - an object that is ending has its dependents seen to; one that lives, its owners. */
#include "controllers/gc_plan.h"

static enum gc_step ending(const struct gc_view *view)
{
    if (view->orphan)
        return view->dependents ? GC_ORPHAN : GC_END_ORPHAN;
    if (view->foreground)
        return view->blocked ? GC_WAIT : GC_END_FOREGROUND;
    return GC_NOTHING; /* Its dependents' turn comes when it has gone. */
}

enum gc_step gc_next(const struct gc_view *view)
{
    if (view->marked)
        return ending(view);
    if (view->solid > 0)
        return view->absent + view->waiting > 0 ? GC_DROP_REFS : GC_NOTHING;
    if (view->absent + view->waiting == 0)
        return GC_NOTHING; /* It never had an owner. */
    if (view->waiting > 0 && view->dependents)
        return view->circle && view->blocks ? GC_UNBLOCK : GC_DELETE_FOREGROUND;
    if (view->orphan)
        return GC_DELETE_ORPHAN;
    return view->foreground ? GC_DELETE_FOREGROUND : GC_DELETE_BACKGROUND;
}
