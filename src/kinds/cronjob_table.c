/* cronjob_table.c - the fields of CronJob (batch/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field job_template_spec_fields[] = {
    {"metadata", FIELD_OBJECT, 1, .of = &object_meta_schema},
    {"spec", FIELD_OBJECT, 2, .of = &job_spec_schema, .doc = "What is wanted."},
    {0},
};
static const struct schema job_template_spec_schema = {
    "batch.v1.JobTemplateSpec", job_template_spec_fields};

static const struct field cron_job_spec_fields[] = {
    {"schedule", FIELD_STRING, 1, .required = true, .doc = "When, in cron's form."},
    {"startingDeadlineSeconds", FIELD_LONG, 2, .pointer = true, RANGE(0, INT64_MAX),
     .doc = "How late a run may start."},
    {"concurrencyPolicy", FIELD_STRING, 3, .otherwise = "Allow",
     ONE_OF("Allow", "Forbid", "Replace"), .doc = "Allow, Forbid or Replace."},
    {"suspend", FIELD_BOOL, 4, .pointer = true, .otherwise = "false",
     .doc = "While it is true nothing is started."},
    {"jobTemplate", FIELD_OBJECT, 5, .of = &job_template_spec_schema, .required = true,
     .doc = "The Jobs to make."},
    {"successfulJobsHistoryLimit", FIELD_INT, 6, .pointer = true, .otherwise = "3",
     RANGE(0, INT32_MAX), .doc = "Finished Jobs that are kept."},
    {"failedJobsHistoryLimit", FIELD_INT, 7, .pointer = true, .otherwise = "1",
     RANGE(0, INT32_MAX), .doc = "Failed Jobs that are kept."},
    {"timeZone", FIELD_STRING, 8, .pointer = true, .doc = "Time zone of the schedule."},
    {0},
};
static const struct schema cron_job_spec_schema = {"batch.v1.CronJobSpec", cron_job_spec_fields};

static const struct field cron_job_status_fields[] = {
    {"active", FIELD_LIST, 1, .of = &object_reference_schema},
    {"lastScheduleTime", FIELD_TIME, 4},
    {"lastSuccessfulTime", FIELD_TIME, 5},
    {0},
};
static const struct schema cron_job_status_schema = {
    "batch.v1.CronJobStatus", cron_job_status_fields};

static const struct field cron_job_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &cron_job_spec_schema, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &cron_job_status_schema, .doc = "What is."},
    {0},
};
const struct schema cron_job_schema = {"batch.v1.CronJob", cron_job_fields, "Jobs by the clock."};

/* clang-format on */
