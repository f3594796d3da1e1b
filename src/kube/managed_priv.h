/* managed_priv.h - what managed.c and managed_apply.c share. */
#pragma once

#include "kube/managed.h"

/* Made, owning nothing, if it is not there. */
struct manager *managed_find(struct managed *managed, const struct manager_who *who, bool applies);
struct fields *managed_strip(const struct fields *set, struct arena *arena);
void managed_stamp(struct managed *managed, str_t now); /* Where a set has changed. And sorts. */
