/* job.h - what the parts of Job share. */
#pragma once

#include "kinds/rules.h"

/* Of a Job, and of the Jobs that a CronJob makes. */
void job_spec_check(const struct json *spec, const struct place *at, struct field_errors *errors);
void job_check(const struct json *object, const struct json *old, struct field_errors *errors);
/* podFailurePolicy: what the end of a pod means for its Job. */
void job_failure_policy_check(const struct json *spec, const struct place *at,
                              struct field_errors *errors);
/* successPolicy: when some of its indexes are enough. */
void job_success_policy_check(const struct json *spec, bool indexed, const struct place *at,
                              struct field_errors *errors);
