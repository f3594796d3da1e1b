/* store_disk.c - three tables, a handful of prepared statements. */
#include "store/store_disk_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <zlib.h>

enum { FORMAT = 1, CACHE_KIB = 1024, CHECKPOINT_PAGES = 1000 };

#define KEY_COLUMNS "resource TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL"
#define VALUE_COLUMNS "sum INTEGER NOT NULL, sealed INTEGER NOT NULL, bytes BLOB NOT NULL"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS objects(" KEY_COLUMNS ", rv INTEGER NOT NULL, " VALUE_COLUMNS
    ", PRIMARY KEY(resource, ns, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS history(rv INTEGER PRIMARY KEY, verb INTEGER NOT NULL, " KEY_COLUMNS
    ", " VALUE_COLUMNS ");"
    "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value BLOB);";

int disk_fail(sqlite3 *db, const char *doing, struct err *err)
{
    int code = sqlite3_extended_errcode(db);
    const char *text = sqlite3_errmsg(db);
    switch (code & 0xff) {
    case SQLITE_FULL:
        return err_set(err, ERR_BUSY, "%s: the disk is full; free some space and try again", doing);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_set(err, ERR_INVALID,
                       "%s: the database is damaged (%s); put a backup in its place with 'davy "
                       "backup restore FILE'",
                       doing, text);
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_FSYNC)
            return err_set(err, ERR_BUSY, "%s: %s: is the disk full?", doing, text);
        return err_set(err, ERR_IO, "%s: %s", doing, text);
    default:
        return err_set(err, ERR_IO, "%s: %s", doing, text);
    }
}

int disk_exec(sqlite3 *db, const char *sql, const char *doing, struct err *err)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return disk_fail(db, doing, err);
    return 0;
}

static int prepare(struct disk *disk, const char *sql, sqlite3_stmt **out, struct err *err)
{
    if (sqlite3_prepare_v3(disk->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) != SQLITE_OK)
        return disk_fail(disk->db, "prepare", err);
    return 0;
}

/* Runs a bound statement that gives no rows, and makes it ready for the next time. */
static int run(struct disk *disk, sqlite3_stmt *stmt, struct err *err)
{
    int step = sqlite3_step(stmt);
    int r = step == SQLITE_DONE || step == SQLITE_ROW ? 0 : disk_fail(disk->db, "write", err);
    sqlite3_reset(stmt);
    return r;
}

static void bind_text(sqlite3_stmt *stmt, int at, str_t text)
{
    (void)sqlite3_bind_text(stmt, at, text.at == NULL ? "" : text.at, (int)text.len, SQLITE_STATIC);
}

str_t disk_context(const struct object *object, struct arena *arena)
{
    return arena_printf(arena, STR_F "/" STR_F "/" STR_F "/%llu", STR_A(object->resource),
                        STR_A(object->ns), STR_A(object->name), (unsigned long long)object->rv);
}

int64_t disk_sum(str_t context, str_t bytes)
{
    uLong sum = crc32(0, (const Bytef *)context.at, (uInt)context.len);
    return (int64_t)crc32(sum, (const Bytef *)bytes.at, (uInt)bytes.len);
}

