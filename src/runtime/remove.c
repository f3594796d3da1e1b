/*
 * remove.c - taking a container away from whatever state it was left in.
 *
 * In the order of danger: its processes, its shim, what crun or runc knows of it, its groups, and
 * only then the directory that says all this was there. Cut short anywhere, it is done again.
 */
#include "runtime/runtime_priv.h"
#include "runtime/spawn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHIM_ENDS_MS = 3000, YOUNG_MS = 2000, STEP_MS = 5 };

static int identity_wait(const struct runtime *runtime, str_t id)
{
    struct identity shim;
    for (int waited = 0; waited < YOUNG_MS; waited += STEP_MS) {
        if (state_identity(runtime->dir, id, "shim", &shim))
            return identity_open(&shim);
        (void)poll(NULL, 0, STEP_MS); /* It has the lock, and has not yet said who it is. */
    }
    return -1;
}

/* By itself, once its container is dead; else by force. */
static int end_shim(const struct runtime *runtime, str_t id, struct err *err)
{
    struct identity init;
    if (!state_is_locked(runtime->dir, id))
        return 0;
    int fd = identity_wait(runtime, id);
    struct pollfd slot = {fd, POLLIN, 0};
    bool gone = fd < 0;
    if (!gone && state_identity(runtime->dir, id, "init", &init))
        gone = poll(&slot, 1, SHIM_ENDS_MS) > 0;
    if (!gone) {
        (void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
        (void)poll(&slot, 1, SHIM_ENDS_MS);
    }
    if (fd >= 0)
        close(fd);
    for (int waited = 0; waited < SHIM_ENDS_MS; waited += STEP_MS) {
        if (!state_is_locked(runtime->dir, id))
            return 0;
        (void)poll(NULL, 0, STEP_MS);
    }
    return err_set(err, ERR_BUSY, "the shim of '" STR_F "' does not end", STR_A(id));
}

static void kill_init(const struct runtime *runtime, str_t id)
{
    struct identity init;
    if (!state_identity(runtime->dir, id, "init", &init))
        return;
    int fd = identity_open(&init);
    if (fd < 0)
        return;
    (void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
    close(fd);
}

int container_remove(struct runtime *runtime, str_t id, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t label, group;
    if (!container_id_ok(id))
        return err_set(err, ERR_INVALID, "'" STR_F "' cannot be a container's id", STR_A(id));
    if (state_meta(runtime->dir, id, &arena, &label, &group, err) < 0)
        return 0; /* Already. */
    bool grouped = group_name_ok(group);
    kill_init(runtime, id);
    int r = grouped ? group_kill(&runtime->cgroups, group, err) : 0;
    if (r == 0)
        r = end_shim(runtime, id, err);
    if (r < 0)
        return r;
    if (access(arena_printf(&arena, "%s/" STR_F, runtime->root, STR_A(id)).at, F_OK) == 0) {
        const char *name = arena_printf(&arena, STR_F, STR_A(id)).at;
        const char *const args[] = {"delete", "--force", name, NULL};
        struct err ignored; /* What it does not know any more, it cannot delete. */
        (void)program_call(runtime, args, &ignored);
    }
    if (grouped)
        r = group_remove(&runtime->cgroups, group, err);
    return r < 0 ? r : state_remove(runtime->dir, id, err);
}
