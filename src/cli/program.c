/*
 * program.c - the supervisor becomes the new program in place, so what is no davy would take
 * everything down with it: it is asked first.
 */
#include "cli/program.h"

#include "base/str.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { ANSWER_BYTES = 64 };

/* The beginning of what `path version` says; it is ended then. */
static int ask_version(const char *path, int out[2], char *answer, struct err *err)
{
    posix_spawn_file_actions_t actions;
    const char *const argv[] = {path, "version", NULL};
    pid_t pid;
    MUST(posix_spawn_file_actions_init(&actions) == 0);
    MUST(posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO) == 0);
    int r = posix_spawn(&pid, path, &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    if (r != 0)
        return err_set(err, ERR_INVALID, "'%s' cannot be run: %s", path, strerror(r));
    ssize_t n = read(out[0], answer, ANSWER_BYTES);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    return n < 0 ? err_errno(err, "ask '%s' for its version", path) : (int)n;
}

int program_check(const char *path, struct err *err)
{
    int out[2];
    char answer[ANSWER_BYTES];
    if (pipe2(out, O_CLOEXEC) < 0)
        return err_errno(err, "make a pipe");
    int n = ask_version(path, out, answer, err);
    close(out[0]);
    if (n < 0)
        return n;
    if (!str_starts((str_t){answer, (size_t)n}, STR("davy ")))
        return err_set(err, ERR_INVALID, "'%s' is not a davy", path);
    return 0;
}
