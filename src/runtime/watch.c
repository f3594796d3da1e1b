/*
 * watch.c - which containers are alive, and how we come to know that one has ended.
 *
 * A shim writes exit.json and then ends; its pidfd tells. That works for shims of a process before
 * us as well, which are not our children. Those that are we also reap.
 */
#include "runtime/runtime_priv.h"
#include "runtime/spawn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLED = 137, SIGNAL_KILL = 9 };

struct alive *alive_find(struct runtime *runtime, str_t id)
{
    struct map_node *node = map_find(&runtime->alive, id);
    return node == NULL ? NULL : CONTAINER_OF(node, struct alive, node);
}

static void unwatch(struct alive *alive)
{
    int fd = alive->watch.fd;
    loop_forget(&alive->watch);
    if (fd >= 0)
        close(fd);
    alive->watch.fd = -1;
}

void alive_drop(struct runtime *runtime, struct alive *alive)
{
    if (alive == NULL)
        return;
    unwatch(alive);
    map_remove(&runtime->alive, &alive->node);
    free(alive);
}

static void tell(struct runtime *runtime, struct alive *alive)
{
    char id[sizeof(alive->id)];
    struct container_exit exit = alive->exit;
    memcpy(id, alive->id, sizeof(id));
    free(alive);
    runtime->exited(runtime->self, str_from_z(id), &exit);
}

/* --- a shim that was killed --- */

struct container_exit exit_lost(const struct runtime *runtime, str_t id)
{
    return (struct container_exit){
        .code = KILLED,
        .signal = SIGNAL_KILL,
        .lost = true,
        .started_at_ms = state_started_ms(runtime->dir, id),
        .finished_at_ms = loop_wall_ms(runtime->loop),
    };
}

static void lost_work(struct job *job)
{
    struct alive *alive = CONTAINER_OF(job, struct alive, job);
    struct runtime *runtime = alive->runtime;
    AUTO(arena_done) struct arena arena = {0};
    struct err ignored;
    str_t label, group, id = str_from_z(alive->id);
    if (state_meta(runtime->dir, id, &arena, &label, &group, &ignored) == 0 && group.len > 0)
        (void)group_kill(&runtime->cgroups, group, &ignored);
}

static void lost_done(struct job *job)
{
    struct alive *alive = CONTAINER_OF(job, struct alive, job);
    if (alive->started)
        tell(alive->runtime, alive);
    else
        free(alive);
}

static void shim_ended(struct loop_fd *watch, unsigned events)
{
    (void)events;
    struct alive *alive = CONTAINER_OF(watch, struct alive, watch);
    struct runtime *runtime = alive->runtime;
    str_t id = str_from_z(alive->id);
    unwatch(alive);
    (void)waitpid(alive->shim, NULL, WNOHANG);
    map_remove(&runtime->alive, &alive->node);
    if (state_exit(runtime->dir, id, &alive->exit)) {
        if (alive->started)
            tell(runtime, alive);
        else
            free(alive);
        return;
    }
    alive->exit = exit_lost(runtime, id);
    alive->job = (struct job){.work = lost_work, .done = lost_done};
    pool_run(runtime->pool, &alive->job);
}

static struct alive *alive_new(struct runtime *runtime, pid_t shim, int pidfd,
                               void (*ready)(struct loop_fd *, unsigned))
{
    struct err ignored;
    struct alive *alive = calloc(1, sizeof(*alive));
    MUST(alive != NULL);
    alive->runtime = runtime;
    alive->shim = shim;
    alive->watch.fd = -1;
    if (loop_watch(runtime->loop, &alive->watch, pidfd, LOOP_READ, ready, &ignored) < 0)
        close(pidfd);
    return alive;
}

void alive_add(struct runtime *runtime, str_t id, pid_t shim, int pidfd,
               const struct identity *init, bool started)
{
    struct alive *alive = alive_new(runtime, shim, pidfd, shim_ended);
    memcpy(alive->id, id.at, id.len);
    alive->init = *init;
    alive->started = started;
    map_add(&runtime->alive, str_from_z(alive->id), &alive->node);
}

/* --- shims of execs --- */

static void child_ended(struct loop_fd *watch, unsigned events)
{
    (void)events;
    struct alive *child = CONTAINER_OF(watch, struct alive, watch);
    unwatch(child);
    (void)waitpid(child->shim, NULL, WNOHANG);
    list_remove(&child->link);
    free(child);
}

void child_watch(struct runtime *runtime, pid_t pid)
{
    int fd = pidfd_of(pid);
    if (fd < 0)
        return;
    struct alive *child = alive_new(runtime, pid, fd, child_ended);
    list_add_before(&runtime->execs, &child->link);
}
