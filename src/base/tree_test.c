/* tree_test.c - what is deep, linked or not there is removed, and nothing else. */
#include "base/tree.h"
#include "testkit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEVELS = 3000 };

TEST(tree_remove_takes_all_of_it_and_nothing_else)
{
    char top[] = "/tmp/davy-tree-XXXXXX";
    struct err err;
    MUST(mkdtemp(top) != NULL);
    int dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MUST(dir >= 0 && mkdirat(dir, "kept", 0700) == 0 && mkdirat(dir, "gone", 0700) == 0);
    MUST(mkdirat(dir, "kept/inner", 0700) == 0 && symlinkat("../kept", dir, "gone/link") == 0);
    int at = openat(dir, "gone", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < LEVELS; i++) {
        MUST(mkdirat(at, "d", 0700) == 0 && symlinkat("/", at, "out") == 0);
        int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(at);
        at = next;
    }
    close(at);
    CHECK_INT(tree_remove(dir, "gone", &err), 0);
    CHECK(faccessat(dir, "gone", F_OK, AT_SYMLINK_NOFOLLOW) < 0);
    CHECK(faccessat(dir, "kept/inner", F_OK, 0) == 0);
    CHECK_INT(tree_remove(dir, "gone", &err), 0);
    close(dir);
    CHECK_INT(tree_remove(AT_FDCWD, top, &err), 0);
    CHECK(access(top, F_OK) < 0);
}
