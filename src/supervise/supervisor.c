/*
 * supervisor.c - one loop with signals, one child for each role, and a socket for commands.
 *
 * What must survive an upgrade's execve() is in the environment: descriptors, the children's pids.
 */
#include "supervise/supervisor.h"

#include "base/file.h"
#include "net/signals.h"
#include "net/sockets.h"
#include "supervise/ceiling.h"
#include "supervise/confine.h"
#include "supervise/home.h"
#include "supervise/logs.h"
#include "supervise/roles.h"
#include "supervise/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATE_VARIABLE "DAVY_SUPERVISOR_STATE"

enum { COMMAND_BYTES_MAX = 4096, COMMAND_MS = 200 };

enum role_state {
    ROLE_STOPPED,
    ROLE_STARTING, /* Runs, and has not said that it is ready. */
    ROLE_READY,
    ROLE_ENDING, /* Has got SIGTERM. */
};

struct supervisor {
    const struct supervisor_settings *settings;
    struct home home;
    struct loop *loop;
    struct signals signals;
    int door_fds[DOORS];
    uint16_t ports[DOORS];
    int local_fd;
    struct loop_fd command; /* Listening. */
    enum role_state role;
    pid_t role_pid;
    struct loop_fd role_ready; /* The pipe's end we read. */
    struct ceiling ceiling;
    struct timer restart, kill;
    msec_t restart_ms;
    msec_t started_ms;
    bool stopping;
    bool announced; /* The line on stdout. */
    int upgrade_fd; /* Who waits for the end of an upgrade; -1 nobody. */
    int exit_code;
};

/* --- answers on the command socket --- */

static void say(int fd, const char *text)
{
    ssize_t n = send(fd, text, strlen(text), MSG_NOSIGNAL);
    (void)n; /* If nobody listens, nobody is told. */
}

static void upgrade_over(struct supervisor *s, const char *text)
{
    if (s->upgrade_fd < 0)
        return;
    say(s->upgrade_fd, text);
    close(s->upgrade_fd);
    s->upgrade_fd = -1;
}

/* --- files that say where we are --- */

static str_t endpoints_json(struct supervisor *s)
{
    AUTO(buf_done) struct buf out = {0};
    buf_add_char(&out, '{');
    for (int i = 0; i < DOORS; i++)
        buf_printf(&out, "%s\"%s\":\"%s://%s:%u\"", i > 0 ? "," : "", doors[i].name,
                   doors[i].scheme, s->settings->listen, (unsigned)s->ports[i]);
    buf_add_char(&out, '}');
    return arena_str(s->home.arena, buf_str(&out));
}

static str_t status_json(struct supervisor *s)
{
    return arena_printf(s->home.arena,
                        "{\"ready\":%s,\"pid\":%d,\"version\":\"" DAVY_VERSION
                        "\",\"data\":\"" STR_F "\",\"endpoints\":" STR_F
                        ",\"kubeconfig\":\"%s\"}\n",
                        s->role == ROLE_READY ? "true" : "false", (int)getpid(), STR_A(s->home.dir),
                        STR_A(endpoints_json(s)), home_path(&s->home, "run/admin.kubeconfig"));
}

static int write_files(struct supervisor *s, struct err *err)
{
    str_t url = arena_printf(s->home.arena, "https://%s:%u", s->settings->listen,
                             (unsigned)s->ports[DOOR_KUBERNETES]);
    int r = file_write(home_path(&s->home, "run/endpoints.json"), 0644, endpoints_json(s), err);
    return r < 0 ? r : home_write_kubeconfig(&s->home, url, err);
}

static void announce(struct supervisor *s)
{
    if (s->announced)
        return;
    s->announced = true;
    str_t line = status_json(s);
    ssize_t n = write(STDOUT_FILENO, line.at, line.len);
    (void)n;
    const char *notify = getenv("NOTIFY_SOCKET");
    struct err err;
    if (notify != NULL && socket_send_unix(notify, STR("READY=1"), &err) < 0)
        log_error(&stderr_log, "tell systemd", F_STR("error", str_from_z(err.text)));
}

/* --- the role's process --- */

static void role_start(struct supervisor *s);

static void restart_due(struct timer *timer)
{
    role_start(CONTAINER_OF(timer, struct supervisor, restart));
}

static void ready_close(struct supervisor *s)
{
    int fd = s->role_ready.fd;
    if (s->role_ready.loop == NULL)
        return;
    loop_forget(&s->role_ready);
    close(fd);
}

