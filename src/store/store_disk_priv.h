/* store_disk_priv.h - what store_disk.c and store_copies.c share of SQLite. */
#pragma once

#include "store/store_disk.h"

#include <sqlite3.h>

struct disk {
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *rollback, *put, *remove, *history, *prune;
    struct seal_key key;
    size_t history_max;
    int lock_fd;
};

/* The error of the last call as ours: a full disk is ERR_BUSY, damage is ERR_INVALID. */
int disk_fail(sqlite3 *db, const char *doing, struct err *err);
int disk_exec(sqlite3 *db, const char *sql, const char *doing, struct err *err);
int disk_open_db(const char *path, int flags, sqlite3 **db, struct err *err);
int disk_lock(str_t dir, int *fd, struct err *err);
/* What a record's checksum and seal are bound to: resource/namespace/name/version. */
str_t disk_context(const struct object *object, struct arena *arena);
int64_t disk_sum(str_t context, str_t bytes);
/* Columns: resource, ns, name, rv, sum, sealed, bytes. */
int disk_read_record(const struct seal_key *key, sqlite3_stmt *stmt, struct object **out,
                     struct err *err);
/* After a rotation that was cut short: takes the key that fits into use. */
int disk_settle_key(str_t dir, sqlite3 *db, struct seal_key *key, struct err *err);
