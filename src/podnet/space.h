/*
 * space.h - a network namespace that is there without a process: a bind mount on a file.
 *
 * Any thread; blocks. A thread that makes one is in it for a moment, and in its own again after.
 */
#pragma once

#include "podnet/netlink.h"
#include "podnet/podnet.h"

struct space {
    int fd; /* Of the namespace; the caller closes it. */
    struct netlink inside;
};

/*
 * A name such as "net.core.somaxconn", or with slashes, as a path below /proc/sys. ERR_INVALID: it
 * is not one of net's.
 */
int space_sysctl_path(str_t name, char path[PODNET_PATH_MAX], struct err *err);
/* Makes it at `path`, with our sysctls and then those wanted. After a failure nothing is left. */
int space_make(const char *path, const struct podnet_want *want, struct space *space,
               struct err *err);
void space_close(struct space *space);                          /* The namespace stays. */
void space_remove(const char *path);                            /* Not there: nothing. */
bool space_there(const char *path);                             /* There is a namespace mounted. */
int sysctl_set(const char *path, str_t value, struct err *err); /* In the thread's own namespace. */
