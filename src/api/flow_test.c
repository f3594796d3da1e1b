/* flow_test.c - floods and bystanders under a clock that stands still. */
#include "api/flow.h"
#include "testkit/test.h"

#include <stdlib.h>

struct house {
    struct fake_clock clock;
    struct loop *loop;
    struct flows flows;
    int ran, ran_other;
    int order[64]; /* Users, in the order they were served. */
};

struct ask {
    struct flow_call call;
    struct house *house;
    msec_t takes_ms;
    int user;
};

static void ask_run(struct flow_call *call)
{
    struct ask *ask = CONTAINER_OF(call, struct ask, call);
    struct house *house = ask->house;
    fake_clock_advance(&house->clock, ask->takes_ms);
    if (house->ran < (int)ARRAY_LEN(house->order))
        house->order[house->ran] = ask->user;
    house->ran++;
    flow_leave(&house->flows, call);
}

static void start(struct house *house)
{
    struct err err;
    *house = (struct house){0};
    fake_clock_init(&house->clock, 0);
    MUST(loop_new(&house->clock.clock, &house->loop, &err) == 0);
    flows_init(&house->flows, house->loop);
}

static void end(struct house *house)
{
    flows_done(&house->flows);
    loop_free(house->loop);
}

static void turns(struct house *house, int n)
{
    struct err err;
    while (n-- > 0)
        MUST(loop_turn(house->loop, 0, &err) == 0);
}

static bool enter(struct house *house, struct ask *ask, int user, const char *agent,
                  msec_t takes_ms)
{
    char name[] = {(char)('a' + user), '\0'};
    *ask = (struct ask){{.run = ask_run}, house, takes_ms, user};
    return flow_enter(&house->flows, &ask->call, str_from_z(name), str_from_z(agent));
}

TEST(a_call_on_a_quiet_machine_runs_at_once)
{
    struct house house;
    struct ask ask;
    start(&house);
    CHECK(enter(&house, &ask, 0, "kubectl", 1));
    CHECK_INT(house.ran, 1);
    turns(&house, 2);
    end(&house);
}

TEST(a_bystander_is_served_next_however_many_calls_of_a_flood_wait)
{
    struct house house;
    static struct ask flood[300], bystander;
    start(&house);
    for (size_t i = 0; i < ARRAY_LEN(flood); i++)
        CHECK(enter(&house, &flood[i], 0, "flood", 40));
    CHECK_INT(house.ran, 1); /* It had its share with the first. */
    CHECK(enter(&house, &bystander, 1, "kubectl", 0));
    CHECK_INT(house.order[1], 1); /* At once: it has had nothing yet. */
    turns(&house, 400);
    CHECK_INT(house.ran, 301);
    end(&house);
}

TEST(users_that_wait_take_turns_and_so_do_the_programs_of_one_user)
{
    struct house house;
    static struct ask a[4], b[4], other[2];
    start(&house);
    for (size_t i = 0; i < ARRAY_LEN(a); i++)
        CHECK(enter(&house, &a[i], 0, "flood", 20));
    for (size_t i = 0; i < ARRAY_LEN(b); i++)
        CHECK(enter(&house, &b[i], 1, "flood", 20));
    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        CHECK(enter(&house, &other[i], 0, "kubectl", 20));
    CHECK_INT(house.ran, 2);
    turns(&house, 20);
    CHECK_INT(house.ran, 10);
    static const int wanted[] = {0, 1, 0, 1, 0, 1, 0, 1, 0, 0};
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        CHECK_INT(house.order[i], wanted[i]);
    end(&house);
}

TEST(what_waits_is_bounded_and_what_leaves_makes_room)
{
    struct house house;
    static struct ask asks[FLOW_WAITING_MAX + 2], late;
    start(&house);
    for (int i = 0; i < FLOW_WAITING_MAX + 1; i++)
        CHECK(enter(&house, &asks[i], 0, "flood", 10));
    CHECK(!enter(&house, &asks[FLOW_WAITING_MAX + 1], 0, "flood", 10));
    CHECK_INT(house.flows.refused, 1);
    for (int i = 1; i < FLOW_WAITING_MAX + 1; i++)
        flow_leave(&house.flows, &asks[i].call); /* Their clients went away. */
    CHECK_INT(house.flows.waiting, 0);
    turns(&house, 2);
    CHECK(enter(&house, &late, 0, "flood", 0));
    CHECK_INT(house.ran, 2);
    turns(&house, 1);
    end(&house);
}

TEST(bodies_have_room_until_there_is_none)
{
    struct house house;
    struct flow_call one = {0}, two = {0};
    start(&house);
    CHECK(flow_reserve(&house.flows, &one, FLOW_BYTES_MAX - 10));
    CHECK(!flow_reserve(&house.flows, &two, 11));
    flow_leave(&house.flows, &one);
    flow_leave(&house.flows, &one);
    CHECK(flow_reserve(&house.flows, &two, 11));
    flow_leave(&house.flows, &two);
    CHECK_INT(house.flows.bytes, 0);
    end(&house);
}
