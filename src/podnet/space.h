/*
 * space.h - a network namespace that is there without a process: a bind mount on a file.
 *
 * Any thread; blocks.
 */
#pragma once

#include "podnet/netlink.h"
#include "podnet/podnet.h"

/* A name such as "net.core.somaxconn" as a path below /proc/sys. ERR_INVALID: not one of net's. */
int space_sysctl_path(str_t name, char path[PODNET_PATH_MAX], struct err *err);
int sysctl_set(const char *path, str_t value, struct err *err); /* Of the thread's own namespace. */

/*
 * Makes it at `path`, with our sysctls and then those wanted. *fd: of the namespace; `inside`
 * belongs to it. After a failure nothing is left.
 */
int space_make(const char *path, const struct podnet_want *want, int *fd, struct netlink *inside,
               struct err *err);
void space_remove(const char *path); /* Not there: nothing. */
bool space_there(const char *path);  /* There is a namespace mounted. */
