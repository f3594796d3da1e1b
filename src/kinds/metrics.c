/* metrics.c - PodMetrics and NodeMetrics: what is measured at the moment somebody asks. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/tables.h"
#include "kube/quantity.h"

PATH_COLUMN(column_window, "window", "")

static void add_usage(quantity_t *sum, const struct json *usage, str_t resource)
{
    quantity_t one;
    if (quantity_parse(json_get_text(usage, resource), &one))
        *sum = quantity_add(*sum, one);
}

/* Of a node, or of all containers of a pod. */
static str_t usage_text(const struct json *object, str_t resource, struct arena *arena)
{
    quantity_t sum = {0};
    add_usage(&sum, json_get(object, STR("usage")), resource);
    JSON_EACH(json_get(object, STR("containers")), container)
    add_usage(&sum, json_get(container, STR("usage")), resource);
    return quantity_text(sum, arena);
}

static str_t column_cpu(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return usage_text(object, STR("cpu"), arena);
}

static str_t column_memory(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return usage_text(object, STR("memory"), arena);
}

/* clang-format off */
static const struct column metrics_columns[] = {
    COLUMN_NAME,
    {"cpu", "string", "quantity", "Processors used.", 0, column_cpu},
    {"memory", "string", "quantity", "Bytes in use.", 0, column_memory},
    {"Window", "string", "duration", "The time it was measured in.", 0, column_window},
    {0},
};

const struct kind kind_podmetrics = {
    .group = "metrics.k8s.io", .version = "v1beta1", .name = "PodMetrics", .plural = "pods",
    .singular = "", .namespaced = true, .only_read = true, .schema = &pod_metrics_schema,
    .columns = metrics_columns,
};
const struct kind kind_nodemetrics = {
    .group = "metrics.k8s.io", .version = "v1beta1", .name = "NodeMetrics", .plural = "nodes",
    .singular = "", .only_read = true, .schema = &node_metrics_schema,
    .columns = metrics_columns,
};
/* clang-format on */
