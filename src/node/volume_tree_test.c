/* volume_tree_test.c - trees as a hostile container would leave them. */
#include "base/file.h"
#include "node/volume_tree.h"
#include "testkit/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory of this test's own; open. */
static int fresh(char path[32])
{
    (void)snprintf(path, 32, "/tmp/davy-tree-XXXXXX");
    MUST(mkdtemp(path) != NULL);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MUST(fd >= 0);
    return fd;
}

static void put(int dir, const char *name, size_t bytes)
{
    char page[4096] = {1};
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    MUST(fd >= 0);
    for (size_t at = 0; at < bytes; at += sizeof(page))
        MUST(write(fd, page, sizeof(page)) == sizeof(page));
    close(fd);
}

/* `levels` directories, each in the other; the innermost holds a file. */
static void dig(int dir, size_t levels, size_t bytes)
{
    int at = dup(dir);
    for (size_t i = 0; i < levels; i++) {
        MUST(mkdirat(at, "d", 0755) == 0);
        int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        MUST(next >= 0);
        close(at);
        at = next;
    }
    put(at, "f", bytes);
    close(at);
}

TEST(tree_removal_follows_no_link_and_minds_no_depth)
{
    char path[32], outside[32];
    struct err err;
    int dir = fresh(path), other = fresh(outside);
    put(other, "precious", 1);
    MUST(mkdirat(dir, "t", 0755) == 0);
    int top = openat(dir, "t", O_RDONLY | O_DIRECTORY);
    MUST(symlinkat(outside, top, "link") == 0 && symlinkat("/etc", top, "..x") == 0);
    MUST(mkdirat(top, "..0", 0755) == 0 && mkdirat(top, "..1", 0755) == 0);
    put(top, "..2", 1);
    dig(top, 5000, 1); /* More than a path can say, and than descriptors can be open. */
    close(top);
    CHECK_INT(tree_remove(dir, "t", &err), 0);
    CHECK(faccessat(dir, "t", F_OK, 0) < 0 && errno == ENOENT);
    CHECK(faccessat(other, "precious", F_OK, 0) == 0);
    CHECK_INT(tree_remove(dir, "t", &err), 0);

    MUST(symlinkat(outside, dir, "t") == 0); /* What is removed is a link itself. */
    CHECK_INT(tree_remove(dir, "t", &err), 0);
    CHECK(faccessat(other, "precious", F_OK, 0) == 0);
    close(dir);
    close(other);
    CHECK(rmdir(path) == 0);
    CHECK(chdir(outside) == 0 && unlink("precious") == 0 && chdir("/") == 0);
    CHECK(rmdir(outside) == 0);
}

TEST(tree_usage_counts_blocks_and_names_once)
{
    char path[32];
    struct err err;
    uint64_t bytes = 0, before = 0;
    int dir = fresh(path);
    CHECK_INT(tree_usage(dir, UINT64_MAX - 1, &before, &err), 0);
    put(dir, "a", 1 << 20);
    MUST(linkat(dir, "a", dir, "b", 0) == 0 && linkat(dir, "a", dir, "c", 0) == 0);
    int fd = openat(dir, "sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    CHECK(fd >= 0 && ftruncate(fd, 1LL << 33) == 0);
    close(fd);
    MUST(symlinkat("/usr", dir, "usr") == 0);
    CHECK_INT(tree_usage(dir, UINT64_MAX - 1, &bytes, &err), 0);
    CHECK(bytes >= (1 << 20) - 4096 && bytes - before < (1 << 20) + 65536);
    CHECK_INT(tree_usage(dir, 1000, &bytes, &err), 0);
    CHECK(bytes > 1000);

    MUST(mkdirat(dir, "deep", 0755) == 0);
    int deep = openat(dir, "deep", O_RDONLY | O_DIRECTORY);
    dig(deep, TREE_DEPTH_MAX + 1, 4096);
    close(deep);
    CHECK_INT(tree_usage(dir, UINT64_MAX - 1, &bytes, &err), 0);
    CHECK(bytes == UINT64_MAX);
    close(dir);
    char *const name = path + strlen("/tmp/");
    int tmp = open("/tmp", O_RDONLY | O_DIRECTORY);
    CHECK_INT(tree_remove(tmp, name, &err), 0);
    close(tmp);
}

TEST(tree_is_given_to_a_group_but_not_what_links_point_to)
{
    char path[32], outside[32], precious[64];
    struct err err;
    struct stat meta;
    if (geteuid() != 0) {
        printf("skipped: not root\n");
        return;
    }
    int dir = fresh(path), other = fresh(outside);
    put(other, "precious", 1);
    MUST(fchmodat(other, "precious", 0600, 0) == 0);
    put(dir, "a", 1);
    MUST(mkdirat(dir, "d", 0700) == 0 && symlinkat(outside, dir, "l") == 0);
    (void)snprintf(precious, sizeof(precious), "%s/precious", outside);
    MUST(symlinkat(precious, dir, "m") == 0);
    MUST(mkfifoat(dir, "fifo", 0600) == 0); /* Opening it would wait for ever. */
    CHECK(!tree_owned(dir, 4242, false));
    CHECK_INT(tree_own(dir, 4242, false, &err), 0);
    CHECK(tree_owned(dir, 4242, false));
    CHECK(fstatat(dir, "a", &meta, 0) == 0 && meta.st_gid == 4242);
    CHECK_INT(meta.st_mode & 07777, 0664);
    CHECK(fstatat(dir, "d", &meta, 0) == 0 && meta.st_gid == 4242);
    CHECK_INT(meta.st_mode & 07777, 02770);
    CHECK(fstatat(dir, "fifo", &meta, 0) == 0);
    CHECK_INT(meta.st_mode & 07777, 0660);
    CHECK(fstatat(other, "precious", &meta, 0) == 0 && meta.st_gid == 0);
    CHECK_INT(meta.st_mode & 07777, 0600);
    int tmp = open("/tmp", O_RDONLY | O_DIRECTORY);
    CHECK_INT(tree_remove(tmp, path + strlen("/tmp/"), &err), 0);
    CHECK(unlink(precious) == 0 && rmdir(outside) == 0);
    close(tmp);
    close(dir);
    close(other);
}

/* From here on this process is in a mount namespace of its own. */
TEST(tree_unmounts_what_is_below_and_removes_no_mount)
{
    char path[32], sub[64];
    struct err err;
    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
        printf("skipped: no mounts\n");
        return;
    }
    int dir = fresh(path);
    MUST(mkdirat(dir, "t", 0755) == 0 && mkdirat(dir, "t/a b", 0755) == 0);
    (void)snprintf(sub, sizeof(sub), "%s/t/a b", path);
    CHECK(mount("tmpfs", sub, "tmpfs", 0, "") == 0);
    int fd = open(sub, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK(tree_is_mount(fd) && !tree_is_mount(dir));
    put(fd = (close(fd), open(sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC)), "precious", 1);
    CHECK(tree_remove(dir, "t", &err) < 0);
    CHECK(faccessat(fd, "precious", F_OK, 0) == 0);
    close(fd);
    CHECK(mount("tmpfs", sub, "tmpfs", 0, "") == 0); /* One over the other. */
    (void)snprintf(sub, sizeof(sub), "%s/t", path);
    CHECK_INT(tree_unmount(sub, &err), 0);
    CHECK_INT(tree_unmount(sub, &err), 0);
    CHECK_INT(tree_unmount("/nowhere/at/all", &err), 0);
    CHECK_INT(tree_remove(dir, "t", &err), 0);
    CHECK(rmdir(path) == 0);
    close(dir);
}
