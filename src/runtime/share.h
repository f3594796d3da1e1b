/*
 * share.h - what the containers of a pod have in common.
 *
 * Their network namespace somebody else makes. That of SysV objects and queues (IPC) and that of
 * the host's name (UTS) need no process: they are pinned in a directory. A pid namespace needs one,
 * so it has a container of its own that does nothing, with davy-shim as the only program.
 */
#pragma once

#include "runtime/runtime.h"

/*
 * DIR/ipc and DIR/uts, new, for NS_PATH. `sysctls` of either of them ("kernel.shmmax"). Blocks
 * shortly; any thread. ERR_EXISTS: they are there already, and stay as they are.
 */
int share_pin(const char *dir, str_t hostname, const struct container_pair *sysctls,
              size_t n_sysctls, struct err *err);
/* What is not there is no error. */
int share_unpin(const char *dir, struct err *err);

/*
 * Sets what is to be run of a container that holds a pid namespace: rootfs, args, mounts. Others
 * join it with NS_PATH and "/proc/PID/ns/pid" of its process. It ends by SIGTERM, they with it.
 */
int share_pause(struct runtime *runtime, struct container_spec *spec, struct arena *arena,
                struct err *err);
