/* horizontalpodautoscaler_v1_table.c - the fields of HorizontalPodAutoscaler (autoscaling/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field autoscaling_cross_version_object_reference_fields[] = {
    {"kind", FIELD_STRING, 1, .required = true, .doc = "Kind of the object."},
    {"name", FIELD_STRING, 2, .required = true, .doc = "Name."},
    {"apiVersion", FIELD_STRING, 3, .doc = "API version of the object."},
    {0},
};
static const struct schema autoscaling_cross_version_object_reference_schema = {
    "autoscaling.v1.CrossVersionObjectReference",
    autoscaling_cross_version_object_reference_fields};

static const struct field autoscaling_horizontal_pod_autoscaler_spec_fields[] = {
    {"scaleTargetRef", FIELD_OBJECT, 1, .of = &autoscaling_cross_version_object_reference_schema,
     .doc = "What is scaled."},
    {"minReplicas", FIELD_INT, 2, .pointer = true, .otherwise = "1", RANGE(1, INT32_MAX),
     .doc = "The fewest pods."},
    {"maxReplicas", FIELD_INT, 3, .required = true, RANGE(1, INT32_MAX), .doc = "The most pods."},
    {"targetCPUUtilizationPercentage", FIELD_INT, 4, .pointer = true,
     .doc = "Wanted CPU use in percent of the requests."},
    {0},
};
static const struct schema autoscaling_horizontal_pod_autoscaler_spec_schema = {
    "autoscaling.v1.HorizontalPodAutoscalerSpec",
    autoscaling_horizontal_pod_autoscaler_spec_fields};

static const struct field autoscaling_horizontal_pod_autoscaler_status_fields[] = {
    {"observedGeneration", FIELD_LONG, 1, .pointer = true,
     .doc = "Generation of the spec this status is about."},
    {"lastScaleTime", FIELD_TIME, 2},
    {"currentReplicas", FIELD_INT, 3, .doc = "Pods of the current revision."},
    {"desiredReplicas", FIELD_INT, 4, .doc = "Pods it wants."},
    {"currentCPUUtilizationPercentage", FIELD_INT, 5, .pointer = true},
    {0},
};
static const struct schema autoscaling_horizontal_pod_autoscaler_status_schema = {
    "autoscaling.v1.HorizontalPodAutoscalerStatus",
    autoscaling_horizontal_pod_autoscaler_status_fields};

static const struct field autoscaling_horizontal_pod_autoscaler_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &autoscaling_horizontal_pod_autoscaler_spec_schema,
     .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &autoscaling_horizontal_pod_autoscaler_status_schema,
     .doc = "What is."},
    {0},
};
const struct schema autoscaling_horizontal_pod_autoscaler_schema = {
    "autoscaling.v1.HorizontalPodAutoscaler",
    autoscaling_horizontal_pod_autoscaler_fields,
    "How many pods something has, by their load."};

/* clang-format on */
