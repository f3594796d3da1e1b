/*
 * scheduler_queue.h - pods without a node: which is next, which waits for what.
 *
 * The most important first, of equals the one that came first. What could not be placed waits until
 * something changes that may help, and then, if it was tried not long ago, a little more.
 * Time is passed in. Used from the control loop's thread.
 */
#pragma once

#include "base/list.h"
#include "base/map.h"

enum sched_change { /* What may help. */
                    SCHED_ROOM = 1,
                    SCHED_PODS = 2,
                    SCHED_VOLUMES = 4,
};

enum sched_place { SCHED_IDLE, SCHED_ACTIVE, SCHED_LATER, SCHED_STUCK };

struct sched_waiting {
    struct map_node by_key; /* "namespace/name" */
    struct list stuck;
    enum sched_place place;
    size_t at;    /* In its heap. */
    uint64_t seq; /* Of its arrival. */
    int64_t priority;
    uint64_t facts; /* A hash of what matters. */
    uint64_t told;  /* A hash of the sentence that its last Event said. */
    unsigned helps; /* sched_change */
    int attempts;
    bool doubted; /* Its binding may have been lost. */
    msec_t due_ms;
    char key[];
};

struct sched_heap {
    struct sched_waiting **at;
    size_t n, room;
};

struct sched_queue {
    struct map all;
    struct sched_heap active, later;
    struct list stuck;
    uint64_t seq;
};

void sched_queue_init(struct sched_queue *queue);
void sched_queue_done(struct sched_queue *queue);
struct sched_waiting *sched_waiting_find(const struct sched_queue *queue, str_t key);
/* Active at once, whatever it waited for. Made if it is not there. */
struct sched_waiting *sched_waiting_add(struct sched_queue *queue, str_t key, int64_t priority);
void sched_waiting_drop(struct sched_queue *queue, struct sched_waiting *waiting);

/* The next one, or NULL. It is nowhere then, until one of the following. */
struct sched_waiting *sched_queue_take(struct sched_queue *queue, msec_t now_ms);
void sched_waiting_retry(struct sched_queue *queue, struct sched_waiting *waiting, msec_t now_ms);
/* Until one of these changes. */
void sched_waiting_stick(struct sched_queue *queue, struct sched_waiting *waiting, unsigned helps,
                         msec_t now_ms);
void sched_queue_changed(struct sched_queue *queue, unsigned changes, msec_t now_ms);
/* When to take again: 0 now, -1 when something changes. */
msec_t sched_queue_wait_ms(const struct sched_queue *queue, msec_t now_ms);
