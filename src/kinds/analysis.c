/* analysis.c - AnalysisTemplate, ClusterAnalysisTemplate and AnalysisRun (argoproj.io/v1alpha1). */
#include "kinds/argo.h"
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"

/* clang-format off */
static const struct field template_spec_fields[] = {
    {"metrics", FIELD_LIST, .of = &argo_metric_schema, .merge_key = "name", .list_keys = "name",
     .doc = "What is measured."},
    {"args", FIELD_LIST, .of = &argo_argument_schema, .merge_key = "name", .list_keys = "name",
     .doc = "What it can be called with."},
    {"dryRun", FIELD_LIST, .of = &argo_dry_run_schema, .doc = "Metrics that decide nothing."},
    {"measurementRetention", FIELD_LIST, .of = &argo_retention_schema,
     .doc = "How many measurements are kept."},
    {"templates", FIELD_LIST, .of = &argo_template_ref_schema, .doc = "Templates it is made of."},
    {0},
};
static const struct schema template_spec_schema = {
    "argo.v1alpha1.AnalysisTemplateSpec", template_spec_fields};

static const struct field template_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, .of = &template_spec_schema, .required = true, .doc = "What is wanted."},
    {0},
};
static const struct schema template_schema = {
    "argo.v1alpha1.AnalysisTemplate", template_fields,
    "Measurements that tell a good version from a bad one."};
static const struct schema cluster_template_schema = {
    "argo.v1alpha1.ClusterAnalysisTemplate", template_fields,
    "Measurements that every namespace may use."};

static const struct field ttl_fields[] = {
    {"secondsAfterCompletion", FIELD_INT, .pointer = true, .doc = "Kept so long after its end."},
    {"secondsAfterFailure", FIELD_INT, .pointer = true, .doc = "Kept so long after a failure."},
    {"secondsAfterSuccess", FIELD_INT, .pointer = true, .doc = "Kept so long after a success."},
    {0},
};
static const struct schema ttl_schema = {"argo.v1alpha1.TTLStrategy", ttl_fields};

static const struct field run_spec_fields[] = {
    {"metrics", FIELD_LIST, .of = &argo_metric_schema, .merge_key = "name", .list_keys = "name",
     .required = true, .doc = "What is measured."},
    {"args", FIELD_LIST, .of = &argo_argument_schema, .merge_key = "name", .list_keys = "name",
     .doc = "What it is called with."},
    {"terminate", FIELD_BOOL, .doc = "Whether it is to end now."},
    {"dryRun", FIELD_LIST, .of = &argo_dry_run_schema, .doc = "Metrics that decide nothing."},
    {"measurementRetention", FIELD_LIST, .of = &argo_retention_schema,
     .doc = "How many measurements are kept."},
    {"ttlStrategy", FIELD_OBJECT, .of = &ttl_schema, .doc = "How long it is kept."},
    {0},
};
static const struct schema run_spec_schema = {"argo.v1alpha1.AnalysisRunSpec", run_spec_fields};

static const struct field run_status_fields[] = {
    {"phase", FIELD_STRING, .doc = "Pending, Running, Successful, Failed, Error, Inconclusive."},
    {"message", FIELD_STRING, .doc = "A sentence why."},
    {"startedAt", FIELD_TIME, .doc = "When it began."},
    {"completedAt", FIELD_TIME, .doc = "When it ended."},
    {"metricResults", FIELD_RAW, .doc = "What was measured."},
    {"runSummary", FIELD_RAW, .doc = "How many measurements were good and bad."},
    {"dryRunSummary", FIELD_RAW, .doc = "The same of those that decide nothing."},
    {0},
};
static const struct schema run_status_schema = {
    "argo.v1alpha1.AnalysisRunStatus", run_status_fields, .open = true};

static const struct field run_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, .of = &run_spec_schema, .required = true, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, .of = &run_status_schema, .doc = "What is."},
    {0},
};
static const struct schema run_schema = {
    "argo.v1alpha1.AnalysisRun", run_fields, "One run of measurements, and its verdict."};
/* clang-format on */

/* A metric has one provider. */
static void check_metrics(const struct json *spec, struct field_errors *errors)
{
    size_t i = 0;
    JSON_EACH(json_get(spec, STR("metrics")), metric)
    {
        const struct place *at = ITEM(IN(NULL, "spec"), "metrics", i++);
        size_t n = json_count(json_get(metric, STR("provider")));
        if (n != 1)
            rule_error(errors, FIELD_INVALID, IN(at, "provider"),
                       "Invalid value: \"%zu providers\": %s", n,
                       n == 0 ? "no provider specified" : "multiple providers specified");
    }
    rule_unique(json_get(spec, STR("metrics")), "name", IN(NULL, "spec"), "metrics", errors);
}

static void template_check(const struct json *object, const struct json *old,
                           struct field_errors *errors)
{
    (void)old;
    const struct json *spec = json_get(object, STR("spec"));
    if (json_count(json_get(spec, STR("metrics"))) == 0 &&
        json_count(json_get(spec, STR("templates"))) == 0)
        rule_error(errors, FIELD_REQUIRED, IN(IN(NULL, "spec"), "metrics"),
                   "Required value: no metrics and no templates");
    check_metrics(spec, errors);
}

static void run_check(const struct json *object, const struct json *old,
                      struct field_errors *errors)
{
    (void)old;
    check_metrics(json_get(object, STR("spec")), errors);
}

/* clang-format off */
static const struct column template_columns[] = {COLUMN_NAME, COLUMN_AGE, {0}};
static const struct column run_columns[] = {
    COLUMN_NAME,
    {"Status", "string", "", "How it stands.", .path = ".status.phase"},
    COLUMN_AGE, {0},
};

const struct kind kind_analysistemplate = {
    .group = "argoproj.io", .version = "v1alpha1", .name = "AnalysisTemplate",
    .plural = "analysistemplates", .singular = "analysistemplate",
    .shortcuts = (const char *const[]){"at", NULL}, .namespaced = true,
    .has_spec_generation = true, .as_given = true, .schema = &template_schema,
    .check = template_check, .columns = template_columns,
};
const struct kind kind_clusteranalysistemplate = {
    .group = "argoproj.io", .version = "v1alpha1", .name = "ClusterAnalysisTemplate",
    .plural = "clusteranalysistemplates", .singular = "clusteranalysistemplate",
    .shortcuts = (const char *const[]){"cat", NULL}, .has_spec_generation = true, .as_given = true,
    .schema = &cluster_template_schema, .check = template_check, .columns = template_columns,
};
const struct kind kind_analysisrun = {
    .group = "argoproj.io", .version = "v1alpha1", .name = "AnalysisRun",
    .plural = "analysisruns", .singular = "analysisrun",
    .shortcuts = (const char *const[]){"ar", NULL}, .namespaced = true,
    .has_spec_generation = true, .as_given = true, .schema = &run_schema, .check = run_check,
    .columns = run_columns,
};
/* clang-format on */
