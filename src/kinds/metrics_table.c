/* metrics_table.c - the fields of PodMetrics and NodeMetrics (metrics.k8s.io/v1beta1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
#define MEASURED_ROWS                                                                              \
    {"timestamp", FIELD_TIME, 2, .required = true, .doc = "The end of the window."},               \
    {"window", FIELD_STRING, 3, .required = true, .doc = "The time it was measured in: 10s."}

static const struct field container_metrics_fields[] = {
    {"name", FIELD_STRING, 1, .required = true, .doc = "Name of the container."},
    {"usage", FIELD_MAP, 2, .item = FIELD_QUANTITY, .required = true, .doc = "What it uses."},
    {0},
};
static const struct schema container_metrics_schema = {
    "metrics.v1beta1.ContainerMetrics", container_metrics_fields};

static const struct field pod_metrics_fields[] = {
    META_ROWS,
    MEASURED_ROWS,
    {"containers", FIELD_LIST, 4, .of = &container_metrics_schema, .required = true,
     .doc = "Each container that runs."},
    {0},
};
const struct schema pod_metrics_schema = {
    "metrics.v1beta1.PodMetrics", pod_metrics_fields, "What a pod uses just now."};

static const struct field node_metrics_fields[] = {
    META_ROWS,
    MEASURED_ROWS,
    {"usage", FIELD_MAP, 4, .item = FIELD_QUANTITY, .required = true,
     .doc = "What all that runs on it uses."},
    {0},
};
const struct schema node_metrics_schema = {
    "metrics.v1beta1.NodeMetrics", node_metrics_fields, "What a node uses just now."};

/* clang-format on */
