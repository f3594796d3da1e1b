/*
 * runner.h - feeds controllers: watches the store, keeps a work queue each, calls reconcile().
 *
 * Runs on the control loop; all waiting is a timer of that loop, so a simulator that holds the
 * clock holds every controller.
 */
#pragma once

#include "control/cache.h"
#include "control/controller.h"
#include "control/writer.h"

struct runner;

struct runner_settings {
    struct loop *loop;
    struct store *store;
    struct writer writer;
    const struct log *log;
    const struct kinds *kinds;
    const struct controller *const *controllers; /* Ends with NULL. */
    str_t ca_pem;                                /* For struct reconcile. */
};

int runner_new(const struct runner_settings *settings, struct runner **out, struct err *err);
void runner_free(struct runner *runner); /* The loop turns no more after this. */
/* As free, but while the loop goes on: nothing of it is left waiting there. */
void runner_kill(struct runner *runner);
bool runner_idle(const struct runner *runner); /* Nothing ready, delayed or running. */
