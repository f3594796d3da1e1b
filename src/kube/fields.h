/*
 * fields.h - sets of fields: who set what, for server-side apply.
 *
 * A set is a tree in an arena. Each step of a path has the label that Kubernetes' FieldsV1 gives
 * it: "f:replicas" a field, `k:{"name":"web"}` an item of a list by its keys, `v:"a"` a value of a
 * set. A step is a member of the set, or only leads to members. Children are in order of their
 * labels, so everything here is one pass over both operands. The rules are those of
 * structured-merge-diff (sigs.k8s.io/structured-merge-diff), by our own tables: a list without
 * list_keys and whatever is `atomic` is one value.
 *
 * Sets are never changed once made; results share nodes with their operands.
 */
#pragma once

#include "kube/schema.h"

enum { FIELDS_DEPTH_MAX = 64 };

struct fields {
    str_t label;
    bool member;
    struct fields *first, *last; /* Steps behind this one. */
    struct fields *next;
};

/* What an applied object sets: its leaves, and the items of its lists. */
struct fields *fields_of(const struct schema *schema, const struct json *object,
                         struct arena *arena);

/* What differs between two versions of an object; either may be NULL. */
struct fields_change {
    struct fields *added, *changed, *removed;
};
struct fields_change fields_compare(const struct schema *schema, const struct json *old,
                                    const struct json *object, struct arena *arena);

struct fields *fields_union(const struct fields *a, const struct fields *b, struct arena *arena);
struct fields *fields_both(const struct fields *a, const struct fields *b, struct arena *arena);
struct fields *fields_without(const struct fields *a, const struct fields *b, struct arena *arena);
bool fields_are_none(const struct fields *set);
bool fields_eq(const struct fields *a, const struct fields *b);
const struct fields *fields_step(const struct fields *set, str_t label); /* Or NULL. */
/* Without this step and all behind it. */
struct fields *fields_cut(const struct fields *set, str_t label, struct arena *arena);

/* FieldsV1; ERR_INVALID when it is none. */
int fields_read(const struct json *json, struct arena *arena, struct fields **out, struct err *err);
struct json *fields_json(const struct fields *set, struct arena *arena);

/* Calls each() with `.spec.containers[name="web"].image` for every member. */
void fields_each(const struct fields *set, struct arena *arena,
                 void (*each)(void *self, str_t path), void *self);

/* The label of this item of a list that has list_keys or is a set; "" if a key is missing. */
str_t fields_item_label(const struct field *list, const struct json *item, struct arena *arena);
/* Is the list merged item by item? */
bool fields_list_is_merged(const struct field *field);
/* Is what stands in this field one value? */
bool fields_is_atomic(const struct field *field);
