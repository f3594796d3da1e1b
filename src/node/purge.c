/* purge.c - the end of all that containers were, when Davy itself has ended. */
#include "base/tree.h"
#include "node/node.h"
#include "node/volume_tree.h"
#include "podnet/podnet.h"
#include "runtime/runtime.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

int node_find_shim(struct arena *arena, const char **out, struct err *err)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (n < 0)
        return err_errno(err, "read /proc/self/exe");
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    MUST(slash != NULL);
    *out = arena_printf(arena, "%.*s/davy-shim", (int)(slash - path), path).at;
    if (access(*out, X_OK) < 0)
        return err_errno(err, "find '%s', which is beside every container", *out);
    return 0;
}

struct purge {
    struct loop *loop;
    struct pool *pool;
    struct runtime *runtime;
    struct runtime_call call;
    bool over;
};

static void exited(void *self, str_t id, const struct container_exit *exit)
{
    (void)self, (void)id, (void)exit; /* We know: it is us who kill them. */
}

static void removed(struct runtime_call *call)
{
    CONTAINER_OF(call, struct purge, call)->over = true;
}

/* Of this Davy's pods only: others may live on the same machine. */
static int remove_groups(struct runtime *runtime, const char *pods, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    DIR *dir = opendir(pods);
    const struct dirent *entry;
    int r = 0;
    while (dir != NULL && r == 0 && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            r = runtime_group_remove(runtime, arena_printf(&arena, "pods/%s", entry->d_name), err);
    if (dir != NULL)
        closedir(dir);
    return r;
}

static int remove_networks(struct purge *p, const struct podnet_settings *given, struct err *err)
{
    struct podnet_settings settings = *given;
    settings.loop = p->loop;
    settings.pool = p->pool;
    return podnet_purge(&settings, err);
}

static int remove_all(struct purge *p, const char *pods, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct container_seen *seen;
    size_t n;
    int r = runtime_list(p->runtime, &arena, &seen, &n, err);
    for (size_t i = 0; i < n && r == 0; i++) {
        p->over = false;
        runtime_delete(p->runtime, &p->call, seen[i].id, removed);
        while (!p->over && r == 0)
            r = loop_turn(p->loop, -1, err);
        if (r == 0 && p->call.r < 0) {
            *err = p->call.err;
            r = p->call.r;
        }
    }
    return r < 0 ? r : remove_groups(p->runtime, pods, err);
}

static int remove_containers(const char *dir, const char *pods, const struct podnet_settings *net,
                             struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct purge p = {0};
    struct runtime_settings settings = {
        .dir = dir, .program = "", .cgroup_root = "", .seccomp_file = "", .exited = exited};
    int r = node_find_shim(&arena, &settings.shim, err);
    if (r == 0)
        r = loop_new(system_clock(), &p.loop, err);
    if (r == 0)
        r = pool_new(p.loop, 1, &p.pool, err);
    settings.loop = p.loop;
    settings.pool = p.pool;
    if (r == 0)
        r = runtime_open(&settings, &p.runtime, err);
    if (r == 0)
        r = remove_all(&p, pods, err);
    if (r == 0)
        r = remove_networks(&p, net, err);
    pool_free(p.pool);
    runtime_close(p.runtime);
    loop_free(p.loop);
    return r;
}

int node_purge(const char *dir, const char *pod_cidr, const char *bridge, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *runtime = arena_printf(&arena, "%s/" NODE_RUNTIME_DIR, dir).at;
    const char *pods = arena_printf(&arena, "%s/pods", dir).at;
    struct podnet_settings net = {.dir = arena_printf(&arena, "%s/" NODE_NET_DIR, dir).at,
                                  .bridge = bridge};
    if (!cidr_parse(str_from_z(pod_cidr), &net.pods))
        return err_set(err, ERR_INVALID, "'%s' is no range of addresses", pod_cidr);
    if (access(runtime, F_OK) < 0)
        return 0; /* There was no node. */
    int home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    int r = home < 0 ? err_errno(err, "open '/proc/self/ns/mnt'") : runtime_enter(runtime, "", err);
    if (r == 0)
        r = remove_containers(runtime, pods, &net, err);
    if (r == 0)
        r = tree_unmount(pods, err);
    if (r == 0)
        r = tree_remove(AT_FDCWD, pods, err);
    if (r == 0 && setns(home, CLONE_NEWNS) < 0)
        r = err_errno(err, "go back to the machine's mounts");
    if (home >= 0)
        close(home);
    return r < 0 ? r : runtime_leave(runtime, err);
}
