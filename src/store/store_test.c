/* store_test.c - writing, reading, watching, the past, and what is on the disk. */
#include "base/buf.h"
#include "base/file.h"
#include "store/store.h"
#include "testkit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    char dir[64];
    struct loop *loop;
    struct store *store;
    struct arena arena;
    int done, failed;
    enum err_code code;
};

struct op {
    struct store_write write;
    struct fixture *f;
};

static bool is_secret(str_t resource)
{
    return str_eq(resource, STR("secrets"));
}

static int reopen(struct fixture *f, struct err *err)
{
    store_close(f->store);
    loop_free(f->loop);
    f->store = NULL;
    MUST(loop_new(system_clock(), &f->loop, err) == 0);
    struct store_settings settings = {
        .dir = str_from_z(f->dir), .secret = is_secret, .history_max = 50};
    return store_open(f->loop, &settings, &f->store, err);
}

static void start(struct fixture *f)
{
    struct err err;
    *f = (struct fixture){.dir = "/tmp/davy-store-test-XXXXXX"};
    MUST(mkdtemp(f->dir) != NULL);
    int r = reopen(f, &err);
    if (r < 0)
        printf("%s\n", err.text);
    MUST(r == 0);
}

static void end(struct fixture *f)
{
    static const char *const files[] = {"davy.db",   "davy.db-wal", "davy.db-shm",
                                        "store.key", "lock",        "backup"};
    store_close(f->store);
    loop_free(f->loop);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        (void)unlink(arena_printf(&f->arena, "%s/%s", f->dir, files[i]).at);
    (void)rmdir(f->dir);
    arena_done(&f->arena);
}

static void op_done(struct store_write *write, int r, const struct err *err)
{
    struct op *op = CONTAINER_OF(write, struct op, write);
    op->f->done++;
    if (r < 0) {
        op->f->failed++;
        op->f->code = err->code;
    }
}

static int write_as(struct fixture *f, enum store_verb verb, str_t resource, const char *name,
                    const char *value, uint64_t based_on)
{
    struct op *op = arena_new(&f->arena, struct op);
    struct err err;
    uint64_t rv = store_next_rv(f->store);
    struct object *object = object_new(resource, STR("ns"), str_from_z(name), rv,
                                       arena_printf(&f->arena, "{\"v\":\"%s\"}", value));
    op->f = f;
    op->write =
        (struct store_write){.verb = verb, .object = object, .based_on = based_on, .done = op_done};
    int r = store_write(f->store, &op->write, &err);
    object_unref(object);
    return r;
}

static int put(struct fixture *f, const char *name, const char *value)
{
    const struct object *latest =
        store_latest(f->store, STR("configmaps"), STR("ns"), str_from_z(name));
    return write_as(f, latest == NULL ? STORE_CREATE : STORE_UPDATE, STR("configmaps"), name, value,
                    latest == NULL ? 0 : latest->rv);
}

static int drop(struct fixture *f, const char *name)
{
    const struct object *latest =
        store_latest(f->store, STR("configmaps"), STR("ns"), str_from_z(name));
    return write_as(f, STORE_DELETE, STR("configmaps"), name, "last", latest->rv);
}

static void settle(struct fixture *f, int done)
{
    struct err err;
    for (int i = 0; i < 2000 && f->done < done; i++)
        MUST(loop_turn(f->loop, 5, &err) == 0);
    CHECK_INT(f->done, done);
}

static bool add_name(void *self, const struct object *object)
{
    buf_printf(self, STR_F " ", STR_A(object->name));
    return true;
}

static str_t names(struct fixture *f, uint64_t at_rv, const char *after, int *r)
{
    AUTO(buf_done) struct buf text = {0};
    struct err err;
    struct store_list list = {.resource = STR("configmaps"), .at_rv = at_rv};
    if (after != NULL) {
        list.after_ns = STR("ns");
        list.after_name = str_from_z(after);
    }
    *r = store_each(f->store, &list, add_name, &text, &err);
    return arena_str(&f->arena, buf_str(&text));
}

