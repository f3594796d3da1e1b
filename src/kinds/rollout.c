/* rollout.c - Rollout (argoproj.io/v1alpha1): how a new version gets its traffic. */
#include "kinds/rollout.h"

#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/pod_spec.h"
#include "kinds/rules.h"
#include "kinds/tables.h"

/*
 * The template is checked with its defaults but kept without them, as Argo does: kubectl's apply
 * knows no merge keys of added kinds, so defaults in the object would make each apply a change.
 */
static void check_template(const struct json *template, const struct json *selector,
                           const struct place *at, struct field_errors *errors)
{
    struct json *full = json_clone(template, errors->arena);
    schema_set_defaults(&pod_template_spec_schema, full, errors->arena);
    struct json *pod = json_at(full, "spec");
    if (pod != NULL)
        pod_spec_defaults(pod, errors->arena);
    pod_template_check(full, selector, at, restart_always, errors);
}

static void check_step(const struct json *step, const struct place *at, struct field_errors *errors)
{
    const struct json *weight = json_get(step, STR("setWeight"));
    size_t n = json_count(step) - (json_get(step, STR("replicaProgressThreshold")) != NULL);
    int64_t value;
    if (n != 1)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"%zu actions\": Step must have one of the following set: "
                   "experiment, setWeight, setCanaryScale, pause, analysis, setHeaderRoute, "
                   "setMirrorRoute or plugin",
                   n);
    if (weight != NULL && json_to_i64(weight, &value) && (value < 0 || value > 100))
        rule_error(errors, FIELD_INVALID, IN(at, "setWeight"),
                   "Invalid value: %lld: SetWeight needs to be between 0 and 100",
                   (long long)value);
    if (json_get(step, STR("setCanaryScale")) != NULL) {
        const struct json *scale = json_get(step, STR("setCanaryScale"));
        size_t set = (json_get(scale, STR("weight")) != NULL) +
                     (json_get(scale, STR("replicas")) != NULL) +
                     json_is_true(json_get(scale, STR("matchTrafficWeight")));
        if (set > 1)
            rule_error(errors, FIELD_INVALID, IN(at, "setCanaryScale"),
                       "Invalid value: \"%zu sizes\": only one of weight, replicas or "
                       "matchTrafficWeight may be set",
                       set);
    }
}

static void check_strategy(const struct json *strategy, const struct place *at,
                           struct field_errors *errors)
{
    const struct json *canary = json_get(strategy, STR("canary"));
    const struct json *blue_green = json_get(strategy, STR("blueGreen"));
    if (canary == NULL && blue_green == NULL)
        rule_error(errors, FIELD_REQUIRED, at,
                   "Required value: Rollout has missing field '.spec.strategy.canary or "
                   ".spec.strategy.blueGreen'");
    if (canary != NULL && blue_green != NULL)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"canary and blueGreen\": Multiple Strategies can not be "
                   "listed");
    if (blue_green != NULL && json_get_text(blue_green, STR("activeService")).len == 0)
        rule_error(errors, FIELD_REQUIRED, IN(IN(at, "blueGreen"), "activeService"),
                   "Required value: Rollout has missing field "
                   "'.spec.strategy.blueGreen.activeService'");
    str_t active = json_get_text(blue_green, STR("activeService"));
    if (active.len > 0 && str_eq(active, json_get_text(blue_green, STR("previewService"))))
        rule_error(errors, FIELD_INVALID, IN(at, "blueGreen"),
                   "Invalid value: \"" STR_F
                   "\": This rollout uses the same service for the active and preview services, "
                   "but two different services are required.",
                   STR_A(active));
    str_t stable = json_get_text(canary, STR("stableService"));
    if (stable.len > 0 && str_eq(stable, json_get_text(canary, STR("canaryService"))))
        rule_error(errors, FIELD_INVALID, IN(IN(at, "canary"), "stableService"),
                   "Invalid value: \"" STR_F
                   "\": This rollout uses the same service for the stable and canary services, "
                   "but two different services are required.",
                   STR_A(stable));
    size_t i = 0;
    JSON_EACH(json_get(canary, STR("steps")), step)
    check_step(step, ITEM(IN(at, "canary"), "steps", i++), errors);
}

static void rollout_check(const struct json *object, const struct json *old,
                          struct field_errors *errors)
{
    (void)old;
    const struct json *spec = json_get(object, STR("spec"));
    const struct json *template = json_get(spec, STR("template"));
    const struct json *selector = json_get(spec, STR("selector"));
    const struct place *at = IN(NULL, "spec");
    bool elsewhere = json_get(spec, STR("workloadRef")) != NULL;
    if (elsewhere && template != NULL)
        rule_error(errors, FIELD_INVALID, IN(at, "template"),
                   "Invalid value: \"template and workloadRef\": template must be empty for "
                   "workload reference rollout");
    if (!elsewhere && template == NULL)
        rule_error(errors, FIELD_REQUIRED, IN(at, "template"),
                   "Required value: Rollout has missing field '.spec.template'");
    if (!elsewhere && selector == NULL)
        rule_error(errors, FIELD_REQUIRED, IN(at, "selector"),
                   "Required value: Rollout has missing field '.spec.selector'");
    rule_label_selector(selector, IN(at, "selector"), errors);
    if (!elsewhere && template != NULL && selector != NULL)
        check_template(template, selector, IN(at, "template"), errors);
    check_strategy(json_get(spec, STR("strategy")), IN(at, "strategy"), errors);
}

/* clang-format off */
static const struct column rollout_columns[] = {
    COLUMN_NAME,
    {"Desired", "integer", "", "Pods that are wanted.", .path = ".spec.replicas"},
    {"Current", "integer", "", "Pods that are there.", .path = ".status.replicas"},
    {"Up-to-date", "integer", "", "Pods of the new version.", .path = ".status.updatedReplicas"},
    {"Available", "integer", "", "Pods that are available.", .path = ".status.availableReplicas"},
    COLUMN_AGE, {0},
};

static const char *const change_verbs[] = {"get", "patch", "update", NULL};
static const struct scale_paths rollout_scale = {
    {"scale", &kind_scale, change_verbs}, "spec.replicas", "status.HPAReplicas",
    "status.selector"};

const struct kind kind_rollout = {
    .group = "argoproj.io", .version = "v1alpha1", .name = "Rollout", .plural = "rollouts",
    .singular = "rollout", .shortcuts = (const char *const[]){"ro", NULL},
    .categories = category_all, .namespaced = true, .has_status = true,
    .has_spec_generation = true, .as_given = true, .schema = &rollout_schema,
    .check = rollout_check, .columns = rollout_columns, .scale = &rollout_scale,
};
/* clang-format on */
