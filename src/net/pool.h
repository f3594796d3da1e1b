/*
 * pool.h - a few threads for what blocks: fsync, key derivation, reading files.
 *
 * work() runs on a pool thread, then done() on the loop's. Jobs of one pool start in the order they
 * were given; with one thread they also end in it. The job belongs to its owner and must stay put
 * until done() was called.
 *
 * A pool of no threads works on the loop's own thread at the end of the turn: then a run with a
 * clock that a test holds is the same every time.
 */
#pragma once

#include "net/loop.h"

struct pool;

struct job {
    struct job *next;
    void (*work)(struct job *job);
    void (*done)(struct job *job);
    struct post post;
    struct pool *pool;
};

int pool_new(struct loop *loop, unsigned threads, struct pool **out, struct err *err);
void pool_free(struct pool *pool); /* Waits for running work; done() of the rest is not called. */
void pool_run(struct pool *pool, struct job *job);
