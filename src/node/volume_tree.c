/* volume_tree.c - one walk with a stack of open directories, and a look at what is mounted. */
#include "node/volume_tree.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOUNTINFO_BYTES_MAX = 64 * 1024 * 1024, BLOCK_BYTES = 512 };

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static DIR *dir_open(int at, const char *name)
{
    int fd = tree_open(at, name, O_RDONLY | O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && dir == NULL)
        close(fd);
    return dir;
}

/* --- the walk --- */

struct walk {
    int (*see)(void *self, int dir, const char *name, const struct stat *meta); /* 1: enough. */
    void *self;
    DIR *stack[TREE_DEPTH_MAX];
    size_t depth;
    size_t entries;
    bool too_deep, too_many;
};

static void walk_down(struct walk *walk, int dir, const char *name)
{
    if (walk->depth == TREE_DEPTH_MAX) {
        walk->too_deep = true;
        return;
    }
    DIR *inner = dir_open(dir, name);
    if (inner != NULL) /* It may be gone by now, or a mount. */
        walk->stack[walk->depth++] = inner;
}

static int walk_step(struct walk *walk)
{
    DIR *dir = walk->stack[walk->depth - 1];
    struct stat meta;
    const struct dirent *entry = readdir(dir);
    if (entry == NULL) {
        closedir(dir);
        walk->depth--;
        return 0;
    }
    if (is_dots(entry->d_name) ||
        fstatat(dirfd(dir), entry->d_name, &meta, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    if (++walk->entries > TREE_ENTRIES_MAX) {
        walk->too_many = true;
        return 1;
    }
    int r = walk->see(walk->self, dirfd(dir), entry->d_name, &meta);
    if (r == 0 && S_ISDIR(meta.st_mode))
        walk_down(walk, dirfd(dir), entry->d_name);
    return r;
}

static int walk_all(struct walk *walk, int dir)
{
    int r = 0;
    walk_down(walk, dir, ".");
    while (r == 0 && walk->depth > 0)
        r = walk_step(walk);
    while (walk->depth > 0)
        closedir(walk->stack[--walk->depth]);
    return r;
}

/* --- how large --- */

struct sum {
    uint64_t bytes, limit;
};

/* A file of several names counts once: each name has its share, for they are all in here. */
static int add_usage(void *self, int dir, const char *name, const struct stat *meta)
{
    struct sum *sum = self;
    uint64_t bytes = (uint64_t)meta->st_blocks * BLOCK_BYTES;
    (void)dir, (void)name;
    sum->bytes += S_ISDIR(meta->st_mode) || meta->st_nlink < 2 ? bytes : bytes / meta->st_nlink;
    return sum->bytes > sum->limit;
}

int tree_usage(int dir, uint64_t limit, uint64_t *bytes, struct err *err)
{
    struct sum sum = {.limit = limit};
    struct walk walk = {.see = add_usage, .self = &sum};
    struct stat meta;
    if (fstat(dir, &meta) < 0)
        return err_errno(err, "look at a volume");
    sum.bytes = (uint64_t)meta.st_blocks * BLOCK_BYTES;
    (void)walk_all(&walk, dir);
    *bytes = walk.too_deep || walk.too_many ? UINT64_MAX : sum.bytes;
    return 0;
}

/* --- whose --- */

static mode_t mode_for(mode_t mode, bool read_only)
{
    mode_t wanted = read_only ? 0440 : 0660;
    return S_ISDIR(mode) ? wanted | S_ISGID | 0110 : wanted;
}

/* By a descriptor of the very file: a name could be a link by the time it is changed. */
static int own_fd(int fd, uint32_t gid, bool read_only)
{
    char path[32];
    struct stat meta;
    if (fstat(fd, &meta) < 0 || fchownat(fd, "", (uid_t)-1, gid, AT_EMPTY_PATH) < 0)
        return -1;
    if (S_ISLNK(meta.st_mode))
        return 0;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return chmod(path, (meta.st_mode & 07777) | mode_for(meta.st_mode, read_only));
}

struct owning {
    uint32_t gid;
    bool read_only;
    int failed; /* errno */
};

static int own_entry(void *self, int dir, const char *name, const struct stat *meta)
{
    struct owning *owning = self;
    AUTO(fd_close) int fd = tree_open(dir, name, O_PATH);
    (void)meta;
    if (fd >= 0 && own_fd(fd, owning->gid, owning->read_only) < 0 && errno != EROFS)
        owning->failed = errno;
    return owning->failed != 0;
}

int tree_own(int dir, uint32_t gid, bool read_only, struct err *err)
{
    struct owning owning = {gid, read_only, 0};
    struct walk walk = {.see = own_entry, .self = &owning};
    (void)walk_all(&walk, dir);
    /* Last, for it tells that all is done (fsGroupChangePolicy OnRootMismatch). */
    if (owning.failed == 0 && own_fd(dir, gid, read_only) < 0)
        owning.failed = errno;
    errno = owning.failed;
    return owning.failed == 0 ? 0 : err_errno(err, "applyFSGroup failed");
}

bool tree_owned(int dir, uint32_t gid, bool read_only)
{
    struct stat meta;
    if (fstat(dir, &meta) < 0 || meta.st_gid != gid)
        return false;
    mode_t wanted = mode_for(meta.st_mode, read_only);
    return (meta.st_mode & wanted) == wanted;
}

/* --- mounts --- */

bool tree_is_mount(int dir)
{
    struct statx meta;
    return statx(dir, "", AT_EMPTY_PATH, STATX_INO, &meta) == 0 &&
           (meta.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/* proc(5): blanks and the like are written in octal. */
static str_t unescaped(str_t text, struct arena *arena)
{
    char *at = arena_bytes(arena, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\\' && i + 3 < text.len) {
            at[n++] = (char)((text.at[i + 1] - '0') * 64 + (text.at[i + 2] - '0') * 8 +
                             (text.at[i + 3] - '0'));
            i += 3;
        } else {
            at[n++] = text.at[i];
        }
    }
    return (str_t){at, n};
}

/* "36 35 98:0 /root /mount/point rw ..." */
static str_t mount_point(str_t line, struct arena *arena)
{
    str_t word = {0};
    for (int i = 0; i < 5; i++)
        (void)str_cut(line, ' ', &word, &line);
    return unescaped(word, arena);
}

static bool is_below(str_t path, str_t top)
{
    return str_starts(path, top) && (path.len == top.len || path.at[top.len] == '/');
}

int tree_unmount(const char *path, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t text, line;
    char *real = realpath(path, NULL);
    if (real == NULL)
        return errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(err, "find '%s'", path);
    str_t top = arena_printf(&arena, "%s", real);
    free(real);
    int r = file_read(&arena, "/proc/self/mountinfo", MOUNTINFO_BYTES_MAX, &text, err);
    if (r < 0)
        return r;
    /* Later ones are in or over earlier ones. */
    while (text.len > 0) {
        size_t at = text.len;
        while (at > 0 && text.at[at - 1] != '\n')
            at--;
        line = (str_t){text.at + at, text.len - at};
        text.len = at > 0 ? at - 1 : 0;
        str_t point = mount_point(line, &arena);
        if (is_below(point, top) && umount2(point.at, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 &&
            errno != EINVAL && errno != ENOENT)
            return err_errno(err, "unmount '" STR_F "'", STR_A(point));
    }
    return 0;
}
