/* run.c - an exec to its end: its output up to a limit, its code, and a limit of time. */
#include "runtime/runtime_priv.h"
#include "runtime/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void finish(struct runtime_run *run)
{
    int fd = run->call.fd;
    timer_stop(&run->timer);
    loop_forget(&run->watch);
    if (fd >= 0)
        close(fd); /* Which kills the process, if it still runs. */
    run->call.fd = -1;
    run->done(run);
}

static void keep(struct runtime_run *run, const char *bytes, size_t n)
{
    size_t room = sizeof(run->output) - run->n_output;
    n = n < room ? n : room;
    memcpy(run->output + run->n_output, bytes, n);
    run->n_output += n;
}

static void refused(struct runtime_run *run, str_t lines)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t words = runtime_words(lines, STR("no reason given"), &arena);
    run->r = err_set(&run->err, ERR_INVALID, STR_F, STR_A(words));
}

/* True: that was the last one. */
static bool take_frame(struct runtime_run *run, const char *frame, size_t n)
{
    struct wire_exit how;
    switch (frame[0]) {
    case WIRE_STDOUT:
    case WIRE_STDERR:
        keep(run, frame + 1, n - 1);
        return false;
    case WIRE_FAILED:
        refused(run, (str_t){frame + 1, n - 1});
        return true;
    case WIRE_EXIT:
        if (n != 1 + sizeof(how))
            break;
        memcpy(&how, frame + 1, sizeof(how));
        run->code = how.code;
        return true;
    case WIRE_STARTED:
        return false;
    default:
        break;
    }
    run->r = err_set(&run->err, ERR_INTERNAL, "its shim speaks otherwise");
    return true;
}

static void readable(struct loop_fd *watch, unsigned events)
{
    enum { FRAMES_A_TURN = 16 };
    (void)events;
    struct runtime_run *run = CONTAINER_OF(watch, struct runtime_run, watch);
    char frame[WIRE_FRAME_MAX];
    for (int i = 0; i < FRAMES_A_TURN; i++) {
        ssize_t n = recv(watch->fd, frame, sizeof(frame), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0)
            run->r = err_set(&run->err, ERR_INTERNAL, "its shim has ended");
        if (n <= 0 || take_frame(run, frame, (size_t)n)) {
            finish(run);
            return;
        }
    }
}

static void late(struct timer *timer)
{
    struct runtime_run *run = CONTAINER_OF(timer, struct runtime_run, timer);
    run->late = true;
    run->r =
        err_set(&run->err, ERR_TIMEOUT, "it takes longer than %lld ms", (long long)run->limit_ms);
    if (run->watch.fd >= 0)
        finish(run); /* Else when it has been begun. */
}

static void begun(struct runtime_call *call)
{
    struct runtime_run *run = CONTAINER_OF(call, struct runtime_run, call);
    if (call->r < 0 && !run->late) {
        run->r = call->r;
        run->err = call->err;
    }
    if (call->r == 0 && !run->late)
        run->r = loop_watch(run->loop, &run->watch, call->fd, LOOP_READ, readable, &run->err);
    if (run->r < 0)
        finish(run);
}

void runtime_run(struct runtime *runtime, struct runtime_run *run, str_t id,
                 const struct exec_spec *exec, msec_t limit_ms,
                 void (*done)(struct runtime_run *run))
{
    *run = (struct runtime_run){.done = done, .loop = runtime->loop, .limit_ms = limit_ms};
    run->watch.fd = -1;
    timer_set(runtime->loop, &run->timer, limit_ms, late);
    runtime_exec(runtime, &run->call, id, exec, begun);
}

void runtime_run_cancel(struct runtime_run *run)
{
    if (run->late)
        return;
    timer_stop(&run->timer);
    late(&run->timer);
}
