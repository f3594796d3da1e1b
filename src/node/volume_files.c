/*
 * volume_files.c - a new directory beside the old one, then one rename; what a killed process left
 * half made is removed by the next that writes.
 */
#include "node/volume_files.h"

#include "base/buf.h"
#include "base/file.h"
#include "net/sign.h"
#include "node/volume_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DATA "..data"
#define DATA_NEXT "..data_tmp" /* As kubelet calls it. */

enum {
    LEVELS_MAX = 64,
    HASH_TEXT_BYTES = 32, /* Half of a SHA-256 in hex. */
};

/* --- what there is to be --- */

void volume_files_done(struct volume_files *files)
{
    map_done(&files->by_path);
}

/* Names that begin with ".." at the top are the layout's own. */
static bool path_fits(str_t path)
{
    str_t rest = path, element;
    size_t levels = 0;
    bool more = path.len > 0 && path.len < PATH_MAX / 2 && !str_starts(path, STR("..")) &&
                memchr(path.at, '\0', path.len) == NULL;
    if (!more)
        return false;
    while (more) {
        more = str_cut(rest, '/', &element, &rest);
        if (element.len == 0 || element.len > NAME_MAX || str_eq(element, STR(".")) ||
            str_eq(element, STR("..")) || ++levels > LEVELS_MAX)
            return false;
    }
    return true;
}

int volume_files_add(struct volume_files *files, str_t path, struct volume_file file,
                     struct arena *arena, struct err *err)
{
    if (!path_fits(path))
        return err_set(err, ERR_INVALID, "invalid path \"" STR_F "\" for a file of a volume",
                       STR_A(path));
    struct map_node *known = map_find(&files->by_path, path);
    struct volume_file *at = known == NULL ? arena_new(arena, struct volume_file)
                                           : CONTAINER_OF(known, struct volume_file, by_path);
    if (known != NULL) {
        file.by_path = *known;
        *at = file;
        return 0;
    }
    *at = file;
    map_add(&files->by_path, path, &at->by_path);
    if (files->n == files->cap) {
        files->cap = files->cap == 0 ? 16 : files->cap * 2;
        struct volume_file **all = arena_array(arena, struct volume_file *, files->cap);
        if (files->n > 0)
            memcpy(all, files->at, files->n * sizeof(struct volume_file *));
        files->at = all;
    }
    files->at[files->n++] = at;
    return 0;
}

static str_t path_of(const struct volume_file *file)
{
    return file->by_path.key;
}

