/*
 * make.c - a container from its spec to one that waits to be started.
 *
 * Each step leaves on disk what removing it needs, before it is taken. So whoever dies between two
 * of them leaves a directory that runtime_list() finds and container_remove() can remove.
 */
#include "base/file.h"
#include "runtime/runtime_priv.h"
#include "runtime/spawn.h"
#include "runtime/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARGS_MAX = 40 };

/* "pods/UID/NAME" -> "pods/UID" */
static str_t above(str_t group)
{
    while (group.len > 0 && group.at[group.len - 1] != '/')
        group.len--;
    if (group.len > 0)
        group.len--;
    return group;
}

static int check(const struct container_spec *spec, str_t group, struct err *err)
{
    if (!container_id_ok(spec->id))
        return err_set(err, ERR_INVALID, "'" STR_F "' cannot be a container's id", STR_A(spec->id));
    if (spec->args.n == 0 || spec->args.at[0].len == 0)
        return err_set(err, ERR_INVALID, "no command specified");
    if (spec->rootfs.len == 0 || spec->rootfs.at[0] != '/')
        return err_set(err, ERR_INVALID, "the rootfs is no absolute path");
    if (!group_name_ok(group) || above(group).len == 0)
        return err_set(err, ERR_INVALID, "'" STR_F "' cannot be a container's group", STR_A(group));
    return 0;
}

/* --- config.json --- */

static int add_seccomp(struct runtime *runtime, const struct container_spec *spec,
                       struct oci_host *host, struct arena *arena, struct err *err)
{
    struct json *json = NULL;
    if (spec->seccomp == SECCOMP_NONE || spec->privileged)
        return 0;
    int r =
        profile_get(runtime->profiles, spec->seccomp == SECCOMP_FILE ? spec->seccomp_file : STR(""),
                    (spec->caps | spec->ambient_caps) & runtime->caps, arena,
                    runtime->crun ? &host->seccomp_bpf : NULL, runtime->crun ? NULL : &json, err);
    host->seccomp = json;
    return r;
}

static int write_config(struct runtime *runtime, const struct container_spec *spec, str_t group,
                        struct arena *arena, struct err *err)
{
    AUTO(buf_done) struct buf text = {0};
    struct oci_host host = {
        .v2 = runtime->cgroups.v2,
        .swap = runtime->cgroups.swap,
        .caps = runtime->caps,
        .oom_score_adj_min = runtime->oom_score_adj_min,
        .limits = runtime->limits,
        .cgroups_path = arena_printf(arena, "%s/" STR_F, runtime->cgroups.root, STR_A(group)),
    };
    int r = add_seccomp(runtime, spec, &host, arena, err);
    if (r == 0)
        r = devices_of(spec, &host, arena, err);
    if (r < 0)
        return r;
    json_write(oci_config(spec, &host, arena), &text);
    const char *path = state_path(runtime->dir, spec->id, "config.json", arena);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (size_t done = 0; fd >= 0 && done < text.len;) {
        ssize_t n = write(fd, text.at + done, text.len - done);
        if (n < 0) {
            r = err_errno(err, "write '%s'", path);
            break;
        }
        done += (size_t)n;
    }
    if (fd < 0)
        return err_errno(err, "write '%s'", path);
    close(fd);
    return r;
}

/* --- the shim --- */

struct words {
    const char *at[ARGS_MAX];
    size_t n;
};

static void word(struct words *words, const char *text)
{
    MUST(words->n < ARGS_MAX - 1);
    words->at[words->n++] = text;
}

/*
 * Where its costs are counted: the pod's; with v2 in a leaf, for inner groups have no processes.
 * Also out of the hierarchy by which systemd ends a service.
 */
static int shim_groups(struct runtime *runtime, str_t group, struct words *words,
                       struct arena *arena, struct err *err)
{
    static const char *const controllers[] = {"memory", "cpu", "cpuacct", "pids", "systemd"};
    str_t pod = above(group);
    bool v2 = runtime->cgroups.v2;
    if (v2)
        pod = arena_printf(arena, STR_F "/_shims", STR_A(pod));
    int r = group_make(&runtime->cgroups, pod, NULL, err);
    for (size_t i = 0; i < (v2 ? 1 : ARRAY_LEN(controllers)) && r == 0; i++)
        word(words,
             arena_printf(
                 arena, "group=%s",
                 group_file(&runtime->cgroups, controllers[i], pod, "cgroup.procs", arena).at)
                 .at);
    return r;
}

