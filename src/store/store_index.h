/*
 * store_index.h - the newest version of every object, by key and in order.
 *
 * A treap ordered by (resource, namespace, name): one list, so "all of a resource" and "all of a
 * namespace" are ranges of it. Priorities come from a hash of the key, so the shape depends on
 * nothing but what is in it.
 */
#pragma once

#include "store/object.h"

struct index_node {
    struct index_node *left, *right;
    const struct object *object; /* Holds a reference. */
    uint64_t priority;
    size_t n; /* Nodes here and below: what makes counting a range two walks down. */
};

struct store_index {
    struct index_node *root;
};

void index_done(struct store_index *index);
const struct object *index_get(const struct store_index *index, str_t resource, str_t ns,
                               str_t name);
/* Puts this version in the place of the one with the same key, or adds it. Takes a reference. */
void index_put(struct store_index *index, const struct object *object);
void index_remove(struct store_index *index, str_t resource, str_t ns, str_t name);
/* The first at or, with `behind`, after the key. NULL: none. */
const struct object *index_from(const struct store_index *index, str_t resource, str_t ns,
                                str_t name, bool behind);
/* How many objects of a resource ("": of all) in a namespace ("": in all). Walks down, not along.
 */
size_t index_count(const struct store_index *index, str_t resource, str_t ns);
int key_cmp(const struct object *object, str_t resource, str_t ns, str_t name);
