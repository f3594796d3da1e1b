/*
 * volume_tree.h - trees that containers wrote: any name, any depth, links to anywhere.
 *
 * Never leaves the tree: neither by a link nor by a mount in it.
 */
#pragma once

#include "base/arena.h"
#include "base/tree.h"

enum { TREE_DEPTH_MAX = 256, TREE_ENTRIES_MAX = 1 << 20 };

/*
 * Bytes on disk, stopping once it is more than `limit`. A tree with more levels or entries than is
 * looked at counts as UINT64_MAX: nothing can be hidden by depth.
 */
int tree_usage(int dir, uint64_t limit, uint64_t *bytes, struct err *err);

/*
 * Gives all to the group, as kubelet does for fsGroup: readable (and unless `read_only` writable)
 * by it, and of directories that what is made in them is the group's too. Deeper than
 * TREE_DEPTH_MAX it is left as it is.
 */
int tree_own(int dir, uint32_t gid, bool read_only, struct err *err);
/* Whether `dir` itself is so already. */
bool tree_owned(int dir, uint32_t gid, bool read_only);

bool tree_is_mount(int dir); /* Whether it is the root of a mount. */
/* All that is mounted at or below the path, in this mount namespace. */
int tree_unmount(const char *path, struct err *err);
