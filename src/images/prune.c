/* prune.c - what is needed is marked, all the rest goes. */
#include "base/map.h"
#include "images/blob.h"
#include "images/images_priv.h"
#include "images/unpack.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct mark {
    struct map_node node; /* Digits of a blob, or the name of a layer. */
};

struct marks {
    struct map map;
    struct arena arena;
};

static void mark(struct marks *marks, str_t name)
{
    if (map_find(&marks->map, name) != NULL)
        return;
    struct mark *one = arena_new(&marks->arena, struct mark);
    map_add(&marks->map, arena_str(&marks->arena, name), &one->node);
}

static void mark_blob(struct marks *marks, str_t digest)
{
    mark(marks, (str_t){digest.at + 7, digest.len - 7});
}

static void mark_image(struct marks *marks, const struct images *images, str_t manifest)
{
    AUTO(arena_done) struct arena arena = {0};
    struct parts parts;
    struct err ignored;
    char name[LAYER_NAME_BYTES];
    mark_blob(marks, manifest);
    if (parts_read(images, manifest, &arena, &parts, &ignored) < 0)
        return; /* Broken: nothing that it needs is of use. */
    mark_blob(marks, parts.manifest.config.digest);
    for (size_t i = 0; i < parts.manifest.n_layers; i++) {
        mark_blob(marks, parts.manifest.layers[i].digest);
        layer_name(parts.config.diff_ids[i], name);
        mark(marks, str_from_z(name));
    }
}

static int sweep_blobs(const struct marks *marks, const struct images *images, uint64_t *freed,
                       struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *path = arena_printf(&arena, "%s/blobs/sha256", images->dir).at;
    DIR *dir = opendir(path);
    const struct dirent *entry;
    int r = dir == NULL ? err_errno(err, "open '%s'", path) : 0;
    while (r == 0 && (entry = readdir(dir)) != NULL) {
        struct stat st;
        str_t digest = arena_printf(&arena, "sha256:%s", entry->d_name);
        if (!digest_is_valid(digest) || map_find(&marks->map, str_from_z(entry->d_name)) != NULL)
            continue;
        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            *freed += (uint64_t)st.st_size;
        r = blob_remove(images->dir, digest, err);
    }
    if (dir != NULL)
        closedir(dir);
    return r;
}

static int sweep_layers(const struct marks *marks, const struct images *images, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *path = arena_printf(&arena, "%s/layers", images->dir).at;
    DIR *dir = opendir(path);
    const struct dirent *entry;
    int r = dir == NULL ? err_errno(err, "open '%s'", path) : 0;
    while (r == 0 && (entry = readdir(dir)) != NULL) {
        str_t name, suffix;
        str_cut(str_from_z(entry->d_name), '.', &name, &suffix);
        if (name.len == 0 || map_find(&marks->map, name) != NULL)
            continue;
        r = layer_remove(images->dir, arena_printf(&arena, STR_F, STR_A(name)).at, err);
    }
    if (dir != NULL)
        closedir(dir);
    return r;
}

int store_prune(struct images *images, const str_t *used, size_t n, uint64_t *freed,
                struct err *err)
{
    struct marks marks = {0};
    struct named *all;
    size_t n_all = names_all(&images->names, &marks.arena, &all);
    for (size_t i = 0; i < n_all; i++)
        mark_image(&marks, images, str_from_z(all[i].manifest));
    for (size_t i = 0; i < n; i++)
        if (digest_is_valid(used[i]))
            mark_image(&marks, images, used[i]);
    int r = sweep_blobs(&marks, images, freed, err);
    if (r == 0)
        r = sweep_layers(&marks, images, err);
    map_done(&marks.map);
    arena_done(&marks.arena);
    return r;
}
