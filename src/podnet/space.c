/* space.c - a thread visits a new namespace, leaves a mount of it, and ends. */
#include "podnet/space.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

int space_sysctl_path(str_t name, char path[PODNET_PATH_MAX], struct err *err)
{
    bool ours = str_starts(name, STR("net.")) || str_starts(name, STR("net/"));
    int n = snprintf(path, PODNET_PATH_MAX, "/proc/sys/" STR_F, STR_A(name));
    if (!ours || n >= PODNET_PATH_MAX || strlen(path) != (size_t)n)
        return err_set(err, ERR_INVALID, "'" STR_F "' is no sysctl of the network", STR_A(name));
    bool slashes = memchr(name.at, '/', name.len) != NULL; /* Then dots are part of names. */
    for (char *at = path + sizeof("/proc/sys/") - 1; *at != '\0'; at++)
        if (*at == '.' && !slashes)
            *at = '/';
    if (strstr(path, "//") != NULL || strstr(path, "/../") != NULL || strstr(path, "/./") != NULL)
        return err_set(err, ERR_INVALID, "'" STR_F "' is no sysctl of the network", STR_A(name));
    return 0;
}

int sysctl_set(const char *path, str_t value, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : write(fd, value.at, value.len);
    int r = n < 0 ? err_errno(err, "set %s", path) : 0;
    if (fd >= 0)
        close(fd);
    return r;
}

struct making {
    const char *path;
    const struct podnet_want *want;
    struct netlink *inside;
    int r;
    struct err err;
};

/* Any user may listen below 1024 and ping: containers have no capabilities for either. */
static int set_all(const struct podnet_want *want, struct err *err)
{
    char path[PODNET_PATH_MAX];
    int r = sysctl_set("/proc/sys/net/ipv4/ip_unprivileged_port_start", STR("0"), err);
    if (r == 0)
        r = sysctl_set("/proc/sys/net/ipv4/ping_group_range", STR("0 2147483647"), err);
    for (size_t i = 0; i < want->n_sysctls && r == 0; i++) {
        r = space_sysctl_path(want->sysctls[i].name, path, err);
        if (r == 0)
            r = sysctl_set(path, want->sysctls[i].value, err);
    }
    return r;
}

static void *run(void *self)
{
    struct making *m = self;
    if (unshare(CLONE_NEWNET) < 0) {
        m->r = err_errno(&m->err, "make a network namespace");
        return NULL;
    }
    int fd = open(m->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    if (fd < 0 || mount("/proc/thread-self/ns/net", m->path, NULL, MS_BIND, NULL) < 0)
        m->r = err_errno(&m->err, "keep a network namespace at '%s'", m->path);
    if (m->r == 0)
        m->r = set_all(m->want, &m->err);
    if (m->r == 0)
        m->r = netlink_open(m->inside, NETLINK_ROUTE, &m->err);
    return NULL;
}

int space_make(const char *path, const struct podnet_want *want, int *fd, struct netlink *inside,
               struct err *err)
{
    struct making m = {.path = path, .want = want, .inside = inside};
    pthread_t thread;
    *fd = -1;
    if (pthread_create(&thread, NULL, run, &m) != 0)
        return err_set(err, ERR_BUSY, "no thread can be started for a network namespace");
    MUST(pthread_join(thread, NULL) == 0);
    int r = m.r;
    if (r < 0)
        *err = m.err;
    else if ((*fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        r = err_errno(err, "open '%s'", path);
    if (r < 0) {
        netlink_close(inside);
        space_remove(path);
    }
    return r;
}

void space_remove(const char *path)
{
    while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
        continue;
    (void)unlink(path);
}

bool space_there(const char *path)
{
    struct statfs fs;
    return statfs(path, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}
