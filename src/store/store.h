/*
 * store.h - durable, versioned objects: SQLite for bytes on disk, memory for reads.
 *
 * A write is given to the queue; all writes of one turn (or of the time one commit takes) become
 * one SQLite transaction on a pool thread, are synced, then appear in memory and to the watchers,
 * and only then is each writer's done() called. What done() said is there survives any crash.
 *
 * Reads see committed objects only and never touch SQLite. A writer bases itself on
 * store_latest(), which also sees writes that are queued: two writes of one object in one turn
 * follow each other instead of colliding. If a commit fails (disk full), every write that was
 * queued behind it fails too, and memory is as before.
 *
 * resourceVersion is one number for the whole store, one more for each write, never reused.
 *
 * Everything is for the loop's thread.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "net/pool.h"
#include "store/object.h"

struct store;

struct store_settings {
    str_t dir;                      /* Must exist; holds davy.db and store.key. */
    size_t history_max;             /* Changes kept for watches; 0: 10,000. */
    bool (*secret)(str_t resource); /* Which resources are encrypted at rest; NULL: none. */
    bool on_loop;                   /* Commit on the loop's thread: for simulations. */
    int (*fault)(struct err *err);  /* Asked before each commit; < 0 fails it. For simulations. */
};

/*
 * ERR_INVALID with the word `davy restore` when a page or record is damaged; ERR_BUSY when another
 * process has it open.
 */
int store_open(struct loop *loop, const struct store_settings *settings, struct store **out,
               struct err *err);
void store_close(struct store *store); /* Finishes what is queued, on this thread. */

/* --- writing --- */
enum store_verb { STORE_CREATE, STORE_UPDATE, STORE_DELETE };

struct store_write { /* Zeroed by its owner, who keeps it in place until done(). */
    enum store_verb verb;
    struct object
        *object;       /* The new version; for DELETE the last one, with the new rv in its JSON. */
    uint64_t based_on; /* rv of the version this replaces; 0 for CREATE. */
    void (*done)(struct store_write *write, int r, const struct err *err);
    struct store_write *next; /* The store's. */
};

/* The rv the next store_write() must carry: take it, put it in the JSON, write in the same call. */
uint64_t store_next_rv(struct store *store);

/*
 * ERR_EXISTS, ERR_NOT_FOUND or ERR_CONFLICT at once if `based_on` is not the latest; else 0, and
 * done() is called later: 0, or ERR_BUSY (disk full) or ERR_IO. The store takes its own reference.
 */
int store_write(struct store *store, struct store_write *write, struct err *err);

/* --- reading --- */
const struct object *store_get(const struct store *store, str_t resource, str_t ns, str_t name);
const struct object *store_latest(const struct store *store, str_t resource, str_t ns, str_t name);
uint64_t store_rv(const struct store *store); /* Of the newest committed write; >= 1. */
/* ns "": all. As cheap as a store_get(), however many there are. */
size_t store_count(const struct store *store, str_t resource, str_t ns);

/*
 * In order of namespace, then name; `ns` "" means all. Starts behind (after_ns, after_name) if
 * these are given. `at_rv` 0 is now; an older one shows the past, ERR_GONE when that is compacted.
 * each() returns false to stop. The list does not change while it runs.
 */
struct store_list {
    str_t resource; /* "" with at_rv 0: every object of every kind. */
    str_t ns;
    str_t after_ns;
    str_t after_name;
    uint64_t at_rv;
};
int store_each(struct store *store, const struct store_list *list,
               bool (*each)(void *self, const struct object *object), void *self, struct err *err);

/* --- watching --- */
struct store_event {
    enum store_verb verb;
    const struct object *object;   /* The new version; of a DELETE the last, with the new rv. */
    const struct object *previous; /* What it replaced; NULL for CREATE. */
    uint64_t rv;
};

struct store_watch { /* Embedded in the watcher. */
    struct list link;
    str_t resource; /* "" for all. Must outlive the watch. */
    str_t ns;       /* "" for all. */
    void (*event)(struct store_watch *watch, const struct store_event *event);
    void (*lost)(struct store_watch *watch); /* A commit failed, of anybody's. May be NULL. */
};

/*
 * First the events after `from_rv`, before this returns; then live ones, in order, until
 * store_unwatch(), which event() may call. ERR_GONE: that history is no longer there.
 * from_rv 0: from now on.
 */
int store_watch(struct store *store, struct store_watch *watch, uint64_t from_rv, struct err *err);
void store_unwatch(struct store_watch *watch);       /* Harmless when it does not watch. */
uint64_t store_oldest_rv(const struct store *store); /* The least from_rv that still works. */

/* --- keeping --- */
/*
 * A consistent copy of the store in `dir` into one new file, key included: keep it as you would
 * keep the key. The store may be in use, also by another process. Blocks.
 */
int store_copy(str_t dir, str_t path, struct err *err);
/* The other way, offline: into a directory without state, after every record was checked. */
int store_restore(str_t path, str_t dir, struct err *err);
/* A new key for what is encrypted, offline; a crash in the middle loses nothing. */
int store_rotate_key(str_t dir, struct err *err);