static void on_role_ready(struct loop_fd *watch, unsigned events)
{
    struct supervisor *s = CONTAINER_OF(watch, struct supervisor, role_ready);
    char byte;
    (void)events;
    bool ready = read(watch->fd, &byte, 1) == 1;
    ready_close(s);
    if (!ready)
        return; /* It died first; SIGCHLD comes. */
    s->role = ROLE_READY;
    announce(s);
    upgrade_over(s, "ok\n");
}

/* In the child: only what a child between fork and exec may do. */
static _Noreturn void role_exec(const struct supervisor *s, int ready_fd)
{
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int from[DOORS + 2], to[DOORS + 2], n = 0;
    ceiling_join(&s->ceiling);
    for (int i = 0; i < DOORS; i++, n++) {
        from[n] = s->door_fds[i];
        to[n] = FD_DOORS + i;
    }
    from[n] = s->local_fd;
    to[n++] = FD_LOCAL;
    from[n] = ready_fd;
    to[n++] = FD_READY;
    for (int i = 0; i < n; i++) { /* Out of the way first: the numbers may overlap. */
        from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, FD_READY + 1);
        if (from[i] < 0)
            _exit(EXIT_CONFIG);
    }
    for (int i = 0; i < n; i++)
        if (dup2(from[i], to[i]) < 0)
            _exit(EXIT_CONFIG);
    const char *argv[10] = {"davy", "serve", "--role=control", "--data", s->home.dir.at};
    int at = 5;
    if (s->settings->token_file != NULL) {
        argv[at++] = "--token-auth-file";
        argv[at++] = s->settings->token_file;
    }
    if (s->settings->audit_policy != NULL) {
        argv[at++] = "--audit-policy-file";
        argv[at] = s->settings->audit_policy;
    }
    execv("/proc/self/exe", (char *const *)argv);
    _exit(EXIT_CONFIG);
}

static void role_start(struct supervisor *s)
{
    struct err err;
    int ready[2];
    if (s->stopping)
        return;
    if (pipe2(ready, O_CLOEXEC) < 0) {
        timer_set(s->loop, &s->restart, s->restart_ms, restart_due);
        return;
    }
    pid_t pid = fork();
    if (pid == 0)
        role_exec(s, ready[1]);
    close(ready[1]);
    if (pid < 0 ||
        loop_watch(s->loop, &s->role_ready, ready[0], LOOP_READ, on_role_ready, &err) < 0) {
        close(ready[0]);
        if (pid < 0)
            timer_set(s->loop, &s->restart, s->restart_ms, restart_due);
        return;
    }
    s->role = ROLE_STARTING;
    s->role_pid = pid;
    s->started_ms = loop_now_ms(s->loop);
}

static void kill_due(struct timer *timer)
{
    struct supervisor *s = CONTAINER_OF(timer, struct supervisor, kill);
    log_error(&stderr_log, "a role did not stop in time", F_INT("pid", s->role_pid));
    (void)kill(s->role_pid, SIGKILL);
}

static void role_stop(struct supervisor *s)
{
    if (s->role == ROLE_STOPPED || s->role == ROLE_ENDING)
        return;
    s->role = ROLE_ENDING;
    (void)kill(s->role_pid, SIGTERM);
    timer_set(s->loop, &s->kill, STOP_MS, kill_due);
}

static void role_ended(struct supervisor *s, int status)
{
    bool asked = s->role == ROLE_ENDING;
    timer_stop(&s->kill);
    ready_close(s);
    s->role = ROLE_STOPPED;
    if (s->stopping) {
        loop_stop(s->loop);
        return;
    }
    if (asked) {
        role_start(s); /* An upgrade. */
        return;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CONFIG) {
        s->exit_code = EXIT_CONFIG; /* It has said why, and starting again would not help. */
        upgrade_over(s, "the new version could not start; see the log\n");
        loop_stop(s->loop);
        return;
    }
    if (loop_now_ms(s->loop) - s->started_ms > RESTART_CALM_MS)
        s->restart_ms = RESTART_MIN_MS;
    log_error(&stderr_log, "a role died and is started again", F_STR("role", STR("control")),
              F_INT("status", status), F_INT("in_ms", s->restart_ms));
    timer_set(s->loop, &s->restart, s->restart_ms, restart_due);
    s->restart_ms = s->restart_ms * 2 < RESTART_MAX_MS ? s->restart_ms * 2 : RESTART_MAX_MS;
}

