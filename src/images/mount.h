/*
 * mount.h - a container's file system: the layers of an image below, and a directory of its own on
 * top. Blocks; any thread.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

/*
 * At `path`, which is made. What is written goes to PATH.own/, which is new, as PATH.own/manifest
 * says which image it stands on. `layers`: names in DIR/layers, lowest first. After a failure
 * nothing of it is left.
 */
int rootfs_mount(const char *dir, str_t manifest, const str_t *layers, size_t n, const char *path,
                 struct err *err);
/* With all that was written. What is not there is no error. */
int rootfs_unmount(const char *path, struct err *err);
