/* job_table.c - the fields of Job (batch/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field pod_failure_policy_on_exit_codes_requirement_fields[] = {
    {"containerName", FIELD_STRING, 1},
    {"operator", FIELD_STRING, 2, .required = true, .doc = "How key and values are compared."},
    {"values", FIELD_LIST, 3, .item = FIELD_INT, .required = true, .set = true,
     .doc = "Values the operator compares with."},
    {0},
};
static const struct schema pod_failure_policy_on_exit_codes_requirement_schema = {
    "batch.v1.PodFailurePolicyOnExitCodesRequirement",
    pod_failure_policy_on_exit_codes_requirement_fields};

static const struct field pod_failure_policy_on_pod_conditions_pattern_fields[] = {
    {"type", FIELD_STRING, 1, .required = true, .doc = "What type it is."},
    {"status", FIELD_STRING, 2, .required = true, .doc = "What is."},
    {0},
};
static const struct schema pod_failure_policy_on_pod_conditions_pattern_schema = {
    "batch.v1.PodFailurePolicyOnPodConditionsPattern",
    pod_failure_policy_on_pod_conditions_pattern_fields};

static const struct field pod_failure_policy_rule_fields[] = {
    {"action", FIELD_STRING, 1, .required = true},
    {"onExitCodes", FIELD_OBJECT, 2, .of = &pod_failure_policy_on_exit_codes_requirement_schema},
    {"onPodConditions", FIELD_LIST, 3, .of = &pod_failure_policy_on_pod_conditions_pattern_schema},
    {0},
};
static const struct schema pod_failure_policy_rule_schema = {
    "batch.v1.PodFailurePolicyRule", pod_failure_policy_rule_fields};

static const struct field pod_failure_policy_fields[] = {
    {"rules", FIELD_LIST, 1, .of = &pod_failure_policy_rule_schema, .required = true},
    {0},
};
static const struct schema pod_failure_policy_schema = {
    "batch.v1.PodFailurePolicy", pod_failure_policy_fields};

static const struct field success_policy_rule_fields[] = {
    {"succeededIndexes", FIELD_STRING, 1},
    {"succeededCount", FIELD_INT, 2, .pointer = true},
    {0},
};
static const struct schema success_policy_rule_schema = {
    "batch.v1.SuccessPolicyRule", success_policy_rule_fields};

static const struct field success_policy_fields[] = {
    {"rules", FIELD_LIST, 1, .of = &success_policy_rule_schema}, /* job_success.c asks for it. */
    {0},
};
static const struct schema success_policy_schema = {
    "batch.v1.SuccessPolicy", success_policy_fields};

static const struct field job_spec_fields[] = {
    {"parallelism", FIELD_INT, 1, .pointer = true, RANGE(0, INT32_MAX),
     .doc = "Pods that may run at the same time."},
    {"completions", FIELD_INT, 2, .pointer = true, RANGE(0, INT32_MAX),
     .doc = "Pods that must succeed."},
    {"activeDeadlineSeconds", FIELD_LONG, 3, .pointer = true, RANGE(0, INT64_MAX)},
    {"selector", FIELD_OBJECT, 4, .of = &label_selector_schema, .immutable = true,
     .doc = "Which pods belong to it."},
    {"manualSelector", FIELD_BOOL, 5, .pointer = true},
    {"template", FIELD_OBJECT, 6, .of = &pod_template_spec_schema, .required = true,
     .doc = "The pods to make."},
    {"backoffLimit", FIELD_INT, 7, .pointer = true, .otherwise = "6", RANGE(0, INT32_MAX),
     .doc = "Failures before the Job fails."},
    {"ttlSecondsAfterFinished", FIELD_INT, 8, .pointer = true, RANGE(0, INT32_MAX),
     .doc = "Seconds it is kept after its end."},
    {"completionMode", FIELD_STRING, 9, .immutable = true, .otherwise = "NonIndexed",
     ONE_OF("Indexed", "NonIndexed"), .doc = "NonIndexed or Indexed."},
    {"suspend", FIELD_BOOL, 10, .pointer = true, .otherwise = "false",
     .doc = "While it is true nothing is started."},
    {"podFailurePolicy", FIELD_OBJECT, 11, .of = &pod_failure_policy_schema, .immutable = true},
    {"backoffLimitPerIndex", FIELD_INT, 12, .pointer = true, .immutable = true,
     RANGE(0, INT32_MAX)},
    {"maxFailedIndexes", FIELD_INT, 13, .pointer = true, RANGE(0, INT32_MAX)},
    {"podReplacementPolicy", FIELD_STRING, 14, ONE_OF("Failed", "TerminatingOrFailed")},
    {"managedBy", FIELD_STRING, 15, .immutable = true},
    {"successPolicy", FIELD_OBJECT, 16, .of = &success_policy_schema, .immutable = true},
    {0},
};
const struct schema job_spec_schema = {"batch.v1.JobSpec", job_spec_fields};

static const struct field job_condition_fields[] = {
    {"type", FIELD_STRING, 1, .doc = "What type it is."},
    {"status", FIELD_STRING, 2, .doc = "What is."},
    {"lastProbeTime", FIELD_TIME, 3, .doc = "When it was last probed."},
    {"lastTransitionTime", FIELD_TIME, 4, .doc = "When status last changed."},
    {"reason", FIELD_STRING, 5, .doc = "One word why."},
    {"message", FIELD_STRING, 6, .doc = "A sentence why."},
    {0},
};
static const struct schema job_condition_schema = {"batch.v1.JobCondition", job_condition_fields};

static const struct field uncounted_terminated_pods_fields[] = {
    {"succeeded", FIELD_LIST, 1, .item = FIELD_STRING, .set = true},
    {"failed", FIELD_LIST, 2, .item = FIELD_STRING, .set = true},
    {0},
};
static const struct schema uncounted_terminated_pods_schema = {
    "batch.v1.UncountedTerminatedPods", uncounted_terminated_pods_fields};

static const struct field job_status_fields[] = {
    {"conditions", FIELD_LIST, 1, .of = &job_condition_schema, .merge_key = "type",
     .doc = "What is known about it."},
    {"startTime", FIELD_TIME, 2, .doc = "When its node took it."},
    {"completionTime", FIELD_TIME, 3},
    {"active", FIELD_INT, 4},
    {"succeeded", FIELD_INT, 5},
    {"failed", FIELD_INT, 6},
    {"completedIndexes", FIELD_STRING, 7},
    {"uncountedTerminatedPods", FIELD_OBJECT, 8, .of = &uncounted_terminated_pods_schema},
    {"ready", FIELD_INT, 9, .pointer = true, .doc = "Whether it is ready."},
    {"failedIndexes", FIELD_STRING, 10},
    {"terminating", FIELD_INT, 11, .pointer = true},
    {0},
};
static const struct schema job_status_schema = {"batch.v1.JobStatus", job_status_fields};

static const struct field job_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &job_spec_schema, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &job_status_schema, .doc = "What is."},
    {0},
};
const struct schema job_schema = {"batch.v1.Job", job_fields, "Pods that run to their end."};

/* clang-format on */
