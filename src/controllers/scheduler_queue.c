/* scheduler_queue.c - two heaps and a list; each pod is in one of them at most. */
#include "controllers/scheduler_queue.h"

#include <stdlib.h>
#include <string.h>

enum { RETRY_MIN_MS = 1000, RETRY_MAX_MS = 10000 };

typedef bool before_fn(const struct sched_waiting *a, const struct sched_waiting *b);

static bool more_important(const struct sched_waiting *a, const struct sched_waiting *b)
{
    return a->priority != b->priority ? a->priority > b->priority : a->seq < b->seq;
}

static bool sooner(const struct sched_waiting *a, const struct sched_waiting *b)
{
    return a->due_ms < b->due_ms;
}

/* --- heaps --- */

static void put(struct sched_heap *heap, size_t at, struct sched_waiting *waiting)
{
    heap->at[at] = waiting;
    waiting->at = at;
}

static void rise(struct sched_heap *heap, size_t at, before_fn *before)
{
    struct sched_waiting *it = heap->at[at];
    for (; at > 0 && before(it, heap->at[(at - 1) / 2]); at = (at - 1) / 2)
        put(heap, at, heap->at[(at - 1) / 2]);
    put(heap, at, it);
}

static void sink(struct sched_heap *heap, size_t at, before_fn *before)
{
    struct sched_waiting *it = heap->at[at];
    for (;;) {
        size_t child = at * 2 + 1;
        if (child + 1 < heap->n && before(heap->at[child + 1], heap->at[child]))
            child++;
        if (child >= heap->n || !before(heap->at[child], it))
            break;
        put(heap, at, heap->at[child]);
        at = child;
    }
    put(heap, at, it);
}

static void heap_add(struct sched_heap *heap, struct sched_waiting *waiting, before_fn *before)
{
    if (heap->n == heap->room) {
        heap->room = heap->room * 2 + 16;
        heap->at = realloc(heap->at, heap->room * sizeof(struct sched_waiting *));
        MUST(heap->at != NULL);
    }
    put(heap, heap->n++, waiting);
    rise(heap, waiting->at, before);
}

static void heap_remove(struct sched_heap *heap, struct sched_waiting *waiting, before_fn *before)
{
    size_t at = waiting->at;
    struct sched_waiting *last = heap->at[--heap->n];
    if (last == waiting)
        return;
    put(heap, at, last);
    rise(heap, at, before);
    sink(heap, last->at, before);
}

/* --- the queue --- */

void sched_queue_init(struct sched_queue *queue)
{
    *queue = (struct sched_queue){0};
    list_init(&queue->stuck);
}

static void leave(struct sched_queue *queue, struct sched_waiting *waiting)
{
    if (waiting->place == SCHED_ACTIVE)
        heap_remove(&queue->active, waiting, more_important);
    else if (waiting->place == SCHED_LATER)
        heap_remove(&queue->later, waiting, sooner);
    list_remove(&waiting->stuck);
    waiting->place = SCHED_IDLE;
}

static void activate(struct sched_queue *queue, struct sched_waiting *waiting)
{
    leave(queue, waiting);
    waiting->place = SCHED_ACTIVE;
    heap_add(&queue->active, waiting, more_important);
}

void sched_queue_done(struct sched_queue *queue)
{
    for (size_t i = 0; i < queue->all.n_buckets; i++)
        while (queue->all.buckets[i] != NULL)
            sched_waiting_drop(queue,
                               CONTAINER_OF(queue->all.buckets[i], struct sched_waiting, by_key));
    map_done(&queue->all);
    free(queue->active.at);
    free(queue->later.at);
}

struct sched_waiting *sched_waiting_find(const struct sched_queue *queue, str_t key)
{
    struct map_node *node = map_find(&queue->all, key);
    return node == NULL ? NULL : CONTAINER_OF(node, struct sched_waiting, by_key);
}

struct sched_waiting *sched_waiting_add(struct sched_queue *queue, str_t key, int64_t priority)
{
    struct sched_waiting *waiting = sched_waiting_find(queue, key);
    if (waiting == NULL) {
        waiting = calloc(1, sizeof(*waiting) + key.len + 1);
        MUST(waiting != NULL);
        memcpy(waiting->key, key.at, key.len);
        waiting->seq = ++queue->seq;
        map_add(&queue->all, (str_t){waiting->key, key.len}, &waiting->by_key);
    }
    leave(queue, waiting);
    waiting->priority = priority;
    waiting->attempts = 0;
    waiting->due_ms = 0;
    activate(queue, waiting);
    return waiting;
}

void sched_waiting_drop(struct sched_queue *queue, struct sched_waiting *waiting)
{
    leave(queue, waiting);
    map_remove(&queue->all, &waiting->by_key);
    free(waiting);
}

struct sched_waiting *sched_queue_take(struct sched_queue *queue, msec_t now_ms)
{
    while (queue->later.n > 0 && queue->later.at[0]->due_ms <= now_ms)
        activate(queue, queue->later.at[0]);
    if (queue->active.n == 0)
        return NULL;
    struct sched_waiting *waiting = queue->active.at[0];
    leave(queue, waiting);
    return waiting;
}

static void set_due(struct sched_waiting *waiting, msec_t now_ms)
{
    msec_t delay_ms = RETRY_MIN_MS;
    for (int i = 0; i < waiting->attempts && delay_ms < RETRY_MAX_MS; i++)
        delay_ms *= 2;
    waiting->attempts++;
    waiting->due_ms = now_ms + (delay_ms < RETRY_MAX_MS ? delay_ms : RETRY_MAX_MS);
}

static void put_later(struct sched_queue *queue, struct sched_waiting *waiting)
{
    leave(queue, waiting);
    waiting->place = SCHED_LATER;
    heap_add(&queue->later, waiting, sooner);
}

void sched_waiting_retry(struct sched_queue *queue, struct sched_waiting *waiting, msec_t now_ms)
{
    set_due(waiting, now_ms);
    put_later(queue, waiting);
}

void sched_waiting_stick(struct sched_queue *queue, struct sched_waiting *waiting, unsigned helps,
                         msec_t now_ms)
{
    leave(queue, waiting);
    set_due(waiting, now_ms);
    waiting->helps = helps;
    waiting->place = SCHED_STUCK;
    list_add_before(&queue->stuck, &waiting->stuck);
}

void sched_queue_changed(struct sched_queue *queue, unsigned changes, msec_t now_ms)
{
    LIST_EACH(&queue->stuck, link) {
        struct sched_waiting *waiting = CONTAINER_OF(link, struct sched_waiting, stuck);
        if ((waiting->helps & changes) == 0)
            continue;
        if (waiting->due_ms <= now_ms)
            activate(queue, waiting);
        else
            put_later(queue, waiting);
    }
}

msec_t sched_queue_wait_ms(const struct sched_queue *queue, msec_t now_ms)
{
    if (queue->active.n > 0)
        return 0;
    if (queue->later.n == 0)
        return -1;
    msec_t due_ms = queue->later.at[0]->due_ms;
    return due_ms > now_ms ? due_ms - now_ms : 0;
}
