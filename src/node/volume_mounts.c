/*
 * volume_mounts.c - what a container sees of its pod's volumes.
 *
 * A subPath is looked up while containers of the pod may change the volume. So it is opened
 * beneath the volume, and what was opened is mounted aside: the runtime is given a path that
 * nobody can change any more.
 */
#include "base/file.h"
#include "node/volume_priv.h"
#include "node/volume_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct named {
    struct map_node by_name;
    const struct json *volume;
};

struct mounting {
    const struct volume_mounts_input *in;
    struct arena *arena;
    struct map volumes;
    struct container_mount *at;
    size_t n;
    size_t index; /* Of the mount in the container's list. */
};

static const char *z(struct mounting *m, str_t text)
{
    return arena_printf(m->arena, STR_F, STR_A(text)).at;
}

/* --- subPath --- */

/* Links are followed as long as they stay in the volume. */
static int open_beneath(int top, const char *path)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, top, path, &how, sizeof(how));
}

/* Makes what is missing, with the mode of the volume, as kubelet does. -1: it cannot be. */
static int make_beneath(struct mounting *m, int top, str_t path)
{
    struct stat meta;
    str_t rest = path, element;
    bool more = path.len > 0 && fstat(top, &meta) == 0;
    while (more) {
        more = str_cut(rest, '/', &element, &rest);
        const char *so_far = z(m, (str_t){path.at, (size_t)(element.at + element.len - path.at)});
        AUTO(fd_close) int there = open_beneath(top, so_far);
        if (there >= 0 || element.len == 0)
            continue;
        if (errno != ENOENT)
            return -1;
        size_t before = (size_t)(element.at - path.at);
        const char *name = z(m, element);
        AUTO(fd_close)
        int parent = before == 0 ? dup(top) : open_beneath(top, z(m, (str_t){path.at, before}));
        if (parent < 0 || mkdirat(parent, name, 0700) < 0)
            return -1;
        /* A readable descriptor of the very directory that was made, for its mode. */
        AUTO(fd_close) int made = tree_open(parent, name, O_RDONLY | O_DIRECTORY);
        if (made < 0 || fchmod(made, meta.st_mode & 07777) < 0 ||
            ((meta.st_mode & S_ISGID) != 0 && fchown(made, (uid_t)-1, meta.st_gid) < 0))
            return -1;
    }
    return open_beneath(top, path.len == 0 ? "." : z(m, path));
}

