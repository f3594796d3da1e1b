/* job.c - Job and CronJob: pods that run to their end, once or by the clock. */
#include "kinds/job.h"

#include "kinds/columns.h"
#include "kinds/cron.h"
#include "kinds/kinds.h"
#include "kinds/pod_spec.h"
#include "kinds/tables.h"
#include "kinds/zone.h"

#include <string.h>
#include <strings.h>

enum { CRONJOB_NAME_MAX = 52 };

/* --- Job --- */

static void job_spec_defaults(struct json *spec, struct arena *arena)
{
    struct json *pod = json_at(spec, "template.spec");
    bool both_absent =
        json_get(spec, STR("completions")) == NULL && json_get(spec, STR("parallelism")) == NULL;
    if (both_absent)
        rule_default_int(spec, "completions", 1, arena);
    rule_default_int(spec, "parallelism", 1, arena);
    rule_default_text(
        spec, "podReplacementPolicy",
        json_get(spec, STR("podFailurePolicy")) != NULL ? "Failed" : "TerminatingOrFailed", arena);
    if (pod != NULL)
        pod_spec_defaults(pod, arena);
}

/* Labels and a selector of its own, made of its uid. */
static void job_selector(struct json *object, struct arena *arena)
{
    struct json *spec = json_get(object, STR("spec"));
    struct json *template = json_get(spec, STR("template"));
    str_t uid = json_text(json_at(object, "metadata.uid"), STR(""));
    str_t name = json_text(json_at(object, "metadata.name"), STR(""));
    if (template == NULL || json_is_true(json_get(spec, STR("manualSelector"))))
        return;
    struct json *labels =
        rule_member(rule_member(template, STR("metadata"), arena), STR("labels"), arena);
    json_set(labels, STR("batch.kubernetes.io/controller-uid"), json_string(arena, uid));
    json_set(labels, STR("batch.kubernetes.io/job-name"), json_string(arena, name));
    json_set(labels, STR("controller-uid"), json_string(arena, uid));
    json_set(labels, STR("job-name"), json_string(arena, name));
    struct json *match =
        rule_member(rule_member(spec, STR("selector"), arena), STR("matchLabels"), arena);
    json_set(match, STR("batch.kubernetes.io/controller-uid"), json_string(arena, uid));
}

static void job_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    struct json *spec = json_get(object, STR("spec"));
    if (spec == NULL)
        return;
    job_spec_defaults(spec, arena);
    if (old == NULL)
        job_selector(object, arena);
}

static bool has_condition(const struct json *object, const char *type)
{
    JSON_EACH(json_at(object, "status.conditions"), condition)
    if (str_eq(json_get_text(condition, STR("type")), str_from_z(type)))
        return str_eq(json_get_text(condition, STR("status")), STR("True"));
    return false;
}

static str_t column_status(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    (void)arena;
    if (has_condition(object, "Complete"))
        return STR("Complete");
    if (has_condition(object, "Failed"))
        return STR("Failed");
    if (json_at(object, "metadata.deletionTimestamp") != NULL)
        return STR("Terminating");
    if (has_condition(object, "Suspended"))
        return STR("Suspended");
    return has_condition(object, "FailureTarget") ? STR("FailureTarget") : STR("Running");
}

static str_t column_completions(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    int64_t done = path_int(object, "status.succeeded", 0);
    if (json_at(object, "spec.completions") != NULL)
        return arena_printf(arena, "%lld/%lld", (long long)done,
                            (long long)path_int(object, "spec.completions", 1));
    int64_t parallel = path_int(object, "spec.parallelism", 1);
    if (parallel > 1)
        return arena_printf(arena, "%lld/1 of %lld", (long long)done, (long long)parallel);
    return arena_printf(arena, "%lld/1", (long long)done);
}

static str_t column_duration(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    msec_t ended;
    str_t start = json_text(json_at(object, "status.startTime"), STR(""));
    str_t end = json_text(json_at(object, "status.completionTime"), STR(""));
    if (start.len == 0)
        return STR("");
    return age_text(start, time_parse(end, &ended) ? ended : wall_ms, arena);
}

/* clang-format off */
static const struct column job_columns[] = {
    COLUMN_NAME,
    {"Status", "string", "", "How far it is.", 0, column_status},
    {"Completions", "string", "", "Pods that succeeded, of all wanted.", 0, column_completions},
    {"Duration", "string", "", "How long it took, or takes so far.", 0, column_duration},
    COLUMN_AGE, COLUMN_CONTAINERS, COLUMN_IMAGES, COLUMN_SELECTOR, {0},
};

static const struct field_selector job_selectors[] = {{"status.successful", "status.succeeded"},
                                                      {0}};

