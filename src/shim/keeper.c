/*
 * keeper.c - the one process of the scope `davy-pods` that is not of a container.
 *
 * systemd keeps a scope as long as a process is in it, and lets us make groups below it; but with
 * cgroup v2 a group that hands controllers down has no processes itself. So the keeper moves to a
 * leaf, hands the controllers down to `pods`, and waits.
 */
#include "shim/shim.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* `tail` below our group of cgroup v2. */
static bool below(struct line *path, const char *own, const char *tail)
{
    *path = (struct line){.n = 0};
    line_add(path, "/sys/fs/cgroup");
    line_add(path, own);
    line_add(path, tail);
    return path->n < sizeof(path->at) - 1;
}

static bool settle(void)
{
    static const char *const controllers[] = {"+cpu", "+memory", "+pids", "+io", "+cpuset"};
    char own[400];
    struct line path;
    if (file_get("/proc/self/cgroup", own, sizeof(own)) < 0 || strncmp(own, "0::", 3) != 0)
        return false;
    own[strcspn(own, "\n")] = '\0';
    if (!below(&path, own + 3, "/keeper"))
        return false;
    (void)mkdir(path.at, 0755);
    if (!below(&path, own + 3, "/keeper/cgroup.procs") || !file_say(path.at, "0"))
        return false;
    (void)below(&path, own + 3, "/cgroup.subtree_control");
    for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++)
        (void)file_say(path.at, controllers[i]); /* One by one: not every kernel has each. */
    return true;
}

int keeper_run(void)
{
    if (!settle())
        return 1;
    struct sigaction leave = {.sa_handler = _exit};
    sigaction(SIGTERM, &leave, NULL);
    for (;;)
        pause();
}