static int write_change(struct disk *disk, const struct disk_change *change, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf sealed = {0};
    const struct object *object = change->object;
    str_t context = disk_context(object, &arena), bytes = object->json;
    if (change->secret) {
        int r = seal(&disk->key, context, bytes, &sealed, err);
        if (r < 0)
            return r;
        bytes = buf_str(&sealed);
    }
    bool remove = change->verb == STORE_DELETE;
    sqlite3_stmt *stmts[2] = {disk->history, remove ? disk->remove : disk->put};
    for (int i = 0; i < 2; i++) {
        bind_text(stmts[i], 1, object->resource);
        bind_text(stmts[i], 2, object->ns);
        bind_text(stmts[i], 3, object->name);
        if (i == 0 || !remove) {
            (void)sqlite3_bind_int64(stmts[i], 4, (sqlite3_int64)object->rv);
            (void)sqlite3_bind_int64(stmts[i], 5, disk_sum(context, bytes));
            (void)sqlite3_bind_int(stmts[i], 6, change->secret);
            (void)sqlite3_bind_blob64(stmts[i], 7, bytes.at, bytes.len, SQLITE_STATIC);
        }
        if (i == 0)
            (void)sqlite3_bind_int(stmts[i], 8, (int)change->verb);
        int r = run(disk, stmts[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

int disk_commit(struct disk *disk, const struct disk_change *first, struct err *err)
{
    int r = run(disk, disk->begin, err);
    uint64_t newest = 0;
    for (const struct disk_change *change = first; r == 0 && change != NULL;
         change = change->next) {
        r = write_change(disk, change, err);
        newest = change->object->rv;
    }
    if (r == 0) {
        sqlite3_int64 keep_after = (sqlite3_int64)newest - (sqlite3_int64)disk->history_max;
        (void)sqlite3_bind_int64(disk->prune, 1, keep_after);
        r = run(disk, disk->prune, err);
    }
    if (r == 0)
        r = run(disk, disk->commit, err);
    struct err ignored;
    if (r < 0 && !sqlite3_get_autocommit(disk->db))
        (void)run(disk, disk->rollback, &ignored);
    return r;
}

/* --- opening --- */

int disk_lock(str_t dir, int *fd, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t path = arena_printf(&arena, STR_F "/lock", STR_A(dir));
    *fd = open(path.at, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return err_errno(err, "open '%s'", path.at);
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    close(*fd);
    *fd = -1;
    return err_set(err, ERR_BUSY, "'" STR_F "' is in use by another davy; stop it first",
                   STR_A(dir));
}

static int configure(sqlite3 *db, struct err *err)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-%d;"
                   "PRAGMA wal_autocheckpoint=%d; PRAGMA journal_size_limit=16777216;"
                   "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON;",
                   CACHE_KIB, CHECKPOINT_PAGES);
    (void)sqlite3_busy_timeout(db, 1000);
    return disk_exec(db, sql, "open", err);
}

int disk_open_db(const char *path, int flags, sqlite3 **db, struct err *err)
{
    if (sqlite3_open_v2(path, db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        int r = *db == NULL ? err_set(err, ERR_IO, "open '%s'", path) : disk_fail(*db, "open", err);
        sqlite3_close_v2(*db);
        *db = NULL;
        return r;
    }
    (void)sqlite3_extended_result_codes(*db, 1);
    return 0;
}

static int prepare_all(struct disk *disk, struct err *err)
{
    const struct {
        const char *sql;
        sqlite3_stmt **stmt;
    } rows[] = {
        {"BEGIN IMMEDIATE", &disk->begin},
        {"COMMIT", &disk->commit},
        {"ROLLBACK", &disk->rollback},
        {"INSERT INTO objects(resource, ns, name, rv, sum, sealed, bytes) VALUES(?,?,?,?,?,?,?) "
         "ON CONFLICT(resource, ns, name) DO UPDATE SET rv=excluded.rv, sum=excluded.sum, "
         "sealed=excluded.sealed, bytes=excluded.bytes",
         &disk->put},
        {"DELETE FROM objects WHERE resource=? AND ns=? AND name=?", &disk->remove},
        {"INSERT INTO history(resource, ns, name, rv, sum, sealed, bytes, verb) "
         "VALUES(?,?,?,?,?,?,?,?)",
         &disk->history},
        {"DELETE FROM history WHERE rv <= ?", &disk->prune},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int r = prepare(disk, rows[i].sql, rows[i].stmt, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int check_format(struct disk *disk, struct err *err)
{
    sqlite3_stmt *stmt;
    int r = prepare(disk, "PRAGMA user_version", &stmt, err);
    if (r < 0)
        return r;
    int format = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : -1;
    sqlite3_finalize(stmt);
    if (format > FORMAT)
        return err_set(err, ERR_INVALID,
                       "the data is of a newer davy (format %d); run that one, or put a backup in "
                       "its place with 'davy backup restore FILE'",
                       format);
    if (format == FORMAT)
        return 0;
    char sql[64];
    (void)snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", FORMAT);
    r = disk_exec(disk->db, schema, "make the tables", err);
    return r < 0 ? r : disk_exec(disk->db, sql, "make the tables", err);
}

int disk_open(str_t dir, size_t history_max, struct disk **out, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct disk *disk = calloc(1, sizeof(*disk));
    MUST(disk != NULL);
    disk->lock_fd = -1;
    disk->history_max = history_max;
    str_t path = arena_printf(&arena, STR_F "/davy.db", STR_A(dir));
    bool fresh = access(path.at, F_OK) != 0;
    int r = disk_lock(dir, &disk->lock_fd, err);
    if (r == 0)
        r = seal_key_load(dir, fresh, &disk->key, err);
    if (r == 0)
        r = disk_open_db(path.at, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &disk->db, err);
    if (r == 0)
        r = configure(disk->db, err);
    if (r == 0)
        r = check_format(disk, err);
    if (r == 0)
        r = disk_settle_key(dir, disk->db, &disk->key, err);
    if (r == 0)
        r = prepare_all(disk, err);
    if (r < 0) {
        disk_close(disk);
        return r;
    }
    *out = disk;
    return 0;
}

void disk_close(struct disk *disk)
{
    if (disk == NULL)
        return;
    sqlite3_stmt *stmts[] = {disk->begin,  disk->commit,  disk->rollback, disk->put,
                             disk->remove, disk->history, disk->prune};
    for (size_t i = 0; i < ARRAY_LEN(stmts); i++)
        sqlite3_finalize(stmts[i]);
    sqlite3_close_v2(disk->db);
    if (disk->lock_fd >= 0)
        close(disk->lock_fd);
    seal_key_wipe(&disk->key);
    free(disk);
}

/* --- reading --- */

static str_t column_text(sqlite3_stmt *stmt, int at)
{
    const char *text = sqlite3_column_blob(stmt, at);
    return (str_t){text == NULL ? "" : text, (size_t)sqlite3_column_bytes(stmt, at)};
}

/* Columns: resource, ns, name, rv, sum, sealed, bytes. */
int disk_read_record(const struct seal_key *key, sqlite3_stmt *stmt, struct object **out,
                     struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf text = {0};
    struct object at = {.resource = column_text(stmt, 0),
                        .ns = column_text(stmt, 1),
                        .name = column_text(stmt, 2),
                        .rv = (uint64_t)sqlite3_column_int64(stmt, 3)};
    str_t context = disk_context(&at, &arena), bytes = column_text(stmt, 6);
    if (disk_sum(context, bytes) != sqlite3_column_int64(stmt, 4))
        return err_set(err, ERR_INVALID,
                       "the record " STR_F
                       " is damaged; put a backup in its place with 'davy backup "
                       "restore FILE'",
                       STR_A(context));
    if (sqlite3_column_int(stmt, 5)) {
        int r = unseal(key, context, bytes, &text, err);
        if (r < 0)
            return err_wrap(err, STR_F, STR_A(context));
        bytes = buf_str(&text);
    }
    *out = object_new(at.resource, at.ns, at.name, at.rv, bytes);
    return 0;
}

static int load_table(struct disk *disk, bool history, const struct disk_visit *visit,
                      struct err *err)
{
    sqlite3_stmt *stmt;
    int r =
        prepare(disk,
                history ? "SELECT resource, ns, name, rv, sum, sealed, bytes, verb FROM history "
                          "ORDER BY rv"
                        : "SELECT resource, ns, name, rv, sum, sealed, bytes FROM objects",
                &stmt, err);
    if (r < 0)
        return r;
    int step;
    while (r == 0 && (step = sqlite3_step(stmt)) != SQLITE_DONE) {
        struct object *object = NULL;
        r = step == SQLITE_ROW ? disk_read_record(&disk->key, stmt, &object, err)
                               : disk_fail(disk->db, "read", err);
        if (r == 0 && history)
            visit->change(visit->self, (enum store_verb)sqlite3_column_int(stmt, 7), object);
        else if (r == 0)
            visit->object(visit->self, object);
        object_unref(object);
    }
    sqlite3_finalize(stmt);
    return r;
}

int disk_load(struct disk *disk, const struct disk_visit *visit, struct err *err)
{
    int r = load_table(disk, false, visit, err);
    return r < 0 ? r : load_table(disk, true, visit, err);
}
