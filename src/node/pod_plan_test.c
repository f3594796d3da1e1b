/* pod_plan_test.c - lives of pods, step by step. */
#include "node/pod_plan.h"
#include "testkit/test.h"

#define UNIT(kind_, state_, ...) ((struct unit){.kind = (kind_), .state = (state_), __VA_ARGS__})

static struct pod_view plan(struct unit *units, size_t n, enum restart_policy policy)
{
    struct pod_view view = {
        .units = units, .n = n, .policy = policy, .ground = true, .now_ms = 1000000};
    pod_plan(&view);
    return view;
}

TEST(plan_inits_in_order_then_all_mains)
{
    struct unit units[] = {UNIT(UNIT_INIT, UNIT_NEVER), UNIT(UNIT_SIDECAR, UNIT_NEVER),
                           UNIT(UNIT_MAIN, UNIT_NEVER), UNIT(UNIT_MAIN, UNIT_NEVER)};
    struct pod_view view = plan(units, 4, RESTART_ALWAYS);
    CHECK(units[0].step == STEP_START && units[1].step == STEP_NONE);
    CHECK(units[2].step == STEP_NONE && !view.initialized);
    CHECK_STR(str_from_z(pod_phase(&view)), "Pending");

    units[0].state = UNIT_EXITED;
    (void)plan(units, 4, RESTART_ALWAYS);
    CHECK(units[0].step == STEP_NONE && units[1].step == STEP_START);

    units[1].state = UNIT_RUNNING; /* Its startup probe has not passed yet. */
    view = plan(units, 4, RESTART_ALWAYS);
    CHECK(units[2].step == STEP_NONE && !view.initialized);

    units[1].started = true;
    view = plan(units, 4, RESTART_ALWAYS);
    CHECK(units[2].step == STEP_START && units[3].step == STEP_START && view.initialized);
}

TEST(plan_nothing_without_ground)
{
    struct unit units[] = {UNIT(UNIT_MAIN, UNIT_NEVER)};
    struct pod_view view = {.units = units, .n = 1, .now_ms = 5};
    pod_plan(&view);
    CHECK(units[0].step == STEP_NONE && view.quiet);
}

TEST(plan_init_that_fails)
{
    struct unit units[] = {UNIT(UNIT_INIT, UNIT_EXITED, .exit_code = 3),
                           UNIT(UNIT_MAIN, UNIT_NEVER)};
    struct pod_view view = plan(units, 2, RESTART_NEVER);
    CHECK(view.over && units[0].step == STEP_NONE);
    CHECK_STR(str_from_z(pod_phase(&view)), "Failed");
    view = plan(units, 2, RESTART_ON_FAILURE);
    CHECK(!view.over && units[0].step == STEP_START);
}

TEST(plan_restarts_as_the_policy_says)
{
    struct unit units[] = {UNIT(UNIT_MAIN, UNIT_EXITED, .exit_code = 0, .ended_ms = 1),
                           UNIT(UNIT_MAIN, UNIT_EXITED, .exit_code = 1, .ended_ms = 1)};
    struct pod_view view = plan(units, 2, RESTART_ALWAYS);
    CHECK(units[0].step == STEP_START && units[1].step == STEP_START);
    CHECK_STR(str_from_z(pod_phase(&view)), "Running");
    view = plan(units, 2, RESTART_ON_FAILURE);
    CHECK(units[0].step == STEP_NONE && units[1].step == STEP_START);
    view = plan(units, 2, RESTART_NEVER);
    CHECK(view.over);
    CHECK_STR(str_from_z(pod_phase(&view)), "Failed");
    units[1].exit_code = 0;
    view = plan(units, 2, RESTART_NEVER);
    CHECK_STR(str_from_z(pod_phase(&view)), "Succeeded");
}

TEST(plan_waits_for_the_backoff)
{
    struct unit units[] = {UNIT(UNIT_MAIN, UNIT_EXITED, .ended_ms = 995000, .exit_code = 1)};
    units[0].backoff = (struct backoff){.delay_ms = BACKOFF_FIRST_MS, .since_ms = 990000};
    struct pod_view view = plan(units, 1, RESTART_ALWAYS);
    CHECK(units[0].step == STEP_NONE && units[0].waits);
    CHECK_INT(view.again_ms, 1005000);
}

