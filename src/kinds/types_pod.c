/* types_pod.c - PodSpec and the template that workloads carry. */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field pod_dns_config_option_fields[] = {
    {"name", FIELD_STRING, 1, .doc = "Name."},
    {"value", FIELD_STRING, 2, .doc = "The value."},
    {0},
};
static const struct schema pod_dns_config_option_schema = {
    "core.v1.PodDNSConfigOption", pod_dns_config_option_fields};

static const struct field pod_dns_config_fields[] = {
    {"nameservers", FIELD_LIST, 1, .item = FIELD_STRING},
    {"searches", FIELD_LIST, 2, .item = FIELD_STRING},
    {"options", FIELD_LIST, 3, .of = &pod_dns_config_option_schema},
    {0},
};
static const struct schema pod_dns_config_schema = {"core.v1.PodDNSConfig", pod_dns_config_fields};

static const struct field host_alias_fields[] = {
    {"ip", FIELD_STRING, 1, .required = true, .doc = "Address."},
    {"hostnames", FIELD_LIST, 2, .item = FIELD_STRING, .doc = "Names."},
    {0},
};
static const struct schema host_alias_schema = {"core.v1.HostAlias", host_alias_fields};

static const struct field pod_os_fields[] = {
    {"name", FIELD_STRING, 1, .required = true, .doc = "Name."},
    {0},
};
static const struct schema pod_os_schema = {"core.v1.PodOS", pod_os_fields};

static const struct field pod_readiness_gate_fields[] = {
    {"conditionType", FIELD_STRING, 1, .required = true},
    {0},
};
static const struct schema pod_readiness_gate_schema = {
    "core.v1.PodReadinessGate", pod_readiness_gate_fields};

static const struct field pod_resource_claim_fields[] = {
    {"name", FIELD_STRING, 1, .required = true, .doc = "Name."},
    {"resourceClaimName", FIELD_STRING, 3},
    {"resourceClaimTemplateName", FIELD_STRING, 4},
    {0},
};
static const struct schema pod_resource_claim_schema = {
    "core.v1.PodResourceClaim", pod_resource_claim_fields};

static const struct field pod_scheduling_gate_fields[] = {
    {"name", FIELD_STRING, 1, .required = true, .doc = "Name."},
    {0},
};
static const struct schema pod_scheduling_gate_schema = {
    "core.v1.PodSchedulingGate", pod_scheduling_gate_fields};

static const struct field sysctl_fields[] = {
    {"name", FIELD_STRING, 1, .required = true, .doc = "Name."},
    {"value", FIELD_STRING, 2, .required = true, .doc = "The value."},
    {0},
};
static const struct schema sysctl_schema = {"core.v1.Sysctl", sysctl_fields};

static const struct field pod_security_context_fields[] = {
    {"seLinuxOptions", FIELD_OBJECT, 1, .of = &se_linux_options_schema, .doc = "SELinux label."},
    {"runAsUser", FIELD_LONG, 2, .pointer = true, RANGE(0, 2147483647),
     .doc = "User id its processes run as."},
    {"runAsNonRoot", FIELD_BOOL, 3, .pointer = true, .doc = "Refuse to start as user 0."},
    {"supplementalGroups", FIELD_LIST, 4, .item = FIELD_LONG,
     .doc = "More groups of the processes."},
    {"fsGroup", FIELD_LONG, 5, .pointer = true, RANGE(0, 2147483647),
     .doc = "Group that owns the volumes."},
    {"runAsGroup", FIELD_LONG, 6, .pointer = true, RANGE(0, 2147483647),
     .doc = "Group id its processes run as."},
    {"sysctls", FIELD_LIST, 7, .of = &sysctl_schema, .doc = "Kernel settings of the pod."},
    {"windowsOptions", FIELD_OBJECT, 8, .of = &windows_security_context_options_schema,
     .doc = "Windows only.", .no_effect = true},
    {"fsGroupChangePolicy", FIELD_STRING, 9, ONE_OF("Always", "OnRootMismatch"),
     .doc = "OnRootMismatch or Always."},
    {"seccompProfile", FIELD_OBJECT, 10, .of = &seccomp_profile_schema,
     .doc = "System calls that are allowed."},
    {"appArmorProfile", FIELD_OBJECT, 11, .of = &app_armor_profile_schema,
     .doc = "AppArmor profile."},
    {"supplementalGroupsPolicy", FIELD_STRING, 12, ONE_OF("Merge", "Strict"),
     .doc = "Merge or Strict."},
    {"seLinuxChangePolicy", FIELD_STRING, 13},
    {0},
};
static const struct schema pod_security_context_schema = {
    "core.v1.PodSecurityContext", pod_security_context_fields};