static void stop(struct supervisor *s)
{
    s->stopping = true;
    timer_stop(&s->restart);
    if (s->role == ROLE_STOPPED)
        loop_stop(s->loop);
    else
        role_stop(s);
}

static void on_signal(struct signals *signals, int number)
{
    struct supervisor *s = CONTAINER_OF(signals, struct supervisor, signals);
    if (number != SIGCHLD) {
        stop(s);
        return;
    }
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == s->role_pid && s->role != ROLE_STOPPED)
            role_ended(s, status);
}

/* --- upgrade --- */

static void keep_open(int fd, bool keep)
{
    (void)fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC);
}

static void keep_all_open(struct supervisor *s, bool keep)
{
    for (int i = 0; i < DOORS; i++)
        keep_open(s->door_fds[i], keep);
    keep_open(s->local_fd, keep);
    keep_open(s->command.fd, keep);
    keep_open(s->upgrade_fd, keep);
}

/* "pid restart? local command upgrade door:port ..." - decimal numbers. */
static void upgrade(struct supervisor *s, const char *path, int client)
{
    AUTO(buf_done) struct buf state = {0};
    s->upgrade_fd = client;
    if (access(path, X_OK) < 0) {
        upgrade_over(s, "that binary cannot be executed\n");
        return;
    }
    if (s->role != ROLE_READY) {
        upgrade_over(s, "a role is being started; try again in a moment\n");
        return;
    }
    buf_printf(&state, "%d %d %d %d", (int)s->role_pid, s->local_fd, s->command.fd, client);
    for (int i = 0; i < DOORS; i++)
        buf_printf(&state, " %d %u", s->door_fds[i], (unsigned)s->ports[i]);
    buf_add_char(&state, '\0');
    keep_all_open(s, true);
    log_info(&stderr_log, "upgrade", F_STR("binary", str_from_z(path)));
    if (setenv(STATE_VARIABLE, state.at, 1) == 0)
        execv(path, s->settings->argv);
    (void)unsetenv(STATE_VARIABLE);
    keep_all_open(s, false);
    upgrade_over(s, "the new binary could not be started\n");
}

static bool next_number(char **at, int *out)
{
    char *end;
    long value = strtol(*at, &end, 10);
    if (end == *at || value < 0 || value > 1 << 30)
        return false;
    *at = end;
    *out = (int)value;
    return true;
}

/* True: we are the new program in an old process. */
static bool resume(struct supervisor *s)
{
    char *at = getenv(STATE_VARIABLE);
    int pid, command, port;
    if (at == NULL || !next_number(&at, &pid) || !next_number(&at, &s->local_fd) ||
        !next_number(&at, &command) || !next_number(&at, &s->upgrade_fd))
        return false;
    for (int i = 0; i < DOORS; i++) {
        if (!next_number(&at, &s->door_fds[i]) || !next_number(&at, &port))
            return false;
        s->ports[i] = (uint16_t)port;
    }
    s->role_pid = pid;
    s->role = ROLE_READY;
    s->announced = true;
    s->command.fd = command;
    keep_all_open(s, false);
    (void)unsetenv(STATE_VARIABLE);
    return true;
}

/* --- commands --- */

static void command_run(struct supervisor *s, char *text, int fd)
{
    if (strcmp(text, "status") == 0) {
        str_t status = status_json(s);
        ssize_t n = send(fd, status.at, status.len, MSG_NOSIGNAL);
        (void)n;
    } else if (strcmp(text, "stop") == 0) {
        stop(s);
        say(fd, "ok\n");
    } else if (strncmp(text, "upgrade ", 8) == 0 && s->upgrade_fd < 0 && !s->stopping) {
        upgrade(s, text + 8, fd);
        return; /* Answers later. */
    } else {
        say(fd, "not now, or no such command\n");
    }
    close(fd);
}

static void on_command(struct loop_fd *watch, unsigned events)
{
    struct supervisor *s = CONTAINER_OF(watch, struct supervisor, command);
    struct err err;
    uint32_t uid;
    char text[COMMAND_BYTES_MAX];
    (void)events;
    int fd = socket_accept(watch->fd, &err);
    if (fd < 0)
        return;
    /* Commands are one small packet, sent right after connecting by our own program. */
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    ssize_t n = -1;
    if (socket_peer_uid(fd, &uid) && (uid == 0 || uid == getuid()) &&
        poll(&poll_fd, 1, COMMAND_MS) == 1)
        n = recv(fd, text, sizeof(text) - 1, 0);
    if (n <= 0) {
        close(fd);
        return;
    }
    text[n] = '\0';
    command_run(s, text, fd);
}