TEST(backoff_doubles_up_to_five_minutes_and_forgets)
{
    struct backoff backoff = {0};
    CHECK_INT(backoff_due_ms(&backoff, 50), 50);
    static const msec_t delays[] = {10000, 20000, 40000, 80000, 160000, 300000, 300000};
    msec_t now_ms = 50;
    for (size_t i = 0; i < ARRAY_LEN(delays); i++) {
        backoff_next(&backoff, now_ms, now_ms);
        CHECK_INT(backoff_due_ms(&backoff, now_ms + 1) - (now_ms + 1), delays[i]);
        now_ms += 1 + delays[i];
    }
    CHECK_INT(backoff_due_ms(&backoff, now_ms + 700000), now_ms + 700000);
}

TEST(plan_sidecars_end_last_and_backwards)
{
    struct unit units[] = {UNIT(UNIT_SIDECAR, UNIT_RUNNING, .started = true),
                           UNIT(UNIT_SIDECAR, UNIT_RUNNING, .started = true),
                           UNIT(UNIT_MAIN, UNIT_RUNNING)};
    struct pod_view view = {.units = units, .n = 3, .leaving = true, .ground = true};
    pod_plan(&view);
    CHECK(units[2].step == STEP_STOP && units[1].step == STEP_NONE && units[0].step == STEP_NONE);
    units[2].state = UNIT_STOPPING;
    pod_plan(&view);
    CHECK(units[1].step == STEP_NONE && !view.quiet);
    units[2].state = UNIT_EXITED;
    pod_plan(&view);
    CHECK(units[1].step == STEP_STOP && units[0].step == STEP_NONE);
    units[1].state = UNIT_EXITED;
    pod_plan(&view);
    CHECK(units[0].step == STEP_STOP);
    units[0].state = UNIT_EXITED;
    pod_plan(&view);
    CHECK(view.quiet);
}

TEST(plan_of_a_job_with_a_sidecar)
{
    struct unit units[] = {UNIT(UNIT_SIDECAR, UNIT_RUNNING, .started = true),
                           UNIT(UNIT_MAIN, UNIT_EXITED)};
    struct pod_view view = plan(units, 2, RESTART_NEVER);
    CHECK(view.over && units[0].step == STEP_STOP);
    CHECK_STR(str_from_z(pod_phase(&view)), "Running");
    units[0].state = UNIT_EXITED;
    units[0].exit_code = 137; /* What it says at its end does not count. */
    view = plan(units, 2, RESTART_NEVER);
    CHECK_STR(str_from_z(pod_phase(&view)), "Succeeded");
}

TEST(plan_a_sidecar_comes_back_while_the_main_runs)
{
    struct unit units[] = {UNIT(UNIT_SIDECAR, UNIT_EXITED, .ended_ms = 5),
                           UNIT(UNIT_MAIN, UNIT_RUNNING)};
    struct pod_view view = plan(units, 2, RESTART_NEVER);
    CHECK(view.initialized && units[0].step == STEP_START);
}

TEST(plan_unhealthy_is_stopped_then_restarted)
{
    struct unit units[] = {UNIT(UNIT_MAIN, UNIT_RUNNING, .unhealthy = true)};
    (void)plan(units, 1, RESTART_ALWAYS);
    CHECK(units[0].step == STEP_STOP);
    units[0] = UNIT(UNIT_MAIN, UNIT_EXITED, .exit_code = 137, .ended_ms = 7);
    (void)plan(units, 1, RESTART_ALWAYS);
    CHECK(units[0].step == STEP_START);
}

TEST(plan_ephemeral_runs_once)
{
    struct unit units[] = {UNIT(UNIT_MAIN, UNIT_RUNNING), UNIT(UNIT_EPHEMERAL, UNIT_NEVER)};
    (void)plan(units, 2, RESTART_ALWAYS);
    CHECK(units[1].step == STEP_START);
    units[1].state = UNIT_EXITED;
    units[1].exit_code = 1;
    (void)plan(units, 2, RESTART_ALWAYS);
    CHECK(units[1].step == STEP_NONE);
}
