/*
 * store_history.h - the last changes, in a ring: for watches that begin in the past, and for lists
 * that show it.
 */
#pragma once

#include "store/store.h"
#include "store/store_index.h"

struct history {
    struct store_event *events; /* A ring; each holds references. */
    size_t max;
    size_t cap;
    size_t first, n;
    uint64_t floor; /* Changes after this are all here. */
    bool floor_set;
};

void history_init(struct history *history, size_t max);
void history_done(struct history *history);
void history_add(struct history *history, const struct store_event *event);
/* After loading: with nothing kept, the past begins at `rv`. */
void history_loaded(struct history *history, uint64_t rv);
uint64_t history_floor(const struct history *history);
void history_replay(struct history *history, uint64_t from_rv, struct store_watch *watch);

/*
 * What the objects of one resource that changed after `rv` were at `rv`. One that was not there is
 * put in with an empty text. ERR_GONE: too long ago.
 */
int history_undo(const struct history *history, uint64_t rv, str_t resource,
                 struct store_index *past, struct err *err);

bool watch_wants(const struct store_watch *watch, const struct object *object);