/* --- starting --- */

static int open_sockets(struct supervisor *s, struct err *err)
{
    for (int i = 0; i < DOORS; i++) {
        s->ports[i] = s->settings->ports_auto ? 0 : doors[i].port;
        s->door_fds[i] = socket_listen_tcp(s->settings->listen, &s->ports[i], err);
        if (s->door_fds[i] < 0)
            return err_wrap(err, "door '%s' (try --ports auto)", doors[i].name);
    }
    s->local_fd = socket_listen_unix(home_path(&s->home, "run/control.sock"), 0600, err);
    if (s->local_fd < 0)
        return s->local_fd;
    s->command.fd = socket_listen_unix(home_path(&s->home, "run/supervisor.sock"), 0600, err);
    return s->command.fd < 0 ? s->command.fd : 0;
}

static int refuse_second(const struct supervisor *s, struct err *err)
{
    struct err none;
    int fd = socket_connect_unix(home_path(&s->home, "run/supervisor.sock"), &none);
    if (fd < 0)
        return 0;
    close(fd);
    return err_set(err, ERR_BUSY, "a davy already serves '%s'; see 'davy status'", s->home.dir.at);
}

static int prepare(struct supervisor *s, struct err *err)
{
    uint32_t uid, gid;
    struct clock *clock = system_clock();
    int r = home_make(&s->home, err);
    if (r == 0)
        r = refuse_second(s, err);
    if (r == 0)
        r = home_certificates(&s->home, clock->wall_ms(clock), NULL, err);
    if (r == 0)
        r = open_sockets(s, err);
    if (r == 0)
        r = write_files(s, err);
    if (r == 0 && confine_user(&uid, &gid))
        r = home_give(&s->home, uid, gid, err);
    return r;
}

static int start(struct supervisor *s, struct err *err)
{
    bool resumed = resume(s);
    int r = resumed ? 0 : prepare(s, err);
    if (r == 0)
        r = loop_new(system_clock(), &s->loop, err);
    if (r == 0)
        r = signals_watch(s->loop, &s->signals, (const int[]){SIGTERM, SIGINT, SIGCHLD, 0},
                          on_signal, err);
    if (r == 0)
        r = loop_watch(s->loop, &s->command, s->command.fd, LOOP_READ, on_command, err);
    if (r < 0)
        return r;
    s->restart_ms = RESTART_MIN_MS;
    r = ceiling_open(&s->ceiling, s->home.dir, "control", CONTROL_MEMORY_MAX, s->home.arena, err);
    if (r < 0)
        log_info(&stderr_log, "no memory ceiling", F_STR("why", str_from_z(err->text)));
    if (resumed)
        role_stop(s); /* role_ended() starts the new one. */
    else
        role_start(s);
    return 0;
}

int supervisor_run(const struct supervisor_settings *settings)
{
    struct supervisor s = {.settings = settings,
                           .home = {settings->dir, settings->arena},
                           .upgrade_fd = -1,
                           .ceiling = {.procs_fd = -1}};
    struct err err;
    raise_descriptor_limit();
    int r = start(&s, &err);
    if (r == 0)
        r = loop_run(s.loop, &err);
    if (r < 0) {
        log_error(&stderr_log, "davy cannot start", F_STR("error", str_from_z(err.text)));
        return 1;
    }
    (void)unlink(home_path(&s.home, "run/supervisor.sock"));
    (void)unlink(home_path(&s.home, "run/control.sock"));
    ceiling_close(&s.ceiling);
    signals_done(&s.signals);
    loop_free(s.loop);
    return s.exit_code;
}

int supervisor_ask(str_t dir, str_t command, struct arena *arena, str_t *answer, struct err *err)
{
    struct home home = {dir, arena};
    int fd = socket_connect_unix(home_path(&home, "run/supervisor.sock"), err);
    if (fd < 0)
        return err_wrap(err, "no davy is running with '" STR_F "'", STR_A(dir));
    AUTO(buf_done) struct buf heard = {0};
    ssize_t n = send(fd, command.at, command.len, MSG_NOSIGNAL);
    while (n > 0) {
        n = recv(fd, buf_room(&heard, COMMAND_BYTES_MAX), COMMAND_BYTES_MAX, 0);
        heard.len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    if (n < 0)
        return err_errno(err, "talk to the running davy");
    *answer = arena_str(arena, buf_str(&heard));
    return 0;
}
