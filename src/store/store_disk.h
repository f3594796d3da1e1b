/*
 * store_disk.h - the SQLite file: what is committed, and the changes kept for watches.
 *
 * Opened on the loop's thread, then used by one pool thread at a time. Every record carries the
 * CRC-32 of its key and bytes; SQLite's own pages are checked as they are read.
 */
#pragma once

#include "base/arena.h"
#include "store/store.h"
#include "store/store_seal.h"

struct disk;

struct disk_change {
    enum store_verb verb;
    const struct object *object;
    bool secret;
    struct disk_change *next;
};

int disk_open(str_t dir, size_t history_max, struct disk **out, struct err *err);
void disk_close(struct disk *disk);

/* All of it, in one transaction, synced. ERR_BUSY: the disk is full. */
int disk_commit(struct disk *disk, const struct disk_change *first, struct err *err);

/* Every object, then every kept change in order; `self` is handed on. The callback keeps a ref. */
struct disk_visit {
    void *self;
    void (*object)(void *self, struct object *object);
    void (*change)(void *self, enum store_verb verb, struct object *object);
};
int disk_load(struct disk *disk, const struct disk_visit *visit, struct err *err);

/* A copy that includes the key, into one new file. Opens its own connection. */
int disk_backup(str_t dir, const char *path, struct err *err);
/* The other way: into an empty directory, after every record was checked. */
int disk_restore(const char *path, str_t dir, struct err *err);
/* A new key for what is sealed; all sealed records are written anew. Not while it is in use. */
int disk_rotate(str_t dir, struct err *err);
