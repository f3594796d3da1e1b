/* ceiling.c - cgroup files, v2 or v1. https://docs.kernel.org/admin-guide/cgroup-v2.html */
#include "supervise/ceiling.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define CGROUPS "/sys/fs/cgroup"

enum { CGROUP_FILE_MAX = 1 << 20 };

static int put(str_t dir, const char *file, str_t text, struct arena *arena, struct err *err)
{
    str_t path = arena_printf(arena, STR_F "/%s", STR_A(dir), file);
    int fd = open(path.at, O_WRONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : write(fd, text.at, text.len);
    int r = n < 0 ? err_errno(err, "write '" STR_F "'", STR_A(path)) : 0;
    if (fd >= 0)
        close(fd);
    return r;
}

/* Of "9:memory:/a/b" the path, for the line that starts with number and `controller`. */
static str_t own_path(str_t lines, str_t controller)
{
    while (lines.len > 0) {
        str_t line, number, name;
        (void)str_cut(lines, '\n', &line, &lines);
        (void)str_cut(line, ':', &number, &line);
        if (str_cut(line, ':', &name, &line) && str_eq(name, controller))
            return line;
    }
    return STR("");
}

/* Inner cgroups hold no processes: we go into a leaf of our own first, if we are alone. */
static int make_room_v2(str_t own, struct arena *arena, struct err *err)
{
    str_t leaf = arena_printf(arena, STR_F "/supervisor", STR_A(own));
    if (mkdir(leaf.at, 0755) < 0 && errno != EEXIST)
        return err_errno(err, "make the cgroup '" STR_F "'", STR_A(leaf));
    return put(leaf, "cgroup.procs", STR("0"), arena, err);
}

static int base_v2(str_t lines, struct arena *arena, str_t *base, struct err *err)
{
    str_t own = own_path(lines, STR("")), leaf = STR("/supervisor");
    int r = 0;
    if (own.len >= leaf.len &&
        str_eq((str_t){own.at + own.len - leaf.len, leaf.len}, leaf)) { /* After an upgrade. */
        own.len -= leaf.len;
        *base = arena_printf(arena, CGROUPS STR_F, STR_A(own));
        return 0;
    }
    *base = arena_printf(arena, CGROUPS STR_F, STR_A(own));
    if (!str_eq(own, STR("/")))
        r = make_room_v2(*base, arena, err);
    return r < 0 ? r : put(*base, "cgroup.subtree_control", STR("+memory"), arena, err);
}

int ceiling_open(struct ceiling *ceiling, str_t data_dir, const char *role, uint64_t bytes,
                 struct arena *arena, struct err *err)
{
    struct statfs fs;
    struct stat home;
    str_t lines, base;
    *ceiling = (struct ceiling){.procs_fd = -1};
    if (statfs(CGROUPS, &fs) < 0 || stat(data_dir.at, &home) < 0)
        return err_errno(err, "look at " CGROUPS);
    int r = file_read(arena, "/proc/self/cgroup", CGROUP_FILE_MAX, &lines, err);
    if (r < 0)
        return r;
    bool v2 = fs.f_type == CGROUP2_SUPER_MAGIC;
    if (v2)
        r = base_v2(lines, arena, &base, err);
    else
        base = arena_printf(arena, CGROUPS "/memory" STR_F, STR_A(own_path(lines, STR("memory"))));
    if (r < 0)
        return r;
    /* The data directory's inode tells several Davys on one machine apart. */
    str_t dir = arena_printf(arena, STR_F "/davy-%llu-%s", STR_A(base),
                             (unsigned long long)home.st_ino, role);
    if (mkdir(dir.at, 0755) < 0 && errno != EEXIST)
        return err_errno(err, "make the cgroup '" STR_F "'", STR_A(dir));
    r = put(dir, v2 ? "memory.max" : "memory.limit_in_bytes",
            arena_printf(arena, "%llu", (unsigned long long)bytes), arena, err);
    str_t procs = arena_printf(arena, STR_F "/cgroup.procs", STR_A(dir));
    int fd = r < 0 ? -1 : open(procs.at, O_WRONLY | O_CLOEXEC);
    if (r == 0 && fd < 0)
        r = err_errno(err, "open '" STR_F "'", STR_A(procs));
    if (r < 0) {
        (void)rmdir(dir.at);
        return r;
    }
    *ceiling = (struct ceiling){dir, fd};
    return 0;
}

void ceiling_join(const struct ceiling *ceiling)
{
    if (ceiling->procs_fd < 0)
        return;
    ssize_t n = write(ceiling->procs_fd, "0", 1);
    (void)n; /* Then it runs without. */
}

void ceiling_close(struct ceiling *ceiling)
{
    if (ceiling->procs_fd < 0)
        return;
    close(ceiling->procs_fd);
    (void)rmdir(ceiling->dir.at); /* Busy when an upgrade's old role is still in it: no harm. */
    *ceiling = (struct ceiling){.procs_fd = -1};
}
