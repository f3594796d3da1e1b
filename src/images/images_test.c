/*
 * images_test.c - archives as docker and others write them, good and hostile, into a store of the
 * test's own. What needs root (owners, devices, mounts) says "skipped" without.
 */
#include "base/file.h"
#include "base/tree.h"
#include "images/blob.h"
#include "images/images.h"
#include "images/images_priv.h"
#include "images/unpack.h"
#include "images/world.h"
#include "testkit/test.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The layer as a blob: its digest is its diff_id too. */
static int unpack(struct world *w, struct tar *tar, char digest[DIGEST_BYTES])
{
    tar_end(tar);
    MUST(blob_put(w->dir, (str_t){tar->bytes, tar->n}, digest, &w->err) == 0);
    free(tar->bytes);
    return layer_unpack(w->dir, str_from_z(digest), str_from_z(digest), &w->err);
}

static const char *in_layer(const struct world *w, const char *digest, const char *name)
{
    static char path[512];
    char layer[LAYER_NAME_BYTES];
    layer_name(str_from_z(digest), layer);
    (void)snprintf(path, sizeof(path), "%s/layers/%s/%s", w->dir, layer, name);
    return path;
}

static void save_file(const struct world *w, const char *name, const struct tar *tar)
{
    char path[256];
    struct err err;
    (void)snprintf(path, sizeof(path), "%s/%s", w->dir, name);
    MUST(file_write(path, 0600, (str_t){tar->bytes, tar->n}, &err) == 0);
}

/* An image of two layers, as `docker save` writes it; the second takes a file of the first away. */
static void make_archive(const struct world *w, const char *name, const char *tags)
{
    struct tar first, second, all;
    char text[2048], digests[2][DIGEST_BYTES], path[256];
    struct err err;
    tar_begin(&first);
    tar_dir(&first, "etc");
    tar_file(&first, "etc/kept", "kept");
    tar_file(&first, "etc/gone", "gone");
    tar_end(&first);
    tar_begin(&second);
    tar_file(&second, "etc/.wh.gone", "");
    tar_file(&second, "new", "new");
    tar_end(&second);
    MUST(blob_put(w->dir, (str_t){first.bytes, first.n}, digests[0], &err) == 0);
    MUST(blob_put(w->dir, (str_t){second.bytes, second.n}, digests[1], &err) == 0);
    (void)snprintf(text, sizeof(text),
                   "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"/new\"]},"
                   "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\",\"%s\"]}}",
                   digests[0], digests[1]);
    tar_begin(&all);
    tar_file(&all, "config.json", text);
    for (int i = 0; i < 2; i++) {
        struct tar *layer = i == 0 ? &first : &second;
        struct archive_entry *entry =
            entry_new(i == 0 ? "one/layer.tar" : "two/layer.tar", AE_IFREG, layer->n);
        MUST(archive_write_header(all.out, entry) == ARCHIVE_OK);
        MUST(archive_write_data(all.out, layer->bytes, layer->n) == (la_ssize_t)layer->n);
        archive_entry_free(entry);
        free(layer->bytes);
    }
    tar_link(&all, "three/layer.tar", "../two/layer.tar", false);
    (void)snprintf(text, sizeof(text),
                   "[{\"Config\":\"config.json\",\"RepoTags\":[%s],"
                   "\"Layers\":[\"one/layer.tar\",\"three/layer.tar\"]}]",
                   tags);
    tar_file(&all, "manifest.json", text);
    tar_end(&all);
    save_file(w, name, &all);
    free(all.bytes);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), "%s/blobs/sha256/%s", w->dir, digests[i] + 7);
        (void)unlink(path);
    }
}

/* --- layers --- */

