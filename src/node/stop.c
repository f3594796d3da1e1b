/*
 * stop.c - how containers end: told to, made to, or by themselves.
 *
 * The grace counts from when it began: preStop first, then the image's stop signal, then SIGKILL.
 */
#include "base/file.h"
#include "node/pod.h"
#include "node/prober.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MESSAGE_BYTES_MAX = 4096,
    LOG_TAIL_BYTES = 2048,
    AFTER_HOOK_MS = 2000, /* What is left for SIGTERM when preStop took all there was. */
};

static struct unit *unit_of(const struct container *c)
{
    return &c->pod->units[c->at];
}

static const struct pod_host *host_of(const struct container *c)
{
    return &c->pod->pods->host;
}

/* --- signals --- */

static int signal_number(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } known[] = {
        {"TERM", SIGTERM}, {"KILL", SIGKILL}, {"INT", SIGINT},   {"QUIT", SIGQUIT},
        {"HUP", SIGHUP},   {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"WINCH", SIGWINCH},
        {"ABRT", SIGABRT}, {"ALRM", SIGALRM}, {"CONT", SIGCONT}, {"PIPE", SIGPIPE},
    };
    int64_t number;
    if (strncmp(name, "SIG", 3) == 0)
        name += 3;
    if (str_to_i64(str_from_z(name), &number) && number > 0 && number < NSIG)
        return (int)number;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(name, known[i].name) == 0)
            return known[i].number;
    return strcmp(name, "RTMIN+3") == 0 ? SIGRTMIN + 3 : SIGTERM;
}

static void send(struct container *c, int number)
{
    const struct pod_host *host = host_of(c);
    struct err err;
    int r = host->signal(host->self, str_from_z(c->pod->facts[c->at].id), number, &err);
    if (r < 0 && r != ERR_NOT_FOUND)
        log_error(host->log, "container not signalled", F_STR("error", str_from_z(err.text)));
}

/* --- on the way out --- */

static void terminate(struct container *c)
{
    c->doing = DOING_NOTHING;
    if (unit_of(c)->state == UNIT_STOPPING && !c->term_sent) {
        c->term_sent = true;
        send(c, signal_number(c->stop_signal));
    }
    pod_sync(c->pod);
}

static void pre_stopped(void *self, bool fine, const char *words)
{
    struct container *c = self;
    msec_t least_ms = pod_now(c->pod) + AFTER_HOOK_MS;
    c->hook = NULL;
    if (!fine)
        container_event(c, true, "FailedPreStopHook", "PreStopHook failed: %s", words);
    if (c->kill_ms < least_ms)
        c->kill_ms = least_ms;
    terminate(c);
}

static bool pre_stop(struct container *c, const struct json *object)
{
    const struct json *container = container_in(object, c->pod->facts[c->at].name);
    const struct json *hook = json_at(container, "lifecycle.preStop");
    msec_t left_ms = c->kill_ms - pod_now(c->pod);
    if (hook == NULL || left_ms <= 0 || c->doing != DOING_NOTHING)
        return false;
    c->doing = DOING_PRE_STOP;
    container_hook(c, container, hook, left_ms, pre_stopped);
    return true;
}

static msec_t grace_of(const struct container *c, const struct json *object)
{
    int64_t seconds = 30;
    if (c->pod->leaving)
        return c->pod->leave_ms - pod_now(c->pod);
    if (c->grace_ms >= 0)
        return c->grace_ms;
    (void)json_to_i64(json_at(object, "spec.terminationGracePeriodSeconds"), &seconds);
    return seconds * 1000;
}

static void say_stopping(struct container *c)
{
    const char *name = c->pod->facts[c->at].name;
    const char *why = c->stop_reason;
    if (why != NULL && !c->pod->leaving)
        container_event(c, false, "Killing", "Container %s failed %s, will be restarted", name,
                        why);
    else
        container_event(c, false, "Killing", "Stopping container %s", name);
}

void container_stop(struct container *c, const struct json *object)
{
    struct unit *unit = unit_of(c);
    msec_t now_ms = pod_now(c->pod);
    if (unit->state == UNIT_RUNNING) {
        unit->state = UNIT_STOPPING;
        c->kill_ms = now_ms + grace_of(c, object);
        c->pod->facts[c->at].ready = false;
        prober_end(c);
        say_stopping(c);
        if (!pre_stop(c, object) && c->kill_ms > now_ms)
            terminate(c);
    }
    if (c->pod->leaving && c->doing != DOING_PRE_STOP && c->pod->leave_ms < c->kill_ms)
        c->kill_ms = c->pod->leave_ms;
    if (unit->state != UNIT_STOPPING || c->kill_sent || now_ms < c->kill_ms)
        return;
    if (c->doing == DOING_PRE_STOP) {
        container_hook_end(c);
        pre_stopped(c, false, "its time is over");
        return;
    }
    c->kill_sent = true;
    send(c, SIGKILL);
}

/* --- after the end --- */

/* What the container wrote for us; it is its own file, so it is read with care. */
static char *read_message(const struct container *c, size_t limit, const char *path, bool tail)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    (void)c;
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = tail && size > (off_t)limit ? size - (off_t)limit : 0;
    char *text = calloc(1, limit + 1);
    MUST(text != NULL);
    ssize_t n = pread(fd, text, limit, from);
    close(fd);
    text[n < 0 ? 0 : n] = '\0';
    return text;
}

static char *message_of(const struct container *c, bool failed)
{
    AUTO(arena_done) struct arena arena = {0};
    const struct pod_host *host = host_of(c);
    const struct pod *pod = c->pod;
    const struct container_facts *facts = &pod->facts[c->at];
    const struct json *container = container_in(pod_tree(pod, &arena), facts->name);
    str_t path =
        arena_printf(&arena, "%s/%s/containers/%s.message", host->pods_dir, pod->uid, facts->name);
    str_t policy = json_get_text(container, STR("terminationMessagePolicy"));
    char *text = read_message(c, MESSAGE_BYTES_MAX, path.at, false);
    if ((text != NULL && text[0] != '\0') || !failed ||
        !str_eq(policy, STR("FallbackToLogsOnError")))
        return text;
    free(text);
    path = arena_printf(&arena, "%s/%s_%s_%s/%s/%lld.log", host->logs_dir, pod->ns, pod->name,
                        pod->uid, facts->name, (long long)facts->restarts);
    return read_message(c, LOG_TAIL_BYTES, path.at, true);
}

void container_exited(struct container *c, const struct container_exit *exit)
{
    struct unit *unit = unit_of(c);
    struct container_facts *facts = &c->pod->facts[c->at];
    prober_end(c);
    if (c->hook != NULL) {
        container_hook_end(c);
        c->doing = DOING_NOTHING;
    }
    run_done(&facts->ended);
    facts->ended = (struct run){.started_ms = exit->started_at_ms,
                                .finished_ms = exit->finished_at_ms,
                                .code = exit->code,
                                .signal = exit->signal,
                                .reason = exit->oom         ? "OOMKilled"
                                          : exit->code == 0 ? "Completed"
                                                            : "Error"};
    memcpy(facts->ended.id, facts->id, sizeof(facts->id));
    facts->ended.message = message_of(c, exit->code != 0);
    facts->ready = false;
    unit->state = UNIT_EXITED;
    unit->exit_code = exit->code;
    unit->ended_ms = pod_now(c->pod);
    unit->started = unit->unhealthy = false;
    pod_sync(c->pod);
}
