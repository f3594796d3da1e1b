/* loop_test.c - timers in order, posts from threads, watches that vanish. */
#include "net/pool.h"
#include "testkit/test.h"

#include <unistd.h>

struct probe {
    struct timer timer;
    struct post post;
    struct job job;
    struct loop_fd watch;
    struct loop *loop;
    struct probe *other;
    int calls;
    int order;
};

static int order;

static void fired(struct timer *timer)
{
    struct probe *probe = CONTAINER_OF(timer, struct probe, timer);
    probe->calls++;
    probe->order = ++order;
}

TEST(timers_fire_in_order_by_the_clock_they_were_given)
{
    struct fake_clock fake;
    fake_clock_init(&fake, 0);
    struct loop *loop;
    struct err err;
    MUST(loop_new(&fake.clock, &loop, &err) == 0);
    struct probe probes[100] = {0};
    order = 0;
    for (int i = 0; i < 100; i++)
        timer_set(loop, &probes[i].timer, (i * 37) % 100 + 1, fired);
    timer_stop(&probes[3].timer);
    timer_stop(&probes[3].timer);
    CHECK_INT(loop_turn(loop, 0, &err), 0);
    CHECK_INT(order, 0);
    fake_clock_advance(&fake, 50);
    CHECK_INT(loop_turn(loop, 0, &err), 0);
    CHECK_INT(order, 50 - ((3 * 37) % 100 + 1 <= 50));
    fake_clock_advance(&fake, 50);
    CHECK_INT(loop_turn(loop, 0, &err), 0);
    CHECK_INT(order, 99);
    for (int i = 0; i < 100; i++)
        for (int j = 0; j < 100; j++)
            if (i != 3 && j != 3 && (i * 37) % 100 < (j * 37) % 100)
                CHECK(probes[i].order < probes[j].order);
    loop_free(loop);
}

static void worked(struct job *job)
{
    CONTAINER_OF(job, struct probe, job)->calls++;
}

static void came_back(struct job *job)
{
    struct probe *probe = CONTAINER_OF(job, struct probe, job);
    probe->calls++;
    loop_stop(probe->loop);
}

TEST(a_job_works_elsewhere_and_is_done_here)
{
    struct loop *loop;
    struct pool *pool;
    struct err err;
    MUST(loop_new(system_clock(), &loop, &err) == 0);
    MUST(pool_new(loop, 2, &pool, &err) == 0);
    struct probe probe = {.loop = loop, .job = {.work = worked, .done = came_back}};
    pool_run(pool, &probe.job);
    CHECK_INT(loop_run(loop, &err), 0);
    CHECK_INT(probe.calls, 2);
    pool_free(pool);
    loop_free(loop);
}

static void forgets_the_other(struct loop_fd *watch, unsigned events)
{
    struct probe *probe = CONTAINER_OF(watch, struct probe, watch);
    CHECK(events & LOOP_READ);
    probe->calls++;
    loop_forget(&probe->other->watch);
    loop_forget(watch);
}

TEST(a_forgotten_watch_is_not_called_even_in_the_same_turn)
{
    struct loop *loop;
    struct err err;
    MUST(loop_new(system_clock(), &loop, &err) == 0);
    int a[2], b[2];
    MUST(pipe(a) == 0 && pipe(b) == 0 && write(a[1], "x", 1) == 1 && write(b[1], "x", 1) == 1);
    struct probe one = {0}, two = {0};
    one.other = &two;
    two.other = &one;
    MUST(loop_watch(loop, &one.watch, a[0], LOOP_READ, forgets_the_other, &err) == 0);
    MUST(loop_watch(loop, &two.watch, b[0], LOOP_READ, forgets_the_other, &err) == 0);
    CHECK_INT(loop_turn(loop, 0, &err), 0);
    CHECK_INT(loop_turn(loop, 0, &err), 0);
    CHECK_INT(one.calls + two.calls, 1);
    for (int i = 0; i < 2; i++)
        MUST(close(a[i]) == 0 && close(b[i]) == 0);
    loop_free(loop);
}
