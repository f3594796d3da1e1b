/* list.c - what a process before us left, and taking over what is alive of it. */
#include "runtime/runtime_priv.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Its shim was killed while nobody looked: what it left must not run on beside the next one. */
static void see_lost(struct runtime *runtime, struct container_seen *seen, str_t group)
{
    struct err ignored;
    struct identity init;
    bool here = state_identity(runtime->dir, seen->id, "init", &init) && init.this_boot;
    if (here && group_name_ok(group))
        (void)group_kill(&runtime->cgroups, group, &ignored);
    seen->state = seen->started_at_ms > 0 ? CONTAINER_EXITED : CONTAINER_BROKEN;
    seen->exit = exit_lost(runtime, seen->id);
}

static void see_alive(struct runtime *runtime, struct container_seen *seen)
{
    struct identity shim, init;
    int fd = -1;
    if (state_identity(runtime->dir, seen->id, "shim", &shim) &&
        state_identity(runtime->dir, seen->id, "init", &init))
        fd = identity_open(&shim);
    if (fd < 0) { /* Was being made when its maker died; or ends this very moment. */
        bool ended = state_exit(runtime->dir, seen->id, &seen->exit);
        seen->state = ended ? CONTAINER_EXITED : CONTAINER_BROKEN;
        return;
    }
    bool waits = state_waits(runtime->dir, seen->id);
    seen->state = waits ? CONTAINER_CREATED : CONTAINER_RUNNING;
    seen->pid = init.pid;
    if (waits)
        seen->started_at_ms = 0; /* It was about to be. */
    if (alive_find(runtime, seen->id) == NULL)
        alive_add(runtime, seen->id, shim.pid, fd, &init, !waits);
    else
        close(fd);
}

static void see(struct runtime *runtime, struct container_seen *seen, struct arena *arena)
{
    str_t group;
    struct err ignored;
    (void)state_meta(runtime->dir, seen->id, arena, &seen->label, &group, &ignored);
    seen->started_at_ms = state_started_ms(runtime->dir, seen->id);
    if (state_exit(runtime->dir, seen->id, &seen->exit))
        seen->state = CONTAINER_EXITED;
    else if (state_is_locked(runtime->dir, seen->id))
        see_alive(runtime, seen);
    else
        see_lost(runtime, seen, group);
}

int runtime_list(struct runtime *runtime, struct arena *arena, struct container_seen **out,
                 size_t *n, struct err *err)
{
    DIR *dir = opendir(runtime->dir);
    struct dirent *entry;
    size_t cap = 0, count = 0;
    struct container_seen *all = NULL;
    if (dir == NULL)
        return err_errno(err, "list '%s'", runtime->dir);
    while ((entry = readdir(dir)) != NULL) {
        str_t id = str_from_z(entry->d_name);
        if (entry->d_type != DT_DIR || !container_id_ok(id))
            continue;
        if (count == cap) {
            cap = cap == 0 ? 64 : 2 * cap;
            struct container_seen *more = arena_array(arena, struct container_seen, cap);
            if (count > 0)
                memcpy(more, all, count * sizeof(*all));
            all = more;
        }
        all[count] = (struct container_seen){.id = arena_str(arena, id)};
        see(runtime, &all[count++], arena);
    }
    closedir(dir);
    *out = all;
    *n = count;
    return 0;
}
