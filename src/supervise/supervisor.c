/*
 * supervisor.c - one loop with signals, one child for each role, and a socket for commands.
 *
 * What must survive an upgrade's execve() is in the environment: descriptors, the children's pids.
 */
#include "supervise/supervisor.h"

#include "base/file.h"
#include "net/signals.h"
#include "net/sockets.h"
#include "supervise/confine.h"
#include "supervise/handover.h"
#include "supervise/home.h"
#include "supervise/logs.h"
#include "supervise/role.h"
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

enum { COMMAND_BYTES_MAX = 4096, COMMAND_MS = 200 };

/* Unix sockets in run/ that roles listen on. */
enum local { LOCAL_ALL, LOCAL_API, LOCAL_NODE, LOCALS };
static const char *const locals[LOCALS] = {"control.sock", "api.sock", "node.sock"};

enum { CONTROL, NODE, ROLES };

struct supervisor {
    const struct supervisor_settings *settings;
    struct home home;
    struct loop *loop;
    struct signals signals;
    int door_fds[DOORS];
    uint16_t ports[DOORS];
    int local_fds[LOCALS];  /* -1: nobody here listens on it. */
    struct loop_fd command; /* Listening. */
    struct role roles[ROLES];
    int n_roles;
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

static const char *door_host(const struct supervisor *s, int door)
{
    return doors[door].host != NULL ? doors[door].host : s->settings->listen;
}

static str_t endpoints_json(struct supervisor *s)
{
    AUTO(buf_done) struct buf out = {0};
    buf_add_char(&out, '{');
    for (int i = 0; i < DOORS; i++)
        if (s->door_fds[i] >= 0)
            buf_printf(&out, "%s\"%s\":\"%s://%s:%u\"", out.len > 1 ? "," : "", doors[i].name,
                       doors[i].scheme, door_host(s, i), (unsigned)s->ports[i]);
    buf_add_char(&out, '}');
    return arena_str(s->home.arena, buf_str(&out));
}

static str_t roles_json(struct supervisor *s)
{
    static const char *const words[] = {[ROLE_STOPPED] = "stopped",
                                        [ROLE_STARTING] = "starting",
                                        [ROLE_READY] = "ready",
                                        [ROLE_ENDING] = "ending"};
    AUTO(buf_done) struct buf out = {0};
    buf_add_char(&out, '{');
    for (struct role *role = s->roles; role < s->roles + s->n_roles; role++)
        buf_printf(&out, "%s\"%s\":\"%s\"", role > s->roles ? "," : "", role->name,
                   words[role->state]);
    buf_add_char(&out, '}');
    return arena_str(s->home.arena, buf_str(&out));
}

static str_t status_json(struct supervisor *s)
{
    str_t roles = roles_json(s), endpoints = endpoints_json(s);
    return arena_printf(
        s->home.arena,
        "{\"ready\":%s,\"pid\":%d,\"version\":\"" DAVY_VERSION "\",\"data\":\"" STR_F
        "\",\"roles\":" STR_F ",\"endpoints\":" STR_F ",\"kubeconfig\":\"%s\"}\n",
        s->roles[CONTROL].state == ROLE_READY ? "true" : "false", (int)getpid(), STR_A(s->home.dir),
        STR_A(roles), STR_A(endpoints), home_path(&s->home, "run/admin.kubeconfig"));
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

/* --- roles --- */

static bool all_are(struct supervisor *s, bool (*is)(const struct role *role))
{
    for (struct role *role = s->roles; role < s->roles + s->n_roles; role++)
        if (!is(role))
            return false;
    return true;
}

static bool is_settled(const struct role *role)
{
    return role->state == ROLE_READY || role_is_over(role);
}

static void stop(struct supervisor *s)
{
    s->stopping = true;
    for (struct role *role = s->roles; role < s->roles + s->n_roles; role++)
        role_stop(role, false);
    if (all_are(s, role_is_over))
        loop_stop(s->loop);
}

static struct supervisor *supervisor_of(struct role *role, int index)
{
    return CONTAINER_OF(role - index, struct supervisor, roles[0]);
}

static void control_ready(struct role *role)
{
    struct supervisor *s = supervisor_of(role, CONTROL);
    announce(s);
    if (all_are(s, is_settled))
        upgrade_over(s, "ok\n");
}

static void control_ended(struct role *role, bool refused)
{
    struct supervisor *s = supervisor_of(role, CONTROL);
    if (refused) { /* It has said why, and starting again would not help. */
        s->exit_code = EXIT_CONFIG;
        upgrade_over(s, "the new version could not start; see the log\n");
    }
    stop(s);
}

static void node_ready(struct role *role)
{
    struct supervisor *s = supervisor_of(role, NODE);
    if (all_are(s, is_settled))
        upgrade_over(s, "ok\n");
}

/* What the API does goes on without it. */
static void node_ended(struct role *role, bool refused)
{
    struct supervisor *s = supervisor_of(role, NODE);
    if (refused)
        log_error(&stderr_log, "there is no node: pods stay Pending", F_STR("role", STR("node")));
    if (s->stopping && all_are(s, role_is_over))
        loop_stop(s->loop);
    else if (all_are(s, is_settled))
        upgrade_over(s, "ok\n");
}

static void role_fd(struct role *role, int fd, int as)
{
    role->fds[role->n_fds++] = (struct role_fd){fd, as};
}

static void init_control(struct supervisor *s)
{
    struct role *role = &s->roles[CONTROL];
    const struct supervisor_settings *settings = s->settings;
    *role = (struct role){.name = "control",
                          .argv = {"davy", "serve", "--role=control", "--data", s->home.dir.at},
                          .ready = control_ready,
                          .ended = control_ended};
    role_arg(role, "--node-name");
    role_arg(role, settings->node_name);
    if (settings->token_file != NULL) {
        role_arg(role, "--token-auth-file");
        role_arg(role, settings->token_file);
    }
    if (settings->audit_policy != NULL) {
        role_arg(role, "--audit-policy-file");
        role_arg(role, settings->audit_policy);
    }
    role_fd(role, s->door_fds[DOOR_KUBERNETES], FD_DOORS + DOOR_KUBERNETES);
    role_fd(role, s->local_fds[LOCAL_ALL], FD_LOCAL);
    role_fd(role, s->local_fds[LOCAL_API], FD_API);
}

static void init_node(struct supervisor *s)
{
    struct role *role = &s->roles[NODE];
    *role = (struct role){.name = "node",
                          .argv = {"davy", "serve", "--role=node", "--data", s->home.dir.at},
                          .ready = node_ready,
                          .ended = node_ended};
    role_arg(role, "--node-name");
    role_arg(role, s->settings->node_name);
    role_arg(role, "--pod-cidr");
    role_arg(role, s->settings->pod_cidr);
    role_arg(role, "--image-gc-threshold");
    role_arg(role, arena_printf(s->home.arena, "%u", s->settings->image_gc_percent).at);
    role_arg(role, "--bridge");
    role_arg(role, s->settings->bridge);
    role_arg(role, "--api-door");
    role_arg(role, arena_printf(s->home.arena, "%s:%u", door_host(s, DOOR_KUBERNETES),
                                (unsigned)s->ports[DOOR_KUBERNETES])
                       .at);
    role_fd(role, s->local_fds[LOCAL_NODE], FD_LOCAL);
    if (s->door_fds[DOOR_REGISTRY] >= 0)
        role_fd(role, s->door_fds[DOOR_REGISTRY], FD_DOORS + DOOR_REGISTRY);
}

static void open_ceiling(struct supervisor *s, struct role *role, uint64_t bytes)
{
    struct err err;
    if (ceiling_open(&role->ceiling, s->home.dir, role->name, bytes, s->home.arena, &err) < 0)
        log_info(&stderr_log, "no memory ceiling", F_STR("role", str_from_z(role->name)),
                 F_STR("why", str_from_z(err.text)));
}

static void init_roles(struct supervisor *s)
{
    init_control(s);
    init_node(s);
    for (struct role *role = s->roles; role < s->roles + s->n_roles; role++)
        role_init(role, s->loop);
    open_ceiling(s, &s->roles[CONTROL], CONTROL_MEMORY_MAX);
    if (s->n_roles > NODE)
        open_ceiling(s, &s->roles[NODE], NODE_MEMORY_MAX);
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
        for (struct role *role = s->roles; role < s->roles + s->n_roles; role++)
            if (pid == role->pid && role->state != ROLE_STOPPED) {
                role_reaped(role, status);
                break;
            }
}

/* --- upgrade --- */

static void keep_open(int fd, bool keep)
{
    if (fd >= 0)
        (void)fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC);
}

static void keep_all_open(struct supervisor *s, bool keep)
{
    for (int i = 0; i < DOORS; i++)
        keep_open(s->door_fds[i], keep);
    for (int i = 0; i < LOCALS; i++)
        keep_open(s->local_fds[i], keep);
    keep_open(s->command.fd, keep);
    keep_open(s->upgrade_fd, keep);
}

static const char *named(struct supervisor *s, const char *what, const char *name)
{
    return arena_printf(s->home.arena, "%s.%s", what, name).at;
}

static void hand_over(struct supervisor *s, struct buf *out)
{
    handover_put(out, "command", s->command.fd);
    handover_put(out, "upgrade", s->upgrade_fd);
    for (int i = 0; i < DOORS; i++) {
        if (s->door_fds[i] < 0)
            continue;
        handover_put(out, named(s, "door", doors[i].name), s->door_fds[i]);
        handover_put(out, named(s, "port", doors[i].name), s->ports[i]);
    }
    for (int i = 0; i < LOCALS; i++)
        if (s->local_fds[i] >= 0)
            handover_put(out, locals[i], s->local_fds[i]);
    for (struct role *role = s->roles; role < s->roles + s->n_roles; role++)
        if (role->state != ROLE_STOPPED)
            handover_put(out, named(s, "pid", role->name), role->pid);
}

static void upgrade(struct supervisor *s, const char *path, int client)
{
    AUTO(buf_done) struct buf state = {0};
    s->upgrade_fd = client;
    if (access(path, X_OK) < 0) {
        upgrade_over(s, "that binary cannot be executed\n");
        return;
    }
    if (s->roles[CONTROL].state != ROLE_READY) {
        upgrade_over(s, "a role is being started; try again in a moment\n");
        return;
    }
    hand_over(s, &state);
    keep_all_open(s, true);
    log_info(&stderr_log, "upgrade", F_STR("binary", str_from_z(path)));
    if (handover_set(buf_str(&state)))
        execv(path, s->settings->argv);
    (void)handover_set(STR(""));
    keep_all_open(s, false);
    upgrade_over(s, "the new binary could not be started\n");
}

static int open_door(struct supervisor *s, int door, uint16_t port, struct err *err)
{
    s->ports[door] = s->settings->ports_auto ? 0 : port;
    s->door_fds[door] = socket_listen_tcp(door_host(s, door), &s->ports[door], err);
    return s->door_fds[door];
}

/* Of the node, which holds the images. */
static void open_registry(struct supervisor *s)
{
    int port = s->settings->registry_port;
    struct err err;
    if (s->n_roles == NODE || port == 0)
        return;
    if (open_door(s, DOOR_REGISTRY, port < 0 ? doors[DOOR_REGISTRY].port : (uint16_t)port, &err) <
        0)
        log_error(&stderr_log, "there is no registry; --registry-port gives another port",
                  F_STR("error", str_from_z(err.text)));
}

/* We are the new program in an old process. A socket that it had not is opened. */
static int resume_sockets(struct supervisor *s, struct err *err)
{
    s->command.fd = handover_get("command");
    s->upgrade_fd = handover_get("upgrade");
    for (int i = 0; i < DOORS; i++) {
        s->door_fds[i] = handover_get(named(s, "door", doors[i].name));
        s->ports[i] = (uint16_t)handover_get(named(s, "port", doors[i].name));
    }
    if (s->door_fds[DOOR_KUBERNETES] < 0)
        return err_set(err, ERR_INVALID, "the upgraded program had no door '%s'",
                       doors[DOOR_KUBERNETES].name);
    if (s->door_fds[DOOR_REGISTRY] < 0)
        open_registry(s);
    for (int i = 0; i < LOCALS; i++)
        s->local_fds[i] = handover_get(locals[i]);
    s->announced = true;
    keep_all_open(s, false);
    return 0;
}

static void resume_roles(struct supervisor *s)
{
    pid_t left = handover_get("pid.node");
    if (s->n_roles == NODE && left > 0)
        (void)kill(left, SIGTERM);
    for (struct role *role = s->roles; role < s->roles + s->n_roles; role++) {
        pid_t pid = handover_get(named(s, "pid", role->name));
        if (pid > 0)
            role_resume(role, pid);
        role_stop(role, true);
    }
    (void)handover_set(STR(""));
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

static int open_locals(struct supervisor *s, struct err *err)
{
    uint32_t uid, gid;
    for (int i = 0; i < LOCALS; i++) {
        const char *path = home_path(&s->home, arena_printf(s->home.arena, "run/%s", locals[i]).at);
        if (s->local_fds[i] >= 0 || (i == LOCAL_NODE && s->n_roles == NODE))
            continue;
        s->local_fds[i] = socket_listen_unix(path, 0600, err);
        if (s->local_fds[i] < 0)
            return s->local_fds[i];
        /* The API server passes on to the node what people do with pods. */
        if (i == LOCAL_NODE && confine_user(&uid, &gid) && chown(path, uid, gid) < 0)
            return err_errno(err, "give '%s' to user %u", path, uid);
    }
    return 0;
}

static int open_sockets(struct supervisor *s, struct err *err)
{
    if (open_door(s, DOOR_KUBERNETES, doors[DOOR_KUBERNETES].port, err) < 0)
        return err_wrap(err, "door '%s' (try --ports auto)", doors[DOOR_KUBERNETES].name);
    open_registry(s);
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

/* Whether there is a node, and a word about it if not. */
static void decide_node(struct supervisor *s)
{
    bool with_node = s->settings->node != NODE_OFF && geteuid() == 0;
    s->n_roles = with_node ? ROLES : NODE;
    if (s->settings->node == NODE_IF_ROOT && !with_node)
        log_info(&stderr_log, "no node role, pods stay Pending: it needs root");
}

static int start(struct supervisor *s, struct err *err)
{
    bool resumed = handover_is_there();
    decide_node(s);
    int r = resumed ? resume_sockets(s, err) : prepare(s, err);
    if (r == 0)
        r = open_locals(s, err);
    if (r == 0)
        r = loop_new(system_clock(), &s->loop, err);
    if (r == 0)
        r = signals_watch(s->loop, &s->signals, (const int[]){SIGTERM, SIGINT, SIGCHLD, 0},
                          on_signal, err);
    if (r == 0)
        r = loop_watch(s->loop, &s->command, s->command.fd, LOOP_READ, on_command, err);
    if (r < 0)
        return r;
    init_roles(s);
    if (resumed)
        resume_roles(s);
    else
        for (struct role *role = s->roles; role < s->roles + s->n_roles; role++)
            role_start(role);
    return 0;
}

static void forget_sockets(struct supervisor *s)
{
    (void)unlink(home_path(&s->home, "run/supervisor.sock"));
    for (int i = 0; i < LOCALS; i++)
        if (s->local_fds[i] >= 0)
            (void)unlink(home_path(&s->home, arena_printf(s->home.arena, "run/%s", locals[i]).at));
}

int supervisor_run(const struct supervisor_settings *settings)
{
    struct supervisor s = {.settings = settings,
                           .home = {settings->dir, settings->arena},
                           .upgrade_fd = -1,
                           .door_fds = {-1, -1},
                           .local_fds = {-1, -1, -1}};
    struct err err;
    raise_descriptor_limit();
    int r = start(&s, &err);
    if (r == 0)
        r = loop_run(s.loop, &err);
    if (r < 0) {
        log_error(&stderr_log, "davy cannot start", F_STR("error", str_from_z(err.text)));
        return 1;
    }
    forget_sockets(&s);
    for (struct role *role = s.roles; role < s.roles + s.n_roles; role++)
        ceiling_close(&role->ceiling);
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
