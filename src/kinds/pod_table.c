/* pod_table.c - the fields of Pod (core/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field pod_condition_fields[] = {
    {"type", FIELD_STRING, 1, .doc = "What type it is."},
    {"status", FIELD_STRING, 2, .doc = "What is."},
    {"lastProbeTime", FIELD_TIME, 3, .doc = "When it was last probed."},
    {"lastTransitionTime", FIELD_TIME, 4, .doc = "When status last changed."},
    {"reason", FIELD_STRING, 5, .doc = "One word why."},
    {"message", FIELD_STRING, 6, .doc = "A sentence why."},
    {0},
};
static const struct schema pod_condition_schema = {"core.v1.PodCondition", pod_condition_fields};

static const struct field resource_health_fields[] = {
    {"resourceID", FIELD_STRING, 1, .required = true},
    {"health", FIELD_STRING, 2},
    {0},
};
static const struct schema resource_health_schema = {
    "core.v1.ResourceHealth", resource_health_fields};

static const struct field resource_status_fields[] = {
    {"name", FIELD_STRING, 1, .doc = "Name."},
    {"resources", FIELD_LIST, 2, .of = &resource_health_schema, .list_keys = "resourceID",
     .doc = "What it asks for and may use at most."},
    {0},
};
static const struct schema resource_status_schema = {
    "core.v1.ResourceStatus", resource_status_fields};

static const struct field container_state_running_fields[] = {
    {"startedAt", FIELD_TIME, 1, .doc = "When it started."},
    {0},
};
static const struct schema container_state_running_schema = {
    "core.v1.ContainerStateRunning", container_state_running_fields};

static const struct field container_state_terminated_fields[] = {
    {"exitCode", FIELD_INT, 1, .doc = "Exit code."},
    {"signal", FIELD_INT, 2, .doc = "Signal that ended it."},
    {"reason", FIELD_STRING, 3, .doc = "One word why."},
    {"message", FIELD_STRING, 4, .doc = "A sentence why."},
    {"startedAt", FIELD_TIME, 5, .doc = "When it started."},
    {"finishedAt", FIELD_TIME, 6, .doc = "When it ended."},
    {"containerID", FIELD_STRING, 7, .doc = "Runtime and identity of the container."},
    {0},
};
static const struct schema container_state_terminated_schema = {
    "core.v1.ContainerStateTerminated", container_state_terminated_fields};

static const struct field container_state_waiting_fields[] = {
    {"reason", FIELD_STRING, 1, .doc = "One word why."},
    {"message", FIELD_STRING, 2, .doc = "A sentence why."},
    {0},
};
static const struct schema container_state_waiting_schema = {
    "core.v1.ContainerStateWaiting", container_state_waiting_fields};

static const struct field container_state_fields[] = {
    {"waiting", FIELD_OBJECT, 1, .of = &container_state_waiting_schema,
     .doc = "It does not run yet."},
    {"running", FIELD_OBJECT, 2, .of = &container_state_running_schema, .doc = "It runs."},
    {"terminated", FIELD_OBJECT, 3, .of = &container_state_terminated_schema,
     .doc = "It has ended."},
    {0},
};
static const struct schema container_state_schema = {
    "core.v1.ContainerState", container_state_fields};

static const struct field linux_container_user_fields[] = {
    {"uid", FIELD_LONG, 1, .pointer = true},
    {"gid", FIELD_LONG, 2, .pointer = true},
    {"supplementalGroups", FIELD_LIST, 3, .item = FIELD_LONG,
     .doc = "More groups of the processes."},
    {0},
};
static const struct schema linux_container_user_schema = {
    "core.v1.LinuxContainerUser", linux_container_user_fields};

static const struct field container_user_fields[] = {
    {"linux", FIELD_OBJECT, 1, .of = &linux_container_user_schema},
    {0},
};
static const struct schema container_user_schema = {"core.v1.ContainerUser", container_user_fields};

static const struct field volume_mount_status_fields[] = {
    {"name", FIELD_STRING, 1, .doc = "Name."},
    {"mountPath", FIELD_STRING, 2, .doc = "Where it appears."},
    {"readOnly", FIELD_BOOL, 3, .doc = "It cannot be written."},
    {"recursiveReadOnly", FIELD_STRING, 4, .doc = "Disabled, IfPossible or Enabled."},
    {0},
};
static const struct schema volume_mount_status_schema = {
    "core.v1.VolumeMountStatus", volume_mount_status_fields};

static const struct field container_status_fields[] = {
    {"name", FIELD_STRING, 1, .doc = "Name."},
    {"state", FIELD_OBJECT, 2, .of = &container_state_schema, .doc = "What it does now."},
    {"lastState", FIELD_OBJECT, 3, .of = &container_state_schema, .doc = "How it ended last."},
    {"ready", FIELD_BOOL, 4, .doc = "Whether it is ready."},
    {"restartCount", FIELD_INT, 5, .doc = "How often it was started again."},
    {"image", FIELD_STRING, 6, .doc = "Image it runs."},
    {"imageID", FIELD_STRING, 7, .doc = "Digest of the image."},
    {"containerID", FIELD_STRING, 8, .doc = "Runtime and identity of the container."},
    {"started", FIELD_BOOL, 9, .pointer = true, .doc = "Whether it has started."},
    {"allocatedResources", FIELD_MAP, 10, .item = FIELD_QUANTITY},
    {"resources", FIELD_OBJECT, 11, .of = &resource_requirements_schema,
     .doc = "What it asks for and may use at most."},
    {"volumeMounts", FIELD_LIST, 12, .of = &volume_mount_status_schema, .merge_key = "mountPath",
     .list_keys = "mountPath", .doc = "Where volumes appear in its file system."},
    {"user", FIELD_OBJECT, 13, .of = &container_user_schema},
    {"allocatedResourcesStatus", FIELD_LIST, 14, .of = &resource_status_schema,
     .merge_key = "name", .list_keys = "name"},
    {0},
};
static const struct schema container_status_schema = {
    "core.v1.ContainerStatus", container_status_fields};

static const struct field host_ip_fields[] = {
    {"ip", FIELD_STRING, 1, .required = true, .doc = "Address."},
    {0},
};
static const struct schema host_ip_schema = {"core.v1.HostIP", host_ip_fields};

static const struct field pod_ip_fields[] = {
    {"ip", FIELD_STRING, 1, .required = true, .doc = "Address."},
    {0},
};
static const struct schema pod_ip_schema = {"core.v1.PodIP", pod_ip_fields};

static const struct field pod_resource_claim_status_fields[] = {
    {"name", FIELD_STRING, 1, .doc = "Name."},
    {"resourceClaimName", FIELD_STRING, 2},
    {0},
};
static const struct schema pod_resource_claim_status_schema = {
    "core.v1.PodResourceClaimStatus", pod_resource_claim_status_fields};

static const struct field pod_status_fields[] = {
    {"phase", FIELD_STRING, 1, .doc = "Where it is in its life."},
    {"conditions", FIELD_LIST, 2, .of = &pod_condition_schema, .merge_key = "type",
     .list_keys = "type", .doc = "What is known about it."},
    {"message", FIELD_STRING, 3, .doc = "A sentence why."},
    {"reason", FIELD_STRING, 4, .doc = "One word why."},
    {"hostIP", FIELD_STRING, 5, .doc = "Address of the node."},
    {"podIP", FIELD_STRING, 6, .doc = "Address of the pod."},
    {"startTime", FIELD_TIME, 7, .doc = "When its node took it."},
    {"containerStatuses", FIELD_LIST, 8, .of = &container_status_schema, .doc = "The containers."},
    {"qosClass", FIELD_STRING, 9, .doc = "Guaranteed, Burstable or BestEffort."},
    {"initContainerStatuses", FIELD_LIST, 10, .of = &container_status_schema,
     .doc = "The init containers."},
    {"nominatedNodeName", FIELD_STRING, 11, .doc = "Node where room is being made."},
    {"podIPs", FIELD_LIST, 12, .of = &pod_ip_schema, .merge_key = "ip", .list_keys = "ip",
     .doc = "Addresses of the pod."},
    {"ephemeralContainerStatuses", FIELD_LIST, 13, .of = &container_status_schema,
     .doc = "The ephemeral containers."},
    {"resize", FIELD_STRING, 14},
    {"resourceClaimStatuses", FIELD_LIST, 15, .of = &pod_resource_claim_status_schema,
     .merge_key = "name", .retain_keys = true, .list_keys = "name"},
    {"hostIPs", FIELD_LIST, 16, .of = &host_ip_schema, .merge_key = "ip",
     .doc = "Addresses of the node."},
    {0},
};
static const struct schema pod_status_schema = {"core.v1.PodStatus", pod_status_fields};

static const struct field pod_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &pod_spec_schema, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &pod_status_schema, .doc = "What is."},
    {0},
};
const struct schema pod_schema = {
    "core.v1.Pod", pod_fields, "Containers that run together on one node."};

/* clang-format on */
