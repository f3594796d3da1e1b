/*
 * store_copies.c - backup, restore, and a new key for what is sealed.
 *
 * A new key is first written beside the old one (store.key.next), then all sealed records are
 * written anew in one transaction, then the new file takes the old one's name. Whoever opens the
 * store after a crash in between finds out which of the two fits and goes on from there.
 */
#include "store/store_disk_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int copy_db(sqlite3 *to, sqlite3 *from, struct err *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (backup == NULL)
        return disk_fail(to, "copy", err);
    (void)sqlite3_backup_step(backup, -1);
    return sqlite3_backup_finish(backup) == SQLITE_OK ? 0 : disk_fail(to, "copy", err);
}

static int put_key(sqlite3 *db, const struct seal_key *key, struct err *err)
{
    sqlite3_stmt *stmt;
    if (sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO meta VALUES('key', ?)", -1, &stmt, NULL) !=
        SQLITE_OK)
        return disk_fail(db, "write", err);
    (void)sqlite3_bind_blob(stmt, 1, key->bytes, sizeof(key->bytes), SQLITE_STATIC);
    int r = sqlite3_step(stmt) == SQLITE_DONE ? 0 : disk_fail(db, "write", err);
    sqlite3_finalize(stmt);
    return r;
}

static int sync_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "sync '%s'", path);
    int r = fsync(fd) < 0 ? err_errno(err, "sync '%s'", path) : 0;
    close(fd);
    return r;
}

/* A new file only its owner may read; SQLite would make it by the umask. */
static int make_private(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, "write '%s'", path);
    close(fd);
    return 0;
}

int disk_backup(str_t dir, const char *path, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct seal_key key;
    str_t source = arena_printf(&arena, STR_F "/davy.db", STR_A(dir));
    str_t aside = arena_printf(&arena, "%s.new", path);
    sqlite3 *from = NULL, *to = NULL;
    int r = seal_key_load(dir, false, &key, err);
    if (r == 0)
        r = make_private(aside.at, err);
    if (r == 0)
        r = disk_open_db(source.at, SQLITE_OPEN_READWRITE, &from, err);
    if (r == 0)
        r = disk_open_db(aside.at, SQLITE_OPEN_READWRITE, &to, err);
    if (r == 0)
        r = copy_db(to, from, err);
    if (r == 0)
        r = disk_exec(to, "PRAGMA journal_mode=DELETE", "copy", err);
    if (r == 0)
        r = put_key(to, &key, err);
    seal_key_wipe(&key);
    sqlite3_close_v2(from);
    sqlite3_close_v2(to);
    if (r == 0)
        r = sync_file(aside.at, err);
    if (r == 0 && rename(aside.at, path) < 0)
        r = err_errno(err, "write '%s'", path);
    if (r < 0)
        (void)unlink(aside.at);
    return r;
}

static int take_key(sqlite3 *db, struct seal_key *key, struct err *err)
{
    sqlite3_stmt *stmt;
    if (sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key='key'", -1, &stmt, NULL) !=
        SQLITE_OK)
        return disk_fail(db, "read the backup", err);
    int r = 0;
    if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_bytes(stmt, 0) == SEAL_KEY_BYTES)
        memcpy(key->bytes, sqlite3_column_blob(stmt, 0), SEAL_KEY_BYTES);
    else
        r = err_set(err, ERR_INVALID, "this file is not a backup made by 'davy backup create'");
    sqlite3_finalize(stmt);
    if (r == 0)
        r = disk_exec(db, "PRAGMA secure_delete=ON; DELETE FROM meta WHERE key='key'", "restore",
                      err);
    return r;
}

static void ignore_object(void *self, struct object *object)
{
    (void)self;
    (void)object;
}

static void ignore_change(void *self, enum store_verb verb, struct object *object)
{
    (void)self;
    (void)verb;
    (void)object;
}

static int check_all(str_t dir, struct err *err)
{
    struct disk *disk;
    int r = disk_open(dir, 1, &disk, err);
    if (r < 0)
        return r;
    r = disk_load(disk, &(struct disk_visit){NULL, ignore_object, ignore_change}, err);
    disk_close(disk);
    return r;
}

int disk_restore(const char *path, str_t dir, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t target = arena_printf(&arena, STR_F "/davy.db", STR_A(dir));
    if (access(target.at, F_OK) == 0)
        return err_set(err, ERR_EXISTS,
                       "there is state in '" STR_F "'; move it away before restoring", STR_A(dir));
    struct seal_key key = {0};
    sqlite3 *from = NULL, *to = NULL;
    int r = disk_open_db(path, SQLITE_OPEN_READONLY, &from, err);
    if (r == 0)
        r = make_private(target.at, err);
    if (r == 0)
        r = disk_open_db(target.at, SQLITE_OPEN_READWRITE, &to, err);
    if (r == 0)
        r = copy_db(to, from, err);
    if (r == 0)
        r = take_key(to, &key, err);
    sqlite3_close_v2(from);
    sqlite3_close_v2(to);
    if (r == 0)
        r = seal_key_save(arena_printf(&arena, STR_F "/store.key", STR_A(dir)).at, &key, err);
    seal_key_wipe(&key);
    if (r == 0)
        r = check_all(dir, err);
    if (r < 0)
        (void)unlink(target.at);
    return r;
}

/* --- a new key --- */

