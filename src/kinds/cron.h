/* cron.h - schedules in cron's form: "minute hour day month weekday", names, ranges, steps, @daily.
 */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

struct cron {
    uint64_t minutes, hours, days, months, weekdays; /* A bit for each value. */
    bool any_day, any_weekday;                       /* "*": only the other one counts. */
    msec_t every_ms;                                 /* @every: none of the above. */
};

/* ERR_INVALID with the words of Kubernetes ("expected exactly 5 fields, found 1: [bad]"). */
int cron_parse(str_t text, struct cron *cron, struct err *err);
