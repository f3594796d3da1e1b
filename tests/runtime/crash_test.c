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

enum { MOMENTS = 24 }; /* MOMENTS in the environment: that many. */

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
    const char *wish = getenv("MOMENTS");
    int64_t moments = wish == NULL ? MOMENTS : strtoll(wish, NULL, 10);
    int64_t step = (now_us() - begin) / moments, n = 0;
    for (int64_t after = step / 2; n < 2 * moments; after += step, n++) {
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

/* --- what is written without end --- */

static int64_t size_of(const struct ground *g, int number)
{
    char path[128];
    struct stat st;
    snprintf(path, sizeof(path), number == 0 ? "%s" : "%s.%d", g->log, number);
    return stat(path, &st) == 0 ? st.st_size : -1;
}

/* Such as "Pss" of the container's shim. Its program's pages are shared by all of them. */
static int64_t shim_kb(const struct ground *g, const char *id, const char *what)
{
    char path[256], line[256];
    int pid = 0;
    int64_t kb = -1;
    str_t name, rest;
    snprintf(path, sizeof(path), "%s/%s/shim", g->state, id);
    FILE *file = fopen(path, "r");
    if (file != NULL && fscanf(file, "%d", &pid) != 1) /* NOLINT(cert-err34-c) */
        pid = 0;
    if (file != NULL)
        fclose(file);
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
    file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (str_cut(str_from_z(line), ':', &name, &rest) && str_eq(name, str_from_z(what)))
            kb = strtoll(rest.at, NULL, 10);
    if (file != NULL)
        fclose(file);
    return kb;
}

TEST(a_flood_of_output_has_bounds)
{
    enum { FILE_MAX = 11 * 1024 * 1024 };
    struct ground g;
    struct group_stats stats;
    if (!ground_open(&g))
        return;
    struct container_spec spec = ground_spec(
        &g, "flood",
        SHELL("exec yes a line as long as those that programs write when they have much to tell"));
    spec.group = STR("pods/p2/flood");
    spec.resources.memory_bytes = ground_has_limits() ? 256 << 20 : 0;
    if (ground_up(&g, &spec)) {
        int64_t idle = shim_kb(&g, "flood", "Anonymous");
        while (size_of(&g, 4) < 0)
            (void)loop_turn(g.loop, 20, &g.err);
        for (int i = 0; i < 20; i++)
            (void)loop_turn(g.loop, 20, &g.err);
        for (int i = 0; i < 5; i++)
            CHECK(size_of(&g, i) <= FILE_MAX);
        CHECK(size_of(&g, 5) < 0);
        CHECK_INT(runtime_group_stats(g.runtime, STR("pods/p2"), &stats, &g.err), 0);
        CHECK(stats.cpu_usec > 100000); /* The pod pays for it. */
        printf("shim: own pages %lld kB, in a flood %lld kB\n", (long long)idle,
               (long long)shim_kb(&g, "flood", "Anonymous"));
        CHECK(shim_kb(&g, "flood", "Anonymous") <= 150);
        CHECK_INT(runtime_signal(g.runtime, STR("flood"), SIGKILL, &g.err), 0);
        CHECK_INT(ground_exit(&g, "flood")->code, 137);
    }
    CHECK_INT(ground_delete(&g, "flood"), 0);
    CHECK_INT(runtime_group_remove(g.runtime, STR("pods/p2"), &g.err), 0);
    ground_close(&g);
}

TEST(a_shim_is_small)
{
    struct ground g;
    char id[16];
    enum { N = 10 };
    if (!ground_open(&g))
        return;
    for (int i = 0; i < N; i++) {
        snprintf(id, sizeof(id), "small-%d", i);
        struct container_spec spec = ground_spec(&g, id, SHELL("echo x; sleep 1000"));
        (void)ground_up(&g, &spec);
    }
    int64_t kb = shim_kb(&g, "small-0", "Pss");
    printf("shim: PSS %lld kB of ten\n", (long long)kb);
    CHECK(kb > 0 && kb <= 200);
    for (int i = 0; i < N; i++) {
        snprintf(id, sizeof(id), "small-%d", i);
        CHECK_INT(ground_delete(&g, id), 0);
    }
    ground_close(&g);
}

TEST(a_container_that_forks_without_end_is_still_removed)
{
    struct ground g;
    if (!ground_open(&g))
        return;
    struct container_spec spec = ground_spec(&g, "bomb",
                                             SHELL("i=0; while [ $i -lt 90 ]; do (while :; do "
                                                   "sleep 0.001; done) & i=$((i+1)); done; wait"));
    for (int shared = 0; shared < 2 && ground_has_limits(); shared++) {
        spec.resources.pids = 200;
        spec.namespaces[NS_PID].mode = shared ? NS_HOST : NS_NEW;
        if (ground_up(&g, &spec))
            for (struct group_stats stats = {0}; stats.pids < 100;)
                CHECK_INT(runtime_group_stats(g.runtime, STR("other/bomb"), &stats, &g.err), 0);
        int64_t begin = now_us();
        CHECK_INT(ground_delete(&g, "bomb"), 0);
        printf("removed in %lld ms\n", (long long)(now_us() - begin) / 1000);
    }
    ground_close(&g);
}
