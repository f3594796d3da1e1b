/*
 * users.h - whom an image means by "app", "1001" or "app:www": read from its own /etc/passwd and
 * /etc/group, which are somebody else's: looked up beneath its root, and of bounded size.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

enum { USER_GROUPS_MAX = 64, USER_FILE_MAX = 1024 * 1024 };

struct image_user {
    uint32_t uid, gid;
    uint32_t groups[USER_GROUPS_MAX]; /* Others whose members list it. */
    size_t n_groups;
    str_t home; /* "" : not known. */
};

/*
 * `user` "" is root. A number needs no entry; its group is that of its entry, else 0. ERR_NOT_FOUND
 * says which name there is not.
 */
int image_user_find(str_t rootfs, str_t user, struct arena *arena, struct image_user *out,
                    struct err *err);
