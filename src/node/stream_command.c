/*
 * stream_command.c - between a client's session and the socket of a shim: a command of an exec, or
 * a container that is attached to. Input is given back when the shim has taken it; output is read
 * when the client has taken most of the last.
 */
#include "base/buf.h"
#include "base/json.h"
#include "http/stream_session.h"
#include "node/streams_priv.h"
#include "runtime/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ARGS_MAX = 1024, FRAMES_A_TURN = 16 };

struct command {
    const struct streams_host *host;
    struct stream_session *session; /* NULL: the client has gone. */
    struct arena arena;             /* Of `exec`. */
    struct exec_spec exec;
    char id[CONTAINER_ID_MAX + 1];
    struct runtime_call call;
    bool attach, tty;
    bool calling; /* `call` is under way. */
    int fd;       /* -1: not yet. */
    struct loop_fd watch;
    struct buf input; /* Not yet taken. */
    bool input_over, told_over;
    bool resized;
    struct wire_size size;
};

static void command_free(struct command *c)
{
    if (c->calling)
        return; /* Freed when that is done. */
    if (c->fd >= 0) {
        loop_forget(&c->watch);
        close(c->fd);
    }
    buf_done(&c->input);
    arena_done(&c->arena);
    free(c);
}

static void finish(struct command *c, str_t status)
{
    struct stream_session *session = c->session;
    c->session = NULL;
    if (session != NULL)
        session_finish(session, status);
    command_free(c);
}

static void fail(struct command *c, const char *text)
{
    AUTO(arena_done) struct arena arena = {0};
    finish(c, session_failure_status(
                  arena_printf(&arena, "error executing command in container: %s", text), &arena));
}

/* --- to the shim --- */

/* False: it takes nothing now. */
static bool send_frame(const struct command *c, enum wire_type type, const void *data, size_t n)
{
    char frame[WIRE_FRAME_MAX];
    frame[0] = (char)type;
    if (n > 0)
        memcpy(frame + 1, data, n);
    ssize_t sent = send(c->fd, frame, n + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS);
}

static void want(struct command *c)
{
    bool full = session_waiting(c->session) > STREAM_OUTPUT_BYTES;
    bool more = c->input.len > 0 || (c->input_over && !c->told_over) || c->resized;
    loop_want(&c->watch, (full ? 0 : LOOP_READ) | (more ? LOOP_WRITE : 0));
}

static void send_waiting(struct command *c)
{
    if (c->fd < 0)
        return;
    if (c->resized && send_frame(c, WIRE_RESIZE, &c->size, sizeof(c->size)))
        c->resized = false;
    while (c->input.len > 0) {
        size_t n = c->input.len < WIRE_DATA_MAX ? c->input.len : WIRE_DATA_MAX;
        if (!send_frame(c, WIRE_STDIN, c->input.at, n))
            break;
        buf_take_front(&c->input, n);
        session_consumed(c->session, n);
    }
    if (c->input.len == 0 && c->input_over && !c->told_over)
        c->told_over = send_frame(c, WIRE_STDIN_END, NULL, 0);
    want(c);
}

/* --- from the shim --- */

/* crun and runc write JSON lines; the last one's `msg` is what a person wants to read. */
static void fail_to_run(struct command *c, str_t text)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t line, rest = text, last = text;
    while (rest.len > 0) {
        struct json *json;
        struct err err;
        str_cut(rest, '\n', &line, &rest);
        if (line.len > 0 && json_parse(line, &arena, &json, &err) == 0)
            last = json_text(json_get(json, STR("msg")), line);
    }
    fail(c, arena_printf(&arena, STR_F, STR_A(last)).at);
}

/* False: it was the last, and `c` is gone. */
static bool on_frame(struct command *c, enum wire_type type, str_t data)
{
    AUTO(arena_done) struct arena arena = {0};
    struct wire_exit ended = {0};
    switch (type) {
    case WIRE_STDOUT:
    case WIRE_STDERR:
        session_write(c->session, type == WIRE_STDERR && !c->tty, data);
        return true;
    case WIRE_FAILED:
        fail_to_run(c, data);
        return false;
    case WIRE_EXIT:
        memcpy(&ended, data.at, data.len < sizeof(ended) ? data.len : sizeof(ended));
        finish(c, session_exit_status(c->attach ? 0 : ended.code, &arena));
        return false;
    case WIRE_STARTED:
    case WIRE_STDIN:
    case WIRE_STDIN_END:
    case WIRE_RESIZE:
        return true;
    }
    return true;
}

