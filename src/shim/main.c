/*
 * main.c - what this shim is asked to be.
 *
 *     davy-shim run  KEY=VALUE...   beside a container; says on FD_REPORT when it is made
 *     davy-shim exec KEY=VALUE...   beside one more process in it; FD_REPORT is its client
 *     davy-shim pause               inside a container: holds a pid namespace
 *     davy-shim keeper              under systemd: holds the scope that pods live in
 */
#include "shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What follows "KEY=" if that is the key. */
static const char *value_of(const char *arg, const char *key)
{
    size_t n = strlen(key);
    return strncmp(arg, key, n) == 0 && arg[n] == '=' ? arg + n + 1 : NULL;
}

static bool settings_read(struct settings *set, int n, char **args)
{
    const struct {
        const char *key;
        const char **to;
    } texts[] = {
        {"id", &set->id},           {"program", &set->program}, {"root", &set->root},
        {"log", &set->log},         {"oom", &set->oom},         {"kill", &set->kill_all},
        {"process", &set->process}, {"pid", &set->pid_file},    {"runtime-log", &set->runtime_log},
        {"columns", &set->columns}, {"rows", &set->rows},
    };
    for (int i = 0; i < n; i++) {
        const char *value = value_of(args[i], "group");
        if (value != NULL && set->n_groups < GROUPS_MAX)
            set->groups[set->n_groups++] = value;
        for (size_t j = 0; j < sizeof(texts) / sizeof(texts[0]); j++)
            if ((value = value_of(args[i], texts[j].key)) != NULL)
                *texts[j].to = value;
        set->tty = set->tty || strcmp(args[i], "tty") == 0;
        set->stdin_open = set->stdin_open || strcmp(args[i], "stdin") == 0;
        set->stdin_once = set->stdin_once || strcmp(args[i], "once") == 0;
    }
    return set->id != NULL && set->program != NULL && set->root != NULL && set->pid_file != NULL &&
           set->runtime_log != NULL && (!set->exec || set->process != NULL);
}

static bool watch_signals(struct shim *shim)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN); /* It ends when the container does. */
    sigprocmask(SIG_BLOCK, &set, NULL);
    shim->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return shim->signals >= 0;
}

/* By a name in the working directory: paths of sockets are short, ours may be long. */
static int attach_listen(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "attach.sock"};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 &&
        (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, CLIENTS_MAX) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void report(char type, const char *text, size_t n)
{
    char frame[WIRE_FRAME_MAX];
    frame[0] = type;
    n = n < WIRE_DATA_MAX ? n : WIRE_DATA_MAX;
    memcpy(frame + 1, text, n);
    (void)send(FD_REPORT, frame, n + 1, MSG_NOSIGNAL);
}

/* The last words of crun or runc are the reason. */
static void report_failure(const struct settings *set)
{
    char text[4096];
    ssize_t n = file_get(set->runtime_log, text, sizeof(text));
    report(WIRE_FAILED, text, n > 0 ? (size_t)n : 0);
}

static void forget_files(const struct settings *set)
{
    (void)unlink(set->process);
    (void)unlink(set->pid_file);
    (void)unlink(set->runtime_log);
}

static int exec_run(struct shim *shim)
{
    bool ok = container_make(shim);
    if (ok)
        report(WIRE_STARTED, "", 0);
    else
        report_failure(&shim->set);
    forget_files(&shim->set);
    if (!ok)
        return 1;
    if (shim->set.tty && shim->set.columns != NULL && shim->set.rows != NULL)
        console_resize(shim->input, (uint16_t)strtoul(shim->set.columns, NULL, 10),
                       (uint16_t)strtoul(shim->set.rows, NULL, 10));
    client_add(shim, FD_REPORT);
    streams_run(shim);
    shim_end(shim);
    return 0;
}

static int container_run(struct shim *shim)
{
    if (!identity_put("shim", getpid()) || !file_reserve("exit.json"))
        return 1;
    shim->listener = attach_listen();
    log_open(&shim->log, shim->set.log);
    if (shim->listener < 0 || !container_make(shim)) {
        report_failure(&shim->set);
        return 1;
    }
    bool known = identity_put("init", shim->pid);
    /* From now on what it costs is the pod's, which its output may make a lot. */
    for (size_t i = 0; i < shim->set.n_groups; i++)
        (void)file_say(shim->set.groups[i], "0");
    (void)file_say("/proc/self/oom_score_adj", "-999");
    struct line pid = {.n = 0};
    line_add_number(&pid, shim->pid);
    if (known)
        report(WIRE_STARTED, pid.at, pid.n);
    else
        report_failure(&shim->set); /* It is killed and removed then. */
    close(FD_REPORT);
    streams_run(shim);
    shim_end(shim);
    return 0;
}

static void shim_init(struct shim *shim, bool exec)
{
    shim->set.exec = exec;
    shim->signals = shim->listener = shim->input = -1;
    for (int i = 0; i < CLIENTS_MAX; i++)
        shim->clients[i].fd = -1;
    shim->sources[0].fd = shim->sources[1].fd = -1;
    shim->sources[0].type = WIRE_STDOUT;
    shim->sources[1].type = WIRE_STDERR;
    for (int fd = FD_REPORT; fd <= FD_LAST; fd++)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int main(int argc, char **argv)
{
    static struct shim shim;
    const char *life = argc > 1 ? argv[1] : "pause"; /* As the only file of a root. */
    if (strcmp(life, "pause") == 0)
        return pause_run();
    if (strcmp(life, "keeper") == 0)
        return keeper_run();
    shim_init(&shim, strcmp(life, "exec") == 0);
    if (!settings_read(&shim.set, argc - 2, argv + 2))
        return 2;
    (void)setsid();
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 || !watch_signals(&shim))
        return 1;
    return shim.set.exec ? exec_run(&shim) : container_run(&shim);
}
