/*
 * cache.h - the control loop's read-only picture of all objects: what is committed, as of now.
 *
 * In-process it is the store itself; the same calls can be answered by list and watch over HTTP.
 */
#pragma once

#include "control/controller.h"
#include "store/store.h"

struct owners;

struct cache {
    struct store *store;
    struct owners *owners; /* Told of every change by whoever has the cache. */
};

/* The object's tree in the arena, or NULL. */
struct json *cache_get(const struct cache *cache, str_t resource, str_t ns, str_t name,
                       struct arena *arena);
/* As it is stored, until the next change; empty: it is not there. */
str_t cache_text(const struct cache *cache, str_t resource, str_t ns, str_t name);
/* Its metadata only: much cheaper for large objects. */
struct json *cache_meta(const struct cache *cache, str_t resource, str_t ns, str_t name,
                        struct arena *arena);
/* Objects of one resource in one namespace ("" = all). */
size_t cache_count(const struct cache *cache, str_t resource, str_t ns);

bool cache_any(const struct cache *cache, str_t resource, str_t ns); /* Is one there? */

struct cache_name {
    str_t ns, name;
};
/* As cache_names(), but only of those that are (or are not) marked with a deletionTimestamp. */
size_t cache_marked(const struct cache *cache, str_t resource, str_t ns, bool marked,
                    struct cache_name *out, size_t max, struct arena *arena);
/* The first `max` names, in order. */
size_t cache_names(const struct cache *cache, str_t resource, str_t ns, struct cache_name *out,
                   size_t max, struct arena *arena);

/*
 * Trees of the objects in a namespace that `uid` controls, and of those that nobody controls and
 * the label selector selects (NULL: none of these).
 */
size_t cache_owned(const struct cache *cache, str_t resource, str_t ns, str_t uid,
                   const struct json *selector, struct arena *arena, struct json ***out);
