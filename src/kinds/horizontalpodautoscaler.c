/*
 * horizontalpodautoscaler.c - HorizontalPodAutoscaler in autoscaling/v2, as it is stored, and v1.
 *
 * v1 knows one metric, CPU in percent. What else v2 says is kept in annotations while an object is
 * seen as v1, under the names Kubernetes uses, so that a v1 client does not lose it.
 */
#include "kinds/horizontalpodautoscaler.h"

#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"

#define METRICS_NOTE "autoscaling.alpha.kubernetes.io/metrics"
#define BEHAVIOR_NOTE "autoscaling.alpha.kubernetes.io/behavior"
#define CURRENT_NOTE "autoscaling.alpha.kubernetes.io/current-metrics"
#define CONDITIONS_NOTE "autoscaling.alpha.kubernetes.io/conditions"

enum { DEFAULT_CPU_PERCENT = 80 };

/* --- defaults of v2 --- */

static struct json *cpu_metric(int64_t percent, struct arena *arena)
{
    struct json *metric = json_object(arena), *resource = json_object(arena);
    struct json *target = json_object(arena);
    json_add(target, STR("type"), json_string(arena, STR("Utilization")));
    json_add(target, STR("averageUtilization"), json_int(arena, percent));
    json_add(resource, STR("name"), json_string(arena, STR("cpu")));
    json_add(resource, STR("target"), target);
    json_add(metric, STR("type"), json_string(arena, STR("Resource")));
    return json_add(metric, STR("resource"), resource);
}

static struct json *policy(const char *type, int64_t value, struct arena *arena)
{
    struct json *out = json_object(arena);
    json_add(out, STR("type"), json_string(arena, str_from_z(type)));
    json_add(out, STR("value"), json_int(arena, value));
    return json_add(out, STR("periodSeconds"), json_int(arena, 15));
}

static void behavior_defaults(struct json *behavior, struct arena *arena)
{
    struct json *up = rule_member(behavior, STR("scaleUp"), arena);
    struct json *down = rule_member(behavior, STR("scaleDown"), arena);
    rule_default_int(up, "stabilizationWindowSeconds", 0, arena);
    rule_default_text(up, "selectPolicy", "Max", arena);
    rule_default_text(down, "selectPolicy", "Max", arena);
    if (json_get(up, STR("policies")) == NULL)
        json_add(up, STR("policies"),
                 json_add(json_add(json_array(arena), STR(""), policy("Pods", 4, arena)), STR(""),
                          policy("Percent", 100, arena)));
    if (json_get(down, STR("policies")) == NULL)
        json_add(down, STR("policies"),
                 json_add(json_array(arena), STR(""), policy("Percent", 100, arena)));
}

static void v2_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    struct json *spec = json_get(object, STR("spec"));
    if (spec == NULL)
        return;
    if (json_count(json_get(spec, STR("metrics"))) == 0)
        json_set(spec, STR("metrics"),
                 json_add(json_array(arena), STR(""), cpu_metric(DEFAULT_CPU_PERCENT, arena)));
    struct json *behavior = json_get(spec, STR("behavior"));
    if (behavior != NULL)
        behavior_defaults(behavior, arena);
    if (old == NULL)
        json_set(object, STR("status"),
                 json_add(json_add(json_object(arena), STR("desiredReplicas"), json_int(arena, 0)),
                          STR("currentMetrics"), json_null(arena)));
}

/* --- v1 <-> v2 --- */

static bool is_cpu(const struct json *metric)
{
    return str_eq(json_text(json_at(metric, "resource.name"), STR("")), STR("cpu"));
}

static void note(struct json *object, const char *name, const struct json *json,
                 struct arena *arena)
{
    AUTO(buf_done) struct buf text = {0};
    if (json == NULL || json->first == NULL)
        return;
    json_write(json, &text);
    struct json *meta = rule_member(object, STR("metadata"), arena);
    json_set(rule_member(meta, STR("annotations"), arena), str_from_z(name),
             json_string(arena, arena_str(arena, buf_str(&text))));
}