TEST(layers_are_unpacked_as_they_say)
{
    struct world w;
    struct tar tar;
    struct stat st;
    char digest[DIGEST_BYTES], value[4];
    if (!is_root())
        return;
    world_init(&w);
    tar_begin(&tar);
    tar_dir(&tar, "./a/");
    tar_file(&tar, "/a/file", "text");
    tar_link(&tar, "a/hard", "./a/file", true);
    tar_link(&tar, "a/soft", "/etc/passwd", false);
    tar_dir(&tar, "o");
    tar_file(&tar, "o/.wh..wh..opq", "");
    tar_file(&tar, "only/marked/.wh..wh..opq", "");
    tar_file(&tar, "a/.wh.removed", "");
    tar_file(&tar, ".wh..wh.plnk", "");
    struct archive_entry *entry = entry_new("setuid", AE_IFREG, 1);
    archive_entry_set_perm(entry, 04755);
    archive_entry_set_uid(entry, 1234);
    archive_entry_set_gid(entry, 4321);
    archive_entry_xattr_add_entry(entry, "trusted.overlay.redirect", "/etc", 4);
    tar_add(&tar, entry, "x");
    CHECK_INT(unpack(&w, &tar, digest), 0);
    CHECK(stat(in_layer(&w, digest, "a/hard"), &st) == 0 && st.st_nlink == 2 && st.st_size == 4);
    CHECK(lstat(in_layer(&w, digest, "a/soft"), &st) == 0 && S_ISLNK(st.st_mode));
    CHECK(stat(in_layer(&w, digest, "a/removed"), &st) == 0 && S_ISCHR(st.st_mode) &&
          st.st_rdev == makedev(0, 0));
    CHECK(getxattr(in_layer(&w, digest, "o"), "trusted.overlay.opaque", value, 4) == 1);
    CHECK(access(in_layer(&w, digest, "o/.wh..wh..opq"), F_OK) < 0);
    CHECK(getxattr(in_layer(&w, digest, "only/marked"), "trusted.overlay.opaque", value, 4) == 1);
    CHECK(getxattr(in_layer(&w, digest, "only"), "trusted.overlay.opaque", value, 4) < 0);
    CHECK(stat(in_layer(&w, digest, "setuid"), &st) == 0 && st.st_mode == (S_IFREG | 04755) &&
          st.st_uid == 1234 && st.st_gid == 4321);
    CHECK(getxattr(in_layer(&w, digest, "setuid"), "trusted.overlay.redirect", value, 4) < 0);
    CHECK(layer_is_there(w.dir, str_from_z(digest)));
    world_done(&w);
}

/*
 * A removal that ends in the middle, as by kill -9: here because no descriptor is left for the
 * directory in it. What was left of the layer was once taken for the whole of it.
 */
TEST(layers_that_were_half_removed_come_back_whole)
{
    enum { FILES = 64 };
    struct world w;
    struct tar tar;
    struct rlimit all, few;
    char digest[DIGEST_BYTES], name[16], layer[LAYER_NAME_BYTES];
    world_init(&w);
    tar_begin(&tar);
    tar_dir(&tar, "d");
    tar_file(&tar, "d/file", "text");
    for (int i = 0; i < FILES; i++) {
        (void)snprintf(name, sizeof(name), "f%d", i);
        tar_file(&tar, name, "text");
    }
    CHECK_INT(unpack(&w, &tar, digest), 0);
    str_t id = str_from_z(digest);
    layer_name(id, layer);
    int next = dup(STDIN_FILENO);
    close(next);
    MUST(getrlimit(RLIMIT_NOFILE, &all) == 0);
    few = (struct rlimit){(rlim_t)next + 1, all.rlim_max};
    MUST(setrlimit(RLIMIT_NOFILE, &few) == 0);
    CHECK(layer_remove(w.dir, layer, &w.err) < 0);
    MUST(setrlimit(RLIMIT_NOFILE, &all) == 0);
    CHECK(!layer_is_there(w.dir, id));
    CHECK_INT(layer_unpack(w.dir, id, id, &w.err), 0);
    for (int i = 0; i < FILES; i++) {
        (void)snprintf(name, sizeof(name), "f%d", i);
        CHECK(access(in_layer(&w, digest, name), F_OK) == 0);
    }
    CHECK(access(in_layer(&w, digest, "d/file"), F_OK) == 0);
    world_done(&w);
}

/* Each writes, or would, outside of its layer. */
static void hostile_up(struct tar *tar)
{
    tar_file(tar, "a/../../escaped", "x");
}

static void hostile_link(struct tar *tar)
{
    tar_link(tar, "out", "../../..", false);
    tar_file(tar, "out/escaped", "x");
}

static void hostile_hard(struct tar *tar)
{
    tar_link(tar, "out", "../names.json", true);
}

static void hostile_white(struct tar *tar)
{
    tar_link(tar, "out", "/tmp", false);
    tar_file(tar, "out/.wh.escaped", "");
}

TEST(layers_stay_where_they_are)
{
    static void (*const hostile[])(struct tar *) = {hostile_up, hostile_link, hostile_hard,
                                                    hostile_white};
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        struct world w;
        struct tar tar;
        char digest[DIGEST_BYTES];
        AUTO(arena_done) struct arena arena = {0};
        world_init(&w);
        tar_begin(&tar);
        hostile[i](&tar);
        CHECK_INT(unpack(&w, &tar, digest), ERR_INVALID);
        CHECK(!layer_is_there(w.dir, str_from_z(digest)));
        CHECK(access(path_in(&w, "escaped", &arena).at, F_OK) < 0);
        CHECK(access(path_in(&w, "tmp/escaped", &arena).at, F_OK) < 0);
        CHECK(access("/tmp/escaped", F_OK) < 0);
        world_done(&w);
    }
}