TEST(a_write_is_seen_by_readers_after_its_commit_and_by_writers_before)
{
    struct fixture f;
    start(&f);
    CHECK_INT(put(&f, "a", "1"), 0);
    CHECK(store_get(f.store, STR("configmaps"), STR("ns"), STR("a")) == NULL);
    CHECK(store_latest(f.store, STR("configmaps"), STR("ns"), STR("a")) != NULL);
    CHECK_INT(write_as(&f, STORE_CREATE, STR("configmaps"), "a", "again", 0), ERR_EXISTS);
    CHECK_INT(put(&f, "a", "2"), 0);
    CHECK_INT(drop(&f, "a"), 0);
    CHECK_INT(put(&f, "a", "3"), 0);
    settle(&f, 4);
    const struct object *a = store_get(f.store, STR("configmaps"), STR("ns"), STR("a"));
    MUST(a != NULL);
    CHECK_STR(a->json, "{\"v\":\"3\"}");
    CHECK_INT((int64_t)store_rv(f.store), (int64_t)a->rv);
    CHECK_INT(write_as(&f, STORE_UPDATE, STR("configmaps"), "a", "x", a->rv - 1), ERR_CONFLICT);
    CHECK_INT(write_as(&f, STORE_UPDATE, STR("configmaps"), "none", "x", 1), ERR_NOT_FOUND);
    CHECK_INT((int64_t)store_count(f.store, STR("configmaps"), STR("ns")), 1);
    end(&f);
}

struct watcher {
    struct store_watch watch;
    struct buf text;
};

static void on_event(struct store_watch *watch, const struct store_event *event)
{
    struct watcher *watcher = CONTAINER_OF(watch, struct watcher, watch);
    static const char verb[] = "cud";
    buf_printf(&watcher->text, "%c" STR_F "%s ", verb[event->verb], STR_A(event->object->name),
               event->previous != NULL ? "<" : "");
}

TEST(a_watch_sees_every_change_in_order_from_any_kept_version_also_after_a_restart)
{
    struct fixture f;
    start(&f);
    struct err err;
    struct watcher live = {.watch = {.resource = STR("configmaps"), .event = on_event}};
    uint64_t from = store_rv(f.store);
    MUST(store_watch(f.store, &live.watch, 0, &err) == 0);
    put(&f, "a", "1");
    put(&f, "b", "1");
    put(&f, "a", "2");
    settle(&f, 3);
    drop(&f, "b");
    settle(&f, 4);
    CHECK_STR(buf_str(&live.text), "ca cb ua< db< ");
    store_unwatch(&live.watch);
    CHECK_INT(reopen(&f, &err), 0);
    struct watcher late = {
        .watch = {.resource = STR("configmaps"), .ns = STR("ns"), .event = on_event}};
    CHECK_INT(store_watch(f.store, &late.watch, from, &err), 0);
    CHECK_STR(buf_str(&late.text), "ca cb ua< db< ");
    store_unwatch(&late.watch);
    late.text.len = 0;
    for (int i = 0; i < 60; i++)
        put(&f, "a", "3");
    settle(&f, 64);
    CHECK_INT(store_watch(f.store, &late.watch, from, &err), ERR_GONE);
    CHECK_INT(store_watch(f.store, &late.watch, store_oldest_rv(f.store), &err), 0);
    CHECK_INT((int64_t)late.text.len, 200); /* 50 events. */
    store_unwatch(&late.watch);
    uint64_t rv = store_rv(f.store);
    CHECK_INT(reopen(&f, &err), 0);
    CHECK_INT((int64_t)store_rv(f.store), (int64_t)rv);
    buf_done(&live.text);
    buf_done(&late.text);
    end(&f);
}

TEST(a_list_can_show_the_past_so_that_chunks_fit_together)
{
    struct fixture f;
    start(&f);
    const char *const all[] = {"a", "b", "c", "d", "e"};
    int r;
    for (int i = 0; i < 5; i++)
        put(&f, all[i], "1");
    settle(&f, 5);
    uint64_t then = store_rv(f.store);
    drop(&f, "d");
    put(&f, "bb", "new");
    put(&f, "d", "back");
    drop(&f, "e");
    settle(&f, 9);
    CHECK_STR(names(&f, 0, NULL, &r), "a b bb c d ");
    CHECK_STR(names(&f, then, NULL, &r), "a b c d e ");
    CHECK_STR(names(&f, then, "b", &r), "c d e ");
    for (int i = 0; i < 60; i++)
        put(&f, "a", "2");
    settle(&f, 69);
    (void)names(&f, then, NULL, &r);
    CHECK_INT(r, ERR_GONE);
    end(&f);
}