/* The JSON an annotation holds, which goes; NULL if there is none or a client has spoilt it. */
static struct json *un_note(struct json *object, const char *name, struct arena *arena)
{
    struct json *notes = json_at(object, "metadata.annotations");
    const struct json *text = json_get(notes, str_from_z(name));
    struct json *out = NULL;
    struct err ignored;
    if (text == NULL || json_parse(json_text(text, STR("")), arena, &out, &ignored) < 0)
        out = NULL;
    (void)json_remove(notes, str_from_z(name));
    return out;
}

static void v1_from_stored(struct json *object, struct arena *arena)
{
    struct json *spec = json_get(object, STR("spec")), *status = json_get(object, STR("status"));
    struct json *others = json_array(arena), *cpu = NULL;
    JSON_EACH(json_get(spec, STR("metrics")), metric)
    if (cpu == NULL && is_cpu(metric) && json_at(metric, "resource.target.averageUtilization"))
        cpu = json_at(metric, "resource.target.averageUtilization");
    else
        json_add(others, STR(""), json_clone(metric, arena));
    note(object, METRICS_NOTE, others, arena);
    note(object, BEHAVIOR_NOTE, json_get(spec, STR("behavior")), arena);
    note(object, CURRENT_NOTE, json_get(status, STR("currentMetrics")), arena);
    note(object, CONDITIONS_NOTE, json_get(status, STR("conditions")), arena);
    if (spec != NULL) {
        (void)json_remove(spec, STR("metrics"));
        (void)json_remove(spec, STR("behavior"));
        if (cpu != NULL)
            json_set(spec, STR("targetCPUUtilizationPercentage"), json_clone(cpu, arena));
    }
    if (status == NULL)
        return;
    JSON_EACH(json_get(status, STR("currentMetrics")), metric)
    if (is_cpu(metric) && json_at(metric, "resource.current.averageUtilization"))
        json_set(status, STR("currentCPUUtilizationPercentage"),
                 json_clone(json_at(metric, "resource.current.averageUtilization"), arena));
    (void)json_remove(status, STR("currentMetrics"));
    (void)json_remove(status, STR("conditions"));
}

static void v1_to_stored(struct json *object, struct arena *arena)
{
    struct json *spec = json_get(object, STR("spec")), *status = json_get(object, STR("status"));
    struct json *metrics = json_array(arena);
    int64_t percent = path_int(spec, "targetCPUUtilizationPercentage", 0);
    if (percent > 0)
        json_add(metrics, STR(""), cpu_metric(percent, arena));
    struct json *others = un_note(object, METRICS_NOTE, arena);
    struct json *behavior = un_note(object, BEHAVIOR_NOTE, arena);
    struct json *current = un_note(object, CURRENT_NOTE, arena);
    struct json *conditions = un_note(object, CONDITIONS_NOTE, arena);
    if (others != NULL && others->type == JSON_ARRAY)
        JSON_EACH(others, metric)
    json_add(metrics, STR(""), json_clone(metric, arena));
    if (spec != NULL) {
        (void)json_remove(spec, STR("targetCPUUtilizationPercentage"));
        if (metrics->first == NULL)
            json_add(metrics, STR(""), cpu_metric(DEFAULT_CPU_PERCENT, arena));
        json_set(spec, STR("metrics"), metrics);
        if (behavior != NULL && behavior->type == JSON_OBJECT)
            json_set(spec, STR("behavior"), behavior);
    }
    if (status == NULL)
        return;
    (void)json_remove(status, STR("currentCPUUtilizationPercentage"));
    if (current != NULL && current->type == JSON_ARRAY)
        json_set(status, STR("currentMetrics"), current);
    if (conditions != NULL && conditions->type == JSON_ARRAY)
        json_set(status, STR("conditions"), conditions);
}

/* --- columns; both versions are shown as v2 --- */

