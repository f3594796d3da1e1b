/*
 * deletion.h - what deleting one object means: gone at once, marked and gone later, or nothing new.
 *
 * Pure. The rules are Kubernetes' (registry/generic/registry/store.go, registry/rest/delete.go):
 * the propagation policy becomes a finalizer, Pods get time to end, a running end may only be
 * shortened.
 */
#pragma once

#include "kube/kind.h"

enum propagation { PROPAGATE_UNSAID, PROPAGATE_BACKGROUND, PROPAGATE_FOREGROUND, PROPAGATE_ORPHAN };

struct deletion_wish {
    enum propagation policy;
    bool has_grace;
    int64_t grace_s; /* Below zero counts as one second, as it does there. */
};

enum deletion_step {
    DELETION_NOTHING, /* It is on its way already. */
    DELETION_MARK,    /* Write `object`, which was changed. */
    DELETION_REMOVE,
};

/* Of a DeleteOptions object that was checked before. */
struct deletion_wish deletion_wish_of(const struct json *options);
/* Does deleting it without a word about propagation leave its dependents alone? (Job, RC) */
bool deletion_orphans(const struct kind *kind);
/* `object` is changed in its arena; its finalizers also when it is removed at once. */
enum deletion_step deletion_next(const struct kind *kind, const struct deletion_wish *wish,
                                 msec_t wall_ms, struct json *object, struct arena *arena);
/* An update left it like this: marked, nobody waits any more, its time is over? */
bool deletion_is_over(const struct json *object);
