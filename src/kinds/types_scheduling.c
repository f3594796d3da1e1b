/* types_scheduling.c - where pods may run. */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field node_selector_requirement_fields[] = {
    {"key", FIELD_STRING, 1, .required = true, .doc = "The key."},
    {"operator", FIELD_STRING, 2, .required = true, .doc = "How key and values are compared."},
    {"values", FIELD_LIST, 3, .item = FIELD_STRING, .doc = "Values the operator compares with."},
    {0},
};
static const struct schema node_selector_requirement_schema = {
    "core.v1.NodeSelectorRequirement", node_selector_requirement_fields};

static const struct field node_selector_term_fields[] = {
    {"matchExpressions", FIELD_LIST, 1, .of = &node_selector_requirement_schema,
     .doc = "Requirements that must all hold."},
    {"matchFields", FIELD_LIST, 2, .of = &node_selector_requirement_schema,
     .doc = "Requirements on fields of the node."},
    {0},
};
static const struct schema node_selector_term_schema = {
    "core.v1.NodeSelectorTerm", node_selector_term_fields, .atomic = true};

static const struct field preferred_scheduling_term_fields[] = {
    {"weight", FIELD_INT, 1, .required = true, RANGE(1, 100),
     .doc = "How much it counts, 1 to 100."},
    {"preference", FIELD_OBJECT, 2, .of = &node_selector_term_schema, .required = true},
    {0},
};
static const struct schema preferred_scheduling_term_schema = {
    "core.v1.PreferredSchedulingTerm", preferred_scheduling_term_fields};

static const struct field node_selector_fields[] = {
    {"nodeSelectorTerms", FIELD_LIST, 1, .of = &node_selector_term_schema, .required = true,
     .doc = "One of these must hold."},
    {0},
};
const struct schema node_selector_schema = {
    "core.v1.NodeSelector", node_selector_fields, .atomic = true};

static const struct field node_affinity_fields[] = {
    {"requiredDuringSchedulingIgnoredDuringExecution", FIELD_OBJECT, 1,
     .of = &node_selector_schema, .doc = "Must hold for the pod to be placed."},
    {"preferredDuringSchedulingIgnoredDuringExecution", FIELD_LIST, 2,
     .of = &preferred_scheduling_term_schema, .doc = "Is preferred, by weight."},
    {0},
};
static const struct schema node_affinity_schema = {"core.v1.NodeAffinity", node_affinity_fields};

static const struct field pod_affinity_term_fields[] = {
    {"labelSelector", FIELD_OBJECT, 1, .of = &label_selector_schema,
     .doc = "Which pods are meant."},
    {"namespaces", FIELD_LIST, 2, .item = FIELD_STRING,
     .doc = "Names of namespaces that are meant."},
    {"topologyKey", FIELD_STRING, 3, .required = true,
     .doc = "Label of nodes that says what one place is."},
    {"namespaceSelector", FIELD_OBJECT, 4, .of = &label_selector_schema,
     .doc = "Which namespaces are meant."},
    {"matchLabelKeys", FIELD_LIST, 5, .item = FIELD_STRING},
    {"mismatchLabelKeys", FIELD_LIST, 6, .item = FIELD_STRING},
    {0},
};
static const struct schema pod_affinity_term_schema = {
    "core.v1.PodAffinityTerm", pod_affinity_term_fields};

static const struct field weighted_pod_affinity_term_fields[] = {
    {"weight", FIELD_INT, 1, .required = true, RANGE(1, 100),
     .doc = "How much it counts, 1 to 100."},
    {"podAffinityTerm", FIELD_OBJECT, 2, .of = &pod_affinity_term_schema, .required = true},
    {0},
};
static const struct schema weighted_pod_affinity_term_schema = {
    "core.v1.WeightedPodAffinityTerm", weighted_pod_affinity_term_fields};

static const struct field pod_affinity_fields[] = {
    {"requiredDuringSchedulingIgnoredDuringExecution", FIELD_LIST, 1,
     .of = &pod_affinity_term_schema, .doc = "Must hold for the pod to be placed."},
    {"preferredDuringSchedulingIgnoredDuringExecution", FIELD_LIST, 2,
     .of = &weighted_pod_affinity_term_schema, .doc = "Is preferred, by weight."},
    {0},
};
static const struct schema pod_affinity_schema = {"core.v1.PodAffinity", pod_affinity_fields};

static const struct field pod_anti_affinity_fields[] = {
    {"requiredDuringSchedulingIgnoredDuringExecution", FIELD_LIST, 1,
     .of = &pod_affinity_term_schema, .doc = "Must hold for the pod to be placed."},
    {"preferredDuringSchedulingIgnoredDuringExecution", FIELD_LIST, 2,
     .of = &weighted_pod_affinity_term_schema, .doc = "Is preferred, by weight."},
    {0},
};
static const struct schema pod_anti_affinity_schema = {
    "core.v1.PodAntiAffinity", pod_anti_affinity_fields};

static const struct field affinity_fields[] = {
    {"nodeAffinity", FIELD_OBJECT, 1, .of = &node_affinity_schema,
     .doc = "Rules about labels of nodes."},
    {"podAffinity", FIELD_OBJECT, 2, .of = &pod_affinity_schema, .doc = "Pods to be beside."},
    {"podAntiAffinity", FIELD_OBJECT, 3, .of = &pod_anti_affinity_schema,
     .doc = "Pods to keep away from."},
    {0},
};
const struct schema affinity_schema = {"core.v1.Affinity", affinity_fields};

static const struct field toleration_fields[] = {
    {"key", FIELD_STRING, 1, .doc = "Key of the taint; empty with Exists tolerates all."},
    {"operator", FIELD_STRING, 2, ONE_OF("Equal", "Exists"), .doc = "Exists or Equal."},
    {"value", FIELD_STRING, 3, .doc = "Value of the taint."},
    {"effect", FIELD_STRING, 4, ONE_OF("NoSchedule", "PreferNoSchedule", "NoExecute"),
     .doc = "NoSchedule, PreferNoSchedule or NoExecute."},
    {"tolerationSeconds", FIELD_LONG, 5, .pointer = true, .doc = "How long it is put up with."},
    {0},
};
const struct schema toleration_schema = {"core.v1.Toleration", toleration_fields};

static const struct field topology_spread_constraint_fields[] = {
    {"maxSkew", FIELD_INT, 1, .required = true, RANGE(1, INT32_MAX),
     .doc = "How uneven it may be."},
    {"topologyKey", FIELD_STRING, 2, .required = true,
     .doc = "Label of nodes that says what one place is."},
    {"whenUnsatisfiable", FIELD_STRING, 3, .required = true,
     ONE_OF("DoNotSchedule", "ScheduleAnyway"), .doc = "DoNotSchedule or ScheduleAnyway."},
    {"labelSelector", FIELD_OBJECT, 4, .of = &label_selector_schema,
     .doc = "Which pods are meant."},
    {"minDomains", FIELD_INT, 5, .pointer = true, RANGE(1, INT32_MAX),
     .doc = "How many places there must be at least."},
    {"nodeAffinityPolicy", FIELD_STRING, 6, ONE_OF("Honor", "Ignore")},
    {"nodeTaintsPolicy", FIELD_STRING, 7, ONE_OF("Honor", "Ignore")},
    {"matchLabelKeys", FIELD_LIST, 8, .item = FIELD_STRING},
    {0},
};
const struct schema topology_spread_constraint_schema = {
    "core.v1.TopologySpreadConstraint", topology_spread_constraint_fields};

/* clang-format on */
