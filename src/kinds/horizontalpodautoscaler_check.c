/* horizontalpodautoscaler_check.c - rules of HorizontalPodAutoscaler: bounds, metrics, behavior. */
#include "kinds/columns.h"
#include "kinds/horizontalpodautoscaler.h"
#include "kube/quantity.h"

enum { PERIOD_MAX = 1800, WINDOW_MAX = 3600 };

/* What each source of a metric is called, and what must be there beside its target. */
static const struct source {
    const char *type, *member;
    const char *either, *or_else;  /* Members of its target, of which one is needed. */
    const char *without;           /* What is said if none is there. */
    const char *both;              /* What is said if both are; NULL: they may be. */
    const char *missing, *surplus; /* The member the fault is at. */
} sources[] = {
    {"ContainerResource", "containerResource", "averageUtilization", "averageValue",
     "must set either a target raw value or a target utilization",
     "may not set both a target raw value and a target utilization", "averageUtilization",
     "averageValue"},
    {"External", "external", "value", "averageValue",
     "must set either a target value for metric or a per-pod target",
     "may not set both a target value for metric and a per-pod target", "averageValue", "value"},
    {"Object", "object", "value", "averageValue", "must set either a target value or averageValue",
     NULL, "averageValue", NULL},
    {"Pods", "pods", "averageValue", NULL, "must specify a positive target averageValue", NULL,
     "averageValue", NULL},
    {"Resource", "resource", "averageUtilization", "averageValue",
     "must set either a target raw value or a target utilization",
     "may not set both a target raw value and a target utilization", "averageUtilization",
     "averageValue"},
};

static void check_positive(const struct json *amount, const struct place *at,
                           struct field_errors *errors)
{
    quantity_t value;
    if (quantity_parse(json_text(amount, STR("")), &value) && value.nano <= 0)
        rule_error(errors, FIELD_INVALID, at, "Invalid value: \"" STR_F "\": must be positive",
                   STR_A(quantity_text(value, errors->arena)));
}

static void check_target(const struct json *target, const struct source *source,
                         const struct place *at, struct field_errors *errors)
{
    int64_t percent;
    check_positive(json_get(target, STR("value")), IN(at, "value"), errors);
    check_positive(json_get(target, STR("averageValue")), IN(at, "averageValue"), errors);
    const struct json *utilization = json_get(target, STR("averageUtilization"));
    if (utilization != NULL && json_to_i64(utilization, &percent) && percent < 1)
        rule_error(errors, FIELD_INVALID, IN(at, "averageUtilization"),
                   "Invalid value: %lld: must be greater than 0", (long long)percent);
    bool one = json_get(target, str_from_z(source->either)) != NULL;
    bool other = source->or_else != NULL && json_get(target, str_from_z(source->or_else)) != NULL;
    if (!one && !other)
        rule_error(errors, FIELD_REQUIRED, IN(at, source->missing), "Required value: %s",
                   source->without);
    if (one && other && source->both != NULL)
        rule_error(errors, FIELD_FORBIDDEN, IN(at, source->surplus), "Forbidden: %s", source->both);
}

static void check_metric(const struct json *metric, const struct place *at,
                         struct field_errors *errors)
{
    str_t type = json_get_text(metric, STR("type"));
    size_t present = 0;
    for (size_t i = 0; i < ARRAY_LEN(sources); i++)
        present += json_get(metric, str_from_z(sources[i].member)) != NULL;
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        const struct source *source = &sources[i];
        const struct json *given = json_get(metric, str_from_z(source->member));
        const struct place *here = IN(at, source->member);
        bool wanted = str_eq(type, str_from_z(source->type));
        if (given != NULL && present == 1)
            check_target(json_get(given, STR("target")), source, IN(here, "target"), errors);
        if (given == NULL && wanted)
            rule_error(errors, FIELD_REQUIRED, here,
                       "Required value: must populate information for the given metric source");
        if (given != NULL && !wanted && present > 1)
            rule_error(errors, FIELD_FORBIDDEN, here,
                       "Forbidden: must populate the given metric source only");
    }
}

static void check_above_zero(int64_t value, const struct place *at, struct field_errors *errors)
{
    if (value <= 0)
        rule_error(errors, FIELD_INVALID, at, "Invalid value: %lld: must be greater than zero",
                   (long long)value);
}

static void check_at_most(int64_t value, int64_t most, const struct place *at,
                          struct field_errors *errors)
{
    if (value > most)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: %lld: must be less than or equal to %lld", (long long)value,
                   (long long)most);
}

static void check_scaling(const struct json *rules, const struct place *at,
                          struct field_errors *errors)
{
    if (rules == NULL)
        return;
    int64_t window = path_int(rules, "stabilizationWindowSeconds", 0);
    if (window < 0)
        rule_error(errors, FIELD_INVALID, IN(at, "stabilizationWindowSeconds"),
                   "Invalid value: %lld: must be greater than or equal to zero", (long long)window);
    check_at_most(window, WINDOW_MAX, IN(at, "stabilizationWindowSeconds"), errors);
    long i = 0;
    JSON_EACH(json_get(rules, STR("policies")), policy)
    {
        const struct place *here = ITEM(at, "policies", i++);
        int64_t period = path_int(policy, "periodSeconds", 0);
        check_above_zero(path_int(policy, "value", 0), IN(here, "value"), errors);
        check_above_zero(period, IN(here, "periodSeconds"), errors);
        check_at_most(period, PERIOD_MAX, IN(here, "periodSeconds"), errors);
    }
}

void hpa_check(const struct json *object, const struct json *old, struct field_errors *errors)
{
    (void)old;
    const struct json *spec = json_get(object, STR("spec"));
    const struct json *behavior = json_get(spec, STR("behavior"));
    const struct place *at = IN(NULL, "spec");
    int64_t least = path_int(spec, "minReplicas", 1), most = path_int(spec, "maxReplicas", 0);
    if (most < 1 && json_get(spec, STR("maxReplicas")) == NULL)
        rule_error(errors, FIELD_INVALID, IN(at, "maxReplicas"),
                   "Invalid value: 0: must be greater than 0");
    else if (most < least)
        rule_error(errors, FIELD_INVALID, IN(at, "maxReplicas"),
                   "Invalid value: %lld: must be greater than or equal to `minReplicas`",
                   (long long)most);
    const struct json *target = json_get(spec, STR("scaleTargetRef"));
    if (json_get_text(target, STR("kind")).len == 0)
        rule_error(errors, FIELD_REQUIRED, IN(IN(at, "scaleTargetRef"), "kind"), "Required value");
    if (json_get_text(target, STR("name")).len == 0)
        rule_error(errors, FIELD_REQUIRED, IN(IN(at, "scaleTargetRef"), "name"), "Required value");
    long i = 0;
    JSON_EACH(json_get(spec, STR("metrics")), metric)
    check_metric(metric, ITEM(at, "metrics", i++), errors);
    check_scaling(json_get(behavior, STR("scaleUp")), IN(IN(at, "behavior"), "scaleUp"), errors);
    check_scaling(json_get(behavior, STR("scaleDown")), IN(IN(at, "behavior"), "scaleDown"),
                  errors);
}
