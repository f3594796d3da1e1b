/* experiment.c - Experiment (argoproj.io/v1alpha1): versions that run beside each other for a
 * while. */
#include "kinds/argo.h"
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field service_fields[] = {{"name", FIELD_STRING, .doc = "Its name."}, {0}};
static const struct schema service_of_template = {
    "argo.v1alpha1.TemplateService", service_fields};

static const struct field template_fields[] = {
    {"name", FIELD_STRING, .required = true, .doc = "Its name in the experiment."},
    {"replicas", FIELD_INT, .pointer = true, RANGE(0, INT32_MAX), .doc = "How many pods; 1."},
    {"minReadySeconds", FIELD_INT, .doc = "Seconds a pod must be ready to count."},
    {"selector", FIELD_OBJECT, .of = &label_selector_schema, .required = true,
     .doc = "Which pods belong to it."},
    {"template", FIELD_OBJECT, .of = &pod_template_spec_schema, .required = true,
     .doc = "The pods to make."},
    {"service", FIELD_OBJECT, .of = &service_of_template, .doc = "A Service for its pods."},
    {0},
};
static const struct schema template_spec_schema = {
    "argo.v1alpha1.TemplateSpec", template_fields};

static const struct field spec_fields[] = {
    {"templates", FIELD_LIST, .of = &template_spec_schema, .merge_key = "name",
     .list_keys = "name", .required = true, .doc = "What runs."},
    {"duration", FIELD_STRING, .doc = "For how long, as 20m; none: until its analyses end."},
    {"progressDeadlineSeconds", FIELD_INT, .pointer = true, .doc = "Seconds to become ready; 600."},
    {"terminate", FIELD_BOOL, .doc = "Whether it is to end now."},
    {"analyses", FIELD_LIST, .of = &argo_analysis_ref_schema, .merge_key = "name",
     .list_keys = "name", .doc = "What is measured meanwhile."},
    {"scaleDownDelaySeconds", FIELD_INT, .pointer = true, .doc = "Kept so long after its end."},
    {"dryRun", FIELD_LIST, .of = &argo_dry_run_schema, .doc = "Metrics that decide nothing."},
    {"measurementRetention", FIELD_LIST, .of = &argo_retention_schema,
     .doc = "How many measurements are kept."},
    {"analysisRunMetadata", FIELD_OBJECT, .of = &argo_metadata_schema,
     .doc = "Labels and annotations of its AnalysisRuns."},
    {0},
};
static const struct schema spec_schema = {"argo.v1alpha1.ExperimentSpec", spec_fields};

static const struct field status_fields[] = {
    {"phase", FIELD_STRING, .doc = "Pending, Running, Successful, Failed, Error, Inconclusive."},
    {"message", FIELD_STRING, .doc = "A sentence why."},
    {"availableAt", FIELD_TIME, .doc = "When everything was ready."},
    {"conditions", FIELD_RAW, .doc = "What is known about it."},
    {"templateStatuses", FIELD_RAW, .doc = "How each template stands."},
    {"analysisRuns", FIELD_RAW, .doc = "How each analysis stands."},
    {0},
};
static const struct schema status_schema = {
    "argo.v1alpha1.ExperimentStatus", status_fields, .open = true};

static const struct field experiment_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, .of = &spec_schema, .required = true, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, .of = &status_schema, .doc = "What is."},
    {0},
};
static const struct schema experiment_schema = {
    "argo.v1alpha1.Experiment", experiment_fields, "Versions that run beside each other."};
/* clang-format on */

static void experiment_check(const struct json *object, const struct json *old,
                             struct field_errors *errors)
{
    (void)old;
    const struct json *spec = json_get(object, STR("spec"));
    const struct json *templates = json_get(spec, STR("templates"));
    size_t i = 0;
    if (json_count(templates) == 0)
        rule_error(errors, FIELD_REQUIRED, IN(IN(NULL, "spec"), "templates"), "Required value");
    rule_unique(templates, "name", IN(NULL, "spec"), "templates", errors);
    JSON_EACH(templates, each)
    rule_label_selector(json_get(each, STR("selector")),
                        IN(ITEM(IN(NULL, "spec"), "templates", i++), "selector"), errors);
}

/* clang-format off */
static const struct column experiment_columns[] = {
    COLUMN_NAME,
    {"Status", "string", "", "How it stands.", .path = ".status.phase"},
    COLUMN_AGE, {0},
};

const struct kind kind_experiment = {
    .group = "argoproj.io", .version = "v1alpha1", .name = "Experiment", .plural = "experiments",
    .singular = "experiment", .shortcuts = (const char *const[]){"exp", NULL}, .namespaced = true,
    .has_status = true, .has_spec_generation = true, .as_given = true, .schema = &experiment_schema,
    .check = experiment_check, .columns = experiment_columns,
};
/* clang-format on */
