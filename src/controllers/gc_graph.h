/*
 * gc_graph.h - who is owned by whom: only names and uids, and only of objects that have owners.
 *
 * An owner is known by its uid alone, so it need not be there, nor be of a kind that we know. A
 * name is "resource/namespace/name".
 */
#pragma once

#include "base/list.h"
#include "base/map.h"

struct gc_owner { /* A uid that somebody names as their owner. */
    struct map_node by_uid;
    struct list dependents; /* Of gc_edge.link */
    bool gone;              /* It was seen to be deleted: a uid never comes back. */
    bool foreground;        /* It is being deleted after its dependents. */
    char *waits;            /* Its name, if it is to be looked at when a dependent goes. */
    uint64_t visit;
    char uid[];
};

struct gc_node;

struct gc_edge {
    struct list link;
    struct gc_owner *owner;
    struct gc_node *node;
    bool blocks;
};

struct gc_node { /* An object that has owners. */
    struct map_node by_name;
    str_t name, uid;
    size_t n;
    struct gc_edge *edges;
};

struct gc_graph {
    struct map owners, nodes;
    uint64_t visits;
    void *self;
    void (*tell)(void *self, str_t name); /* A dependent of this waiting owner has gone. */
};

struct gc_ref {
    str_t uid;
    bool blocks;
};

void gc_graph_done(struct gc_graph *graph);
/* Its owners are these now; none: it is forgotten. True if that is new. */
bool gc_graph_put(struct gc_graph *graph, str_t name, str_t uid, const struct gc_ref *refs,
                  size_t n);
bool gc_graph_has(const struct gc_graph *graph, str_t name);
struct gc_owner *gc_graph_owner(const struct gc_graph *graph, str_t uid); /* NULL: owns nothing. */
void gc_owner_wait(struct gc_owner *owner, str_t name);
/*
 * Does a dependent keep this owner in its foreground deletion? Not one that waits for it in turn:
 * of a circle that is deleted nobody could be the first. Bounded: of a circle larger than some
 * thousands nothing is found.
 */
bool gc_graph_blocked(struct gc_graph *graph, const struct gc_owner *owner);
/* Is one of its dependents being deleted in the foreground? */
bool gc_graph_dependent_waits(const struct gc_graph *graph, const struct gc_owner *owner);
