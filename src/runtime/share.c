/* share.c - a thread visits a new namespace, leaves a mount of it, and comes back. */
#include "runtime/share.h"

#include "runtime/runtime_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static const struct {
    const char *name, *from;
    int flag;
} kinds[] = {
    {"ipc", "/proc/thread-self/ns/ipc", CLONE_NEWIPC},
    {"uts", "/proc/thread-self/ns/uts", CLONE_NEWUTS},
};

static bool is_pinned(const char *path)
{
    struct statfs fs;
    return statfs(path, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

/* "kernel.shm_rmid_forced" -> "/proc/sys/kernel/shm_rmid_forced" */
static int set_sysctl(const struct container_pair *pair, struct arena *arena, struct err *err)
{
    char *path = (char *)arena_printf(arena, "/proc/sys/" STR_F, STR_A(pair->name)).at;
    for (char *at = path + sizeof("/proc/sys/") - 1; *at != '\0'; at++)
        if (*at == '.')
            *at = '/';
    if (strstr(path, "//") != NULL)
        return err_set(err, ERR_INVALID, "'" STR_F "' is no sysctl", STR_A(pair->name));
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : write(fd, pair->value.at, pair->value.len);
    int r = n < 0 ? err_errno(err, "sysctl '" STR_F "'", STR_A(pair->name)) : 0;
    if (fd >= 0)
        close(fd);
    return r;
}

static int pin(const char *path, const char *from, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    if (fd < 0 || mount(from, path, NULL, MS_BIND, NULL) < 0)
        return err_errno(err, "keep a namespace at '%s'", path);
    return 0;
}

/* In the new namespaces. */
static int furnish(const char *dir, str_t hostname, const struct container_pair *sysctls,
                   size_t n_sysctls, struct arena *arena, struct err *err)
{
    int r = 0;
    if (hostname.len > 0 && sethostname(hostname.at, hostname.len) < 0)
        r = err_errno(err, "hostname '" STR_F "'", STR_A(hostname));
    for (size_t i = 0; i < n_sysctls && r == 0; i++)
        r = set_sysctl(&sysctls[i], arena, err);
    for (size_t i = 0; i < ARRAY_LEN(kinds) && r == 0; i++)
        r = pin(arena_printf(arena, "%s/%s", dir, kinds[i].name).at, kinds[i].from, err);
    return r;
}

int share_pin(const char *dir, str_t hostname, const struct container_pair *sysctls,
              size_t n_sysctls, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    int back[ARRAY_LEN(kinds)];
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return err_errno(err, "make '%s'", dir);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (is_pinned(arena_printf(&arena, "%s/%s", dir, kinds[i].name).at))
            return err_set(err, ERR_EXISTS, "'%s' has namespaces already", dir);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        back[i] = open(kinds[i].from, O_RDONLY | O_CLOEXEC);
        MUST(back[i] >= 0);
    }
    int r = unshare(CLONE_NEWIPC | CLONE_NEWUTS) < 0
                ? err_errno(err, "make namespaces for '%s'", dir)
                : furnish(dir, hostname, sysctls, n_sysctls, &arena, err);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        MUST(setns(back[i], kinds[i].flag) == 0); /* This thread works for others next. */
        close(back[i]);
    }
    if (r < 0) {
        struct err ignored;
        (void)share_unpin(dir, &ignored);
    }
    return r;
}

int share_unpin(const char *dir, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const char *path = arena_printf(&arena, "%s/%s", dir, kinds[i].name).at;
        while (is_pinned(path))
            if (umount2(path, MNT_DETACH) < 0)
                return err_errno(err, "unmount '%s'", path);
        if (unlink(path) < 0 && errno != ENOENT)
            return err_errno(err, "remove '%s'", path);
    }
    if (rmdir(dir) < 0 && errno != ENOENT && errno != ENOTEMPTY)
        return err_errno(err, "remove '%s'", dir);
    return 0;
}

int share_pause(struct runtime *runtime, struct container_spec *spec, struct arena *arena,
                struct err *err)
{
    static const str_t args[] = {STR("/pause")};
    static const char *const dirs[] = {"", "/proc", "/dev", "/sys", "/pause"};
    str_t root = arena_printf(arena, "%s/.pause", runtime->dir);
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        const char *path = arena_printf(arena, STR_F "%s", STR_A(root), dirs[i]).at;
        bool file = i == ARRAY_LEN(dirs) - 1;
        int fd = file ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755) : -1;
        if ((file && fd < 0) || (!file && mkdir(path, 0755) < 0 && errno != EEXIST))
            return err_errno(err, "make '%s'", path);
        if (fd >= 0)
            close(fd);
    }
    struct container_mount *mount = arena_new(arena, struct container_mount);
    *mount = (struct container_mount){
        .target = STR("/pause"), .source = str_from_z(runtime->shim), .read_only = true};
    spec->rootfs = root;
    spec->rootfs_read_only = true;
    spec->args = (struct texts){args, ARRAY_LEN(args)};
    spec->mounts = mount;
    spec->n_mounts = 1;
    return 0;
}
