/*
 * streams_node.c - the node's side of streams without containers: what is to be run in one is run
 * as a child of ours, with the frames of a shim. Everything else is the real thing.
 *
 *     streams_node SOCKET LOGS_DIR
 */
#include "http/server.h"
#include "net/sockets.h"
#include "net/stream.h"
#include "node/streams.h"
#include "runtime/wire.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 64, THREADS = 2 };

static const char *logs_dir;
static const struct ground ground;

static int find(void *self, str_t ns, str_t pod, str_t container, struct pod_place *out,
                struct err *err)
{
    (void)self;
    (void)ns;
    (void)container;
    if (str_starts(pod, STR("gone")))
        return err_set(err, ERR_NOT_FOUND, "pod \"" STR_F "\" is not on this node", STR_A(pod));
    *out = (struct pod_place){.id = "one",
                              .restarts = 1,
                              .running = access(logs_dir, F_OK) == 0,
                              .has_previous = true,
                              .ground = &ground,
                              .uid = STR("uid")};
    return 0;
}

/* --- a shim, of sorts: in a child --- */

static void frame(int fd, enum wire_type type, const void *data, size_t n)
{
    char bytes[WIRE_FRAME_MAX];
    bytes[0] = (char)type;
    if (n > 0)
        memcpy(bytes + 1, data, n);
    (void)!send(fd, bytes, n + 1, MSG_NOSIGNAL);
}

/* False: the pipe has ended. */
static bool pass(int from, int to, enum wire_type type)
{
    char bytes[WIRE_DATA_MAX];
    ssize_t n = read(from, bytes, sizeof(bytes));
    if (n > 0)
        frame(to, type, bytes, (size_t)n);
    return n > 0;
}

struct typed { /* Not yet taken by the child. */
    int fd;
    bool over;
    char bytes[WIRE_FRAME_MAX];
    size_t at, n;
};

static void from_client(int fd, struct typed *typed)
{
    char bytes[WIRE_FRAME_MAX], text[64];
    struct wire_size size;
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
    if (n <= 0)
        _exit(0); /* Whoever ran it has gone. */
    if (bytes[0] == WIRE_STDIN) {
        typed->at = 0;
        typed->n = (size_t)n - 1;
        memcpy(typed->bytes, bytes + 1, typed->n);
    }
    typed->over = typed->over || bytes[0] == WIRE_STDIN_END;
    if (bytes[0] == WIRE_RESIZE) {
        memcpy(&size, bytes + 1, sizeof(size));
        int len = snprintf(text, sizeof(text), "size %ux%u\n", size.columns, size.rows);
        frame(fd, WIRE_STDOUT, text, (size_t)len);
    }
}

static void to_child(struct typed *typed)
{
    ssize_t n = typed->n == 0 ? 0 : write(typed->fd, typed->bytes + typed->at, typed->n);
    if (n > 0) {
        typed->at += (size_t)n;
        typed->n -= (size_t)n;
    }
    if (typed->n == 0 && typed->over) {
        close(typed->fd);
        typed->fd = -1;
    }
}

static void shim(int fd, char **args)
{
    int in[2], out[2], err[2], status = 0;
    if (pipe(in) < 0 || pipe(out) < 0 || pipe(err) < 0)
        _exit(1);
    pid_t pid = fork();
    if (pid == 0) {
        if (dup2(in[0], 0) < 0 || dup2(out[1], 1) < 0 || dup2(err[1], 2) < 0)
            _exit(1);
        for (int i = 3; i < 1024; i++)
            close(i);
        execvp(args[0], args);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    struct typed typed = {.fd = in[1]};
    (void)signal(SIGPIPE, SIG_IGN);
    MUST(fcntl(in[1], F_SETFL, O_NONBLOCK) == 0);
    struct pollfd fds[] = {
        {fd, POLLIN, 0}, {out[0], POLLIN, 0}, {err[0], POLLIN, 0}, {-1, POLLOUT, 0}};
    while (fds[1].fd >= 0 || fds[2].fd >= 0) {
        bool full = typed.n > 0;
        fds[0].fd = full ? -1 : fd;
        fds[3].fd = full || typed.over ? typed.fd : -1;
        if (poll(fds, 4, -1) < 0)
            break;
        if (fds[3].fd >= 0 && fds[3].revents != 0)
            to_child(&typed);
        if (fds[0].fd >= 0 && fds[0].revents != 0)
            from_client(fd, &typed);
        if (fds[1].revents != 0 && !pass(out[0], fd, WIRE_STDOUT))
            fds[1].fd = -1;
        if (fds[2].revents != 0 && !pass(err[0], fd, WIRE_STDERR))
            fds[2].fd = -1;
    }
    (void)waitpid(pid, &status, 0);
    struct wire_exit ended = {.code = WIFEXITED(status) ? WEXITSTATUS(status) : 137};
    if (ended.code == 127)
        frame(fd, WIRE_FAILED, "{\"msg\":\"executable file not found\"}\n", 36);
    frame(fd, WIRE_EXIT, &ended, sizeof(ended));
    _exit(0);
}

static int start(const struct exec_spec *exec, int *fd, struct err *err)
{
    char *args[ARGS_MAX + 1] = {0};
    AUTO(arena_done) struct arena arena = {0};
    int pair[2];
    for (size_t i = 0; i < exec->args.n && i < ARGS_MAX; i++)
        args[i] = (char *)arena_printf(&arena, STR_F, STR_A(exec->args.at[i])).at;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(err, "open a pair of sockets");
    if (fork() == 0) {
        close(pair[0]);
        shim(pair[1], args);
    }
    close(pair[1]);
    *fd = pair[0];
    return 0;
}

static struct post later;
static struct runtime_call *waiting;
static struct loop *loop;

static void told(struct post *post)
{
    (void)post;
    waiting->done(waiting);
}

static void exec(void *self, struct runtime_call *call, str_t id, const struct exec_spec *spec,
                 void (*done)(struct runtime_call *call))
{
    (void)self;
    (void)id;
    call->done = done;
    call->r = start(spec, &call->fd, &call->err);
    waiting = call;
    later.run = told;
    loop_later(loop, &later);
}

static int attach(void *self, str_t id, int *fd, struct err *err)
{
    static const str_t args[] = {STR("cat")};
    (void)self;
    (void)id;
    return start(&(struct exec_spec){.args = {args, 1}}, fd, err);
}

int main(int argc, char **argv)
{
    struct err err;
    struct http_server *server;
    struct streams_host host = {.find = find, .exec = exec, .attach = attach};
    struct http_handler handler = {&host, streams_head};
    if (argc != 3)
        return 2;
    net_init();
    host.logs_dir = logs_dir = argv[2];
    int r = loop_new(system_clock(), &loop, &err);
    host.loop = loop;
    if (r == 0)
        r = pool_new(loop, THREADS, &host.pool, &err);
    if (r == 0)
        r = http_server_new(loop, &handler, NULL, &server, &err);
    int fd = r < 0 ? r : socket_listen_unix(argv[1], 0600, &err);
    if (fd >= 0)
        r = http_server_listen(server, fd, NULL, &err);
    if (fd < 0 || r < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("ready\n");
    fflush(stdout);
    return loop_run(loop, &err) < 0;
}