static const struct field pod_spec_fields[] = {
    {"volumes", FIELD_LIST, 1, .of = &volume_schema, .merge_key = "name", .retain_keys = true,
     .list_keys = "name", .doc = "Directories the containers may mount."},
    {"containers", FIELD_LIST, 2, .of = &container_schema, .required = true, .merge_key = "name",
     .list_keys = "name", .doc = "Containers of the pod; they start together."},
    {"restartPolicy", FIELD_STRING, 3, .otherwise = "Always",
     ONE_OF("Always", "OnFailure", "Never"),
     .doc = "Whether containers that ended are started again: Always, OnFailure or Never."},
    {"terminationGracePeriodSeconds", FIELD_LONG, 4, .pointer = true, .otherwise = "30",
     RANGE(0, INT64_MAX), .doc = "Seconds from the polite signal to the one that kills."},
    {"activeDeadlineSeconds", FIELD_LONG, 5, .pointer = true, RANGE(1, 2147483647),
     .doc = "Seconds the pod may be active before it is failed."},
    {"dnsPolicy", FIELD_STRING, 6, .otherwise = "ClusterFirst",
     ONE_OF("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
     .doc = "How names are looked up: ClusterFirst, ClusterFirstWithHostNet, Default or None."},
    {"nodeSelector", FIELD_MAP, 7, .item = FIELD_STRING, .atomic = true,
     .doc = "Labels a node must have to run this pod."},
    {"serviceAccountName", FIELD_STRING, 8, .doc = "Account whose token the pod gets."},
    {"serviceAccount", FIELD_STRING, 9, .doc = "Old name of serviceAccountName."},
    {"nodeName", FIELD_STRING, 10, .doc = "Node the pod runs on; set by the scheduler."},
    {"hostNetwork", FIELD_BOOL, 11, .doc = "Use the node's network instead of one of its own."},
    {"hostPID", FIELD_BOOL, 12, .doc = "Share the node's processes."},
    {"hostIPC", FIELD_BOOL, 13, .doc = "Share the node's IPC objects."},
    {"securityContext", FIELD_OBJECT, 14, .of = &pod_security_context_schema, .otherwise = "{}",
     .doc = "Users, groups and limits of all containers."},
    {"imagePullSecrets", FIELD_LIST, 15, .of = &local_object_reference_schema,
     .merge_key = "name", .list_keys = "name",
     .doc = "Secrets with passwords for image registries."},
    {"hostname", FIELD_STRING, 16, .doc = "Host name inside the pod."},
    {"subdomain", FIELD_STRING, 17,
     .doc = "With it the pod's full name is hostname.subdomain.namespace.svc."},
    {"affinity", FIELD_OBJECT, 18, .of = &affinity_schema,
     .doc = "Rules for which nodes and beside which pods."},
    {"schedulerName", FIELD_STRING, 19, .otherwise = "default-scheduler",
     .doc = "Scheduler that places this pod."},
    {"initContainers", FIELD_LIST, 20, .of = &container_schema, .merge_key = "name",
     .list_keys = "name",
     .doc = "Containers that run to their end, one after the other, before the others start."},
    {"automountServiceAccountToken", FIELD_BOOL, 21, .pointer = true,
     .doc = "Whether a token of the account is mounted."},
    {"tolerations", FIELD_LIST, 22, .of = &toleration_schema,
     .doc = "Taints of nodes this pod puts up with."},
    {"hostAliases", FIELD_LIST, 23, .of = &host_alias_schema, .merge_key = "ip",
     .list_keys = "ip", .doc = "Lines added to /etc/hosts."},
    {"priorityClassName", FIELD_STRING, 24, .doc = "Name of the pod's priority."},
    {"priority", FIELD_INT, 25, .pointer = true,
     .doc = "The priority as a number; higher goes first."},
    {"dnsConfig", FIELD_OBJECT, 26, .of = &pod_dns_config_schema,
     .doc = "Additions to resolv.conf."},
    {"shareProcessNamespace", FIELD_BOOL, 27, .pointer = true,
     .doc = "Containers of the pod see each other's processes."},
    {"readinessGates", FIELD_LIST, 28, .of = &pod_readiness_gate_schema,
     .doc = "Conditions that must be true, too, before the pod is ready."},
    {"runtimeClassName", FIELD_STRING, 29, .doc = "Runtime that runs the pod."},
    {"enableServiceLinks", FIELD_BOOL, 30, .pointer = true,
     .doc = "Whether Services appear as environment variables."},
    {"preemptionPolicy", FIELD_STRING, 31, ONE_OF("PreemptLowerPriority", "Never"),
     .doc = "Whether it may push out pods of lower priority: PreemptLowerPriority or Never."},
    {"overhead", FIELD_MAP, 32, .item = FIELD_QUANTITY,
     .doc = "Resources the sandbox itself takes."},
    {"topologySpreadConstraints", FIELD_LIST, 33, .of = &topology_spread_constraint_schema,
     .merge_key = "topologyKey", .list_keys = "topologyKey,whenUnsatisfiable",
     .doc = "How evenly pods are spread over parts of the cluster."},
    {"ephemeralContainers", FIELD_LIST, 34, .of = &ephemeral_container_schema,
     .merge_key = "name", .list_keys = "name",
     .doc = "Containers added to a running pod to look into it."},
    {"setHostnameAsFQDN", FIELD_BOOL, 35, .pointer = true,
     .doc = "Use the full name as host name."},
    {"os", FIELD_OBJECT, 36, .of = &pod_os_schema, .doc = "Operating system of the containers."},
    {"hostUsers", FIELD_BOOL, 37, .pointer = true,
     .doc = "False gives the pod a user namespace of its own."},
    {"schedulingGates", FIELD_LIST, 38, .of = &pod_scheduling_gate_schema, .merge_key = "name",
     .list_keys = "name", .doc = "The pod is not placed while any of these is there."},
    {"resourceClaims", FIELD_LIST, 39, .of = &pod_resource_claim_schema, .merge_key = "name",
     .retain_keys = true, .list_keys = "name", .doc = "Devices the pod claims."},
    {"resources", FIELD_OBJECT, 40, .of = &resource_requirements_schema,
     .doc = "Resources of the pod as a whole."},
    {0},
};
const struct schema pod_spec_schema = {"core.v1.PodSpec", pod_spec_fields, "What a pod is."};

static const struct field pod_template_spec_fields[] = {
    {"metadata", FIELD_OBJECT, 1, .of = &object_meta_schema,
     .doc = "Labels and annotations of the pods."},
    {"spec", FIELD_OBJECT, 2, .of = &pod_spec_schema, .doc = "What the pods are."},
    {0},
};
const struct schema pod_template_spec_schema = {
    "core.v1.PodTemplateSpec", pod_template_spec_fields, "What pods are made from."};

/* clang-format on */
