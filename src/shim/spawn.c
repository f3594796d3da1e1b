/* spawn.c - crun or runc with the container's stdio, waited for. */
#include "shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 24, CONSOLE_NAME_MAX = 64 };

struct ends {
    int ours[3], theirs[3];
};

/* All of them: glibc's posix_spawn() leaves its own two ignored, which signal() does not touch. */
static void default_signals(void)
{
    enum { SIGNALS = 64, MASK_BYTES = 8 };
    const struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } usual = {0};
    for (int i = 1; i <= SIGNALS; i++)
        (void)syscall(SYS_rt_sigaction, i, &usual, NULL, (size_t)MASK_BYTES);
}

static void run_program(struct shim *shim, const char *const *args, const struct ends *ends)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    default_signals();
    /* Half a container without a shim is of no use. What crun forks does not inherit this. */
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    for (int i = 0; i < 3; i++)
        if (dup2(ends->theirs[i], i) < 0)
            _exit(127);
    execv(shim->set.program, (char *const *)args);
    _exit(127);
}

static void arguments(const struct settings *set, const char **args, const char *console)
{
    size_t n = 0;
    const char *usual[] = {set->program,     "--root",       set->root, "--log",
                           set->runtime_log, "--log-format", "json"};
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        args[n++] = usual[i];
    if (set->exec) {
        const char *exec[] = {"exec", "--detach", "--process", set->process};
        for (size_t i = 0; i < sizeof(exec) / sizeof(exec[0]); i++)
            args[n++] = exec[i];
    } else {
        const char *create[] = {"create", "--bundle", "."};
        for (size_t i = 0; i < sizeof(create) / sizeof(create[0]); i++)
            args[n++] = create[i];
    }
    args[n++] = "--pid-file";
    args[n++] = set->pid_file;
    if (set->tty) {
        args[n++] = "--console-socket";
        args[n++] = console;
    }
    args[n++] = set->id;
    args[n] = NULL;
}

/* Pipes for what is wanted, /dev/null for the rest. */
static bool ends_open(const struct settings *set, struct ends *ends)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    *ends = (struct ends){{-1, -1, -1}, {null, null, null}};
    if (null < 0 || set->tty)
        return null >= 0;
    bool wanted[3] = {set->stdin_open, true, true};
    for (int i = 0; i < 3; i++) {
        int pair[2];
        if (!wanted[i])
            continue;
        if (pipe2(pair, O_CLOEXEC) < 0)
            return false;
        ends->ours[i] = pair[i == 0 ? 1 : 0];
        ends->theirs[i] = pair[i == 0 ? 0 : 1];
        (void)fcntl(ends->ours[i], F_SETFL, O_NONBLOCK);
    }
    return true;
}

static bool run_to_end(struct shim *shim, const char *const *args, const struct ends *ends)
{
    int status;
    shim->runtime = fork();
    if (shim->runtime == 0)
        run_program(shim, args, ends);
    for (int i = 0; i < 3; i++)
        if (i == 0 || ends->theirs[i] != ends->theirs[0])
            close(ends->theirs[i]);
    if (shim->runtime < 0)
        return false;
    while (waitpid(shim->runtime, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    shim->runtime = 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool container_make(struct shim *shim)
{
    const struct settings *set = &shim->set;
    const char *args[ARGS_MAX];
    char pid[32];
    struct line console = {.n = 0};
    struct ends ends;
    int listener = -1;
    if (set->tty) { /* A name of its own: execs may begin at the same time. */
        line_add(&console, "tty");
        line_add_number(&console, getpid());
        listener = console_listen(console.at);
        if (listener < 0)
            return false;
    }
    arguments(set, args, console.at);
    bool ok = ends_open(set, &ends) && run_to_end(shim, args, &ends);
    if (set->tty) {
        int master = ok ? console_take(listener) : -1;
        ends = (struct ends){{master, master, -1}, {-1, -1, -1}};
        ok = master >= 0;
        close(listener);
        (void)unlink(console.at);
    }
    if (ok)
        ok = file_get(set->pid_file, pid, sizeof(pid)) > 0;
    if (!ok)
        return false;
    shim->pid = (pid_t)strtol(pid, NULL, 10);
    shim->input = ends.ours[0];
    shim->sources[0].fd = ends.ours[1];
    shim->sources[1].fd = ends.ours[2];
    return shim->pid > 0;
}
