/* keep.h - a reflector's objects by namespace and name; their text as long as there is room. */
#pragma once

#include "base/map.h"
#include "control/reflector.h"

enum { KEEP_RV_BYTES = 24 };

struct kept {
    struct map_node node; /* "ns/name" */
    uint64_t seen;        /* The list it was last seen in. */
    char rv[KEEP_RV_BYTES];
    char *text; /* NULL: not kept. */
    size_t n_text;
    size_t n_ns, n_key;
    char key[]; /* Then the uid, and a NUL. */
};

struct keep {
    struct map map;
    size_t bytes, bytes_max; /* Of text. */
};

void keep_done(struct keep *keep);
struct kept *keep_find(const struct keep *keep, str_t ns, str_t name); /* NULL: not there. */
struct kept *keep_add(struct keep *keep, const struct reflected *object);
void keep_update(struct keep *keep, struct kept *kept, const struct reflected *object);
void keep_remove(struct keep *keep, struct kept *kept); /* It stays until keep_free(). */
void keep_free(struct keep *keep, struct kept *kept);
struct reflected kept_view(const struct kept *kept);
/* `each` may remove the one it is called with. */
void keep_each(const struct keep *keep, void (*each)(void *self, struct kept *kept), void *self);
