/*
 * loop.h - one thread's event loop: descriptors, timers, posts from other threads.
 *
 * Level-triggered epoll. Everything here is intrusive: the struct lives in its owner, adding
 * allocates nothing, and forgetting or stopping twice is harmless. All functions are for the loop's
 * own thread except loop_post() and loop_stop(). A callback may forget or free anything, also the
 * watch it was called for.
 *
 * Time is the loop's: read once a turn, monotonic, from the clock it was given.
 */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"

struct loop;

enum { LOOP_READ = 1, LOOP_WRITE = 4, LOOP_HANGUP = 16 }; /* As EPOLLIN, EPOLLOUT, EPOLLHUP. */

struct loop_fd {
    int fd; /* -1 while not watched. */
    unsigned events;
    void (*ready)(struct loop_fd *watch,
                  unsigned events); /* Errors are told as READ|WRITE|HANGUP. */
    struct loop *loop;
};

struct timer { /* All zero: not set. */
    struct loop *loop;
    size_t place; /* In the loop's heap, counted from 1. */
    msec_t due_ms;
    void (*fire)(struct timer *timer);
};

/* Runs once on the loop's thread, later. Do not add one that is still waiting. */
struct post {
    struct post *next;
    void (*run)(struct post *post);
};

int loop_new(struct clock *clock, struct loop **out, struct err *err);
void loop_free(struct loop *loop);

int loop_run(struct loop *loop, struct err *err);                      /* Until loop_stop(). */
int loop_turn(struct loop *loop, msec_t wait_ms_max, struct err *err); /* One turn; for tests. */
void loop_stop(struct loop *loop);

msec_t loop_now_ms(const struct loop *loop);  /* Monotonic, as of this turn. */
msec_t loop_wall_ms(const struct loop *loop); /* Unix time, read now. */
struct clock *loop_clock(const struct loop *loop);

/* `exclusive`: of several loops that watch the same listening socket only one is woken. */
int loop_watch(struct loop *loop, struct loop_fd *watch, int fd, unsigned events,
               void (*ready)(struct loop_fd *, unsigned), struct err *err);
int loop_watch_exclusive(struct loop *loop, struct loop_fd *watch, int fd,
                         void (*ready)(struct loop_fd *, unsigned), struct err *err);
void loop_want(struct loop_fd *watch, unsigned events); /* Costs nothing if they are the same. */
void loop_forget(struct loop_fd *watch);                /* Does not close. */

void timer_set(struct loop *loop, struct timer *timer, msec_t in_ms, void (*fire)(struct timer *));
void timer_stop(struct timer *timer);

void loop_post(struct loop *loop, struct post *post);  /* From any thread; wakes the loop. */
void loop_later(struct loop *loop, struct post *post); /* At the end of this turn. */