static str_t hash_of(const struct volume_files *files, int64_t gid, struct arena *arena)
{
    AUTO(buf_done) struct buf all = {0};
    unsigned char hash[SIGN_HASH_BYTES];
    for (size_t i = 0; i < files->n; i++) {
        const struct volume_file *file = files->at[i];
        sign_hash(file->bytes, hash);
        buf_printf(&all, "%zu %o %lld ", path_of(file).len, (unsigned)file->mode,
                   (long long)file->uid);
        buf_add(&all, path_of(file));
        buf_add(&all, (str_t){(const char *)hash, sizeof(hash)});
    }
    buf_printf(&all, "%lld", (long long)gid);
    sign_hash(buf_str(&all), hash);
    char *text = arena_bytes(arena, HASH_TEXT_BYTES + 1);
    for (size_t i = 0; i < HASH_TEXT_BYTES / 2; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", hash[i]);
    return (str_t){text, HASH_TEXT_BYTES};
}

/* --- one file --- */

/* mkdir(2) of all but the last element of the path; `dir` and what comes back are open. */
static int parent_of(int top, str_t path, int64_t gid, int *dir, char name[NAME_MAX + 1])
{
    str_t element;
    int at = dup(top);
    while (str_cut(path, '/', &element, &path) && at >= 0) {
        memcpy(name, element.at, element.len);
        name[element.len] = '\0';
        bool made = mkdirat(at, name, 0755) == 0;
        int next = tree_open(at, name, O_RDONLY | O_DIRECTORY);
        close(at);
        at = next;
        if (made && at >= 0 &&
            ((gid >= 0 && fchown(at, (uid_t)-1, (gid_t)gid) < 0) ||
             fchmod(at, gid >= 0 ? 02755 : 0755) < 0)) {
            close(at);
            return -1;
        }
    }
    if (at < 0)
        return -1;
    memcpy(name, element.at, element.len);
    name[element.len] = '\0';
    *dir = at;
    return 0;
}

static int fill(int fd, const struct volume_file *file, int64_t gid)
{
    for (size_t done = 0; done < file->bytes.len;) {
        ssize_t n = write(fd, file->bytes.at + done, file->bytes.len - done);
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    uid_t uid = file->uid < 0 ? (uid_t)-1 : (uid_t)file->uid;
    if ((uid != (uid_t)-1 || gid >= 0) && fchown(fd, uid, gid < 0 ? (gid_t)-1 : (gid_t)gid) < 0)
        return -1;
    return fchmod(fd, gid < 0 ? file->mode : file->mode | 0440);
}

static int write_file(int top, const struct volume_file *file, int64_t gid, struct err *err)
{
    char name[NAME_MAX + 1];
    AUTO(fd_close) int dir = -1;
    str_t path = path_of(file);
    if (parent_of(top, path, gid, &dir, name) < 0)
        return err_errno(err, "make the directory of '" STR_F "'", STR_A(path));
    AUTO(fd_close)
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fill(fd, file, gid) < 0)
        return err_errno(err, "write '" STR_F "'", STR_A(path));
    return 0;
}

/* --- all of them --- */

static str_t stamp_of(msec_t wall_ms, str_t hash, struct arena *arena)
{
    time_t at = (time_t)(wall_ms / 1000);
    struct tm tm;
    gmtime_r(&at, &tm);
    return arena_printf(arena, "..%04d_%02d_%02d_%02d_%02d_%02d." STR_F, tm.tm_year + 1900,
                        tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, STR_A(hash));
}

static int write_all(int dir, const char *stamp, const struct volume_files *files, int64_t gid,
                     struct err *err)
{
    int r = tree_remove(dir, stamp, err);
    if (r < 0)
        return r;
    if (mkdirat(dir, stamp, 0755) < 0)
        return err_errno(err, "make '%s'", stamp);
    AUTO(fd_close) int top = tree_open(dir, stamp, O_RDONLY | O_DIRECTORY);
    if (top < 0 || (gid >= 0 && fchown(top, (uid_t)-1, (gid_t)gid) < 0) ||
        fchmod(top, gid >= 0 ? 02755 : 0755) < 0)
        return err_errno(err, "make '%s'", stamp);
    for (size_t i = 0; i < files->n && r == 0; i++)
        r = write_file(top, files->at[i], gid, err);
    return r;
}

static int swap(int dir, const char *stamp, struct err *err)
{
    (void)unlinkat(dir, DATA_NEXT, 0);
    if (symlinkat(stamp, dir, DATA_NEXT) < 0 || renameat(dir, DATA_NEXT, dir, DATA) < 0)
        return err_errno(err, "swap " DATA);
    return 0;
}

/* The first element of each path, once. */
static void top_names(const struct volume_files *files, struct arena *arena, struct map *names)
{
    for (size_t i = 0; i < files->n; i++) {
        str_t top, rest;
        (void)str_cut(path_of(files->at[i]), '/', &top, &rest);
        if (map_find(names, top) == NULL)
            map_add(names, top, arena_new(arena, struct map_node));
    }
}

static int link_names(int dir, const struct map *names, struct arena *arena, struct err *err)
{
    for (size_t b = 0; b < names->n_buckets; b++)
        for (const struct map_node *node = names->buckets[b]; node != NULL; node = node->next) {
            str_t name = arena_printf(arena, STR_F, STR_A(node->key));
            str_t to = arena_printf(arena, DATA "/" STR_F, STR_A(name));
            if (symlinkat(to.at, dir, name.at) < 0 && errno != EEXIST)
                return err_errno(err, "link '" STR_F "'", STR_A(name));
        }
    return 0;
}

/* What is neither current nor named any more. */
static int sweep(int dir, const char *stamp, const struct map *names, struct err *err)
{
    int fd = tree_open(dir, ".", O_RDONLY | O_DIRECTORY);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    int r = 0;
    if (list == NULL) {
        if (fd >= 0)
            close(fd);
        return err_errno(err, "list a volume");
    }
    while (r == 0 && (entry = readdir(list)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, DATA) != 0 &&
            strcmp(name, stamp) != 0 && map_find(names, str_from_z(name)) == NULL)
            r = tree_remove(dir, name, err);
    }
    closedir(list);
    return r;
}

static bool is_current(int dir, str_t hash, char stamp[NAME_MAX + 1])
{
    ssize_t n = readlinkat(dir, DATA, stamp, NAME_MAX);
    if (n <= HASH_TEXT_BYTES)
        return false;
    stamp[n] = '\0';
    return memcmp(stamp + n - HASH_TEXT_BYTES, hash.at, HASH_TEXT_BYTES) == 0 &&
           faccessat(dir, stamp, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int volume_files_write(int dir, const struct volume_files *files, int64_t gid, msec_t wall_ms,
                       struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(map_done) struct map names = {0};
    str_t hash = hash_of(files, gid, &arena);
    char current[NAME_MAX + 1];
    const char *stamp = current;
    int r = 0;
    if (!is_current(dir, hash, current)) {
        stamp = stamp_of(wall_ms, hash, &arena).at;
        r = write_all(dir, stamp, files, gid, err);
        if (r == 0)
            r = swap(dir, stamp, err);
    }
    top_names(files, &arena, &names);
    if (r == 0)
        r = link_names(dir, &names, &arena, err);
    return r < 0 ? r : sweep(dir, stamp, &names, err);
}