TEST(secrets_are_not_on_the_disk_in_clear)
{
    struct fixture f;
    start(&f);
    struct err err;
    write_as(&f, STORE_CREATE, STR("secrets"), "s", "correct-horse", 0);
    write_as(&f, STORE_CREATE, STR("configmaps"), "c", "in-the-clear", 0);
    settle(&f, 2);
    CHECK_INT(reopen(&f, &err), 0);
    CHECK_STR(store_get(f.store, STR("secrets"), STR("ns"), STR("s"))->json,
              "{\"v\":\"correct-horse\"}");
    store_close(f.store);
    f.store = NULL;
    str_t bytes;
    MUST(file_read(&f.arena, arena_printf(&f.arena, "%s/davy.db", f.dir).at, 1 << 20, &bytes,
                   &err) == 0);
    CHECK(memmem(bytes.at, bytes.len, "correct-horse", 13) == NULL);
    CHECK(memmem(bytes.at, bytes.len, "in-the-clear", 12) != NULL);
    end(&f);
}

TEST(a_damaged_record_is_found_when_opening_and_a_second_davy_is_kept_out)
{
    struct fixture f;
    start(&f);
    struct err err;
    put(&f, "a", "look-for-me");
    settle(&f, 1);
    struct store *second;
    struct store_settings settings = {.dir = str_from_z(f.dir)};
    CHECK_INT(store_open(f.loop, &settings, &second, &err), ERR_BUSY);
    store_close(f.store);
    f.store = NULL;
    str_t path = arena_printf(&f.arena, "%s/davy.db", f.dir), bytes;
    MUST(file_read(&f.arena, path.at, 1 << 20, &bytes, &err) == 0);
    char *hit = memmem(bytes.at, bytes.len, "look-for-me", 11);
    MUST(hit != NULL);
    hit[3] = 'X';
    MUST(file_write(path.at, 0600, bytes, &err) == 0);
    CHECK_INT(reopen(&f, &err), ERR_INVALID);
    CHECK(strstr(err.text, "davy backup restore") != NULL);
    end(&f);
}

static bool add_text(void *self, const struct object *object)
{
    buf_printf(self, STR_F "=" STR_F "@%llu ", STR_A(object->name), STR_A(object->json),
               (unsigned long long)object->rv);
    return true;
}

static str_t contents(struct fixture *f)
{
    AUTO(buf_done) struct buf text = {0};
    struct err err;
    struct store_list list = {.resource = STR("configmaps")};
    MUST(store_each(f->store, &list, add_text, &text, &err) == 0);
    return arena_str(&f->arena, buf_str(&text));
}

TEST(whatever_byte_of_the_database_is_damaged_it_is_found_or_does_not_matter)
{
    struct fixture f;
    struct err err;
    start(&f);
    for (int i = 0; i < 40; i++)
        put(&f, arena_printf(&f.arena, "map%d", i).at, "some text of an object");
    settle(&f, 40);
    str_t wanted = contents(&f), bytes;
    store_close(f.store);
    f.store = NULL;
    str_t path = arena_printf(&f.arena, "%s/davy.db", f.dir);
    MUST(file_read(&f.arena, path.at, 1 << 20, &bytes, &err) == 0);
    int found = 0, n = 0;
    for (size_t at = 0; at < bytes.len; at += 61, n++) {
        ((char *)bytes.at)[at] ^= 0x20;
        MUST(file_write(path.at, 0600, bytes, &err) == 0);
        int r = reopen(&f, &err);
        bool fine = r == 0 ? str_eq(contents(&f), wanted) : strstr(err.text, "restore") != NULL;
        if (!CHECK(fine))
            printf("byte %zu: %s\n", at, r == 0 ? "changed what is read" : err.text);
        found += r < 0;
        store_close(f.store);
        f.store = NULL;
        ((char *)bytes.at)[at] ^= 0x20;
    }
    CHECK(found > n / 20);
    end(&f);
}