static int shim_words(struct runtime *runtime, const struct container_spec *spec, str_t group,
                      struct words *words, struct arena *arena, struct err *err)
{
    const struct cgroups *cgroups = &runtime->cgroups;
    word(words, runtime->shim);
    word(words, "run");
    word(words, arena_printf(arena, "id=" STR_F, STR_A(spec->id)).at);
    word(words, arena_printf(arena, "program=%s", runtime->program).at);
    word(words, arena_printf(arena, "root=%s", runtime->root).at);
    word(words, "pid=pid");
    word(words, "runtime-log=runtime.log");
    if (spec->log.len > 0)
        word(words, arena_printf(arena, "log=" STR_F, STR_A(spec->log)).at);
    word(words, arena_printf(arena, "oom=%s",
                             group_file(cgroups, "memory", group,
                                        cgroups->v2 ? "memory.events" : "memory.oom_control", arena)
                                 .at)
                    .at);
    if (spec->namespaces[NS_PID].mode != NS_NEW)
        word(words, arena_printf(arena, "kill=%s",
                                 group_file(cgroups, "pids", group, "cgroup.procs", arena).at)
                        .at);
    if (spec->tty)
        word(words, "tty");
    if (spec->stdin_open)
        word(words, "stdin");
    if (spec->stdin_open && spec->stdin_once)
        word(words, "once");
    return shim_groups(runtime, group, words, arena, err);
}

/* crun or runc has done its work, or the reason why not. */
static int await_report(int fd, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    char *frame = arena_bytes(&arena, WIRE_FRAME_MAX);
    struct pollfd slot = {fd, POLLIN, 0};
    if (poll(&slot, 1, CREATE_MS_MAX) == 0)
        return err_set(err, ERR_TIMEOUT, "creating takes longer than %d s", CREATE_MS_MAX / 1000);
    ssize_t n = recv(fd, frame, WIRE_FRAME_MAX, 0);
    if (n > 0 && frame[0] == WIRE_STARTED)
        return 0;
    if (n <= 0)
        return err_set(err, ERR_INTERNAL, "its shim has ended");
    str_t words = runtime_words((str_t){frame + 1, (size_t)n - 1}, STR("no reason given"), &arena);
    return err_set(err, ERR_INVALID, STR_F, STR_A(words));
}

static int start_shim(struct runtime *runtime, const struct container_spec *spec,
                      const struct words *words, int lock, int *shim, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(err, "open a pair of sockets");
    struct spawn spawn = {
        .args = words->at,
        .dir = state_path(runtime->dir, spec->id, "", &arena),
        .fds = (int[]){pair[1], lock},
        .n_fds = 2,
    };
    int r = spawn_start(&spawn, shim, err);
    close(pair[1]);
    if (r == 0)
        r = await_report(pair[0], err);
    close(pair[0]);
    return r;
}

int container_create(struct runtime *runtime, const struct container_spec *spec, int *shim,
                     struct identity *init, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct words words = {0};
    int lock = -1;
    str_t group =
        spec->group.len > 0 ? spec->group : arena_printf(&arena, "other/" STR_F, STR_A(spec->id));
    *shim = 0;
    int r = check(spec, group, err);
    if (r == 0)
        r = state_make(runtime->dir, spec, group, &lock, err);
    if (r < 0)
        return r; /* Nothing of this one is there; of that name perhaps. */
    r = write_config(runtime, spec, group, &arena, err);
    if (r == 0)
        r = shim_words(runtime, spec, group, &words, &arena, err);
    if (r == 0)
        r = start_shim(runtime, spec, &words, lock, shim, err);
    close(lock);
    if (r == 0 && !state_identity(runtime->dir, spec->id, "init", init))
        r = err_set(err, ERR_INTERNAL, "the process of '" STR_F "' is not known", STR_A(spec->id));
    if (r < 0) {
        (void)container_remove(runtime, spec->id, &(struct err){0});
        if (*shim > 0) {
            (void)kill(*shim, SIGKILL);
            (void)spawn_wait(*shim, -1);
        }
    }
    return r;
}
