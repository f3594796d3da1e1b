/* store_history.c - a ring that grows to its limit, then drops the oldest. */
#include "store/store_history.h"

#include <stdlib.h>

enum { RING_MIN = 64 };

void history_init(struct history *history, size_t max)
{
    *history = (struct history){.max = max};
}

static struct store_event *at(const struct history *history, size_t i)
{
    return &history->events[(history->first + i) % history->cap];
}

static void drop_oldest(struct history *history)
{
    struct store_event *event = at(history, 0);
    history->floor = event->rv;
    object_unref(event->object);
    object_unref(event->previous);
    history->first = (history->first + 1) % history->cap;
    history->n--;
}

void history_done(struct history *history)
{
    while (history->n > 0)
        drop_oldest(history);
    free(history->events);
}

static void grow(struct history *history)
{
    size_t cap = history->cap == 0 ? RING_MIN : history->cap * 2;
    struct store_event *events = calloc(cap, sizeof(*events));
    MUST(events != NULL);
    for (size_t i = 0; i < history->n; i++)
        events[i] = *at(history, i);
    free(history->events);
    history->events = events;
    history->cap = cap;
    history->first = 0;
}

void history_add(struct history *history, const struct store_event *event)
{
    if (!history->floor_set) {
        history->floor = event->rv - 1;
        history->floor_set = true;
    }
    if (history->n == history->max)
        drop_oldest(history);
    if (history->n == history->cap)
        grow(history);
    struct store_event *slot = at(history, history->n++);
    *slot = *event;
    object_ref(event->object);
    if (event->previous != NULL)
        object_ref(event->previous);
}

void history_loaded(struct history *history, uint64_t rv)
{
    if (history->floor_set)
        return;
    history->floor = rv;
    history->floor_set = true;
}

uint64_t history_floor(const struct history *history)
{
    return history->floor;
}

bool watch_wants(const struct store_watch *watch, const struct object *object)
{
    return (watch->resource.len == 0 || str_eq(watch->resource, object->resource)) &&
           (watch->ns.len == 0 || str_eq(watch->ns, object->ns));
}

/* How many events are not after `rv`. */
static size_t count_until(const struct history *history, uint64_t rv)
{
    size_t low = 0, high = history->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (at(history, middle)->rv <= rv)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void history_replay(struct history *history, uint64_t from_rv, struct store_watch *watch)
{
    for (size_t i = count_until(history, from_rv); i < history->n && list_in(&watch->link); i++) {
        const struct store_event *event = at(history, i);
        if (watch_wants(watch, event->object))
            watch->event(watch, event);
    }
}

int history_undo(const struct history *history, uint64_t rv, str_t resource,
                 struct store_index *past, struct err *err)
{
    if (rv < history->floor)
        return err_set(err, ERR_GONE,
                       "The provided continue parameter is too old to display a "
                       "consistent list result. You can start a new list without "
                       "the continue parameter.");
    for (size_t i = count_until(history, rv); i < history->n; i++) {
        const struct store_event *event = at(history, i);
        const struct object *object = event->object;
        if (!str_eq(object->resource, resource) ||
            index_get(past, object->resource, object->ns, object->name) != NULL)
            continue;
        if (event->previous != NULL) {
            index_put(past, event->previous);
            continue;
        }
        if (event->verb != STORE_CREATE)
            return err_set(err, ERR_GONE, "the list at resourceVersion %llu is no longer known",
                           (unsigned long long)rv);
        struct object *absent = object_new(object->resource, object->ns, object->name, 0, STR(""));
        index_put(past, absent);
        object_unref(absent);
    }
    return 0;
}
