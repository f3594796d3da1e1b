/*
 * crash_test.c - whoever makes containers is killed at every moment of a container's life.
 *
 * A child opens a runtime on the same directory and goes through create, start, exec, delete. It
 * is killed after a while that grows from run to run. Then the next process lists and deletes what
 * it finds, and nothing may be left. Also floods, and what a shim costs.
 */
#include "base/file.h"
#include "runtime/wire.h"
#include "testkit/test.h"
#include "tests/runtime/ground.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOMENTS = 60 };

static _Noreturn void life(struct ground *g)
{
    struct runtime_run run;
    /* Threads do not come along: a loop, a pool and a runtime of its own. */
    if (loop_new(system_clock(), &g->loop, &g->err) < 0 ||
        pool_new(g->loop, 2, &g->pool, &g->err) < 0)
        _exit(2);
    ground_reopen(g);
    struct container_spec spec = ground_spec(g, "short", SHELL("sleep 1000 & sleep 1000"));
    spec.group = STR("pods/p9/short");
    struct exec_spec exec = {.args = TEXTS(STR("/bin/true"))};
    bool ok = ground_create(g, &spec) == 0 && ground_start(g, "short") == 0 &&
              ground_run(g, "short", &exec, 10000, &run) == 0 && ground_delete(g, "short") == 0;
    _exit(ok ? 0 : 1);
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* True: it was through before it could be killed; < 0: it may live to its end. */
static bool live_and_die(struct ground *g, int64_t after_us)
{
    int status = 0;
    fflush(stdout);
    runtime_close(g->runtime);
    g->runtime = NULL;
    pid_t pid = fork();
    if (pid == 0)
        life(g);
    struct timespec pause = {after_us / 1000000, after_us % 1000000 * 1000};
    if (after_us >= 0)
        nanosleep(&pause, NULL);
    bool through = waitpid(pid, &status, after_us >= 0 ? WNOHANG : 0) == pid;
    if (!through) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    CHECK(!through || WEXITSTATUS(status) == 0);
    return through;
}

static void clean_up(struct ground *g)
{
    AUTO(arena_done) struct arena arena = {0};
    struct container_seen *seen;
    size_t n;
    ground_reopen(g);
    CHECK_INT(runtime_list(g->runtime, &arena, &seen, &n, &g->err), 0);
    for (size_t i = 0; i < n; i++) {
        char id[CONTAINER_ID_MAX + 1] = {0};
        memcpy(id, seen[i].id.at, seen[i].id.len);
        if (!CHECK_INT(ground_delete(g, id), 0))
            printf("%s\n", g->err.text);
    }
    CHECK_INT(runtime_group_remove(g->runtime, STR("pods/p9"), &g->err), 0);
    for (int i = 0; i < 400 && ground_count(g, "processes") > 0; i++)
        (void)poll(NULL, 0, 5);
}

TEST(whenever_its_maker_is_killed_nothing_is_left_of_a_container)
{
    static const char *const what[] = {"mounts", "processes", "groups", "files"};
    struct ground g;
    if (!ground_open(&g))
        return;
    int64_t begin = now_us();
    CHECK(live_and_die(&g, -1));
    int64_t step = (now_us() - begin) / MOMENTS, n = 0;
    for (int64_t after = step / 2; n < 2 * MOMENTS; after += step, n++) {
        bool through = live_and_die(&g, after);
        clean_up(&g);
        for (size_t i = 0; i < ARRAY_LEN(what); i++)
            if (!CHECK_INT((int64_t)ground_count(&g, what[i]), 0))
                printf("left after %lld us: %s\n", (long long)after, what[i]);
        if (through)
            break;
    }
    printf("killed at %lld moments\n", (long long)n);
    ground_close(&g);
}
