/*
 * tree.c - a removal that needs no depth: what is below is moved up first, so that a thousand
 * levels cost no more than one.
 */
#include "base/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int tree_open(int dir, const char *path, int flags)
{
    struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC | O_NOFOLLOW),
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
    return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void dir_close(DIR **dir)
{
    if (*dir != NULL)
        closedir(*dir);
}

static DIR *dir_open(int at, const char *name)
{
    int fd = tree_open(at, name, O_RDONLY | O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && dir == NULL)
        close(fd);
    return dir;
}

/* To the top, under a name that nobody has. */
static int lift(int top, int dir, const char *name, uint64_t *serial)
{
    char fresh[32];
    int r;
    do {
        (void)snprintf(fresh, sizeof(fresh), "..%llx", (unsigned long long)(*serial)++);
        r = renameat2(dir, name, top, fresh, RENAME_NOREPLACE);
    } while (r < 0 && errno == EEXIST);
    return r;
}

/* Empties it: files go, directories that are not empty go up. How many there were, or -1. */
static int empty(int top, DIR *dir, uint64_t *serial);

static int remove_entry(int top, int dir, const char *name, uint64_t *serial)
{
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -1;
    if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
        return 0;
    if (errno != ENOTEMPTY)
        return -1;
    if (top != dir)
        return lift(top, dir, name, serial);
    AUTO(dir_close) DIR *inner = dir_open(dir, name);
    int r = inner == NULL ? -1 : 1;
    while (r > 0)
        r = empty(top, inner, serial);
    return r < 0 ? -1 : unlinkat(dir, name, AT_REMOVEDIR);
}

static int empty(int top, DIR *dir, uint64_t *serial)
{
    const struct dirent *entry;
    int seen = 0;
    rewinddir(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (is_dots(entry->d_name))
            continue;
        seen = 1;
        if (remove_entry(top, dirfd(dir), entry->d_name, serial) < 0)
            return -1;
    }
    return seen;
}

int tree_remove(int dir, const char *name, struct err *err)
{
    uint64_t serial = 0;
    int r = 1;
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return 0;
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AUTO(dir_close) DIR *top = fd < 0 ? NULL : fdopendir(fd);
    if (top == NULL) {
        r = err_errno(err, "remove '%s'", name);
        if (fd >= 0)
            close(fd);
        return r;
    }
    while (r > 0)
        r = empty(dirfd(top), top, &serial);
    if (r < 0 || unlinkat(dir, name, AT_REMOVEDIR) < 0)
        return err_errno(err, "remove what is in '%s'", name);
    return 0;
}
