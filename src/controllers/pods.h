/*
 * pods.h - what controllers of Pods share: finding those that are theirs, counting them, and
 * knowing what they have asked for but cannot see yet.
 */
#pragma once

#include "base/map.h"
#include "control/cache.h"
#include "control/writer.h"
#include "kube/kind.h"

/*
 * Writes that were given to the store and are not committed: a controller that looked again before
 * would make the same Pod twice. Names are "namespace/name". Emptied when a commit was lost.
 */
struct expectations {
    struct map by_name, by_owner;
};

void expectations_done(struct expectations *e);
void expectations_add(struct expectations *e, str_t name, str_t owner);
void expectations_met(struct expectations *e, str_t name);
bool expectations_has(const struct expectations *e, str_t name);
size_t expectations_of(const struct expectations *e, str_t owner);
void expectations_clear(struct expectations *e);

/* The reference with `controller: true`, or NULL. */
const struct json *controller_of(const struct json *meta);
/* For a new object: name, namespace and who controls it. */
struct json *controlled_meta(const struct json *owner, const struct kind *owner_kind, str_t name,
                             struct arena *arena);

struct claimed {
    struct json **at;
    size_t n;
};
/*
 * Objects of `kind` in the owner's namespace that are the owner's: those it controls and selects.
 * Takes those that nobody controls and it selects; lets go those it controls and does not select.
 * An owner that is ending takes none.
 */
int claim(struct reconcile *rc, const struct kind *kind, const struct json *owner,
          const struct kind *owner_kind, const struct json *selector, struct claimed *out,
          struct err *err);

bool pod_is_active(const struct json *pod); /* Not ended and not ending. */
bool pod_is_ready(const struct json *pod);
/* Ready since at least so long. Else, if it is ready, *left_ms says when it will be. */
bool pod_is_available(const struct json *pod, int64_t min_ready_s, msec_t wall_ms, msec_t *left_ms);

int64_t json_number(const struct json *json, const char *path, int64_t otherwise);
/* The condition of this type, or NULL. */
struct json *condition_of(const struct json *status, const char *type);
str_t random_suffix(struct arena *arena); /* Five letters and digits. */
