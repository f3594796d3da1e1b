/* recorder.h - Events: what a controller tells people about an object. */
#pragma once

#include "base/json.h"
#include "control/controller.h"

struct record {
    const struct kind *about;
    const struct json *meta; /* Of the object. */
    bool warning;
    const char *reason;
    str_t message;
    const char *component; /* "deployment-controller" */
};

/*
 * The same thing said again counts up the Event that is there. Nobody depends on Events, so one
 * that cannot be written (its namespace is ending) is left out without a word.
 */
void recorder_event(struct reconcile *rc, const struct record *record);
