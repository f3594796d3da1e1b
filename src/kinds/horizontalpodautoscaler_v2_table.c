/* horizontalpodautoscaler_v2_table.c - the fields of HorizontalPodAutoscaler (autoscaling/v2). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field hpa_scaling_policy_fields[] = {
    {"type", FIELD_STRING, 1, .required = true, ONE_OF("Percent", "Pods"),
     .doc = "What type it is."},
    {"value", FIELD_INT, 2, .required = true, .doc = "The value."},
    {"periodSeconds", FIELD_INT, 3, .required = true},
    {0},
};
static const struct schema hpa_scaling_policy_schema = {
    "autoscaling.v2.HPAScalingPolicy", hpa_scaling_policy_fields};

static const struct field hpa_scaling_rules_fields[] = {
    {"selectPolicy", FIELD_STRING, 1, .otherwise = "Max", ONE_OF("Disabled", "Max", "Min")},
    {"policies", FIELD_LIST, 2, .of = &hpa_scaling_policy_schema},
    {"stabilizationWindowSeconds", FIELD_INT, 3, .pointer = true},
    {0},
};
static const struct schema hpa_scaling_rules_schema = {
    "autoscaling.v2.HPAScalingRules", hpa_scaling_rules_fields};

static const struct field horizontal_pod_autoscaler_behavior_fields[] = {
    {"scaleUp", FIELD_OBJECT, 1, .of = &hpa_scaling_rules_schema},
    {"scaleDown", FIELD_OBJECT, 2, .of = &hpa_scaling_rules_schema},
    {0},
};
static const struct schema horizontal_pod_autoscaler_behavior_schema = {
    "autoscaling.v2.HorizontalPodAutoscalerBehavior", horizontal_pod_autoscaler_behavior_fields};

static const struct field metric_target_fields[] = {
    {"type", FIELD_STRING, 1, .required = true, ONE_OF("AverageValue", "Utilization", "Value"),
     .doc = "What type it is."},
    {"value", FIELD_QUANTITY, 2, .doc = "The value."},
    {"averageValue", FIELD_QUANTITY, 3},
    {"averageUtilization", FIELD_INT, 4, .pointer = true},
    {0},
};
static const struct schema metric_target_schema = {
    "autoscaling.v2.MetricTarget", metric_target_fields};

static const struct field container_resource_metric_source_fields[] = {
    {"name", FIELD_STRING, 1, .required = true, .doc = "Name."},
    {"target", FIELD_OBJECT, 2, .of = &metric_target_schema, .required = true},
    {"container", FIELD_STRING, 3, .required = true},
    {0},
};
static const struct schema container_resource_metric_source_schema = {
    "autoscaling.v2.ContainerResourceMetricSource", container_resource_metric_source_fields};

static const struct field metric_identifier_fields[] = {
    {"name", FIELD_STRING, 1, .required = true, .doc = "Name."},
    {"selector", FIELD_OBJECT, 2, .of = &label_selector_schema, .doc = "Which pods belong to it."},
    {0},
};
static const struct schema metric_identifier_schema = {
    "autoscaling.v2.MetricIdentifier", metric_identifier_fields};

static const struct field external_metric_source_fields[] = {
    {"metric", FIELD_OBJECT, 1, .of = &metric_identifier_schema, .required = true},
    {"target", FIELD_OBJECT, 2, .of = &metric_target_schema, .required = true},
    {0},
};
static const struct schema external_metric_source_schema = {
    "autoscaling.v2.ExternalMetricSource", external_metric_source_fields};

static const struct field autoscaling_v2_cross_version_object_reference_fields[] = {
    {"kind", FIELD_STRING, 1, .required = true, .doc = "Kind of the object."},
    {"name", FIELD_STRING, 2, .required = true, .doc = "Name."},
    {"apiVersion", FIELD_STRING, 3, .doc = "API version of the object."},
    {0},
};
static const struct schema autoscaling_v2_cross_version_object_reference_schema = {
    "autoscaling.v2.CrossVersionObjectReference",
    autoscaling_v2_cross_version_object_reference_fields};

static const struct field object_metric_source_fields[] = {
    {"describedObject", FIELD_OBJECT, 1,
     .of = &autoscaling_v2_cross_version_object_reference_schema, .required = true},
    {"target", FIELD_OBJECT, 2, .of = &metric_target_schema, .required = true},
    {"metric", FIELD_OBJECT, 3, .of = &metric_identifier_schema, .required = true},
    {0},
};
static const struct schema object_metric_source_schema = {
    "autoscaling.v2.ObjectMetricSource", object_metric_source_fields};

static const struct field pods_metric_source_fields[] = {
    {"metric", FIELD_OBJECT, 1, .of = &metric_identifier_schema, .required = true},
    {"target", FIELD_OBJECT, 2, .of = &metric_target_schema, .required = true},
    {0},
};
static const struct schema pods_metric_source_schema = {
    "autoscaling.v2.PodsMetricSource", pods_metric_source_fields};

static const struct field resource_metric_source_fields[] = {
    {"name", FIELD_STRING, 1, .required = true, .doc = "Name."},
    {"target", FIELD_OBJECT, 2, .of = &metric_target_schema, .required = true},
    {0},
};
static const struct schema resource_metric_source_schema = {
    "autoscaling.v2.ResourceMetricSource", resource_metric_source_fields};

static const struct field metric_spec_fields[] = {
    {"type", FIELD_STRING, 1, .required = true,
     ONE_OF("ContainerResource", "External", "Object", "Pods", "Resource"),
     .doc = "What type it is."},
    {"object", FIELD_OBJECT, 2, .of = &object_metric_source_schema},
    {"pods", FIELD_OBJECT, 3, .of = &pods_metric_source_schema},
    {"resource", FIELD_OBJECT, 4, .of = &resource_metric_source_schema},
    {"external", FIELD_OBJECT, 5, .of = &external_metric_source_schema},
    {"containerResource", FIELD_OBJECT, 7, .of = &container_resource_metric_source_schema},
    {0},
};
static const struct schema metric_spec_schema = {"autoscaling.v2.MetricSpec", metric_spec_fields};

static const struct field autoscaling_v2_horizontal_pod_autoscaler_spec_fields[] = {
    {"scaleTargetRef", FIELD_OBJECT, 1,
     .of = &autoscaling_v2_cross_version_object_reference_schema, .doc = "What is scaled."},
    {"minReplicas", FIELD_INT, 2, .pointer = true, .otherwise = "1", RANGE(1, INT32_MAX),
     .doc = "The fewest pods."},
    {"maxReplicas", FIELD_INT, 3, .required = true, RANGE(1, INT32_MAX), .doc = "The most pods."},
    {"metrics", FIELD_LIST, 4, .of = &metric_spec_schema,
     .doc = "What the number of pods depends on."},
    {"behavior", FIELD_OBJECT, 5, .of = &horizontal_pod_autoscaler_behavior_schema,
     .doc = "How fast it scales up and down."},
    {0},
};
static const struct schema autoscaling_v2_horizontal_pod_autoscaler_spec_schema = {
    "autoscaling.v2.HorizontalPodAutoscalerSpec",
    autoscaling_v2_horizontal_pod_autoscaler_spec_fields};

static const struct field horizontal_pod_autoscaler_condition_fields[] = {
    {"type", FIELD_STRING, 1, .doc = "What type it is."},
    {"status", FIELD_STRING, 2, .doc = "What is."},
    {"lastTransitionTime", FIELD_TIME, 3, .doc = "When status last changed."},
    {"reason", FIELD_STRING, 4, .doc = "One word why."},
    {"message", FIELD_STRING, 5, .doc = "A sentence why."},
    {0},
};
static const struct schema horizontal_pod_autoscaler_condition_schema = {
    "autoscaling.v2.HorizontalPodAutoscalerCondition", horizontal_pod_autoscaler_condition_fields};

static const struct field metric_value_status_fields[] = {
    {"value", FIELD_QUANTITY, 1, .doc = "The value."},
    {"averageValue", FIELD_QUANTITY, 2},
    {"averageUtilization", FIELD_INT, 3, .pointer = true},
    {0},
};
static const struct schema metric_value_status_schema = {
    "autoscaling.v2.MetricValueStatus", metric_value_status_fields};

static const struct field container_resource_metric_status_fields[] = {
    {"name", FIELD_STRING, 1, .doc = "Name."},
    {"current", FIELD_OBJECT, 2, .of = &metric_value_status_schema},
    {"container", FIELD_STRING, 3},
    {0},
};
static const struct schema container_resource_metric_status_schema = {
    "autoscaling.v2.ContainerResourceMetricStatus", container_resource_metric_status_fields};

static const struct field external_metric_status_fields[] = {
    {"metric", FIELD_OBJECT, 1, .of = &metric_identifier_schema},
    {"current", FIELD_OBJECT, 2, .of = &metric_value_status_schema},
    {0},
};
static const struct schema external_metric_status_schema = {
    "autoscaling.v2.ExternalMetricStatus", external_metric_status_fields};

static const struct field object_metric_status_fields[] = {
    {"metric", FIELD_OBJECT, 1, .of = &metric_identifier_schema},
    {"current", FIELD_OBJECT, 2, .of = &metric_value_status_schema},
    {"describedObject", FIELD_OBJECT, 3,
     .of = &autoscaling_v2_cross_version_object_reference_schema},
    {0},
};
static const struct schema object_metric_status_schema = {
    "autoscaling.v2.ObjectMetricStatus", object_metric_status_fields};

static const struct field pods_metric_status_fields[] = {
    {"metric", FIELD_OBJECT, 1, .of = &metric_identifier_schema},
    {"current", FIELD_OBJECT, 2, .of = &metric_value_status_schema},
    {0},
};
static const struct schema pods_metric_status_schema = {
    "autoscaling.v2.PodsMetricStatus", pods_metric_status_fields};

static const struct field resource_metric_status_fields[] = {
    {"name", FIELD_STRING, 1, .doc = "Name."},
    {"current", FIELD_OBJECT, 2, .of = &metric_value_status_schema},
    {0},
};
static const struct schema resource_metric_status_schema = {
    "autoscaling.v2.ResourceMetricStatus", resource_metric_status_fields};

static const struct field metric_status_fields[] = {
    {"type", FIELD_STRING, 1, .doc = "What type it is."},
    {"object", FIELD_OBJECT, 2, .of = &object_metric_status_schema},
    {"pods", FIELD_OBJECT, 3, .of = &pods_metric_status_schema},
    {"resource", FIELD_OBJECT, 4, .of = &resource_metric_status_schema},
    {"external", FIELD_OBJECT, 5, .of = &external_metric_status_schema},
    {"containerResource", FIELD_OBJECT, 7, .of = &container_resource_metric_status_schema},
    {0},
};
static const struct schema metric_status_schema = {
    "autoscaling.v2.MetricStatus", metric_status_fields};

static const struct field autoscaling_v2_horizontal_pod_autoscaler_status_fields[] = {
    {"observedGeneration", FIELD_LONG, 1, .pointer = true,
     .doc = "Generation of the spec this status is about."},
    {"lastScaleTime", FIELD_TIME, 2},
    {"currentReplicas", FIELD_INT, 3, .doc = "Pods of the current revision."},
    {"desiredReplicas", FIELD_INT, 4, .doc = "Pods it wants."},
    {"currentMetrics", FIELD_LIST, 5, .of = &metric_status_schema},
    {"conditions", FIELD_LIST, 6, .of = &horizontal_pod_autoscaler_condition_schema,
     .merge_key = "type", .list_keys = "type", .doc = "What is known about it."},
    {0},
};
static const struct schema autoscaling_v2_horizontal_pod_autoscaler_status_schema = {
    "autoscaling.v2.HorizontalPodAutoscalerStatus",
    autoscaling_v2_horizontal_pod_autoscaler_status_fields};

static const struct field autoscaling_v2_horizontal_pod_autoscaler_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &autoscaling_v2_horizontal_pod_autoscaler_spec_schema,
     .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &autoscaling_v2_horizontal_pod_autoscaler_status_schema,
     .doc = "What is."},
    {0},
};
const struct schema autoscaling_v2_horizontal_pod_autoscaler_schema = {
    "autoscaling.v2.HorizontalPodAutoscaler",
    autoscaling_v2_horizontal_pod_autoscaler_fields,
    "How many pods something has, by their load."};

/* clang-format on */
