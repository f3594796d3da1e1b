/*
 * scheduler_index.h - what the scheduler knows of the world: nodes, what runs on each, and what
 * that takes. Kept as things change, so that placing a pod looks at no pod that does not matter.
 *
 * Used from the control loop's thread. Pure: it is told, and reads nothing itself.
 */
#pragma once

#include "base/json.h"
#include "base/list.h"
#include "base/map.h"

struct sched_amount { /* Of one resource, in 10^-9. */
    str_t name;
    __int128 nano;
};

struct sched_port { /* Of the machine. */
    str_t ip, protocol;
    int64_t number;
};

enum sched_stand {
    SCHED_NOWHERE,
    SCHED_NOMINATED, /* Room is being made for it on `node`. */
    SCHED_ASSUMED,   /* Bound, but not committed yet. */
    SCHED_BOUND,
};

struct sched_pod {
    struct map_node by_key; /* "namespace/name" */
    struct list on_node;
    struct list with_anti; /* In the index's list, if it keeps other pods away. */
    struct arena arena;    /* Of what the rest points to, once it is in the index. */
    str_t key, ns, name, uid;
    int64_t priority;
    str_t since; /* When it began, as text: earlier ones are smaller. */
    bool ending;
    struct sched_node *node;
    enum sched_stand stand;
    const struct json *labels;
    const struct json *anti; /* Required anti-affinity: an array, or NULL. */
    size_t n_amounts, n_ports;
    struct sched_amount *amounts;
    struct sched_port *ports;
};

struct sched_room {
    struct sched_amount can; /* Allocatable. */
    __int128 used_nano;
};

struct sched_node {
    struct map_node by_name;
    struct list link;
    struct arena arena;
    str_t name;
    bool there;               /* There are pods on it, but no such Node, if not. */
    const struct json *facts; /* labels, taints, unschedulable, allocatable */
    const struct json *labels, *taints;
    bool unschedulable;
    int64_t pods_max, n_pods;
    size_t n_rooms;
    struct sched_room *rooms;
    struct list pods, nominated;
    char text[];
};

struct sched_index {
    struct map nodes, pods, spaces;
    struct list all_nodes, with_anti;
    size_t n_nodes; /* That are there. */
};

void sched_index_init(struct sched_index *index);
void sched_index_done(struct sched_index *index);

/* True: something that matters for placing pods is another now. */
bool sched_node_set(struct sched_index *index, str_t name, const struct json *node);
bool sched_node_gone(struct sched_index *index, str_t name);
bool sched_space_set(struct sched_index *index, str_t name, const struct json *labels);
const struct json *sched_space_labels(const struct sched_index *index, str_t name);

/* What matters of a pod; copied into the arena. */
void sched_pod_read(const struct json *tree, struct arena *arena, struct sched_pod *pod);

struct sched_pod *sched_pod_find(const struct sched_index *index, str_t key);
/* The pod is at that node from now on, in this way. Replaces what was known of it. */
void sched_pod_set(struct sched_index *index, const struct json *tree, str_t node,
                   enum sched_stand stand);
void sched_pod_drop(struct sched_index *index, struct sched_pod *pod);

/* For "what if it were not there": out of its node's sums, and back. */
void sched_pod_lift(struct sched_pod *pod);
void sched_pod_land(struct sched_pod *pod);
/* How much the node has of the resource; NULL: none. */
struct sched_room *sched_node_room(const struct sched_node *node, str_t resource);
