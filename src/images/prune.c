/* prune.c - what is needed is marked, all the rest goes. */
#include "base/map.h"
#include "images/blob.h"
#include "images/images_priv.h"
#include "images/unpack.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { INDEX_DEPTH = 2 };

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

/* Layers have their names from the configuration, if it is one of an image. */
static void mark_layers(struct marks *marks, const struct images *images,
                        const struct manifest *manifest, struct arena *arena)
{
    struct image_config config;
    struct err ignored;
    str_t text;
    char name[LAYER_NAME_BYTES];
    if (blob_read(images->dir, manifest->config.digest, arena, &text, &ignored) < 0 ||
        image_config_parse(text, arena, &config, &ignored) < 0)
        return;
    for (size_t i = 0; i < config.n_diff_ids; i++) {
        layer_name(config.diff_ids[i], name);
        mark(marks, str_from_z(name));
    }
}

/* Of an index all that is here, whatever machine it is for: others may want it from us. */
static void mark_image(struct marks *marks, const struct images *images, str_t target, int depth)
{
    AUTO(arena_done) struct arena arena = {0};
    struct manifest manifest;
    struct err ignored;
    str_t text;
    mark_blob(marks, target);
    if (blob_read(images->dir, target, &arena, &text, &ignored) < 0 ||
        manifest_parse(text, &arena, &manifest, &ignored) < 0)
        return; /* Broken: nothing that it needs is of use. */
    for (size_t i = 0; i < manifest.n_layers; i++) {
        if (manifest.is_index && depth > 0)
            mark_image(marks, images, manifest.layers[i].digest, depth - 1);
        else
            mark_blob(marks, manifest.layers[i].digest);
    }
    if (manifest.is_index)
        return;
    mark_blob(marks, manifest.config.digest);
    mark_layers(marks, images, &manifest, &arena);
}

void blob_keep(struct images *images, str_t digest)
{
    MUST(digest_is_valid(digest));
    (void)pthread_mutex_lock(&images->fresh_lock);
    struct fresh *fresh = &images->fresh[images->n_fresh++ % FRESH_MAX];
    memcpy(fresh->digest, digest.at, digest.len);
    fresh->digest[digest.len] = '\0';
    fresh->at_ms = wall_now_ms();
    (void)pthread_mutex_unlock(&images->fresh_lock);
}

static void mark_fresh(struct marks *marks, struct images *images)
{
    int64_t now_ms = wall_now_ms();
    (void)pthread_mutex_lock(&images->fresh_lock);
    for (size_t i = 0; i < images->n_fresh && i < FRESH_MAX; i++)
        if (now_ms - images->fresh[i].at_ms < FRESH_MS)
            mark_blob(marks, str_from_z(images->fresh[i].digest));
    (void)pthread_mutex_unlock(&images->fresh_lock);
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
        mark_image(&marks, images, str_from_z(all[i].manifest), INDEX_DEPTH);
    for (size_t i = 0; i < n; i++)
        if (digest_is_valid(used[i]))
            mark_image(&marks, images, used[i], INDEX_DEPTH);
    mark_fresh(&marks, images);
    int r = sweep_blobs(&marks, images, freed, err);
    if (r == 0)
        r = sweep_layers(&marks, images, err);
    map_done(&marks.map);
    arena_done(&marks.arena);
    return r;
}