static str_t column_reference(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    const struct json *target = json_at(object, "spec.scaleTargetRef");
    return arena_printf(arena, STR_F "/" STR_F, STR_A(json_get_text(target, STR("kind"))),
                        STR_A(json_get_text(target, STR("name"))));
}

static const struct json *current_of(const struct json *object, const struct json *metric)
{
    JSON_EACH(json_at(object, "status.currentMetrics"), current)
    if (json_eq(json_at(current, "resource.name"), json_at(metric, "resource.name")))
        return json_at(current, "resource.current");
    return NULL;
}

static str_t column_targets(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    AUTO(buf_done) struct buf out = {0};
    const struct json *cpu = json_at(object, "spec.targetCPUUtilizationPercentage");
    if (cpu != NULL)
        return arena_printf(
            arena, "cpu: " STR_F "/" STR_F "%%",
            STR_A(path_text(object, "status.currentCPUUtilizationPercentage", "<unknown>")),
            STR_A(cpu->text));
    JSON_EACH(json_at(object, "spec.metrics"), metric)
    {
        const struct json *now = current_of(object, metric);
        str_t name = json_text(json_at(metric, "resource.name"), STR(""));
        const struct json *percent = json_at(metric, "resource.target.averageUtilization");
        if (out.len > 0)
            buf_add(&out, STR(", "));
        if (percent != NULL)
            buf_printf(&out, STR_F ": " STR_F "%s/" STR_F "%%", STR_A(name),
                       STR_A(path_text(now, "averageUtilization", "<unknown>")),
                       json_get(now, STR("averageUtilization")) != NULL ? "%" : "",
                       STR_A(percent->text));
        else
            buf_printf(&out, STR_F ": " STR_F "/" STR_F, STR_A(name),
                       STR_A(path_text(now, "averageValue", "<unknown>")),
                       STR_A(path_text(metric, "resource.target.averageValue", "<auto>")));
    }
    return out.len > 0 ? arena_str(arena, buf_str(&out)) : STR("<none>");
}

PATH_COLUMN(column_min, "spec.minReplicas", "<unset>")
PATH_COLUMN(column_max, "spec.maxReplicas", "")
PATH_COLUMN(column_replicas, "status.currentReplicas", "0")

/* clang-format off */
static const struct column hpa_columns[] = {
    COLUMN_NAME,
    {"Reference", "string", "", "What is scaled.", 0, column_reference},
    {"Targets", "string", "", "Metrics, as they are and as wanted.", 0, column_targets},
    {"MinPods", "string", "", "The fewest pods.", 0, column_min},
    {"MaxPods", "string", "", "The most pods.", 0, column_max},
    {"Replicas", "string", "", "Pods there are.", 0, column_replicas},
    COLUMN_AGE, {0},
};

const struct kind kind_hpa = {
    .group = "autoscaling", .version = "v2", .name = "HorizontalPodAutoscaler",
    .plural = "horizontalpodautoscalers", .singular = "horizontalpodautoscaler",
    .shortcuts = (const char *const[]){"hpa", NULL}, .categories = category_all,
    .namespaced = true, .has_status = true,
    .schema = &autoscaling_v2_horizontal_pod_autoscaler_schema, .prepare = v2_prepare,
    .check = hpa_check, .columns = hpa_columns,
};

const struct kind kind_hpa_v1 = {
    .group = "autoscaling", .version = "v1", .name = "HorizontalPodAutoscaler",
    .plural = "horizontalpodautoscalers", .singular = "horizontalpodautoscaler",
    .shortcuts = (const char *const[]){"hpa", NULL}, .categories = category_all,
    .namespaced = true, .has_status = true,
    .schema = &autoscaling_horizontal_pod_autoscaler_schema, .check = hpa_check,
    .columns = hpa_columns, .stored_as = &kind_hpa, .to_stored = v1_to_stored,
    .from_stored = v1_from_stored,
};
/* clang-format on */
