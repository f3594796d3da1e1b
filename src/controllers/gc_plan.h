/*
 * gc_plan.h - what the garbage collector does next about one object, decided from what is seen.
 *
 * Pure. The rules are those of Kubernetes' pkg/controller/garbagecollector.
 */
#pragma once

#include "base/base.h"

struct gc_view {
    bool marked;                   /* It has a deletionTimestamp. */
    bool orphan, foreground;       /* It has this finalizer. */
    size_t solid, absent, waiting; /* Its owners: there, gone, waiting for us to go first. */
    bool dependents;               /* Somebody names it as their owner. */
    bool blocked;                  /* One of them must go first. */
    bool circle;                   /* One of them is waiting in the foreground itself. */
    bool blocks;                   /* One of its references blocks the owner. */
};

enum gc_step {
    GC_NOTHING,
    GC_WAIT,       /* For dependents, which are looked at themselves. */
    GC_ORPHAN,     /* Take the reference off the dependents. */
    GC_END_ORPHAN, /* Take our finalizer off. */
    GC_END_FOREGROUND,
    GC_DROP_REFS, /* Take off what names owners that are gone or waiting. */
    GC_UNBLOCK,   /* Say that our owners need not wait for us. */
    GC_DELETE_BACKGROUND,
    GC_DELETE_FOREGROUND,
    GC_DELETE_ORPHAN,
};

enum gc_step gc_next(const struct gc_view *view);