TEST(layers_that_are_not_what_they_should_be)
{
    struct world w;
    char digest[DIGEST_BYTES], other[DIGEST_BYTES];
    world_init(&w);
    MUST(blob_put(w.dir, STR("no tar at all, but long enough to look at"), digest, &w.err) == 0);
    str_t id = str_from_z(digest);
    CHECK(layer_unpack(w.dir, id, id, &w.err) < 0);
    struct tar tar;
    tar_begin(&tar);
    tar_file(&tar, "a", "a");
    tar_end(&tar);
    MUST(blob_put(w.dir, (str_t){tar.bytes, tar.n}, other, &w.err) == 0);
    free(tar.bytes);
    CHECK_INT(layer_unpack(w.dir, str_from_z(other), id, &w.err), ERR_INVALID);
    CHECK(strstr(w.err.text, "not sha256:") != NULL);
    world_done(&w);
}

/* --- archives --- */

TEST(archives_come_in_and_go_out)
{
    struct world w;
    AUTO(arena_done) struct arena arena = {0};
    world_init(&w);
    make_archive(&w, "in.tar", "\"web:v1\",\"localhost:5000/web\"");
    images_import(w.images, &w.call, path_in(&w, "in.tar", &arena), world_over);
    CHECK_INT(wait_for(&w), 0);
    MUST(w.call.n_found == 2);
    CHECK_STR(w.call.found[0].name, "docker.io/library/web:v1");
    CHECK_STR(w.call.found[1].name, "localhost:5000/web:latest");
    str_t id = arena_str(&arena, w.call.found[0].id);
    images_call_done(&w.call);

    images_save(w.images, &w.call, STR("docker.io/library/web:v1"), path_in(&w, "out.tar", &arena),
                world_over);
    CHECK_INT(wait_for(&w), 0);
    images_call_done(&w.call);
    images_close(w.images);
    world_open(&w); /* Names are still there. */
    for (int i = 0; i < 2; i++) {
        static const char *const names[] = {"docker.io/library/web:v1",
                                            "localhost:5000/web:latest"};
        images_remove(w.images, &w.call, str_from_z(names[i]), world_over);
        CHECK_INT(wait_for(&w), 0);
        images_call_done(&w.call);
    }
    images_prune(w.images, &w.call, NULL, NULL, world_over);
    CHECK_INT(wait_for(&w), 0);
    CHECK(w.call.freed > 0);
    images_call_done(&w.call);
    images_look(w.images, &w.call, STR("docker.io/library/web:v1"), world_over);
    CHECK_INT(wait_for(&w), ERR_NOT_FOUND);
    images_call_done(&w.call);

    images_import(w.images, &w.call, path_in(&w, "out.tar", &arena), world_over);
    CHECK_INT(wait_for(&w), 0);
    MUST(w.call.n_found == 1);
    CHECK(str_eq(w.call.found[0].id, id));
    CHECK_STR(json_text(json_first(json_get(w.call.found[0].config, STR("Cmd"))), STR("")), "/new");
    world_done(&w);
}

TEST(images_are_mounted_layer_over_layer)
{
    struct world w;
    AUTO(arena_done) struct arena arena = {0};
    struct err err;
    str_t text;
    if (!is_root())
        return;
    world_init(&w);
    make_archive(&w, "in.tar", "\"web\"");
    images_import(w.images, &w.call, path_in(&w, "in.tar", &arena), world_over);
    CHECK_INT(wait_for(&w), 0);
    str_t manifest = arena_str(&arena, w.call.found[0].manifest);
    images_call_done(&w.call);
    str_t root = path_in(&w, "root", &arena);
    for (int i = 0; i < 2; i++) { /* The second time there is nothing left of the first. */
        images_mount(w.images, &w.call, manifest, root, world_over);
        CHECK_INT(wait_for(&w), 0);
        images_call_done(&w.call);
        CHECK(file_read(&arena, path_in(&w, "root/etc/kept", &arena).at, 64, &text, &err) == 0);
        CHECK_STR(text, "kept");
        CHECK(access(path_in(&w, "root/etc/gone", &arena).at, F_OK) < 0);
        CHECK(access(path_in(&w, "root/written", &arena).at, F_OK) < 0);
        CHECK(file_write(path_in(&w, "root/written", &arena).at, 0600, STR("w"), &err) == 0);
    }
    images_unmount(w.images, &w.call, root, world_over);
    CHECK_INT(wait_for(&w), 0);
    CHECK(access(root.at, F_OK) < 0);
    CHECK(access(path_in(&w, "root.own", &arena).at, F_OK) < 0);
    world_done(&w);
}

