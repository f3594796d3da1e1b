/* namespace_status.h - why a namespace that is deleted is still there. */
#pragma once

#include "control/cache.h"
#include "kube/kind.h"

/*
 * Writes what still holds the namespace into its status.conditions; true if that changed them.
 * Nothing is written while nothing waits for a finalizer. Looks at no more than so many objects of
 * each kind.
 */
bool namespace_status_set(const struct reconcile *rc, const struct kind *const *kinds,
                          struct json *ns, size_t look_at_most);
