/*
 * patch.h - the forms of a patch that change an object without asking whose field it is.
 */
#pragma once

#include "kube/schema.h"

/* RFC 7386. The patched document; shares nodes with neither. Nulls in `patch` remove. */
struct json *patch_merge(const struct json *object, const struct json *patch, struct arena *arena);

/*
 * RFC 6902. ERR_INVALID says what cannot be done; ERR_CONFLICT that a test failed. A path that has
 * "-" as an index is behind the last item.
 */
int patch_json(const struct json *object, const struct json *patch, struct arena *arena,
               struct json **out, struct err *err);

/*
 * A merge looks up each member of the patch among those of the object, and each item of its lists
 * among theirs. 6,000 new keys for a ConfigMap of 6,000 still fit; 60,000 would take half a minute.
 */
enum { PATCH_WORK_MAX = 1 << 26, PATCH_ITEMS_MAX = 4096 };
bool patch_fits(const struct json *object, const struct json *patch);
/* Kubernetes' strategic merge patch by the kind's table. `patch` is an object that fits. */
struct json *patch_strategic(const struct schema *schema, const struct json *object,
                             const struct json *patch, struct arena *arena);
