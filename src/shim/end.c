/* end.c - how a container ended, what else must end then, and two small lives: pause and keeper. */
#include "shim/shim.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NS = 1000000000 };

void shim_reap(struct shim *shim)
{
    struct signalfd_siginfo info;
    int status;
    pid_t pid;
    while (read(shim->signals, &info, sizeof(info)) > 0)
        ;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != shim->pid || shim->exited)
            continue; /* Somebody's orphan. */
        shim->exited = true;
        shim->status = status;
        shim->finished_ns = now_ns();
    }
}

/* The number after "oom_kill " in memory.events (v2) or memory.oom_control (v1). */
static int64_t oom_kills(const char *path)
{
    static const char word[] = "oom_kill ";
    char text[512];
    if (path == NULL || file_get(path, text, sizeof(text)) < 0)
        return 0;
    for (char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, word, sizeof(word) - 1) == 0)
            return strtoll(line + sizeof(word) - 1, NULL, 10);
    }
    return 0;
}

/* Without a pid namespace of its own the rest of the container does not die with its first. */
static void kill_rest(const char *procs)
{
    char pids[4096];
    for (int round = 0; round < 100; round++) {
        ssize_t n = file_get(procs, pids, sizeof(pids));
        if (n <= 0)
            return;
        char *end;
        for (char *at = pids; *at != '\0'; at = end + (*end == '\n')) {
            long pid = strtol(at, &end, 10);
            if (end == at)
                break;
            if (pid > 1 && *end == '\n') /* Else it is cut. */
                (void)kill((pid_t)pid, SIGKILL);
        }
        (void)poll(NULL, 0, 1);
    }
}

static void put_exit(const struct shim *shim, const struct wire_exit *how)
{
    struct line line = {.n = 0};
    struct stat started;
    bool has_started = stat("started", &started) == 0;
    line_add(&line, "{\"pid\":");
    line_add_number(&line, shim->pid);
    line_add(&line, ",\"status\":");
    line_add_number(&line, how->code);
    line_add(&line, ",\"signal\":");
    line_add_number(&line, how->signal);
    line_add(&line, ",\"oom\":");
    line_add(&line, oom_kills(shim->set.oom) > 0 && how->code != 0 ? "true" : "false");
    if (has_started) {
        line_add(&line, ",\"startedAt\":\"");
        line_add_time(&line, (int64_t)started.st_mtim.tv_sec * NS + started.st_mtim.tv_nsec);
        line_add(&line, "\"");
    }
    line_add(&line, ",\"finishedAt\":\"");
    line_add_time(&line, shim->finished_ns);
    line_add(&line, "\"}\n");
    (void)file_put("exit.json", line.at, line.n);
}

static void tell_clients(struct shim *shim, const struct wire_exit *how)
{
    char frame[1 + sizeof(*how)] = {WIRE_EXIT};
    memcpy(frame + 1, how, sizeof(*how));
    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &shim->clients[i];
        if (client->fd < 0)
            continue;
        struct pollfd slot = {client->fd, POLLOUT, 0};
        (void)poll(&slot, 1, shim->set.exec ? -1 : DRAIN_MS);
        (void)send(client->fd, frame, sizeof(frame), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

void shim_end(struct shim *shim)
{
    if (!shim->exited) { /* An exec that nobody wants any more. */
        (void)kill(shim->pid, SIGKILL);
        return;
    }
    struct wire_exit how = {.code = WEXITSTATUS(shim->status)};
    if (WIFSIGNALED(shim->status))
        how = (struct wire_exit){128 + WTERMSIG(shim->status), WTERMSIG(shim->status)};
    if (!shim->set.exec) {
        if (shim->set.kill_all != NULL)
            kill_rest(shim->set.kill_all);
        put_exit(shim, &how);
        (void)unlink("attach.sock");
    }
    tell_clients(shim, &how);
}

/* The first process of a pid namespace that containers share: it takes their orphans. */
int pause_run(void)
{
    struct sigaction leave = {.sa_handler = _exit}, reap = {.sa_handler = SIG_IGN};
    reap.sa_flags = SA_NOCLDWAIT;
    sigaction(SIGTERM, &leave, NULL);
    sigaction(SIGINT, &leave, NULL);
    sigaction(SIGCHLD, &reap, NULL);
    for (;;)
        pause();
}
