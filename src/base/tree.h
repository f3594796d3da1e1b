/*
 * tree.h - trees that others wrote: any name, any depth, links to anywhere.
 *
 * Never leaves the tree: neither by a link nor by a mount in it.
 */
#pragma once

#include "base/err.h"

/* openat2(2) without links and without leaving `dir` or its mount; -1 and errno. */
int tree_open(int dir, const char *path, int flags);

/* Whatever `name` in `dir` (or AT_FDCWD) is, with all in it; nothing there is fine. */
int tree_remove(int dir, const char *name, struct err *err);
