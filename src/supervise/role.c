/* role.c - a process of the same binary, from fork() to its end. */
#include "supervise/role.h"

#include "supervise/logs.h"
#include "supervise/roles.h"
#include "supervise/settings.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

void role_init(struct role *role, struct loop *loop)
{
    role->loop = loop;
    role->ceiling = (struct ceiling){.procs_fd = -1};
    role->restart_ms = RESTART_MIN_MS;
}

void role_arg(struct role *role, const char *word)
{
    size_t n = 0;
    while (role->argv[n] != NULL)
        n++;
    MUST(n + 1 < ROLE_ARGS_MAX);
    role->argv[n] = word;
}

static void restart_due(struct timer *timer)
{
    role_start(CONTAINER_OF(timer, struct role, restart));
}

static void restart_later(struct role *role)
{
    timer_set(role->loop, &role->restart, role->restart_ms, restart_due);
    role->restart_ms =
        role->restart_ms * 2 < RESTART_MAX_MS ? role->restart_ms * 2 : RESTART_MAX_MS;
}

static void ready_close(struct role *role)
{
    int fd = role->ready_watch.fd;
    if (role->ready_watch.loop == NULL)
        return;
    loop_forget(&role->ready_watch);
    close(fd);
}

static void on_ready(struct loop_fd *watch, unsigned events)
{
    struct role *role = CONTAINER_OF(watch, struct role, ready_watch);
    char byte;
    (void)events;
    bool ready = read(watch->fd, &byte, 1) == 1;
    ready_close(role);
    if (!ready || role->state != ROLE_STARTING)
        return; /* It died first; SIGCHLD comes. */
    role->state = ROLE_READY;
    role->ready(role);
}

/* In the child: only what a child between fork and exec may do. */
static _Noreturn void role_exec(const struct role *role, int ready_fd)
{
    struct role_fd fds[ROLE_FDS_MAX + 1];
    size_t n = 0;
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    ceiling_join(&role->ceiling);
    for (; n < role->n_fds; n++)
        fds[n] = role->fds[n];
    fds[n++] = (struct role_fd){ready_fd, FD_READY};
    for (size_t i = 0; i < n; i++) { /* Out of the way first: the numbers may overlap. */
        fds[i].fd = fcntl(fds[i].fd, F_DUPFD_CLOEXEC, FD_READY + 1);
        if (fds[i].fd < 0)
            _exit(EXIT_CONFIG);
    }
    for (size_t i = 0; i < n; i++)
        if (dup2(fds[i].fd, fds[i].as) < 0)
            _exit(EXIT_CONFIG);
    execv("/proc/self/exe", (char *const *)role->argv);
    _exit(EXIT_CONFIG);
}

void role_start(struct role *role)
{
    struct err err;
    int ready[2];
    role->state = ROLE_STOPPED;
    if (pipe2(ready, O_CLOEXEC) < 0) {
        restart_later(role);
        return;
    }
    pid_t pid = fork();
    if (pid == 0)
        role_exec(role, ready[1]);
    close(ready[1]);
    if (pid < 0 ||
        loop_watch(role->loop, &role->ready_watch, ready[0], LOOP_READ, on_ready, &err) < 0)
        close(ready[0]);
    if (pid < 0) {
        restart_later(role);
        return;
    }
    role->state = ROLE_STARTING;
    role->pid = pid;
    role->started_ms = loop_now_ms(role->loop);
}

void role_resume(struct role *role, pid_t pid)
{
    role->state = ROLE_READY;
    role->pid = pid;
    role->started_ms = loop_now_ms(role->loop);
}

static void kill_due(struct timer *timer)
{
    struct role *role = CONTAINER_OF(timer, struct role, kill);
    log_error(&stderr_log, "a role did not stop in time", F_STR("role", str_from_z(role->name)),
              F_INT("pid", role->pid));
    (void)kill(role->pid, SIGKILL);
}

void role_stop(struct role *role, bool again)
{
    timer_stop(&role->restart);
    role->again = again;
    if (role->state == ROLE_STARTING || role->state == ROLE_READY) {
        role->state = ROLE_ENDING;
        (void)kill(role->pid, SIGTERM);
        timer_set(role->loop, &role->kill, STOP_MS, kill_due);
    } else if (role->state == ROLE_STOPPED && again) {
        role_start(role);
    }
}

void role_reaped(struct role *role, int status)
{
    bool asked = role->state == ROLE_ENDING;
    bool refused = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CONFIG;
    timer_stop(&role->kill);
    ready_close(role);
    role->state = ROLE_STOPPED;
    role->pid = 0;
    if (asked && role->again) {
        role_start(role);
        return;
    }
    if (asked || refused) {
        role->ended(role, refused);
        return;
    }
    if (loop_now_ms(role->loop) - role->started_ms > RESTART_CALM_MS)
        role->restart_ms = RESTART_MIN_MS;
    log_error(&stderr_log, "a role died and is started again",
              F_STR("role", str_from_z(role->name)), F_INT("status", status),
              F_INT("in_ms", role->restart_ms));
    restart_later(role);
}

bool role_is_over(const struct role *role)
{
    return role->state == ROLE_STOPPED && role->restart.place == 0;
}
