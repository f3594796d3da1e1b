/* deployment.c - Deployment: how many pods of a template, and how they are replaced. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/pod_spec.h"
#include "kinds/tables.h"

static void deployment_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    (void)old;
    struct json *spec = json_get(object, STR("spec"));
    struct json *strategy = json_get(spec, STR("strategy"));
    struct json *pod = json_at(spec, "template.spec");
    if (str_eq(json_get_text(strategy, STR("type")), STR("RollingUpdate"))) {
        struct json *rolling = rule_member(strategy, STR("rollingUpdate"), arena);
        rule_default_text(rolling, "maxUnavailable", "25%", arena);
        rule_default_text(rolling, "maxSurge", "25%", arena);
    }
    if (pod != NULL)
        pod_spec_defaults(pod, arena);
}

static void check_strategy(const struct json *spec, const struct place *at,
                           struct field_errors *errors)
{
    const struct json *strategy = json_get(spec, STR("strategy"));
    const struct json *rolling = json_get(strategy, STR("rollingUpdate"));
    const struct place *here = IN(IN(at, "strategy"), "rollingUpdate");
    if (rolling == NULL)
        return;
    if (str_eq(json_get_text(strategy, STR("type")), STR("Recreate"))) {
        rule_error(errors, FIELD_FORBIDDEN, here,
                   "Forbidden: may not be specified when strategy `type` is 'Recreate'");
        return;
    }
    const struct json *surge = json_get(rolling, STR("maxSurge"));
    const struct json *missing = json_get(rolling, STR("maxUnavailable"));
    rule_count_or_percent(missing, IN(here, "maxUnavailable"), errors);
    rule_count_or_percent(surge, IN(here, "maxSurge"), errors);
    if (is_zero_count(surge) && is_zero_count(missing))
        rule_error(errors, FIELD_INVALID, IN(here, "maxUnavailable"),
                   "Invalid value: intstr.IntOrString{Type:0, IntVal:0, StrVal:\"\"}: may not be 0 "
                   "when `maxSurge` is 0");
    rule_at_most_all(missing, IN(here, "maxUnavailable"), errors);
}

static void deployment_check(const struct json *object, const struct json *old,
                             struct field_errors *errors)
{
    (void)old;
    const struct json *spec = json_get(object, STR("spec"));
    const struct json *selector = json_get(spec, STR("selector"));
    const struct place *at = IN(NULL, "spec");
    rule_label_selector(selector, IN(at, "selector"), errors);
    if (selector != NULL && selector->first == NULL)
        rule_error(errors, FIELD_INVALID, IN(at, "selector"),
                   "Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), "
                   "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is "
                   "invalid for deployment");
    else
        pod_template_check(json_get(spec, STR("template")), selector, IN(at, "template"),
                           restart_always, errors);
    check_strategy(spec, at, errors);
    int64_t deadline = path_int(spec, "progressDeadlineSeconds", INT32_MAX);
    if (deadline >= 0 && deadline <= path_int(spec, "minReadySeconds", 0))
        rule_error(errors, FIELD_INVALID, IN(at, "progressDeadlineSeconds"),
                   "Invalid value: %lld: must be greater than minReadySeconds",
                   (long long)deadline);
}

static str_t column_ready(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return arena_printf(arena, "%lld/%lld", (long long)path_int(object, "status.readyReplicas", 0),
                        (long long)path_int(object, "spec.replicas", 0));
}

PATH_COLUMN(column_updated, "status.updatedReplicas", "0")
PATH_COLUMN(column_available, "status.availableReplicas", "0")

/* clang-format off */
static const struct column deployment_columns[] = {
    COLUMN_NAME,
    {"Ready", "string", "", "Pods that are ready, of all wanted.", 0, column_ready},
    {"Up-to-date", "string", "", "Pods of the newest template.", 0, column_updated},
    {"Available", "string", "", "Pods that are available.", 0, column_available},
    COLUMN_AGE, COLUMN_CONTAINERS, COLUMN_IMAGES, COLUMN_SELECTOR, {0},
};

const struct kind kind_deployment = {
    .group = "apps", .version = "v1", .name = "Deployment", .plural = "deployments",
    .singular = "deployment", .shortcuts = (const char *const[]){"deploy", NULL},
    .categories = category_all, .namespaced = true, .has_status = true,
    .has_spec_generation = true, .schema = &deployment_schema, .prepare = deployment_prepare,
    .check = deployment_check, .columns = deployment_columns, .scale = &scale_by_selector,
};
/* clang-format on */
