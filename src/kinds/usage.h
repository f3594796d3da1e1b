/*
 * usage.h - what an object counts as for the quotas of its namespace
 * (https://kubernetes.io/docs/concepts/policy/resource-quotas/). Pure.
 */
#pragma once

#include "kube/kind.h"
#include "kube/quantity.h"

enum { USAGE_MAX = 48, USAGE_NAME_MAX = 128 };

struct usage { /* All zero to begin. */
    size_t n;
    struct {
        char name[USAGE_NAME_MAX]; /* "pods", "requests.cpu", "count/jobs.batch" */
        size_t len;
        quantity_t value;
    } at[USAGE_MAX];
};

/* Adds what the object takes, `times` 1 or -1. A pod that has ended takes nothing. */
void usage_add(struct usage *usage, const struct kind *kind, const struct json *object, int times);
bool usage_get(const struct usage *usage, str_t name, quantity_t *out);
/* "limits.cpu for: web; requests.memory for: web": what a pod has to say and does not. */
void usage_missing(const struct json *pod, const struct json *hard, struct buf *out);
/* Does the quota look at this pod (NULL: at something that is no pod)? */
bool usage_in_scope(const struct json *quota, const struct json *pod);
/*
 * What a pod takes of one resource ("cpu"); `which` is "requests" or "limits": all containers and
 * sidecars together, or the largest init container, and the overhead of its sandbox.
 */
quantity_t usage_of_pod(const struct json *pod, const char *which, str_t name);
