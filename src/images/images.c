/* images.c - the store's life, and its calls: each a piece of work for the pool. */
#include "images/images.h"

#include "base/tree.h"
#include "images/blob.h"
#include "images/images_priv.h"
#include "images/mount.h"
#include "images/pull.h"
#include "images/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

int64_t wall_now_ms(void)
{
    struct timespec now;
    MUST(clock_gettime(CLOCK_REALTIME, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- its life --- */

static int make_dirs(const char *dir, struct err *err)
{
    static const char *const names[] = {"", "/blobs", "/blobs/sha256", "/layers", "/tmp"};
    AUTO(arena_done) struct arena arena = {0};
    if (tree_remove(AT_FDCWD, arena_printf(&arena, "%s/tmp", dir).at, err) < 0)
        return err->code;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *path = arena_printf(&arena, "%s%s", dir, names[i]).at;
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            return err_errno(err, "make '%s'", path);
    }
    return 0;
}

int images_open(const struct images_settings *settings, struct images **out, struct err *err)
{
    struct images *images = calloc(1, sizeof(*images));
    MUST(images != NULL);
    images->settings = *settings;
    images->dir = strdup(settings->dir);
    MUST(pthread_mutex_init(&images->fresh_lock, NULL) == 0);
    MUST(images->dir != NULL && pthread_rwlock_init(&images->blobs, NULL) == 0);
    int r = make_dirs(images->dir, err);
    if (r == 0)
        r = names_open(&images->names, images->dir, err);
    if (r < 0) {
        free(images->dir);
        free(images);
        return r;
    }
    *out = images;
    return 0;
}

void images_stop(struct images *images)
{
    if (images != NULL)
        atomic_store(&images->stopping, true);
}

void images_close(struct images *images)
{
    if (images == NULL)
        return;
    names_close(&images->names);
    (void)pthread_rwlock_destroy(&images->blobs);
    (void)pthread_mutex_destroy(&images->fresh_lock);
    free(images->dir);
    free(images);
}

/* --- calls --- */

void images_call_done(struct images_call *call)
{
    arena_done(&call->arena);
    *call = (struct images_call){0};
}

static void work(struct job *job)
{
    struct images_call *call = CONTAINER_OF(job, struct images_call, job);
    call->work(call);
}

static void worked(struct job *job)
{
    struct images_call *call = CONTAINER_OF(job, struct images_call, job);
    call->done(call);
}

static void prepare(struct images *images, struct images_call *call, str_t name, str_t path,
                    void (*work_it)(struct images_call *call),
                    void (*done)(struct images_call *call))
{
    *call = (struct images_call){.done = done, .images = images, .work = work_it};
    call->name = arena_str(&call->arena, name);
    call->path = arena_str(&call->arena, path);
    call->job.work = work;
    call->job.done = worked;
}

static void begin(struct images *images, struct images_call *call, str_t name, str_t path,
                  void (*work_it)(struct images_call *call), void (*done)(struct images_call *call))
{
    prepare(images, call, name, path, work_it, done);
    pool_run(images->settings.pool, &call->job);
}

/* By its name, or by the digest of its manifest or its configuration. */
static int find(struct images_call *call, struct image *out)
{
    struct images *images = call->images;
    char manifest[DIGEST_BYTES];
    struct named *all;
    if (names_find(&images->names, call->name, manifest)) {
        names_use(&images->names, call->name, wall_now_ms());
        return image_read(images, call->name, str_from_z(manifest), &call->arena, out, &call->err);
    }
    size_t n = names_all(&images->names, &call->arena, &all);
    str_t at = call->name, repository, digest;
    bool by_digest = str_cut(at, '@', &repository, &digest);
    for (size_t i = 0; i < n; i++) {
        struct err ignored;
        str_t own = str_from_z(all[i].manifest);
        bool same = by_digest && str_eq(own, digest);
        if (!same && (by_digest || image_read(images, str_from_z(all[i].name), own, &call->arena,
                                              out, &ignored) < 0))
            continue;
        if (same || str_eq(out->id, at) || str_eq(own, at))
            return image_read(images, str_from_z(all[i].name), own, &call->arena, out, &call->err);
    }
    return err_set(&call->err, ERR_NOT_FOUND, "image " STR_F " is not on this machine",
                   STR_A(call->name));
}

static void look(struct images_call *call)
{
    call->found = arena_new(&call->arena, struct image);
    call->r = find(call, call->found);
    call->n_found = call->r == 0 ? 1 : 0;
}

void images_look(struct images *images, struct images_call *call, str_t name,
                 void (*done)(struct images_call *call))
{
    begin(images, call, name, STR(""), look, done);
}

static void list(struct images_call *call)
{
    struct named *all;
    size_t n = names_all(&call->images->names, &call->arena, &all);
    call->found = arena_array(&call->arena, struct image, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct image *out = &call->found[call->n_found];
        struct err ignored;
        if (image_read(call->images, str_from_z(all[i].name), str_from_z(all[i].manifest),
                       &call->arena, out, &ignored) < 0)
            continue;
        out->used_ms = all[i].used_ms;
        call->n_found++;
    }
}

void images_list(struct images *images, struct images_call *call,
                 void (*done)(struct images_call *call))
{
    begin(images, call, STR(""), STR(""), list, done);
}

static void import(struct images_call *call)
{
    (void)pthread_rwlock_rdlock(&call->images->blobs);
    call->r = archive_import(call->images, call->path.at, &call->arena, &call->found,
                             &call->n_found, &call->err);
    (void)pthread_rwlock_unlock(&call->images->blobs);
}

void images_import(struct images *images, struct images_call *call, str_t path,
                   void (*done)(struct images_call *call))
{
    begin(images, call, STR(""), path, import, done);
}

static void pull(struct images_call *call)
{
    call->found = arena_new(&call->arena, struct image);
    (void)pthread_rwlock_rdlock(&call->images->blobs);
    call->r =
        image_pull(call->images, call->want, &call->arena, call->found, &call->told, &call->err);
    (void)pthread_rwlock_unlock(&call->images->blobs);
    call->n_found = call->r == 0 ? 1 : 0;
}

void images_pull(struct images *images, struct images_call *call,
                 const struct images_pull_want *want, void (*done)(struct images_call *call))
{
    prepare(images, call, STR(""), STR(""), pull, done);
    call->want = want;
    pool_run(images->settings.pool, &call->job);
}

static void save(struct images_call *call)
{
    struct image image;
    (void)pthread_rwlock_rdlock(&call->images->blobs);
    call->r = find(call, &image);
    if (call->r == 0)
        call->r = archive_save(call->images, image.name, image.manifest, call->path.at, &call->err);
    (void)pthread_rwlock_unlock(&call->images->blobs);
}

void images_save(struct images *images, struct images_call *call, str_t name, str_t path,
                 void (*done)(struct images_call *call))
{
    begin(images, call, name, path, save, done);
}

static void remove_name(struct images_call *call)
{
    call->r = names_set(&call->images->names, call->name, NULL, 0, &call->err);
}

void images_remove(struct images *images, struct images_call *call, str_t name,
                   void (*done)(struct images_call *call))
{
    begin(images, call, name, STR(""), remove_name, done);
}

static void tag(struct images_call *call)
{
    struct image image;
    call->r = find(call, &image);
    if (call->r == 0)
        call->r =
            names_set(&call->images->names, call->path, image.target.at, wall_now_ms(), &call->err);
}

void images_tag(struct images *images, struct images_call *call, str_t name, str_t as,
                void (*done)(struct images_call *call))
{
    begin(images, call, name, as, tag, done);
}

static void prune(struct images_call *call)
{
    (void)pthread_rwlock_wrlock(&call->images->blobs);
    str_t *used = NULL;
    size_t n = call->used == NULL ? 0 : call->used(call->self, &call->arena, &used);
    call->r = store_prune(call->images, used, n, &call->freed, &call->err);
    (void)pthread_rwlock_unlock(&call->images->blobs);
}

void images_prune(struct images *images, struct images_call *call,
                  size_t (*used)(void *self, struct arena *arena, str_t **manifests), void *self,
                  void (*done)(struct images_call *call))
{
    prepare(images, call, STR(""), STR(""), prune, done);
    call->used = used;
    call->self = self;
    pool_run(images->settings.pool, &call->job);
}

static void collect(struct images_call *call)
{
    struct collected collected = {0};
    (void)pthread_rwlock_wrlock(&call->images->blobs);
    str_t *used = NULL;
    size_t n = call->used(call->self, &call->arena, &used);
    call->r =
        store_collect(call->images, call->budget, used, n, &call->arena, &collected, &call->err);
    (void)pthread_rwlock_unlock(&call->images->blobs);
    call->found = collected.found;
    call->n_found = collected.n;
    call->freed = collected.freed;
}

void images_collect(struct images *images, struct images_call *call,
                    const struct images_budget *budget,
                    size_t (*used)(void *self, struct arena *arena, str_t **manifests), void *self,
                    void (*done)(struct images_call *call))
{
    prepare(images, call, STR(""), STR(""), collect, done);
    call->budget = budget;
    call->used = used;
    call->self = self;
    pool_run(images->settings.pool, &call->job);
}

/* --- file systems --- */

static void mount_parts(struct images_call *call)
{
    const struct images *images = call->images;
    struct parts parts;
    str_t *layers;
    call->r = parts_read(images, call->name, &call->arena, &parts, &call->err);
    if (call->r == 0)
        call->r = parts_unpack(images, &parts, &call->err); /* They are there, as a rule. */
    if (call->r < 0)
        return;
    layers = arena_array(&call->arena, str_t, parts.config.n_diff_ids + 1);
    for (size_t i = 0; i < parts.config.n_diff_ids; i++) {
        char *name = arena_bytes(&call->arena, LAYER_NAME_BYTES);
        layer_name(parts.config.diff_ids[i], name);
        layers[i] = str_from_z(name);
    }
    call->r = rootfs_mount(images->dir, call->name, layers, parts.config.n_diff_ids, call->path.at,
                           &call->err);
}

/* What is mounted is not pruned: either it is there already when that begins, or it waits. */
static void mount_it(struct images_call *call)
{
    (void)pthread_rwlock_rdlock(&call->images->blobs);
    mount_parts(call);
    (void)pthread_rwlock_unlock(&call->images->blobs);
}

void images_mount(struct images *images, struct images_call *call, str_t manifest, str_t path,
                  void (*done)(struct images_call *call))
{
    begin(images, call, manifest, path, mount_it, done);
}

static void unmount_it(struct images_call *call)
{
    call->r = rootfs_unmount(call->path.at, &call->err);
}

void images_unmount(struct images *images, struct images_call *call, str_t path,
                    void (*done)(struct images_call *call))
{
    begin(images, call, STR(""), path, unmount_it, done);
}
