/*
 * flow.h - who is served next, so that a flood of one client does not starve the others.
 *
 * A call of a user who has had little of the loop's time in this turn runs at once: on a quiet
 * machine nothing ever waits here. The calls of a user who has had enough wait for their turn:
 * then one call each of all users that wait, and within a user one call each of the programs
 * (User-Agent) that ask, until the turn's time is over and the loop looks at its sockets again.
 *
 * What waits is bounded in number and bytes; past that the answer is 429 and when to come back. It
 * is the idea of Kubernetes' API Priority and Fairness (KEP-1040) without its configuration.
 *
 * Everything is for the loop's thread.
 */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "net/loop.h"

enum {
    FLOW_SHARE_US = 5000,        /* Of a user, in a turn, before its calls wait. */
    FLOW_ROUND_US = 10000,       /* Of all that waited, in a turn. */
    FLOW_CALL_US = 20,           /* What a call costs at the least: clocks tick in milliseconds. */
    FLOW_WAITING_MAX = 2048,     /* Calls of one user. */
    FLOW_WAITING_ALL_MAX = 8192, /* Calls of all. */
    FLOW_BYTES_MAX = 64 << 20,   /* Bodies that are being read or wait, of all. */
    FLOW_USERS_KEPT = 256,
};

struct flows {
    struct loop *loop;
    struct map users;
    struct list ring; /* Users with calls that wait. */
    struct list seen; /* Users who have had some of this turn. */
    struct post turn;
    bool posted;
    size_t waiting;
    size_t bytes;
    int64_t refused; /* Since the start. */
};

/* One call; all zero at first. It lies in its owner until it ran or was left. */
struct flow_call {
    struct list link;
    struct flow_agent *agent; /* While it waits. */
    size_t bytes;             /* Reserved. */
    void (*run)(struct flow_call *call);
};

void flows_init(struct flows *flows, struct loop *loop);
void flows_done(struct flows *flows); /* Nothing waits any more. */

/* Runs the call, now or later. False: too many wait already, and it never runs. */
bool flow_enter(struct flows *flows, struct flow_call *call, str_t user, str_t agent);
/* Room for a body. False: there is none now. Given back by flow_leave(). */
bool flow_reserve(struct flows *flows, struct flow_call *call, size_t bytes);
/* The call is over, or its client has gone while it waited. Harmless when called twice. */
void flow_leave(struct flows *flows, struct flow_call *call);
