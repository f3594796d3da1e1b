/* space.c - unshare() on a thread of the pool, and back; the bind mount keeps what was made. */
#include "podnet/space.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <unistd.h>

#define OWN "/proc/thread-self/ns/net"

static const struct {
    const char *path, *value;
} usual[] = {
    /* So that nobody needs a capability to listen at port 80 or to ping. */
    {"/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"},
    {"/proc/sys/net/ipv4/ping_group_range", "0 2147483647"},
    /* The way between pods is through the gateway, whatever shorter one there seems to be. */
    {"/proc/sys/net/ipv4/conf/all/accept_redirects", "0"},
    {"/proc/sys/net/ipv4/conf/default/accept_redirects", "0"},
    /* eth0 has no IPv6 address, and no packets that look for one; lo has ::1. */
    {"/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"},
};

int sysctl_set(const char *path, str_t value, struct err *err)
{
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "open '%s'", path);
    if (write(fd, value.at, value.len) != (ssize_t)value.len)
        return err_errno(err, "write '" STR_F "' to '%s'", STR_A(value), path);
    return 0;
}

static bool plain(str_t name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' &&
            c != '-' && c != '.' && c != '/')
            return false;
    }
    return true;
}

/* As sysctl(8): which of '.' and '/' comes first separates, the other is part of a name. */
int space_sysctl_path(str_t name, char path[PODNET_PATH_MAX], struct err *err)
{
    static const str_t root = STR("/proc/sys/");
    char separator = '.';
    for (size_t i = 0; i < name.len && name.at[i] != '.'; i++)
        if (name.at[i] == '/')
            separator = '/';
    size_t n = root.len, start = n;
    memcpy(path, root.at, root.len);
    if (!plain(name) || name.len < 5 || memcmp(name.at, "net", 3) != 0 || name.at[3] != separator ||
        root.len + name.len >= PODNET_PATH_MAX)
        return err_set(err, ERR_INVALID, "sysctl '" STR_F "' is not one of the network's",
                       STR_A(name));
    for (size_t i = 0; i <= name.len; i++) {
        char c = '/';
        if (i < name.len && name.at[i] != separator) {
            c = name.at[i];
            if (c == '/')
                c = '.';
        }
        str_t part = {path + start, n - start};
        if (c == '/' && (part.len == 0 || str_eq(part, STR(".")) || str_eq(part, STR(".."))))
            return err_set(err, ERR_INVALID, "'" STR_F "' is not the name of a sysctl",
                           STR_A(name));
        path[n++] = c;
        start = c == '/' ? n : start;
    }
    path[n - 1] = '\0';
    return 0;
}

static int set_sysctls(const struct podnet_want *want, struct err *err)
{
    char path[PODNET_PATH_MAX];
    struct err ignored;
    for (size_t i = 0; i < ARRAY_LEN(usual); i++) /* Kernels without IPv6 lack some. */
        (void)sysctl_set(usual[i].path, str_from_z(usual[i].value), &ignored);
    for (size_t i = 0; i < want->n_sysctls; i++) {
        int r = space_sysctl_path(want->sysctls[i].name, path, err);
        r = r < 0 ? r : sysctl_set(path, want->sysctls[i].value, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Within the new one. */
static int furnish(const char *path, const struct podnet_want *want, struct space *space,
                   struct err *err)
{
    if (mount(OWN, path, NULL, MS_BIND, NULL) < 0)
        return err_errno(err, "mount a network namespace at '%s'", path);
    space->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (space->fd < 0)
        return err_errno(err, "open '%s'", path);
    int r = netlink_open(&space->inside, NETLINK_ROUTE, err);
    return r < 0 ? r : set_sysctls(want, err);
}

int space_make(const char *path, const struct podnet_want *want, struct space *space,
               struct err *err)
{
    *space = (struct space){.fd = -1};
    space_remove(path);
    AUTO(fd_close) int own = open(OWN, O_RDONLY | O_CLOEXEC);
    AUTO(fd_close) int file = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0444);
    if (own < 0 || file < 0)
        return err_errno(err, "make '%s'", path);
    if (unshare(CLONE_NEWNET) < 0)
        return err_errno(err, "make a network namespace");
    int r = furnish(path, want, space, err);
    MUST(setns(own, CLONE_NEWNET) == 0); /* Else other work of this thread would be in there. */
    if (r < 0) {
        space_close(space);
        space_remove(path);
    }
    return r;
}

void space_close(struct space *space)
{
    netlink_close(&space->inside);
    fd_close(&space->fd);
    space->fd = -1;
}

void space_remove(const char *path)
{
    while (umount2(path, MNT_DETACH) == 0)
        continue;
    (void)unlink(path);
}

bool space_there(const char *path)
{
    struct statfs fs;
    return statfs(path, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}