static void on_ready(struct loop_fd *watch, unsigned events)
{
    struct command *c = CONTAINER_OF(watch, struct command, watch);
    char frame[WIRE_FRAME_MAX];
    if ((events & LOOP_WRITE) != 0)
        send_waiting(c);
    for (int i = 0; i < FRAMES_A_TURN && (events & (LOOP_READ | LOOP_HANGUP)) != 0; i++) {
        ssize_t n = recv(c->fd, frame, sizeof(frame), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            break;
        if (n <= 0) {
            fail(c, "its streams were lost");
            return;
        }
        if (!on_frame(c, (enum wire_type)frame[0], (str_t){frame + 1, (size_t)n - 1}))
            return;
        if (session_waiting(c->session) > STREAM_OUTPUT_BYTES)
            break;
    }
    want(c);
}

static void begin_pump(struct command *c, int fd)
{
    struct err err;
    c->fd = fd;
    if (loop_watch(c->host->loop, &c->watch, fd, LOOP_READ, on_ready, &err) < 0) {
        close(fd);
        c->fd = -1;
        fail(c, err.text);
        return;
    }
    send_waiting(c);
}

static void on_called(struct runtime_call *call)
{
    struct command *c = CONTAINER_OF(call, struct command, call);
    c->calling = false;
    if (call->r < 0) {
        fail(c, call->err.text);
    } else if (c->session == NULL) { /* Nobody waits: closing the socket ends it. */
        close(call->fd);
        command_free(c);
    } else {
        begin_pump(c, call->fd);
    }
}

/* --- the client --- */

static void on_opened(struct stream_session *session)
{
    struct command *c = session_self(session);
    struct err err;
    int fd;
    c->session = session;
    if (!c->attach) {
        c->calling = true;
        c->host->exec(c->host->self, &c->call, str_from_z(c->id), &c->exec, on_called);
    } else if (c->host->attach(c->host->self, str_from_z(c->id), &fd, &err) < 0) {
        fail(c, err.text);
    } else {
        begin_pump(c, fd);
    }
}

static void on_input(struct stream_session *session, str_t bytes)
{
    struct command *c = session_self(session);
    buf_add(&c->input, bytes);
    send_waiting(c);
}

static void on_input_ended(struct stream_session *session)
{
    struct command *c = session_self(session);
    c->input_over = true;
    send_waiting(c);
}

static void on_resized(struct stream_session *session, unsigned columns, unsigned rows)
{
    struct command *c = session_self(session);
    c->size = (struct wire_size){(uint16_t)columns, (uint16_t)rows};
    c->resized = true;
    send_waiting(c);
}

static void on_drained(struct stream_session *session)
{
    struct command *c = session_self(session);
    if (c->fd >= 0)
        want(c);
}

static void on_closed(struct stream_session *session)
{
    struct command *c = session_self(session);
    c->session = NULL;
    command_free(c);
}

/* All of `command=`, in order. */
static bool read_args(const struct exchange *x, struct command *c)
{
    str_t rest = x->query, pair, key, value;
    str_t *args = arena_array(&c->arena, str_t, ARGS_MAX);
    size_t n = 0;
    while (rest.len > 0) {
        str_cut(rest, '&', &pair, &rest);
        str_cut(pair, '=', &key, &value);
        if (!str_eq(key, STR("command")))
            continue;
        if (n == ARGS_MAX || !http_decode(value, true, &c->arena, &args[n]))
            return false;
        args[n] = arena_str(&c->arena, args[n]);
        n++;
    }
    c->exec.args.at = args;
    c->exec.args.n = n;
    return n > 0;
}

void serve_command(struct stream_call *call, bool attach)
{
    struct stream_want want = {query_yes(call, "input"), query_yes(call, "output"),
                               query_yes(call, "error"), query_yes(call, "tty")};
    struct stream_handler handler = {.opened = on_opened,
                                     .input = on_input,
                                     .input_ended = on_input_ended,
                                     .resized = on_resized,
                                     .drained = on_drained,
                                     .closed = on_closed};
    if (!call->place.running || call->place.id[0] == '\0') {
        refuse_stream(call, 404, "container not found (\"" STR_F "\")\n", STR_A(call->container));
        return;
    }
    struct command *c = calloc(1, sizeof(*c));
    MUST(c != NULL);
    c->host = call->host;
    c->fd = -1;
    c->attach = attach;
    c->tty = want.tty;
    c->exec.tty = want.tty;
    c->exec.stdin_open = want.in;
    memcpy(c->id, call->place.id, sizeof(c->id));
    if (!attach && !read_args(call->x, c)) {
        command_free(c);
        refuse_stream(call, 400, "you must specify at least 1 command for the container\n");
        return;
    }
    handler.self = c;
    if (session_accept(call->x, &want, &handler) == NULL)
        command_free(c);
}
