/* node_table.c - the fields of Node (core/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field config_map_node_config_source_fields[] = {
    {"namespace", FIELD_STRING, 1, .required = true, .doc = "Namespace."},
    {"name", FIELD_STRING, 2, .required = true, .doc = "Name."},
    {"uid", FIELD_STRING, 3},
    {"resourceVersion", FIELD_STRING, 4},
    {"kubeletConfigKey", FIELD_STRING, 5, .required = true},
    {0},
};
static const struct schema config_map_node_config_source_schema = {
    "core.v1.ConfigMapNodeConfigSource", config_map_node_config_source_fields};

static const struct field node_config_source_fields[] = {
    {"configMap", FIELD_OBJECT, 2, .of = &config_map_node_config_source_schema,
     .doc = "Files from a ConfigMap."},
    {0},
};
static const struct schema node_config_source_schema = {
    "core.v1.NodeConfigSource", node_config_source_fields};

static const struct field taint_fields[] = {
    {"key", FIELD_STRING, 1, .required = true, .doc = "The key."},
    {"value", FIELD_STRING, 2, .doc = "The value."},
    {"effect", FIELD_STRING, 3, .required = true,
     ONE_OF("NoSchedule", "PreferNoSchedule", "NoExecute"),
     .doc = "NoSchedule, PreferNoSchedule or NoExecute."},
    {"timeAdded", FIELD_TIME, 4},
    {0},
};
static const struct schema taint_schema = {"core.v1.Taint", taint_fields};

static const struct field node_spec_fields[] = {
    {"podCIDR", FIELD_STRING, 1, .doc = "Addresses of its pods."},
    {"externalID", FIELD_STRING, 2, .no_effect = true},
    {"providerID", FIELD_STRING, 3},
    {"unschedulable", FIELD_BOOL, 4, .doc = "No new pods."},
    {"taints", FIELD_LIST, 5, .of = &taint_schema, .doc = "Who is kept away."},
    {"configSource", FIELD_OBJECT, 6, .of = &node_config_source_schema, .no_effect = true},
    {"podCIDRs", FIELD_LIST, 7, .item = FIELD_STRING, .set = true,
     .doc = "Addresses of its pods."},
    {0},
};
static const struct schema node_spec_schema = {"core.v1.NodeSpec", node_spec_fields};

static const struct field node_address_fields[] = {
    {"type", FIELD_STRING, 1, .required = true, .doc = "What type it is."},
    {"address", FIELD_STRING, 2, .required = true},
    {0},
};
static const struct schema node_address_schema = {"core.v1.NodeAddress", node_address_fields};

static const struct field node_condition_fields[] = {
    {"type", FIELD_STRING, 1, .doc = "What type it is."},
    {"status", FIELD_STRING, 2, .doc = "What is."},
    {"lastHeartbeatTime", FIELD_TIME, 3},
    {"lastTransitionTime", FIELD_TIME, 4, .doc = "When status last changed."},
    {"reason", FIELD_STRING, 5, .doc = "One word why."},
    {"message", FIELD_STRING, 6, .doc = "A sentence why."},
    {0},
};
static const struct schema node_condition_schema = {"core.v1.NodeCondition", node_condition_fields};

static const struct field node_config_status_fields[] = {
    {"assigned", FIELD_OBJECT, 1, .of = &node_config_source_schema},
    {"active", FIELD_OBJECT, 2, .of = &node_config_source_schema},
    {"lastKnownGood", FIELD_OBJECT, 3, .of = &node_config_source_schema},
    {"error", FIELD_STRING, 4},
    {0},
};
static const struct schema node_config_status_schema = {
    "core.v1.NodeConfigStatus", node_config_status_fields};

static const struct field daemon_endpoint_fields[] = {
    {"Port", FIELD_INT, 1},
    {0},
};
static const struct schema daemon_endpoint_schema = {
    "core.v1.DaemonEndpoint", daemon_endpoint_fields};

static const struct field node_daemon_endpoints_fields[] = {
    {"kubeletEndpoint", FIELD_OBJECT, 1, .of = &daemon_endpoint_schema},
    {0},
};
static const struct schema node_daemon_endpoints_schema = {
    "core.v1.NodeDaemonEndpoints", node_daemon_endpoints_fields};

static const struct field node_features_fields[] = {
    {"supplementalGroupsPolicy", FIELD_BOOL, 1, .pointer = true, .doc = "Merge or Strict."},
    {0},
};
static const struct schema node_features_schema = {"core.v1.NodeFeatures", node_features_fields};

static const struct field container_image_fields[] = {
    {"names", FIELD_LIST, 1, .item = FIELD_STRING},
    {"sizeBytes", FIELD_LONG, 2},
    {0},
};
static const struct schema container_image_schema = {
    "core.v1.ContainerImage", container_image_fields};

static const struct field node_system_info_fields[] = {
    {"machineID", FIELD_STRING, 1},
    {"systemUUID", FIELD_STRING, 2},
    {"bootID", FIELD_STRING, 3},
    {"kernelVersion", FIELD_STRING, 4},
    {"osImage", FIELD_STRING, 5},
    {"containerRuntimeVersion", FIELD_STRING, 6},
    {"kubeletVersion", FIELD_STRING, 7},
    {"kubeProxyVersion", FIELD_STRING, 8},
    {"operatingSystem", FIELD_STRING, 9},
    {"architecture", FIELD_STRING, 10},
    {0},
};
static const struct schema node_system_info_schema = {
    "core.v1.NodeSystemInfo", node_system_info_fields};

static const struct field node_runtime_handler_features_fields[] = {
    {"recursiveReadOnlyMounts", FIELD_BOOL, 1, .pointer = true},
    {"userNamespaces", FIELD_BOOL, 2, .pointer = true},
    {0},
};
static const struct schema node_runtime_handler_features_schema = {
    "core.v1.NodeRuntimeHandlerFeatures", node_runtime_handler_features_fields};

static const struct field node_runtime_handler_fields[] = {
    {"name", FIELD_STRING, 1, .doc = "Name."},
    {"features", FIELD_OBJECT, 2, .of = &node_runtime_handler_features_schema},
    {0},
};
static const struct schema node_runtime_handler_schema = {
    "core.v1.NodeRuntimeHandler", node_runtime_handler_fields};

static const struct field attached_volume_fields[] = {
    {"name", FIELD_STRING, 1, .doc = "Name."},
    {"devicePath", FIELD_STRING, 2},
    {0},
};
static const struct schema attached_volume_schema = {
    "core.v1.AttachedVolume", attached_volume_fields};

static const struct field node_status_fields[] = {
    {"capacity", FIELD_MAP, 1, .item = FIELD_QUANTITY, .doc = "How much of each resource."},
    {"allocatable", FIELD_MAP, 2, .item = FIELD_QUANTITY,
     .doc = "What pods may use of each resource."},
    {"phase", FIELD_STRING, 3, .doc = "Where it is in its life.", .no_effect = true},
    {"conditions", FIELD_LIST, 4, .of = &node_condition_schema, .merge_key = "type",
     .list_keys = "type", .doc = "What is known about it."},
    {"addresses", FIELD_LIST, 5, .of = &node_address_schema, .merge_key = "type",
     .list_keys = "type", .doc = "Addresses."},
    {"daemonEndpoints", FIELD_OBJECT, 6, .of = &node_daemon_endpoints_schema},
    {"nodeInfo", FIELD_OBJECT, 7, .of = &node_system_info_schema,
     .doc = "Versions and identities."},
    {"images", FIELD_LIST, 8, .of = &container_image_schema, .doc = "Images it has."},
    {"volumesInUse", FIELD_LIST, 9, .item = FIELD_STRING},
    {"volumesAttached", FIELD_LIST, 10, .of = &attached_volume_schema},
    {"config", FIELD_OBJECT, 11, .of = &node_config_status_schema, .no_effect = true},
    {"runtimeHandlers", FIELD_LIST, 12, .of = &node_runtime_handler_schema},
    {"features", FIELD_OBJECT, 13, .of = &node_features_schema},
    {0},
};
static const struct schema node_status_schema = {"core.v1.NodeStatus", node_status_fields};

static const struct field node_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &node_spec_schema, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &node_status_schema, .doc = "What is."},
    {0},
};
const struct schema node_schema = {"core.v1.Node", node_fields, "A machine that runs pods."};

/* clang-format on */
