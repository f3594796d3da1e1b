/*
 * host_clear.c - what a pod stood on goes: the opposite of host_ground.c, of whatever is there.
 * Also for pods that nobody remembers, whose directories are found at the start.
 */
#include "base/tree.h"
#include "node/host_priv.h"
#include "node/net_pod.h"
#include "node/pods.h"
#include "node/volume_tree.h"
#include "runtime/share.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct clearing {
    struct host *host;
    struct step *step;
    struct arena arena;
    str_t uid;
    struct runtime_call pause;
    struct net_pod_call net;
    struct job job;
    int r;
    struct err err;
};

static void cleared(struct job *job)
{
    struct clearing *c = CONTAINER_OF(job, struct clearing, job);
    struct step *step = c->step;
    struct place *place = place_find(c->host, c->uid);
    if (c->r < 0)
        step->err = c->err;
    step->r = c->r;
    if (place != NULL)
        place_free(place);
    configs_release(c->host->configs, c->uid);
    volume_lookup_forget(c->host->lookup, c->uid);
    net_pod_call_done(&c->net);
    arena_done(&c->arena);
    free(c);
    step->done(step);
}

/* The first failure is told; all the rest is tried all the same. */
static void note(struct clearing *c, int r, const struct err *err)
{
    if (r < 0 && c->r == 0) {
        c->r = r;
        c->err = *err;
    }
}

static void clear_away(struct job *job)
{
    struct clearing *c = CONTAINER_OF(job, struct clearing, job);
    const char *dir = pod_dir(c->host, c->uid, &c->arena).at;
    struct err err;
    note(c, volumes_clear(dir, &err), &err);
    note(c, share_unpin(arena_printf(&c->arena, "%s/ns", dir).at, &err), &err);
    note(c, tree_unmount(dir, &err), &err);
    note(c,
         runtime_group_remove(c->host->settings.runtime,
                              arena_printf(&c->arena, "pods/" STR_F, STR_A(c->uid)), &err),
         &err);
    if (c->r == 0)
        note(c, tree_remove(AT_FDCWD, dir, &err), &err);
}

static void net_gone(struct net_pod_call *call)
{
    struct clearing *c = CONTAINER_OF(call, struct clearing, net);
    note(c, call->r, &call->err);
    c->job = (struct job){.work = clear_away, .done = cleared};
    pool_run(c->host->settings.pool, &c->job);
}

static void pause_gone(struct runtime_call *call)
{
    struct clearing *c = CONTAINER_OF(call, struct clearing, pause);
    note(c, call->r, &call->err);
    net_pod_remove(c->host->settings.podnet, c->host->settings.loop, &c->net, c->uid, net_gone);
}

void clearing_go(struct clearing *c)
{
    const struct place *place = place_find(c->host, c->uid);
    if (place != NULL && place->pause[0] != '\0')
        runtime_delete(c->host->settings.runtime, &c->pause, str_from_z(place->pause), pause_gone);
    else
        net_pod_remove(c->host->settings.podnet, c->host->settings.loop, &c->net, c->uid, net_gone);
}

static void clear(void *self, struct step *step, str_t uid)
{
    struct host *host = self;
    struct place *place = place_find(host, uid);
    struct clearing *c = calloc(1, sizeof(*c));
    MUST(c != NULL);
    c->host = host;
    c->step = step;
    c->uid = arena_str(&c->arena, uid);
    if (place != NULL)
        timer_stop(&place->renew);
    if (place != NULL && place->refresh != NULL)
        place->waiting = c;
    else
        clearing_go(c);
}

/* --- logs --- */

struct burning {
    struct job job;
    struct arena arena;
    const struct host *host;
    const char *path;
};

static void burn(struct job *job)
{
    struct burning *b = CONTAINER_OF(job, struct burning, job);
    struct err err;
    if (tree_remove(AT_FDCWD, b->path, &err) < 0)
        log_error(b->host->settings.log, "logs of a pod not removed",
                  F_STR("error", str_from_z(err.text)));
}

static void burnt(struct job *job)
{
    struct burning *b = CONTAINER_OF(job, struct burning, job);
    arena_done(&b->arena);
    free(b);
}

static void remove_logs(struct host *host, str_t name)
{
    struct burning *b = calloc(1, sizeof(*b));
    MUST(b != NULL);
    b->host = host;
    b->path = arena_printf(&b->arena, "%s/" STR_F, host->logs_dir, STR_A(name)).at;
    b->job = (struct job){.work = burn, .done = burnt};
    pool_run(host->settings.pool, &b->job);
}

static void gone(void *self, str_t ns, str_t name, str_t uid)
{
    AUTO(arena_done) struct arena arena = {0};
    remove_logs(
        self, arena_printf(&arena, STR_F "_" STR_F "_" STR_F, STR_A(ns), STR_A(name), STR_A(uid)));
}

/* --- what nobody remembers --- */

struct orphan {
    struct step step;
    struct host *host;
};

static void orphan_cleared(struct step *step)
{
    struct orphan *orphan = CONTAINER_OF(step, struct orphan, step);
    if (step->r < 0)
        log_error(orphan->host->settings.log, "what an old pod left is still there",
                  F_STR("error", str_from_z(step->err.text)));
    free(orphan);
}

static void sweep_one(struct host *host, str_t uid)
{
    struct orphan *orphan = calloc(1, sizeof(*orphan));
    MUST(orphan != NULL);
    orphan->host = host;
    orphan->step.done = orphan_cleared;
    clear(host, &orphan->step, uid);
}

/* NS_POD_UID: names of namespaces and pods have no underscore. */
static str_t uid_in(str_t name)
{
    for (size_t i = name.len; i > 0; i--)
        if (name.at[i - 1] == '_')
            return (str_t){name.at + i, name.len - i};
    return name;
}

static void sweep(struct host *host, const struct pods *pods, const char *path,
                  void (*remove)(struct host *host, str_t name))
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' && !pods_has(pods, uid_in(str_from_z(entry->d_name))))
            remove(host, str_from_z(entry->d_name));
    if (dir != NULL)
        closedir(dir);
}

void host_sweep(struct host *host, const struct pods *pods)
{
    sweep(host, pods, host->pods_dir, sweep_one);
    sweep(host, pods, host->logs_dir, remove_logs);
}

void host_clear_fill(struct host *host)
{
    host->ops.clear = clear;
    host->ops.gone = gone;
}
