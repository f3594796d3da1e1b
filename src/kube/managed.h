/*
 * managed.h - metadata.managedFields: which manager set which fields, and what an apply may change.
 *
 * The rules are Kubernetes' (apimachinery/pkg/util/managedfields, structured-merge-diff/merge): who
 * changes a value owns it; who applies it owns it too; what an applier no longer names and nobody
 * else owns goes away; a value that another owns changes only by force.
 */
#pragma once

#include "kube/fields.h"

enum {
    MANAGER_LEN_MAX = 128,
    MANAGED_UPDATES_MAX = 10, /* Then the oldest become "ancient-changes". */
    MANAGED_ENTRIES_MAX = 1000
};

struct manager {
    struct manager *next;
    str_t name, api_version, time, subresource;
    bool applies; /* Operation Apply; else Update. */
    struct fields *set;
    struct fields *before; /* Its set when it was read. */
};

struct managed {
    struct manager *first;
    struct arena *arena;
};

/* Who writes now. */
struct manager_who {
    str_t name, api_version, subresource, now;
};

/* From metadata.managedFields, which may be NULL. ERR_INVALID: it is none. */
int managed_read(const struct json *list, struct arena *arena, struct managed *out,
                 struct err *err);
/* As it is stored; NULL when nobody owns anything. */
struct json *managed_json(const struct managed *managed);

/* Somebody wrote `object` in the place of `old` (NULL: created). */
void managed_update(struct managed *managed, const struct schema *schema, const struct json *old,
                    const struct json *object, const struct manager_who *who);

struct apply_conflict {
    struct apply_conflict *next;
    str_t manager; /* `"kubectl-edit" using v1` */
    str_t path;    /* ".data.key" */
};

struct apply {
    const struct json *live; /* An empty object: it is made. */
    const struct json *config;
    const struct manager_who *who;
    bool force;
    const struct fields *yielded;     /* Whoever owns these lets them go; may be NULL. */
    struct json *object;              /* What comes out. */
    struct apply_conflict *conflicts; /* Whose fields would change. */
};

/*
 * What `last`, an object that kubectl applied by itself, set and `live` still has: with its next
 * server-side apply kubectl takes these over from whatever name it wrote them under.
 */
struct fields *managed_yielded(const struct schema *schema, const struct json *last,
                               const struct json *live, struct arena *arena);

/*
 * ERR_CONFLICT: `conflicts` says why, and `managed` is of no use any more. ERR_INVALID: a list has
 * items without their keys, or twice.
 */
int managed_apply(struct managed *managed, const struct schema *schema, struct apply *apply,
                  struct err *err);
