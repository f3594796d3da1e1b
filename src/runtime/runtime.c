/* runtime.c - opening, closing, and the calls that others wait for. */
#include "runtime/runtime.h"

#include "base/file.h"
#include "runtime/caps.h"
#include "runtime/runtime_priv.h"
#include "runtime/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The number in a file of the kernel's, such as "-999\n". */
static int64_t number_in(const char *path, int64_t otherwise)
{
    char text[32] = {0};
    int64_t number;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    bool below = n > 0 && text[0] == '-';
    str_t digits = {text + below, n > 0 ? (size_t)n - below : 0};
    (void)str_cut(digits, '\n', &digits, &(str_t){0});
    if (!str_to_i64(digits, &number))
        return otherwise;
    return below ? -number : number;
}

static void learn_limits(struct runtime *runtime)
{
    static const struct {
        const char *name;
        int number;
    } rows[] = {
        {"RLIMIT_AS", RLIMIT_AS},
        {"RLIMIT_CORE", RLIMIT_CORE},
        {"RLIMIT_CPU", RLIMIT_CPU},
        {"RLIMIT_DATA", RLIMIT_DATA},
        {"RLIMIT_FSIZE", RLIMIT_FSIZE},
        {"RLIMIT_LOCKS", RLIMIT_LOCKS},
        {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
        {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
        {"RLIMIT_NICE", RLIMIT_NICE},
        {"RLIMIT_NOFILE", RLIMIT_NOFILE},
        {"RLIMIT_NPROC", RLIMIT_NPROC},
        {"RLIMIT_RSS", RLIMIT_RSS},
        {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
        {"RLIMIT_RTTIME", RLIMIT_RTTIME},
        {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
        {"RLIMIT_STACK", RLIMIT_STACK},
    };
    bool may_raise = (runtime->caps & caps_bit(STR("SYS_RESOURCE"))) != 0;
    _Static_assert(ARRAY_LEN(rows) < ARRAY_LEN(runtime->limits), "and the end of the list");
    if (may_raise) /* Only of this one there are never more. */
        runtime->limits[0] = (struct oci_limit){
            "RLIMIT_NOFILE", (uint64_t)number_in("/proc/sys/fs/nr_open", 1 << 20)};
    for (size_t i = 0; i < ARRAY_LEN(rows) && !may_raise; i++) {
        struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
        (void)getrlimit((__rlimit_resource_t)rows[i].number, &limit);
        runtime->limits[i] = (struct oci_limit){rows[i].name, limit.rlim_max};
    }
    runtime->oom_score_adj_min = may_raise ? -1000 : (int)number_in("/proc/self/oom_score_adj", 0);
}

/*
 * With v2, crun allows devices by a program in the kernel, and for that takes all the locked memory
 * there is; without the capability it refuses. runc does without.
 */
static bool crun_fails(const struct runtime *runtime)
{
    struct rlimit limit = {0};
    bool may_raise = (runtime->caps & caps_bit(STR("SYS_RESOURCE"))) != 0;
    return runtime->crun && runtime->cgroups.v2 && !may_raise &&
           (getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || limit.rlim_max != RLIM_INFINITY);
}

static int open_program(struct runtime *runtime, const char *wanted, struct err *err)
{
    struct arena *arena = &runtime->arena;
    int r = program_find(wanted, arena, &runtime->crun, &runtime->program, err);
    struct err none;
    if (r == 0 && wanted[0] == '\0' && crun_fails(runtime))
        (void)program_find("runc", arena, &runtime->crun, &runtime->program, &none);
    return r < 0 ? r : program_version(runtime->program, arena, &runtime->version, err);
}

static int open_parts(struct runtime *runtime, const struct runtime_settings *settings,
                      struct err *err)
{
    if (access(settings->shim, X_OK) < 0)
        return err_errno(err, "the shim '%s'", settings->shim);
    if ((mkdir(runtime->dir, 0700) < 0 && errno != EEXIST) ||
        (mkdir(runtime->root, 0700) < 0 && errno != EEXIST))
        return err_errno(err, "make '%s'", runtime->root);
    int r = cgroups_open(&runtime->cgroups, settings->cgroup_root, runtime->shim, err);
    return r < 0 ? r : open_program(runtime, settings->program, err);
}

int runtime_open(const struct runtime_settings *settings, struct runtime **out, struct err *err)
{
    struct runtime *runtime = calloc(1, sizeof(*runtime));
    MUST(runtime != NULL && settings->exited != NULL);
    runtime->loop = settings->loop;
    runtime->pool = settings->pool;
    runtime->exited = settings->exited;
    runtime->self = settings->self;
    runtime->dir = arena_printf(&runtime->arena, "%s", settings->dir).at;
    runtime->shim = arena_printf(&runtime->arena, "%s", settings->shim).at;
    runtime->root = arena_printf(&runtime->arena, "%s/.oci", settings->dir).at;
    runtime->caps = caps_own();
    runtime->profiles = profiles_new(settings->seccomp_file);
    list_init(&runtime->execs);
    learn_limits(runtime);
    int r = open_parts(runtime, settings, err);
    if (r < 0) {
        runtime_close(runtime);
        return r;
    }
    *out = runtime;
    return 0;
}

void runtime_close(struct runtime *runtime)
{
    if (runtime == NULL)
        return;
    for (size_t i = 0; i < runtime->alive.n_buckets; i++)
        while (runtime->alive.buckets[i] != NULL)
            alive_drop(runtime, CONTAINER_OF(runtime->alive.buckets[i], struct alive, node));
    LIST_EACH(&runtime->execs, item) {
        struct alive *child = CONTAINER_OF(item, struct alive, link);
        int fd = child->watch.fd;
        loop_forget(&child->watch);
        if (fd >= 0)
            close(fd);
        free(child);
    }
    map_done(&runtime->alive);
    profiles_free(runtime->profiles);
    arena_done(&runtime->arena);
    free(runtime);
}

const char *runtime_program(const struct runtime *runtime)
{
    return runtime->version.at;
}

/* --- calls --- */

static void call_done(struct job *job)
{
    struct runtime_call *call = CONTAINER_OF(job, struct runtime_call, job);
    call->done(call);
}

void call_begin(struct runtime *runtime, struct runtime_call *call, str_t id,
                void (*work)(struct job *), void (*done)(struct runtime_call *))
{
    call->runtime = runtime;
    call->done = done;
    call->r = 0;
    call->fd = -1;
    call->pid = 0;
    size_t n = id.len <= CONTAINER_ID_MAX ? id.len : 0; /* Then it is refused as no id. */
    memcpy(call->id, id.at, n);
    call->id[n] = '\0';
    call->job = (struct job){.work = work, .done = call_done};
    pool_run(runtime->pool, &call->job);
}

static void create_work(struct job *job)
{
    struct runtime_call *call = CONTAINER_OF(job, struct runtime_call, job);
    struct identity init = {0};
    call->r = container_create(call->runtime, call->spec, &call->shim, &init, &call->err);
    call->pid = init.pid;
    call->start = init.start;
}

static void create_done(struct runtime_call *call)
{
    if (call->r == 0) {
        struct identity init = {call->pid, call->start, true};
        int fd = pidfd_of(call->shim); /* Not reaped yet: so it is still that one. */
        alive_add(call->runtime, str_from_z(call->id), call->shim, fd, &init, false);
    }
    call->told(call);
}

void runtime_create(struct runtime *runtime, struct runtime_call *call,
                    const struct container_spec *spec, void (*done)(struct runtime_call *call))
{
    call->spec = spec;
    call->told = done;
    call_begin(runtime, call, spec->id, create_work, create_done);
}

static void start_work(struct job *job)
{
    struct runtime_call *call = CONTAINER_OF(job, struct runtime_call, job);
    struct runtime *runtime = call->runtime;
    AUTO(arena_done) struct arena arena = {0};
    str_t id = str_from_z(call->id);
    const char *started = state_path(runtime->dir, id, "started", &arena);
    const char *const args[] = {"start", call->id, NULL};
    int fd = open(started, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        call->r = err_errno(&call->err, "start '%s'", call->id);
        return;
    }
    close(fd);
    call->r = program_call(runtime, args, &call->err);
    if (call->r < 0)
        (void)unlink(started);
}

static void start_done(struct runtime_call *call)
{
    struct runtime *runtime = call->runtime;
    char name[sizeof(call->id)]; /* The call may be gone after told(). */
    memcpy(name, call->id, sizeof(name));
    str_t id = str_from_z(name);
    struct alive *alive = alive_find(runtime, id);
    struct container_exit exit;
    bool ended = call->r == 0 && alive == NULL;
    if (call->r == 0 && alive != NULL)
        alive->started = true;
    if (ended && !state_exit(runtime->dir, id, &exit))
        exit = exit_lost(runtime, id);
    call->told(call);
    /* It was quicker than we: who just heard that it was started now hears that it has ended. */
    if (ended)
        runtime->exited(runtime->self, id, &exit);
}

void runtime_start(struct runtime *runtime, struct runtime_call *call, str_t id,
                   void (*done)(struct runtime_call *call))
{
    call->told = done;
    call_begin(runtime, call, id, start_work, start_done);
}

static void delete_work(struct job *job)
{
    struct runtime_call *call = CONTAINER_OF(job, struct runtime_call, job);
    call->r = container_remove(call->runtime, str_from_z(call->id), &call->err);
    if (call->shim > 0)
        (void)spawn_wait(call->shim, 1000);
}

void runtime_delete(struct runtime *runtime, struct runtime_call *call, str_t id,
                    void (*done)(struct runtime_call *call))
{
    struct alive *alive = alive_find(runtime, id);
    call->shim = alive == NULL ? 0 : alive->shim;
    alive_drop(runtime, alive);
    call_begin(runtime, call, id, delete_work, done);
}

int runtime_signal(struct runtime *runtime, str_t id, int signal, struct err *err)
{
    struct alive *alive = alive_find(runtime, id);
    int fd = alive == NULL ? -1 : identity_open(&alive->init);
    if (fd < 0)
        return err_set(err, ERR_NOT_FOUND, "container '" STR_F "' is not running", STR_A(id));
    int r = 0;
    if (syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) < 0)
        r = err_errno(err, "signal %d to '" STR_F "'", signal, STR_A(id));
    close(fd);
    return r;
}
