/* daemonset.c - DaemonSet: one pod on each node. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/pod_spec.h"
#include "kinds/tables.h"

static void daemonset_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    struct json *spec = json_get(object, STR("spec"));
    struct json *strategy = json_get(spec, STR("updateStrategy"));
    struct json *pod = json_at(spec, "template.spec");
    if (str_eq(json_get_text(strategy, STR("type")), STR("RollingUpdate"))) {
        struct json *rolling = rule_member(strategy, STR("rollingUpdate"), arena);
        rule_default_int(rolling, "maxUnavailable", 1, arena);
        rule_default_int(rolling, "maxSurge", 0, arena);
    }
    if (pod != NULL)
        pod_spec_defaults(pod, arena);
    static const char *const counts[] = {"currentNumberScheduled", "numberMisscheduled",
                                         "desiredNumberScheduled", "numberReady"};
    for (size_t i = 0; i < ARRAY_LEN(counts) && old == NULL; i++)
        rule_default_int(rule_member(object, STR("status"), arena), counts[i], 0, arena);
}

/* Either more pods or fewer at a time, and one of the two. */
static void check_only_one(const struct json *missing, const struct json *surge,
                           const struct place *here, struct field_errors *errors)
{
    int64_t number = 0;
    if (missing == NULL || surge == NULL || is_zero_count(missing) != is_zero_count(surge))
        return;
    if (is_zero_count(missing))
        rule_error(errors, FIELD_REQUIRED, IN(here, "maxUnavailable"),
                   "Required value: cannot be 0 when maxSurge is 0");
    else if (!json_to_i64(surge, &number))
        rule_error(errors, FIELD_INVALID, IN(here, "maxSurge"),
                   "Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:\"" STR_F
                   "\"}: may not be set when maxUnavailable is non-zero",
                   STR_A(surge->text));
    else
        rule_error(errors, FIELD_INVALID, IN(here, "maxSurge"),
                   "Invalid value: intstr.IntOrString{Type:0, IntVal:%lld, StrVal:\"\"}: may not "
                   "be set when maxUnavailable is non-zero",
                   (long long)number);
}

static void daemonset_check(const struct json *object, const struct json *old,
                            struct field_errors *errors)
{
    (void)old;
    const struct json *spec = json_get(object, STR("spec"));
    const struct json *selector = json_get(spec, STR("selector"));
    const struct json *rolling = json_at(spec, "updateStrategy.rollingUpdate");
    const struct place *at = IN(NULL, "spec");
    const struct place *here = IN(IN(at, "updateStrategy"), "rollingUpdate");
    rule_label_selector(selector, IN(at, "selector"), errors);
    if (selector != NULL && selector->first == NULL)
        rule_error(errors, FIELD_INVALID, IN(at, "selector"),
                   "Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), "
                   "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is "
                   "invalid for daemonset");
    pod_template_check(json_get(spec, STR("template")), selector, IN(at, "template"),
                       restart_always, errors);
    const struct json *surge = json_get(rolling, STR("maxSurge"));
    const struct json *missing = json_get(rolling, STR("maxUnavailable"));
    rule_count_or_percent(missing, IN(here, "maxUnavailable"), errors);
    rule_count_or_percent(surge, IN(here, "maxSurge"), errors);
    rule_at_most_all(missing, IN(here, "maxUnavailable"), errors);
    rule_at_most_all(surge, IN(here, "maxSurge"), errors);
    check_only_one(missing, surge, here, errors);
}

PATH_COLUMN(column_desired, "status.desiredNumberScheduled", "0")
PATH_COLUMN(column_current, "status.currentNumberScheduled", "0")
PATH_COLUMN(column_ready, "status.numberReady", "0")
PATH_COLUMN(column_updated, "status.updatedNumberScheduled", "0")
PATH_COLUMN(column_available, "status.numberAvailable", "0")

static str_t column_nodes(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return selector_column(json_at(object, "spec.template.spec.nodeSelector"), arena);
}

/* clang-format off */
static const struct column daemonset_columns[] = {
    COLUMN_NAME,
    {"Desired", "integer", "", "Nodes that should have a pod.", 0, column_desired},
    {"Current", "integer", "", "Nodes that have one.", 0, column_current},
    {"Ready", "integer", "", "Pods that are ready.", 0, column_ready},
    {"Up-to-date", "integer", "", "Pods of the newest template.", 0, column_updated},
    {"Available", "integer", "", "Pods that are available.", 0, column_available},
    {"Node Selector", "string", "", "Labels of the nodes.", 0, column_nodes},
    COLUMN_AGE, COLUMN_CONTAINERS, COLUMN_IMAGES, COLUMN_SELECTOR, {0},
};

const struct kind kind_daemonset = {
    .group = "apps", .version = "v1", .name = "DaemonSet", .plural = "daemonsets",
    .singular = "daemonset", .shortcuts = (const char *const[]){"ds", NULL},
    .categories = category_all, .namespaced = true, .has_status = true,
    .has_spec_generation = true, .schema = &daemon_set_schema, .prepare = daemonset_prepare,
    .check = daemonset_check, .columns = daemonset_columns,
};
/* clang-format on */
