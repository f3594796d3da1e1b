/* flow.c - two rings: of users who wait, and within a user of programs that wait. */
#include "api/flow.h"

#include <stdlib.h>
#include <string.h>

struct flow_user {
    struct map_node node;
    struct list ring; /* In flows->ring while calls wait. */
    struct list seen; /* In flows->seen while spent_us > 0. */
    struct list agents;
    size_t waiting;
    int64_t spent_us; /* In this turn. */
    char name[];
};

struct flow_agent { /* There while calls of it wait. */
    struct list link;
    struct flow_user *user;
    struct list calls;
    size_t len;
    char name[];
};

static void turn(struct post *post);

void flows_init(struct flows *flows, struct loop *loop)
{
    *flows = (struct flows){.loop = loop, .turn = {.run = turn}};
    list_init(&flows->ring);
    list_init(&flows->seen);
}

static void user_free(struct flows *flows, struct flow_user *user)
{
    MUST(user->waiting == 0);
    list_remove(&user->seen);
    map_remove(&flows->users, &user->node);
    free(user);
}

void flows_done(struct flows *flows)
{
    for (size_t i = 0; i < flows->users.n_buckets; i++)
        while (flows->users.buckets[i] != NULL)
            user_free(flows, CONTAINER_OF(flows->users.buckets[i], struct flow_user, node));
    map_done(&flows->users);
}

static struct flow_user *user_get(struct flows *flows, str_t name)
{
    struct map_node *node = map_find(&flows->users, name);
    if (node != NULL)
        return CONTAINER_OF(node, struct flow_user, node);
    struct flow_user *user = calloc(1, sizeof(*user) + name.len + 1);
    MUST(user != NULL);
    if (name.len > 0)
        memcpy(user->name, name.at, name.len);
    list_init(&user->ring);
    list_init(&user->seen);
    list_init(&user->agents);
    map_add(&flows->users, (str_t){user->name, name.len}, &user->node);
    return user;
}

static struct flow_agent *agent_get(struct flow_user *user, str_t name)
{
    LIST_EACH(&user->agents, item) {
        struct flow_agent *agent = CONTAINER_OF(item, struct flow_agent, link);
        if (str_eq((str_t){agent->name, agent->len}, name))
            return agent;
    }
    struct flow_agent *agent = calloc(1, sizeof(*agent) + name.len + 1);
    MUST(agent != NULL);
    agent->user = user;
    agent->len = name.len;
    if (name.len > 0)
        memcpy(agent->name, name.at, name.len);
    list_init(&agent->calls);
    list_add_before(&user->agents, &agent->link);
    return agent;
}

static void turn_soon(struct flows *flows)
{
    if (flows->posted)
        return;
    flows->posted = true;
    loop_later(flows->loop, &flows->turn);
}

/* The call may be gone when this returns, and its owner with it. Returns what it took. */
static int64_t run(struct flows *flows, struct flow_user *user, struct flow_call *call)
{
    struct clock *clock = loop_clock(flows->loop);
    msec_t begun_ms = clock->mono_ms(clock);
    call->run(call);
    int64_t took_us = (clock->mono_ms(clock) - begun_ms) * 1000;
    took_us = took_us > FLOW_CALL_US ? took_us : FLOW_CALL_US;
    user->spent_us += took_us;
    if (!list_in(&user->seen))
        list_add_before(&flows->seen, &user->seen);
    turn_soon(flows);
    return took_us;
}

bool flow_enter(struct flows *flows, struct flow_call *call, str_t user_name, str_t agent)
{
    struct flow_user *user = user_get(flows, user_name);
    if (user->waiting == 0 && user->spent_us < FLOW_SHARE_US) {
        (void)run(flows, user, call);
        return true;
    }
    if (user->waiting == FLOW_WAITING_MAX || flows->waiting == FLOW_WAITING_ALL_MAX) {
        flows->refused++;
        return false;
    }
    call->agent = agent_get(user, agent);
    list_add_before(&call->agent->calls, &call->link);
    if (user->waiting++ == 0)
        list_add_before(&flows->ring, &user->ring);
    flows->waiting++;
    turn_soon(flows);
    return true;
}

bool flow_reserve(struct flows *flows, struct flow_call *call, size_t bytes)
{
    if (bytes > FLOW_BYTES_MAX - flows->bytes) {
        flows->refused++;
        return false;
    }
    flows->bytes += bytes;
    call->bytes += bytes;
    return true;
}

static void unlink_call(struct flows *flows, struct flow_call *call)
{
    struct flow_agent *agent = call->agent;
    struct flow_user *user = agent->user;
    list_remove(&call->link);
    call->agent = NULL;
    flows->waiting--;
    if (--user->waiting == 0)
        list_remove(&user->ring);
    if (list_in(&agent->calls))
        return;
    list_remove(&agent->link);
    free(agent);
}

void flow_leave(struct flows *flows, struct flow_call *call)
{
    if (call->agent != NULL)
        unlink_call(flows, call);
    flows->bytes -= call->bytes;
    call->bytes = 0;
}

/* The user at the head of the ring, its program at the head of its own; both go to the end. */
static int64_t run_next(struct flows *flows)
{
    struct flow_user *user = CONTAINER_OF(flows->ring.next, struct flow_user, ring);
    struct flow_agent *agent = CONTAINER_OF(user->agents.next, struct flow_agent, link);
    struct flow_call *call = CONTAINER_OF(agent->calls.next, struct flow_call, link);
    list_remove(&user->ring);
    list_add_before(&flows->ring, &user->ring);
    list_remove(&agent->link);
    list_add_before(&user->agents, &agent->link);
    unlink_call(flows, call);
    return run(flows, user, call);
}

static void turn(struct post *post)
{
    struct flows *flows = CONTAINER_OF(post, struct flows, turn);
    flows->posted = false;
    LIST_EACH(&flows->seen, item) {
        struct flow_user *user = CONTAINER_OF(item, struct flow_user, seen);
        list_remove(&user->seen);
        user->spent_us = 0;
        if (user->waiting == 0 && flows->users.n > FLOW_USERS_KEPT)
            user_free(flows, user);
    }
    for (int64_t spent_us = 0; flows->waiting > 0 && spent_us < FLOW_ROUND_US;)
        spent_us += run_next(flows);
    if (flows->waiting > 0)
        turn_soon(flows);
}
