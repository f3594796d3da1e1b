/*
 * runtime.c - how long a container takes: create to running, exec, delete; what its shim costs.
 *
 *     runtime_bench ROUNDS    with PROGRAM and SHIM in the environment, see tests/runtime/ground.h
 */
#include "runtime/wire.h"
#include "tests/runtime/ground.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS_MAX = 1000 };

enum what { CREATE, START, EXEC, DELETE, KINDS };

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static double median(double *times, int n)
{
    qsort(times, (size_t)n, sizeof(*times), by_size);
    return times[n / 2];
}

static bool one(struct ground *g, int round, double times[KINDS][ROUNDS_MAX])
{
    struct runtime_run run;
    struct exec_spec exec = {.args = TEXTS(STR("/bin/true"))};
    struct container_spec spec = ground_spec(g, "bench", TEXTS(STR("/bin/sleep"), STR("1000")));
    spec.group = STR("pods/bench/bench");
    spec.resources = (struct container_resources){
        .memory_bytes = 64 << 20, .cpu_millis = 500, .cpu_shares = 512, .pids = 1024};
    double at = now_ms();
    bool ok = ground_create(g, &spec) == 0;
    times[CREATE][round] = now_ms() - at;
    ok = ok && ground_start(g, "bench") == 0;
    times[START][round] = now_ms() - at;
    at = now_ms();
    ok = ok && ground_run(g, "bench", &exec, 10000, &run) == 0 && run.code == 0;
    times[EXEC][round] = now_ms() - at;
    at = now_ms();
    ok = ok && ground_delete(g, "bench") == 0;
    times[DELETE][round] = now_ms() - at;
    return ok;
}

int main(int argc, char **argv)
{
    static double times[KINDS][ROUNDS_MAX];
    static struct ground g;
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 20;
    if (rounds < 1 || rounds > ROUNDS_MAX || !ground_open(&g))
        return 1;
    for (int i = 0; i < rounds; i++)
        if (!one(&g, i, times)) {
            printf("%s\n", g.err.text);
            return 1;
        }
    printf("{\"program\": \"%s\", \"rounds\": %d, \"create_ms\": %.1f, \"create_to_running_ms\": "
           "%.1f, "
           "\"exec_ms\": %.1f, \"delete_ms\": %.1f}\n",
           runtime_program(g.runtime), rounds, median(times[CREATE], rounds),
           median(times[START], rounds), median(times[EXEC], rounds),
           median(times[DELETE], rounds));
    (void)runtime_group_remove(g.runtime, STR("pods/bench"), &g.err);
    ground_close(&g);
    return 0;
}
