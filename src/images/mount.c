/*
 * mount.c - overlayfs takes its layers as one text of a page at most, so they are named relative to
 * where all of them are: by a thread whose working directory is its own.
 * https://docs.kernel.org/filesystems/overlayfs.html
 */
#include "images/mount.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPTIONS_MAX = 4096 };

struct mounting {
    const char *layers, *options, *path;
    int error;
};

static void *run(void *self)
{
    struct mounting *m = self;
    bool fine = unshare(CLONE_FS) == 0 && chdir(m->layers) == 0 &&
                mount("overlay", m->path, "overlay", 0, m->options) == 0;
    m->error = fine ? 0 : errno;
    return NULL;
}

static int mount_from(const char *layers, const char *options, const char *path, struct err *err)
{
    struct mounting m = {.layers = layers, .options = options, .path = path};
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, &m) != 0)
        return err_set(err, ERR_BUSY, "no thread can be started to mount '%s'", path);
    MUST(pthread_join(thread, NULL) == 0);
    errno = m.error;
    return m.error == 0 ? 0 : err_errno(err, "mount the layers of an image at '%s'", path);
}

static int make_dirs(const char *const *paths, struct err *err)
{
    for (; *paths != NULL; paths++)
        if (mkdir(*paths, 0755) < 0 && errno != EEXIST)
            return err_errno(err, "make '%s'", *paths);
    return 0;
}

/* An overlay of no layer at all is refused: an image without any has an empty one. */
static void add_layers(const str_t *layers, size_t n, const char *empty, struct buf *options)
{
    buf_printf(options, "lowerdir=");
    for (size_t i = n; i > 0; i--)
        buf_printf(options, STR_F "%s", STR_A(layers[i - 1]), i > 1 ? ":" : "");
    if (n == 0)
        buf_printf(options, "%s", empty);
}

int rootfs_mount(const char *dir, str_t manifest, const str_t *layers, size_t n, const char *path,
                 struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf options = {0};
    const char *own = arena_printf(&arena, "%s.own", path).at;
    const char *upper = arena_printf(&arena, "%s/upper", own).at;
    const char *work = arena_printf(&arena, "%s/work", own).at;
    const char *empty = arena_printf(&arena, "%s/empty", own).at;
    const char *const dirs[] = {path, own, upper, work, empty, NULL};
    struct err ignored;
    if (rootfs_unmount(path, err) < 0)
        return err->code;
    add_layers(layers, n, empty, &options);
    /* It is gone with its container: nothing of it needs to be synced. */
    buf_printf(&options, ",upperdir=%s,workdir=%s,index=off,volatile", upper, work);
    buf_add_char(&options, '\0');
    int r = options.len > OPTIONS_MAX
                ? err_set(err, ERR_INVALID, "image has more layers than can be mounted: %zu", n)
                : make_dirs(dirs, err);
    if (r == 0)
        r = file_write(arena_printf(&arena, "%s/manifest", own).at, 0600, manifest, err);
    if (r == 0)
        r = mount_from(arena_printf(&arena, "%s/layers", dir).at, options.at, path, err);
    if (r < 0)
        (void)rootfs_unmount(path, &ignored);
    return r;
}

int rootfs_unmount(const char *path, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
        return err_errno(err, "unmount '%s'", path);
    if (rmdir(path) < 0 && errno != ENOENT)
        return err_errno(err, "remove '%s'", path);
    return tree_remove(AT_FDCWD, arena_printf(&arena, "%s.own", path).at, err);
}
