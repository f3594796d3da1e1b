/* probe.c - the life of a question, and the two that need no protocol: a connection, a command. */
#include "net/sockets.h"
#include "node/probe_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void probe_free(struct probe *probe)
{
    http_client_free(probe->client);
    arena_done(&probe->arena);
    free(probe);
}

static void told(struct post *post)
{
    struct probe *probe = CONTAINER_OF(post, struct probe, end);
    void (*done)(void *, bool, const char *) = probe->done;
    if (done != NULL) {
        probe->done = NULL;
        done(probe->self, probe->fine, probe->words);
    }
    if (!probe->running)
        probe_free(probe);
}

static void stop(struct probe *probe)
{
    timer_stop(&probe->timer);
    if (probe->watch.loop != NULL && probe->watch.fd >= 0) {
        int fd = probe->watch.fd;
        loop_forget(&probe->watch);
        close(fd);
    }
    if (probe->calling)
        http_call_cancel(&probe->call);
    probe->calling = false;
    if (probe->running)
        probe->target.host->run_cancel(probe->target.host->self, &probe->run);
}

void probe_end(struct probe *probe, bool fine, const char *fmt, ...)
{
    va_list args;
    if (probe->ended)
        return;
    probe->ended = true;
    probe->fine = fine;
    va_start(args, fmt);
    (void)vsnprintf(probe->words, sizeof(probe->words), fmt, args);
    va_end(args);
    stop(probe);
    probe->end.run = told;
    loop_later(probe->target.host->loop, &probe->end);
}

void probe_forget(struct probe *probe)
{
    if (probe == NULL)
        return;
    probe->done = NULL;
    probe_end(probe, false, "forgotten");
}

/* --- a connection --- */

static void connected(struct loop_fd *watch, unsigned events)
{
    struct probe *probe = CONTAINER_OF(watch, struct probe, watch);
    int error = 0;
    socklen_t len = sizeof(error);
    (void)events;
    if (getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    if (error == 0)
        probe_end(probe, true, "%s", "");
    else
        probe_end(probe, false, "dial tcp: connect: %s", strerror(error));
}

uint16_t probe_port(const struct json *port, const struct json *container)
{
    int64_t number = 0;
    str_t name = json_text(port, STR(""));
    if (json_to_i64(port, &number) || str_to_i64(name, &number))
        return number > 0 && number <= UINT16_MAX ? (uint16_t)number : 0;
    JSON_EACH(json_get(container, STR("ports")), one)
    if (name.len > 0 && str_eq(json_get_text(one, STR("name")), name))
        (void)json_to_i64(json_get(one, STR("containerPort")), &number);
    return (uint16_t)number;
}

static void probe_tcp(struct probe *probe, const struct json *how)
{
    struct err err;
    uint16_t port = probe_port(json_get(how, STR("port")), probe->target.container);
    str_t host = json_get_text(how, STR("host"));
    str_t address = host.len > 0 ? arena_printf(&probe->arena, STR_F, STR_A(host))
                                 : str_from_z(probe->target.ip);
    if (port == 0) {
        probe_end(probe, false, "no such port");
        return;
    }
    int fd = socket_dial_tcp(address.at, port, &err);
    if (fd < 0) {
        probe_end(probe, false, "%s", err.text);
        return;
    }
    if (loop_watch(probe->target.host->loop, &probe->watch, fd, LOOP_WRITE, connected, &err) < 0) {
        close(fd);
        probe->watch.fd = -1;
        probe_end(probe, false, "%s", err.text);
    }
}

/* --- a command --- */

static void ran(struct runtime_run *run)
{
    struct probe *probe = CONTAINER_OF(run, struct probe, run);
    int n = run->n_output > PROBE_WORDS_MAX - 1 ? PROBE_WORDS_MAX - 1 : (int)run->n_output;
    probe->running = false;
    if (probe->ended) {
        probe_free(probe); /* It was late, or nobody waits any more. */
        return;
    }
    if (run->r == ERR_TIMEOUT)
        probe_end(probe, false, "command timed out");
    else if (run->r < 0)
        probe_end(probe, false, "%s", run->err.text);
    else
        probe_end(probe, run->code == 0, "%.*s", n, run->output);
}

static void probe_exec(struct probe *probe, const struct json *how, msec_t limit_ms)
{
    const struct pod_host *host = probe->target.host;
    const struct json *command = json_get(how, STR("command"));
    str_t *args = arena_array(&probe->arena, str_t, json_count(command) + 1);
    struct exec_spec *exec = arena_new(&probe->arena, struct exec_spec);
    exec->args.at = args;
    JSON_EACH(command, item)
    args[exec->args.n++] = arena_str(&probe->arena, json_text(item, STR("")));
    probe->running = true;
    host->run(host->self, &probe->run, str_from_z(probe->target.container_id), exec, limit_ms, ran);
}

/* --- all of them --- */

static void slept(struct timer *timer)
{
    probe_end(CONTAINER_OF(timer, struct probe, timer), true, "%s", "");
}

static void probe_sleep(struct probe *probe, const struct json *how, msec_t limit_ms)
{
    int64_t seconds = 0;
    (void)json_to_i64(json_get(how, STR("seconds")), &seconds);
    if (seconds * 1000 <= limit_ms)
        timer_set(probe->target.host->loop, &probe->timer, seconds * 1000, slept);
}

static void late(struct timer *timer)
{
    struct probe *probe = CONTAINER_OF(timer, struct probe, timer);
    probe_end(probe, false,
              "context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
}

struct probe *probe_begin(const struct probe_target *target, const struct json *how,
                          msec_t limit_ms, void (*done)(void *self, bool fine, const char *words),
                          void *self)
{
    const struct json *part;
    struct probe *probe = calloc(1, sizeof(*probe));
    MUST(probe != NULL);
    probe->target = *target;
    probe->done = done;
    probe->self = self;
    probe->watch.fd = -1;
    if ((part = json_get(how, STR("exec"))) != NULL) {
        probe_exec(probe, part, limit_ms);
        return probe;
    }
    timer_set(target->host->loop, &probe->timer, limit_ms, late);
    if ((part = json_get(how, STR("httpGet"))) != NULL)
        probe_http(probe, part, limit_ms);
    else if ((part = json_get(how, STR("tcpSocket"))) != NULL)
        probe_tcp(probe, part);
    else if ((part = json_get(how, STR("grpc"))) != NULL)
        probe_grpc(probe, part, limit_ms);
    else if ((part = json_get(how, STR("sleep"))) != NULL)
        probe_sleep(probe, part, limit_ms);
    else
        probe_end(probe, false, "missing probe handler");
    return probe;
}
