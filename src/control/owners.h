/*
 * owners.h - which objects a controller's object controls, and which nobody does: names only.
 *
 * Only resources that somebody has asked for are kept: the first question reads the store once,
 * after that every change is told. Used from the control loop's thread.
 */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "store/store.h"

struct owners {
    struct map resources; /* Those that are kept. */
    struct map objects;   /* "resource/namespace/name" */
    struct map groups;    /* "resource/namespace/uid"; without a uid: nobody's. */
};

struct owned_entry { /* In a group's list. */
    struct map_node by_name;
    struct list link;
    struct owned_group *group;
    str_t resource, ns, name;
    char key[];
};

struct owned_group {
    struct map_node by_key;
    struct list entries;
    char key[];
};

void owners_done(struct owners *owners);
void owners_change(struct owners *owners, const struct object *object, bool gone);
/* NULL: none. `uid` "": those that nobody controls. Ends with the next change. */
const struct owned_group *owners_of(struct owners *owners, struct store *store, str_t resource,
                                    str_t ns, str_t uid);