TEST(a_backup_holds_everything_and_comes_back)
{
    struct fixture f, g;
    start(&f);
    struct err err;
    put(&f, "a", "1");
    write_as(&f, STORE_CREATE, STR("secrets"), "s", "hidden", 0);
    settle(&f, 2);
    str_t file = arena_printf(&f.arena, "%s/backup", f.dir);
    CHECK_INT(store_copy(str_from_z(f.dir), file, &err), 0); /* While it is open. */
    start(&g);
    CHECK_INT(store_restore(file, str_from_z(g.dir), &err), ERR_EXISTS);
    store_close(g.store);
    g.store = NULL;
    (void)unlink(arena_printf(&f.arena, "%s/davy.db", g.dir).at);
    CHECK_INT(store_restore(file, str_from_z(g.dir), &err), 0);
    CHECK_INT(reopen(&g, &err), 0);
    CHECK_STR(store_get(g.store, STR("secrets"), STR("ns"), STR("s"))->json, "{\"v\":\"hidden\"}");
    CHECK_INT((int64_t)store_rv(g.store), (int64_t)store_rv(f.store));
    end(&g);
    end(&f);
}

TEST(a_new_key_opens_what_the_old_one_closed_also_after_a_crash_in_between)
{
    struct fixture f;
    start(&f);
    struct err err;
    write_as(&f, STORE_CREATE, STR("secrets"), "s", "hidden", 0);
    settle(&f, 1);
    CHECK_INT(store_rotate_key(str_from_z(f.dir), &err), ERR_BUSY); /* It is in use. */
    store_close(f.store);
    f.store = NULL;
    str_t path = arena_printf(&f.arena, "%s/store.key", f.dir);
    str_t next = arena_printf(&f.arena, "%s/store.key.next", f.dir), before, after;
    MUST(file_read(&f.arena, path.at, 100, &before, &err) == 0);
    CHECK_INT(store_rotate_key(str_from_z(f.dir), &err), 0);
    MUST(file_read(&f.arena, path.at, 100, &after, &err) == 0);
    CHECK(!str_eq(before, after));
    CHECK(access(next.at, F_OK) != 0);
    /* As if the new file had not got its name yet; then as if nothing had been written with it. */
    MUST(file_write(next.at, 0600, after, &err) == 0 &&
         file_write(path.at, 0600, before, &err) == 0);
    CHECK_INT(reopen(&f, &err), 0);
    CHECK_STR(store_get(f.store, STR("secrets"), STR("ns"), STR("s"))->json, "{\"v\":\"hidden\"}");
    MUST(file_write(next.at, 0600, before, &err) == 0);
    CHECK_INT(reopen(&f, &err), 0);
    CHECK_STR(store_get(f.store, STR("secrets"), STR("ns"), STR("s"))->json, "{\"v\":\"hidden\"}");
    CHECK(access(next.at, F_OK) != 0);
    end(&f);
}

static bool full;

static int disk_is_full(struct err *err)
{
    return full ? err_set(err, ERR_BUSY, "full") : 0;
}

TEST(a_full_disk_fails_writes_and_those_behind_them_while_reads_go_on)
{
    struct fixture f;
    start(&f);
    struct err err;
    store_close(f.store);
    struct store_settings settings = {.dir = str_from_z(f.dir), .fault = disk_is_full};
    MUST(store_open(f.loop, &settings, &f.store, &err) == 0);
    put(&f, "a", "1");
    settle(&f, 1);
    full = true;
    put(&f, "a", "2");
    put(&f, "a", "3");
    put(&f, "b", "1");
    settle(&f, 4);
    CHECK_INT(f.failed, 3);
    CHECK_INT(f.code, ERR_BUSY);
    CHECK_STR(store_latest(f.store, STR("configmaps"), STR("ns"), STR("a"))->json, "{\"v\":\"1\"}");
    CHECK(store_latest(f.store, STR("configmaps"), STR("ns"), STR("b")) == NULL);
    full = false;
    CHECK_INT(put(&f, "a", "4"), 0);
    settle(&f, 5);
    CHECK_STR(store_get(f.store, STR("configmaps"), STR("ns"), STR("a"))->json, "{\"v\":\"4\"}");
    end(&f);
}