/* Where it is mounted aside; what an earlier run of the container had there goes. */
static int mount_aside(struct mounting *m, int fd, str_t *path)
{
    char from[32];
    struct stat meta;
    str_t name = json_get_text(m->in->container, STR("name"));
    str_t all = arena_printf(m->arena, "%s/subpaths", m->in->dir);
    str_t own = arena_printf(m->arena, STR_F "/" STR_F, STR_A(all), STR_A(name));
    str_t aside = arena_printf(m->arena, STR_F "/%zu", STR_A(own), m->index);
    if (!volume_name_fits(name) || fstat(fd, &meta) < 0 ||
        (mkdir(all.at, 0755) < 0 && errno != EEXIST) ||
        (mkdir(own.at, 0755) < 0 && errno != EEXIST))
        return -1;
    while (umount2(aside.at, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
        ;
    (void)unlink(aside.at);
    (void)rmdir(aside.at);
    int file = S_ISDIR(meta.st_mode)
                   ? mkdir(aside.at, 0755)
                   : open(aside.at, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0)
        return -1;
    if (file > 0)
        close(file);
    (void)snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
    *path = aside;
    return mount(from, aside.at, NULL, MS_BIND | MS_REC, NULL);
}

static int sub_path_error(struct mounting *m, const char *what, const struct json *mount,
                          struct err *err)
{
    str_t name = json_get_text(mount, STR("name"));
    str_t container = json_get_text(m->in->container, STR("name"));
    /* No more than that: the details would tell of the machine's files. */
    return err_set(err, ERR_INVALID,
                   "failed to %s for volumeMount \"" STR_F "\" of container \"" STR_F "\"", what,
                   STR_A(name), STR_A(container));
}

static int use_sub_path(struct mounting *m, const struct json *mount, str_t path, str_t *source,
                        struct err *err)
{
    AUTO(fd_close) int top = open(z(m, *source), O_PATH | O_CLOEXEC);
    bool fits = path.at[0] != '/' && memchr(path.at, '\0', path.len) == NULL && top >= 0;
    AUTO(fd_close) int fd = !fits ? -1 : open_beneath(top, z(m, path));
    if (fits && fd < 0 && errno == ENOENT) {
        fd = make_beneath(m, top, path);
        if (fd < 0)
            return sub_path_error(m, "create subPath directory", mount, err);
    }
    if (fd < 0 || mount_aside(m, fd, source) < 0)
        return sub_path_error(m, "prepare subPath", mount, err);
    return 0;
}

/* "" : none. A variable that is not there is an error, unlike in a command. */
static int sub_path_of(struct mounting *m, const struct json *mount, str_t *path, struct err *err)
{
    str_t text = json_get_text(mount, STR("subPathExpr"));
    *path = json_get_text(mount, STR("subPath"));
    if (text.len == 0)
        return 0;
    *path = expand(text, m->in->env, m->arena);
    if (memmem(path->at, path->len, "$(", 2) != NULL)
        return err_set(err, ERR_INVALID,
                       "failed to expand subPathExpr \"" STR_F "\": a variable is missing",
                       STR_A(text));
    return 0;
}

/* --- one mount --- */

/* An absolute path without "//", "." and "..": what the list is put in order by. */
static str_t clean(str_t path, struct arena *arena)
{
    char *out = arena_bytes(arena, path.len + 2);
    size_t n = 0;
    str_t element;
    bool more = true;
    while (more) {
        more = str_cut(path, '/', &element, &path);
        if (element.len == 0 || str_eq(element, STR(".")))
            continue;
        if (str_eq(element, STR(".."))) {
            while (n > 0 && out[--n] != '/')
                ;
            continue;
        }
        out[n++] = '/';
        memcpy(out + n, element.at, element.len);
        n += element.len;
    }
    return n == 0 ? STR("/") : (str_t){out, n};
}

/* Where the files are. */
static int source_of(struct mounting *m, const struct json *volume, str_t name, str_t *source,
                     struct err *err)
{
    char to[PATH_MAX];
    bool on_disk = volume_is_on_disk(volume);
    str_t path = arena_printf(m->arena, "%s/%s/" STR_F, m->in->dir, on_disk ? "empty" : "volumes",
                              STR_A(name));
    struct stat meta;
    ssize_t n = readlink(path.at, to, sizeof(to));
    if (n < 0 && lstat(path.at, &meta) < 0)
        return err_errno(err, "look at volume \"" STR_F "\"", STR_A(name));
    *source = n <= 0 ? path : arena_str(m->arena, (str_t){to, (size_t)n});
    return 0;
}

static str_t options_of(const struct json *mount)
{
    str_t propagation = json_get_text(mount, STR("mountPropagation"));
    str_t recursive = json_get_text(mount, STR("recursiveReadOnly"));
    bool all = str_eq(recursive, STR("Enabled")) || str_eq(recursive, STR("IfPossible"));
    if (str_eq(propagation, STR("HostToContainer")))
        return STR("rslave");
    if (str_eq(propagation, STR("Bidirectional")))
        return STR("rshared");
    return all && json_is_true(json_get(mount, STR("readOnly"))) ? STR("rro") : STR("");
}

static int add_mount(struct mounting *m, const struct json *mount, struct err *err)
{
    str_t name = json_get_text(mount, STR("name"));
    const struct map_node *known = map_find(&m->volumes, name);
    struct container_mount *out = &m->at[m->n];
    str_t sub_path;
    if (known == NULL) {
        str_t container = json_get_text(m->in->container, STR("name"));
        return err_set(err, ERR_INVALID,
                       "cannot find volume \"" STR_F "\" to mount into container \"" STR_F "\"",
                       STR_A(name), STR_A(container));
    }
    const struct json *source =
        volume_source(CONTAINER_OF(known, const struct named, by_name)->volume);
    bool read_only = json_is_true(json_get(mount, STR("readOnly"))) || volume_is_files(source) ||
                     json_is_true(json_at(source, "readOnly"));
    *out =
        (struct container_mount){.target = clean(json_get_text(mount, STR("mountPath")), m->arena),
                                 .read_only = read_only,
                                 .options = options_of(mount)};
    int r = source_of(m, source, name, &out->source, err);
    if (r == 0)
        r = sub_path_of(m, mount, &sub_path, err);
    if (r == 0 && sub_path.len > 0)
        r = use_sub_path(m, mount, sub_path, &out->source, err);
    m->n += r == 0;
    return r;
}

/* --- all of them --- */

static size_t levels(str_t path)
{
    size_t n = 0;
    for (size_t i = 0; i < path.len; i++)
        n += path.at[i] == '/';
    return path.len == 1 ? 0 : n;
}

struct ordered { /* qsort(3) does not keep the order of equals. */
    struct container_mount mount;
    size_t levels, at;
};

static int by_level(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    if (x->levels != y->levels)
        return x->levels < y->levels ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

static void outer_first(struct container_mount *at, size_t n, struct arena *arena)
{
    struct ordered *all = arena_array(arena, struct ordered, n + 1);
    for (size_t i = 0; i < n; i++)
        all[i] = (struct ordered){at[i], levels(at[i].target), i};
    qsort(all, n, sizeof(*all), by_level);
    for (size_t i = 0; i < n; i++)
        at[i] = all[i].mount;
}

static void add_own(struct mounting *m)
{
    size_t volumes = m->n;
    for (size_t i = 0; i < m->in->n_own; i++) {
        bool taken = false;
        str_t target = clean(m->in->own[i].target, m->arena);
        for (size_t k = 0; k < volumes && !taken; k++)
            taken = str_eq(m->at[k].target, target);
        if (!taken)
            m->at[m->n++] = m->in->own[i];
    }
}

static void know_volumes(struct mounting *m)
{
    JSON_EACH(json_at(m->in->pod, "spec.volumes"), volume)
    {
        str_t name = json_get_text(volume, STR("name"));
        struct named *named = arena_new(m->arena, struct named);
        named->volume = volume;
        if (volume_name_fits(name) && map_find(&m->volumes, name) == NULL)
            map_add(&m->volumes, name, &named->by_name);
    }
}

static int add_all(struct mounting *m, const struct json *list, struct err *err)
{
    JSON_EACH(list, mount)
    {
        int r = add_mount(m, mount, err);
        if (r < 0)
            return r;
        m->index++;
    }
    return 0;
}

int volume_mounts(const struct volume_mounts_input *in, struct arena *arena,
                  struct container_mount **mounts, size_t *n, struct err *err)
{
    const struct json *list = json_get(in->container, STR("volumeMounts"));
    struct mounting m = {.in = in, .arena = arena};
    m.at = arena_array(arena, struct container_mount, json_count(list) + in->n_own + 1);
    if (json_first(json_get(in->container, STR("volumeDevices"))) != NULL)
        return err_set(err, ERR_INVALID, "volumeDevices are not supported here");
    know_volumes(&m);
    int r = add_all(&m, list, err);
    map_done(&m.volumes);
    if (r < 0)
        return r;
    add_own(&m);
    outer_first(m.at, m.n, arena);
    *mounts = m.at;
    *n = m.n;
    return 0;
}