static int finalize(sqlite3_stmt *stmt, int r)
{
    sqlite3_finalize(stmt);
    return r;
}

/* Does the key open the first sealed record? With none, the old key is as good as any. */
static bool key_fits(sqlite3 *db, const struct seal_key *key)
{
    sqlite3_stmt *stmt;
    struct object *object = NULL;
    struct err err;
    bool fits = true;
    if (sqlite3_prepare_v2(db,
                           "SELECT resource, ns, name, rv, sum, sealed, bytes FROM history WHERE "
                           "sealed=1 UNION ALL SELECT resource, ns, name, rv, sum, sealed, bytes "
                           "FROM objects WHERE sealed=1 LIMIT 1",
                           -1, &stmt, NULL) != SQLITE_OK)
        return true; /* No tables yet. */
    if (sqlite3_step(stmt) == SQLITE_ROW)
        fits = disk_read_record(key, stmt, &object, &err) == 0;
    object_unref(object);
    (void)finalize(stmt, 0);
    return fits;
}

int disk_settle_key(str_t dir, sqlite3 *db, struct seal_key *key, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t next = arena_printf(&arena, STR_F "/store.key.next", STR_A(dir));
    str_t path = arena_printf(&arena, STR_F "/store.key", STR_A(dir));
    if (access(next.at, F_OK) != 0)
        return 0;
    if (key_fits(db, key))
        return unlink(next.at) < 0 ? err_errno(err, "remove '%s'", next.at) : 0;
    if (rename(next.at, path.at) < 0)
        return err_errno(err, "take '%s' into use", next.at);
    return seal_key_load(dir, false, key, err);
}

static int reseal_row(sqlite3_stmt *read, sqlite3_stmt *write, const struct seal_key *from,
                      const struct seal_key *to, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf sealed = {0};
    struct object *object;
    int r = disk_read_record(from, read, &object, err);
    if (r < 0)
        return r;
    str_t context = disk_context(object, &arena);
    r = seal(to, context, object->json, &sealed, err);
    if (r == 0) {
        (void)sqlite3_bind_int64(write, 1, disk_sum(context, buf_str(&sealed)));
        (void)sqlite3_bind_blob64(write, 2, sealed.at, sealed.len, SQLITE_STATIC);
        (void)sqlite3_bind_text(write, 3, object->resource.at, (int)object->resource.len,
                                SQLITE_STATIC);
        (void)sqlite3_bind_text(write, 4, object->ns.at, (int)object->ns.len, SQLITE_STATIC);
        (void)sqlite3_bind_text(write, 5, object->name.at, (int)object->name.len, SQLITE_STATIC);
        (void)sqlite3_bind_int64(write, 6, (sqlite3_int64)object->rv);
        if (sqlite3_step(write) != SQLITE_DONE)
            r = disk_fail(sqlite3_db_handle(write), "write", err);
        sqlite3_reset(write);
    }
    object_unref(object);
    return r;
}

static int reseal_table(sqlite3 *db, const char *table, const struct seal_key *from,
                        const struct seal_key *to, struct err *err)
{
    char sql[256];
    sqlite3_stmt *read = NULL, *write = NULL;
    (void)snprintf(sql, sizeof(sql),
                   "SELECT resource, ns, name, rv, sum, sealed, bytes FROM %s WHERE sealed=1",
                   table);
    int r =
        sqlite3_prepare_v2(db, sql, -1, &read, NULL) == SQLITE_OK ? 0 : disk_fail(db, "read", err);
    (void)snprintf(sql, sizeof(sql),
                   "UPDATE %s SET sum=?, bytes=? WHERE resource=? AND ns=? AND name=? AND rv=?",
                   table);
    if (r == 0 && sqlite3_prepare_v2(db, sql, -1, &write, NULL) != SQLITE_OK)
        r = disk_fail(db, "write", err);
    int step = SQLITE_DONE;
    while (r == 0 && (step = sqlite3_step(read)) == SQLITE_ROW)
        r = reseal_row(read, write, from, to, err);
    if (r == 0 && step != SQLITE_DONE)
        r = disk_fail(db, "read", err);
    sqlite3_finalize(read);
    return finalize(write, r);
}

int disk_rotate(str_t dir, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct disk *disk;
    struct seal_key key;
    int r = disk_open(dir, SIZE_MAX / 4, &disk, err);
    if (r < 0)
        return r;
    str_t next = arena_printf(&arena, STR_F "/store.key.next", STR_A(dir));
    r = seal_key_new(&key, err);
    if (r == 0)
        r = seal_key_save(next.at, &key, err);
    if (r == 0)
        r = disk_exec(disk->db, "BEGIN IMMEDIATE", "rotate", err);
    if (r == 0)
        r = reseal_table(disk->db, "objects", &disk->key, &key, err);
    if (r == 0)
        r = reseal_table(disk->db, "history", &disk->key, &key, err);
    if (r == 0)
        r = disk_exec(disk->db, "COMMIT", "rotate", err);
    if (r == 0)
        r = disk_settle_key(dir, disk->db, &disk->key, err);
    if (r == 0) /* The write-ahead log still holds pages sealed with the old key. */
        r = disk_exec(disk->db, "PRAGMA wal_checkpoint(TRUNCATE)", "rotate", err);
    seal_key_wipe(&key);
    disk_close(disk); /* Rolls back what was not committed. */
    return r;
}