TEST(archives_that_are_none)
{
    static const struct {
        const char *name, *text, *says;
    } bad[] = {
        {"other", "x", "it has no manifest.json"},
        {"manifest.json", "[]", "names no images"},
        {"manifest.json", "[{\"Config\":\"c\",\"Layers\":[\"../x\"]}]", "archive has no 'c'"},
        {"manifest.json", "{", "manifest.json"},
        {"index.json", "{\"manifests\":[{\"digest\":\"sha256:../../x\"}]}", "no sha256 digest"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct world w;
        struct tar tar;
        AUTO(arena_done) struct arena arena = {0};
        world_init(&w);
        tar_begin(&tar);
        tar_file(&tar, bad[i].name, bad[i].text);
        tar_end(&tar);
        save_file(&w, "in.tar", &tar);
        free(tar.bytes);
        images_import(w.images, &w.call, path_in(&w, "in.tar", &arena), world_over);
        CHECK_INT(wait_for(&w), ERR_INVALID);
        CHECK(strstr(w.call.err.text, bad[i].says) != NULL);
        world_done(&w);
    }
}

/* It was written out in full, and stayed on the disk until the next prune. */
TEST(archives_with_sparse_files_take_no_room)
{
    struct world w;
    struct tar tar;
    AUTO(arena_done) struct arena arena = {0};
    world_init(&w);
    tar_begin(&tar);
    struct archive_entry *entry = entry_new("hole.tar", AE_IFREG, (size_t)64 << 20);
    archive_entry_sparse_add_entry(entry, 0, 1);
    tar_add(&tar, entry, "x");
    tar_end(&tar);
    save_file(&w, "in.tar", &tar);
    free(tar.bytes);
    images_import(w.images, &w.call, path_in(&w, "in.tar", &arena), world_over);
    CHECK_INT(wait_for(&w), ERR_INVALID);
    CHECK(strstr(w.call.err.text, "sparse file: 'hole.tar'") != NULL);
    world_done(&w);
}

/* --- room --- */

static size_t one_is_used(void *self, struct arena *arena, str_t **manifests)
{
    *manifests = arena_array(arena, str_t, 1);
    (*manifests)[0] = *(const str_t *)self;
    return 1;
}

TEST(images_go_when_the_disk_is_full)
{
    static const char *const names[] = {"docker.io/library/a:1", "docker.io/library/b:1",
                                        "docker.io/library/c:1"};
    static const struct images_budget full = {.age_min_ms = -1}, roomy = {.high_percent = 100},
                                      fresh = {.age_min_ms = 3600000};
    struct world w;
    AUTO(arena_done) struct arena arena = {0};
    world_init(&w);
    make_archive(&w, "in.tar", "\"a:1\"");
    images_import(w.images, &w.call, path_in(&w, "in.tar", &arena), world_over);
    CHECK_INT(wait_for(&w), 0);
    str_t used = arena_str(&arena, w.call.found[0].manifest), none = STR("");
    for (size_t i = 0; i < 3; i++) { /* Last used in the order c, a, b. */
        const char *name = names[(i + 2) % 3];
        MUST(names_set(&w.images->names, str_from_z(name), used.at, (int64_t)i + 1, &w.err) == 0);
    }
    const struct images_budget *idle[] = {&roomy, &full};
    for (size_t i = 0; i < 2; i++) {
        images_call_done(&w.call);
        images_collect(w.images, &w.call, idle[i], one_is_used, &used, world_over);
        CHECK_INT(wait_for(&w), 0);
        CHECK_INT(w.call.n_found, 0);
    }
    images_call_done(&w.call);
    images_collect(w.images, &w.call, &fresh, one_is_used, &none, world_over);
    CHECK_INT(wait_for(&w), 0);
    CHECK_INT(w.call.n_found, 0); /* They were in use just now. */
    for (size_t i = 0; i < 3; i++) {
        const char *name = names[(i + 2) % 3];
        MUST(names_set(&w.images->names, str_from_z(name), used.at, (int64_t)i + 1, &w.err) == 0);
    }
    images_call_done(&w.call);
    images_collect(w.images, &w.call, &full, one_is_used, &none, world_over);
    CHECK_INT(wait_for(&w), 0);
    MUST(w.call.n_found == 3);
    CHECK_STR(w.call.found[0].name, "docker.io/library/c:1");
    CHECK_STR(w.call.found[2].name, "docker.io/library/b:1");
    CHECK(w.call.freed > 0);
    world_done(&w);
}