const struct kind kind_job = {
    .group = "batch", .version = "v1", .name = "Job", .plural = "jobs", .singular = "job",
    .categories = category_all, .namespaced = true, .has_status = true,
    .has_spec_generation = true, .schema = &job_schema, .prepare = job_prepare,
    .check = job_check, .columns = job_columns, .selectors = job_selectors,
};
/* clang-format on */

/* --- CronJob --- */

static void cronjob_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    (void)old;
    struct json *spec = json_at(object, "spec.jobTemplate.spec");
    struct json *pod = json_at(spec, "template.spec");
    if (pod != NULL)
        pod_spec_defaults(pod, arena);
}

static void check_zone(const struct json *zone, const struct place *at, struct field_errors *errors)
{
    str_t name = json_text(zone, STR(""));
    if (zone == NULL)
        return;
    if (name.len == 0)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"\": timeZone must be nil or non-empty string");
    else if (name.len == strlen("Local") && strncasecmp(name.at, "Local", name.len) == 0)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"" STR_F "\": timeZone must be an explicit time zone as "
                   "defined in https://www.iana.org/time-zones",
                   STR_A(name));
    else if (!is_known_zone(name))
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"" STR_F "\": unknown time zone " STR_F, STR_A(name),
                   STR_A(name));
}

static void cronjob_check(const struct json *object, const struct json *old,
                          struct field_errors *errors)
{
    (void)old;
    const struct json *spec = json_get(object, STR("spec"));
    const struct place *at = IN(NULL, "spec");
    str_t schedule = json_get_text(spec, STR("schedule"));
    str_t name = json_text(json_at(object, "metadata.name"), STR(""));
    struct err err;
    struct cron cron;
    if (schedule.len > 0 && cron_parse(schedule, &cron, &err) < 0)
        rule_error(errors, FIELD_INVALID, IN(at, "schedule"), "Invalid value: \"" STR_F "\": %s",
                   STR_A(schedule), err.text);
    check_zone(json_get(spec, STR("timeZone")), IN(at, "timeZone"), errors);
    if (name.len > CRONJOB_NAME_MAX)
        rule_error(errors, FIELD_INVALID, IN(IN(NULL, "metadata"), "name"),
                   "Invalid value: \"" STR_F "\": must be no more than 52 characters", STR_A(name));
    job_spec_check(json_at(spec, "jobTemplate.spec"), IN(IN(at, "jobTemplate"), "spec"), errors);
}

PATH_COLUMN(column_schedule, "spec.schedule", "")
PATH_COLUMN(column_zone, "spec.timeZone", "<none>")
static str_t column_suspend(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    (void)arena;
    const struct json *held = json_at(object, "spec.suspend");
    if (held == NULL)
        return STR("<unset>");
    return json_is_true(held) ? STR("True") : STR("False");
}

static str_t column_active(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return column_count(json_count(json_at(object, "status.active")), arena);
}

static str_t column_last(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    str_t last = json_text(json_at(object, "status.lastScheduleTime"), STR(""));
    return last.len > 0 ? age_text(last, wall_ms, arena) : STR("<none>");
}

static str_t cron_pod(const struct json *object,
                      str_t (*column)(const struct json *, struct arena *), struct arena *arena)
{
    return column(json_at(object, "spec.jobTemplate.spec.template.spec"), arena);
}

static str_t column_cron_containers(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return cron_pod(object, containers_column, arena);
}

static str_t column_cron_images(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return cron_pod(object, images_column, arena);
}

static str_t column_cron_selector(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return selector_column(json_at(object, "spec.jobTemplate.spec.selector"), arena);
}

/* clang-format off */
static const struct column cronjob_columns[] = {
    COLUMN_NAME,
    {"Schedule", "string", "", "When it runs.", 0, column_schedule},
    {"Timezone", "string", "", "Time zone of the schedule.", 0, column_zone},
    {"Suspend", "boolean", "", "Whether it is held.", 0, column_suspend},
    {"Active", "integer", "", "Jobs that run now.", 0, column_active},
    {"Last Schedule", "string", "", "When it last ran.", 0, column_last},
    COLUMN_AGE,
    {"Containers", "string", "", "Names of the containers.", 1, column_cron_containers},
    {"Images", "string", "", "Images of the containers.", 1, column_cron_images},
    {"Selector", "string", "", "Which pods are meant.", 1, column_cron_selector},
    {0},
};

const struct kind kind_cronjob = {
    .group = "batch", .version = "v1", .name = "CronJob", .plural = "cronjobs",
    .singular = "cronjob", .shortcuts = (const char *const[]){"cj", NULL},
    .categories = category_all, .namespaced = true, .has_status = true,
    .has_spec_generation = true, .schema = &cron_job_schema, .prepare = cronjob_prepare,
    .check = cronjob_check, .columns = cronjob_columns,
};
/* clang-format on */
