/* spawn.c - posix_spawn() and pidfds. */
#include "runtime/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST_FD = 3, FDS_MAX = 4, ABOVE_ALL = 16 };

int pidfd_of(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int prepare_fds(const struct spawn *spawn, posix_spawn_file_actions_t *actions, int *high)
{
    int output = spawn->output > 0 ? spawn->output : 1;
    int r = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    if (r == 0 && spawn->output == 0)
        r = posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
    else if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, output, 1);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, 1, 2);
    for (size_t i = 0; i < spawn->n_fds && r == 0; i++) {
        /* Out of the way first: a descriptor of ours may have the number of another one of its. */
        high[i] = fcntl(spawn->fds[i], F_DUPFD_CLOEXEC, ABOVE_ALL);
        r = high[i] < 0 ? errno
                        : posix_spawn_file_actions_adddup2(actions, high[i], FIRST_FD + (int)i);
    }
    if (r == 0 && spawn->dir != NULL)
        r = posix_spawn_file_actions_addchdir_np(actions, spawn->dir);
    return r;
}

int spawn_start(const struct spawn *spawn, pid_t *pid, struct err *err)
{
    static const char *const env[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    MUST(spawn->n_fds <= FDS_MAX);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, all;
    int high[FDS_MAX] = {-1, -1, -1, -1};
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int r = prepare_fds(spawn, &actions, high);
    if (r == 0)
        r = posix_spawn(pid, spawn->args[0], &actions, &attr, (char *const *)spawn->args,
                        (char *const *)env);
    for (int i = 0; i < FDS_MAX; i++)
        if (high[i] >= 0)
            close(high[i]);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    errno = r;
    return r == 0 ? 0 : err_errno(err, "run '%s'", spawn->args[0]);
}

bool spawn_wait(pid_t pid, int ms)
{
    int fd = pidfd_of(pid);
    struct pollfd slot = {fd, POLLIN, 0};
    int n = fd < 0 ? 1 : poll(&slot, 1, ms);
    if (fd >= 0)
        close(fd);
    return n > 0 && (waitpid(pid, NULL, WNOHANG) != 0);
}

static void read_all(int fd, int limit_ms, size_t max, struct arena *arena, str_t *output,
                     bool *late)
{
    char *at = arena_bytes(arena, max + 1), rest[4096];
    size_t n = 0;
    for (;;) {
        struct pollfd slot = {fd, POLLIN, 0};
        if (poll(&slot, 1, limit_ms) <= 0) {
            *late = true;
            break;
        }
        ssize_t got = n < max ? read(fd, at + n, max - n) : read(fd, rest, sizeof(rest));
        if (got <= 0)
            break;
        n += n < max ? (size_t)got : 0;
    }
    *output = (str_t){at, n};
}

int spawn_run(const struct spawn *spawn, int limit_ms, size_t max, struct arena *arena,
              str_t *output, int *status, struct err *err)
{
    int pair[2];
    pid_t pid;
    bool late = false;
    if (pipe2(pair, O_CLOEXEC) < 0)
        return err_errno(err, "open a pipe");
    struct spawn with = *spawn;
    with.output = pair[1];
    int r = spawn_start(&with, &pid, err);
    close(pair[1]);
    if (r == 0) {
        read_all(pair[0], limit_ms, max, arena, output, &late);
        if (late)
            (void)kill(pid, SIGKILL);
        while (waitpid(pid, status, 0) < 0 && errno == EINTR)
            ;
        if (late)
            r = err_set(err, ERR_TIMEOUT, "'%s' takes more than %d ms", spawn->args[0], limit_ms);
    }
    close(pair[0]);
    return r;
}
