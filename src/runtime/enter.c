/*
 * enter.c - the mount namespace without cgroup v2 in sight, and how the next process finds it.
 *
 * A namespace lives as long as somebody is in it or its file is mounted somewhere. So one that we
 * pin must be mounted outside of itself, on a mount that is not shared with it: a directory bound
 * to itself and made private. https://man7.org/linux/man-pages/man1/unshare.1.html
 */
#include "runtime/runtime.h"
#include "runtime/runtime_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNIFIED "/sys/fs/cgroup/unified"

static bool is_fs(const char *path, long magic)
{
    struct statfs fs;
    return statfs(path, &fs) == 0 && fs.f_type == magic;
}

static bool is_hybrid(void)
{
    return is_fs("/sys/fs/cgroup", TMPFS_MAGIC) && is_fs(UNIFIED, CGROUP2_SUPER_MAGIC);
}

/*
 * The child makes the namespace and stays in it until it is pinned.
 *
 * A namespace can only be mounted in one that is older, as their numbers tell. Since Linux 6.18
 * each processor has numbers of its own, so in a namespace that is not the machine's first one a
 * new one may look older: on the processor where ours was made it does not.
 */
static _Noreturn void child_run(int cpu, int ready, int go)
{
    unsigned char byte = 0;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    (void)sched_setaffinity(0, sizeof(one), &one);
    /* crun takes the tree for a directory then, and leaves files in it: in one that is ours. */
    bool ok = unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0 &&
              umount2(UNIFIED, 0) == 0 && mount("tmpfs", UNIFIED, "tmpfs", 0, "mode=755") == 0;
    byte = ok ? 0 : (unsigned char)errno;
    (void)!write(ready, &byte, 1);
    (void)!read(go, &byte, 1);
    _exit(0);
}

static int pin_child(pid_t child, int ready, const char *file, struct arena *arena, struct err *err)
{
    unsigned char code = 1;
    if (read(ready, &code, 1) != 1 || code != 0) {
        errno = code;
        return err_errno(err, "make a mount namespace without " UNIFIED);
    }
    const char *ns = arena_printf(arena, "/proc/%d/ns/mnt", (int)child).at;
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    if (fd < 0 || mount(ns, file, NULL, MS_BIND, NULL) < 0)
        return err_errno(err, "keep a mount namespace at '%s'", file);
    return 0;
}

static int pin_on(int cpu, const char *file, struct arena *arena, struct err *err)
{
    int ready[2], go[2];
    if (pipe2(ready, O_CLOEXEC) < 0)
        return err_errno(err, "open a pipe");
    if (pipe2(go, O_CLOEXEC) < 0) {
        close(ready[0]);
        close(ready[1]);
        return err_errno(err, "open a pipe");
    }
    pid_t child = fork();
    if (child == 0) {
        close(go[1]);
        child_run(cpu, ready[1], go[0]);
    }
    close(ready[1]);
    close(go[0]);
    int r = child < 0 ? err_errno(err, "fork") : pin_child(child, ready[0], file, arena, err);
    close(ready[0]);
    close(go[1]);
    if (child > 0)
        (void)waitpid(child, NULL, 0);
    return r;
}

static int pin(const char *dir, const char *file, struct arena *arena, struct err *err)
{
    cpu_set_t cpus;
    int r = -1;
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return err_errno(err, "make '%s'", dir);
    if (mount(dir, dir, NULL, MS_BIND, NULL) < 0 || mount(NULL, dir, NULL, MS_PRIVATE, NULL) < 0)
        return err_errno(err, "mount '%s'", dir);
    if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
        return err_errno(err, "ask for processors");
    for (int cpu = 0; cpu < CPU_SETSIZE && r < 0; cpu++)
        if (CPU_ISSET(cpu, &cpus))
            r = pin_on(cpu, file, arena, err);
    return r;
}

static int move(const char *file, struct err *err)
{
    char cwd[4096];
    bool known = getcwd(cwd, sizeof(cwd)) != NULL;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNS) < 0) {
        int r = err_errno(err, "enter the mount namespace '%s'", file);
        if (fd >= 0)
            close(fd);
        return r;
    }
    close(fd);
    if (known)
        (void)!chdir(cwd); /* It was the root's now. */
    return 0;
}

int runtime_enter(const char *dir, const char *program, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *own = arena_printf(&arena, "%s/.ns", dir).at;
    const char *file = arena_printf(&arena, "%s/mounts", own).at;
    bool crun;
    if (!is_hybrid())
        return 0;
    int r = program_find(program, &arena, &crun, NULL, err);
    if (r < 0 || !crun)
        return r;
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return err_errno(err, "make '%s'", dir);
    if (!is_fs(file, NSFS_MAGIC)) {
        r = pin(own, file, &arena, err);
        if (r < 0) {
            (void)runtime_leave(dir, &(struct err){0});
            return r;
        }
    }
    return move(file, err);
}

int runtime_leave(const char *dir, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *own = arena_printf(&arena, "%s/.ns", dir).at;
    const char *file = arena_printf(&arena, "%s/mounts", own).at;
    const char *const mounts[] = {file, own};
    for (size_t i = 0; i < ARRAY_LEN(mounts); i++)
        if (umount2(mounts[i], MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT)
            return err_errno(err, "unmount '%s'", mounts[i]);
    (void)unlink(file);
    (void)rmdir(own);
    return 0;
}
