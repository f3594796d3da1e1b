/*
 * exec.c - one more process in a container, under a shim of its own, and one run to its end.
 *
 * The process is given to crun or runc as a whole, made from the container's config.json, so that
 * capabilities, limits and the seccomp filter are the container's own.
 */
#include "base/file.h"
#include "runtime/runtime_priv.h"
#include "runtime/spawn.h"
#include "runtime/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CONFIG_BYTES_MAX = 4 << 20, ARGS_MAX = 16 };

static int write_process(struct runtime_call *call, const char *name, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    struct runtime *runtime = call->runtime;
    struct json *config = NULL;
    str_t text, id = str_from_z(call->id);
    int r = file_read(arena, state_path(runtime->dir, id, "config.json", arena), CONFIG_BYTES_MAX,
                      &text, &call->err);
    if (r == 0)
        r = json_parse(text, arena, &config, &call->err);
    if (r < 0)
        return r;
    json_write(oci_exec_process(config, call->exec, arena), &out);
    const char *path = state_path(runtime->dir, id, name, arena);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t n = fd < 0 ? -1 : write(fd, out.at, out.len);
    if (fd >= 0)
        close(fd);
    return n == (ssize_t)out.len ? 0 : err_errno(&call->err, "write '%s'", path);
}

static void exec_work(struct job *job)
{
    struct runtime_call *call = CONTAINER_OF(job, struct runtime_call, job);
    struct runtime *runtime = call->runtime;
    const struct exec_spec *exec = call->exec;
    AUTO(arena_done) struct arena arena = {0};
    unsigned long number = __atomic_add_fetch(&runtime->n_execs, 1, __ATOMIC_RELAXED);
    /* With our pid: those of a process before us may still be there. */
    const char *name = arena_printf(&arena, "exec-%d-%lu", (int)getpid(), number).at;
    int pair[2];
    call->r = write_process(call, name, &arena);
    if (call->r < 0)
        return;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        call->r = err_errno(&call->err, "open a pair of sockets");
        return;
    }
    const char *args[ARGS_MAX] = {
        runtime->shim,
        "exec",
        arena_printf(&arena, "id=%s", call->id).at,
        arena_printf(&arena, "program=%s", runtime->program).at,
        arena_printf(&arena, "root=%s", runtime->root).at,
        arena_printf(&arena, "process=%s", name).at,
        arena_printf(&arena, "pid=%s.pid", name).at,
        arena_printf(&arena, "runtime-log=%s.log", name).at,
    };
    size_t n = 8;
    if (exec->tty)
        args[n++] = "tty";
    if (exec->stdin_open)
        args[n++] = "stdin";
    if (exec->tty && exec->columns > 0 && exec->rows > 0) {
        args[n++] = arena_printf(&arena, "columns=%u", exec->columns).at;
        args[n++] = arena_printf(&arena, "rows=%u", exec->rows).at;
    }
    struct spawn spawn = {
        .args = args,
        .dir = state_path(runtime->dir, str_from_z(call->id), "", &arena),
        .fds = (int[]){pair[1]},
        .n_fds = 1,
    };
    pid_t pid;
    call->r = spawn_start(&spawn, &pid, &call->err);
    call->shim = call->r == 0 ? pid : 0;
    close(pair[1]);
    (void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
    call->fd = pair[0];
    if (call->r < 0) {
        close(call->fd);
        call->fd = -1;
        (void)unlink(state_path(runtime->dir, str_from_z(call->id), name, &arena));
    }
}

static void exec_done(struct runtime_call *call)
{
    if (call->r == 0)
        child_watch(call->runtime, call->shim);
    call->told(call);
}

static void exec_refuse(struct job *job)
{
    struct runtime_call *call = CONTAINER_OF(job, struct runtime_call, job);
    call->r = err_set(&call->err, ERR_NOT_FOUND, "container '%s' is not running", call->id);
}

void runtime_exec(struct runtime *runtime, struct runtime_call *call, str_t id,
                  const struct exec_spec *exec, void (*done)(struct runtime_call *call))
{
    struct alive *alive = alive_find(runtime, id);
    bool runs = alive != NULL && alive->started && exec->args.n > 0;
    call->exec = exec;
    call->told = done;
    call_begin(runtime, call, id, runs ? exec_work : exec_refuse, exec_done);
}

int runtime_attach(struct runtime *runtime, str_t id, int *fd, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (!container_id_ok(id))
        return err_set(err, ERR_INVALID, "'" STR_F "' cannot be a container's id", STR_A(id));
    /* Through the directory's descriptor: its path may be longer than a socket's can be. */
    int dir = open(state_path(runtime->dir, id, "", &arena), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return err_errno(err, "container '" STR_F "'", STR_A(id));
    (void)snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/attach.sock", dir);
    int got = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool ok = got >= 0 && connect(got, (struct sockaddr *)&at, sizeof(at)) == 0;
    int r = 0;
    if (!ok) {
        if (errno == ECONNREFUSED)
            errno = ENOENT; /* Its shim has ended. */
        r = err_errno(err, "attach to '" STR_F "'", STR_A(id));
        if (got >= 0)
            close(got);
    }
    close(dir);
    if (ok)
        *fd = got;
    return r;
}
