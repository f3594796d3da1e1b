/* users.c - passwd(5) and group(5), line by line; what is no entry is passed over. */
#include "node/users.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { COLUMNS = 7 };

/* "" if it is not there: an image need not have one. Links are followed beneath the root only. */
static int read_beneath(str_t rootfs, const char *path, struct arena *arena, str_t *text,
                        struct err *err)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    str_t root_path = arena_printf(arena, STR_F, STR_A(rootfs));
    AUTO(fd_close) int root = open(root_path.at, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return err_errno(err, "open '" STR_F "'", STR_A(rootfs));
    AUTO(fd_close) int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
    *text = STR("");
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (fd < 0)
        return err_errno(err, "open '%s' of the image", path);
    struct stat meta;
    if (fstat(fd, &meta) < 0 || !S_ISREG(meta.st_mode) || meta.st_size > USER_FILE_MAX)
        return err_set(err, ERR_INVALID, "%s of the image is no file of at most %d bytes", path,
                       USER_FILE_MAX);
    size_t size = (size_t)meta.st_size, len = 0;
    char *at = arena_bytes(arena, size + 1);
    ssize_t n;
    while (len < size && (n = read(fd, at + len, size - len)) > 0)
        len += (size_t)n;
    *text = (str_t){at, len};
    return 0;
}

/* Takes one line off `text` and splits it at its colons; false at the end. */
static bool next_entry(str_t *text, str_t columns[COLUMNS])
{
    str_t line, rest = *text;
    if (rest.len == 0)
        return false;
    (void)str_cut(rest, '\n', &line, text);
    for (size_t i = 0; i < COLUMNS; i++)
        (void)str_cut(line, ':', &columns[i], &line);
    return true;
}

static bool id_of(str_t text, uint32_t *id)
{
    int64_t number;
    if (!str_to_i64(text, &number) || number < 0 || number > UINT32_MAX - 1)
        return false;
    *id = (uint32_t)number;
    return true;
}

static bool has_member(str_t members, str_t name)
{
    str_t one;
    while (members.len > 0) {
        (void)str_cut(members, ',', &one, &members);
        if (name.len > 0 && str_eq(one, name))
            return true;
    }
    return false;
}

static void find_groups(str_t text, str_t name, struct image_user *out)
{
    str_t columns[COLUMNS];
    uint32_t gid;
    while (next_entry(&text, columns))
        if (out->n_groups < USER_GROUPS_MAX && id_of(columns[2], &gid) && gid != out->gid &&
            has_member(columns[3], name))
            out->groups[out->n_groups++] = gid;
}

static bool find_group(str_t text, str_t name, uint32_t *gid)
{
    str_t columns[COLUMNS];
    while (next_entry(&text, columns))
        if (str_eq(columns[0], name))
            return id_of(columns[2], gid);
    return id_of(name, gid);
}

static bool find_user(str_t text, str_t user, struct image_user *out, str_t *name)
{
    str_t columns[COLUMNS];
    uint32_t number = 0, uid;
    bool is_number = id_of(user, &number);
    while (next_entry(&text, columns)) {
        bool same =
            str_eq(columns[0], user) || (is_number && id_of(columns[2], &uid) && uid == number);
        if (same && columns[0].len > 0 && id_of(columns[2], &out->uid) &&
            id_of(columns[3], &out->gid)) {
            *name = columns[0];
            out->home = columns[5];
            return true;
        }
    }
    out->uid = number;
    return is_number;
}

int image_user_find(str_t rootfs, str_t user, struct arena *arena, struct image_user *out,
                    struct err *err)
{
    str_t passwd, groups, name = {0}, who, group;
    *out = (struct image_user){0};
    bool has_group = str_cut(user, ':', &who, &group) && group.len > 0;
    if (who.len == 0)
        who = STR("0");
    int r = read_beneath(rootfs, "etc/passwd", arena, &passwd, err);
    if (r == 0)
        r = read_beneath(rootfs, "etc/group", arena, &groups, err);
    if (r < 0)
        return r;
    if (!find_user(passwd, who, out, &name))
        return err_set(err, ERR_NOT_FOUND,
                       "unable to find user " STR_F ": no matching entries in passwd file",
                       STR_A(who));
    if (has_group && !find_group(groups, group, &out->gid))
        return err_set(err, ERR_NOT_FOUND,
                       "unable to find group " STR_F ": no matching entries in group file",
                       STR_A(group));
    if (!has_group)
        find_groups(groups, name, out);
    return 0;
}
