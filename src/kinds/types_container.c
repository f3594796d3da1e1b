/* types_container.c - containers, their environment, probes and rights. */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field config_map_key_selector_fields[] = {
    {"key", FIELD_STRING, 2, .required = true, .doc = "The key."},
    {"optional", FIELD_BOOL, 3, .pointer = true, .doc = "Whether it may be missing."},
    {"name", FIELD_STRING, 1, .proto_in = 1, .doc = "Name."},
    {0},
};
static const struct schema config_map_key_selector_schema = {
    "core.v1.ConfigMapKeySelector", config_map_key_selector_fields, .atomic = true};

static const struct field secret_key_selector_fields[] = {
    {"key", FIELD_STRING, 2, .required = true, .doc = "The key."},
    {"optional", FIELD_BOOL, 3, .pointer = true, .doc = "Whether it may be missing."},
    {"name", FIELD_STRING, 1, .proto_in = 1, .doc = "Name."},
    {0},
};
static const struct schema secret_key_selector_schema = {
    "core.v1.SecretKeySelector", secret_key_selector_fields, .atomic = true};

static const struct field env_var_source_fields[] = {
    {"fieldRef", FIELD_OBJECT, 1, .of = &object_field_selector_schema,
     .doc = "A field of the pod."},
    {"resourceFieldRef", FIELD_OBJECT, 2, .of = &resource_field_selector_schema,
     .doc = "A resource of a container."},
    {"configMapKeyRef", FIELD_OBJECT, 3, .of = &config_map_key_selector_schema,
     .doc = "A key of a ConfigMap."},
    {"secretKeyRef", FIELD_OBJECT, 4, .of = &secret_key_selector_schema,
     .doc = "A key of a Secret."},
    {0},
};
static const struct schema env_var_source_schema = {"core.v1.EnvVarSource", env_var_source_fields};

static const struct field env_var_fields[] = {
    {"name", FIELD_STRING, 1, .required = true, .doc = "Name of the variable."},
    {"value", FIELD_STRING, 2, .doc = "Its value; $(VAR) is replaced by earlier variables."},
    {"valueFrom", FIELD_OBJECT, 3, .of = &env_var_source_schema,
     .doc = "Where the value comes from."},
    {0},
};
static const struct schema env_var_schema = {"core.v1.EnvVar", env_var_fields};

static const struct field config_map_env_source_fields[] = {
    {"optional", FIELD_BOOL, 2, .pointer = true, .doc = "Whether it may be missing."},
    {"name", FIELD_STRING, 1, .proto_in = 1, .doc = "Name."},
    {0},
};
static const struct schema config_map_env_source_schema = {
    "core.v1.ConfigMapEnvSource", config_map_env_source_fields};

static const struct field secret_env_source_fields[] = {
    {"optional", FIELD_BOOL, 2, .pointer = true, .doc = "Whether it may be missing."},
    {"name", FIELD_STRING, 1, .proto_in = 1, .doc = "Name."},
    {0},
};
static const struct schema secret_env_source_schema = {
    "core.v1.SecretEnvSource", secret_env_source_fields};

static const struct field env_from_source_fields[] = {
    {"prefix", FIELD_STRING, 1, .doc = "Put before each key."},
    {"configMapRef", FIELD_OBJECT, 2, .of = &config_map_env_source_schema,
     .doc = "The ConfigMap."},
    {"secretRef", FIELD_OBJECT, 3, .of = &secret_env_source_schema, .doc = "The Secret."},
    {0},
};
static const struct schema env_from_source_schema = {
    "core.v1.EnvFromSource", env_from_source_fields};

static const struct field exec_action_fields[] = {
    {"command", FIELD_LIST, 1, .item = FIELD_STRING,
     .doc = "What is run instead of the image's entry point; $(VAR) is replaced."},
    {0},
};
static const struct schema exec_action_schema = {"core.v1.ExecAction", exec_action_fields};

static const struct field http_header_fields[] = {
    {"name", FIELD_STRING, 1, .required = true, .doc = "Name."},
    {"value", FIELD_STRING, 2, .required = true, .doc = "The value."},
    {0},
};
static const struct schema http_header_schema = {"core.v1.HTTPHeader", http_header_fields};

static const struct field http_get_action_fields[] = {
    {"path", FIELD_STRING, 1, .otherwise = "/", .doc = "Path of the URL."},
    {"port", FIELD_INT_OR_STRING, 2, .required = true, .doc = "Number or name of the port."},
    {"host", FIELD_STRING, 3, .doc = "Host to connect to instead of the pod."},
    {"scheme", FIELD_STRING, 4, .otherwise = "HTTP", ONE_OF("HTTP", "HTTPS"),
     .doc = "HTTP or HTTPS."},
    {"httpHeaders", FIELD_LIST, 5, .of = &http_header_schema, .doc = "Headers to send."},
    {0},
};
static const struct schema http_get_action_schema = {
    "core.v1.HTTPGetAction", http_get_action_fields};

static const struct field sleep_action_fields[] = {
    {"seconds", FIELD_LONG, 1},
    {0},
};
static const struct schema sleep_action_schema = {"core.v1.SleepAction", sleep_action_fields};

static const struct field tcp_socket_action_fields[] = {
    {"port", FIELD_INT_OR_STRING, 1, .required = true, .doc = "Number or name of the port."},
    {"host", FIELD_STRING, 2, .doc = "Host to connect to instead of the pod."},
    {0},
};
static const struct schema tcp_socket_action_schema = {
    "core.v1.TCPSocketAction", tcp_socket_action_fields};

static const struct field lifecycle_handler_fields[] = {
    {"exec", FIELD_OBJECT, 1, .of = &exec_action_schema, .doc = "Run a command in the container."},
    {"httpGet", FIELD_OBJECT, 2, .of = &http_get_action_schema,
     .doc = "Ask over HTTP; 200 to 399 is success."},
    {"tcpSocket", FIELD_OBJECT, 3, .of = &tcp_socket_action_schema,
     .doc = "Open a TCP connection."},
    {"sleep", FIELD_OBJECT, 4, .of = &sleep_action_schema, .doc = "Wait some seconds."},
    {0},
};
static const struct schema lifecycle_handler_schema = {
    "core.v1.LifecycleHandler", lifecycle_handler_fields};

static const struct field lifecycle_fields[] = {
    {"postStart", FIELD_OBJECT, 1, .of = &lifecycle_handler_schema,
     .doc = "Runs right after the container was made."},
    {"preStop", FIELD_OBJECT, 2, .of = &lifecycle_handler_schema,
     .doc = "Runs before the container is asked to end."},
    {0},
};
static const struct schema lifecycle_schema = {"core.v1.Lifecycle", lifecycle_fields};

static const struct field grpc_action_fields[] = {
    {"port", FIELD_INT, 1, RANGE(1, 65535), .doc = "Port."},
    {"service", FIELD_STRING, 2, .otherwise = ""},
    {0},
};
static const struct schema grpc_action_schema = {"core.v1.GRPCAction", grpc_action_fields};

static const struct field probe_fields[] = {
    {"initialDelaySeconds", FIELD_INT, 2, RANGE(0, INT32_MAX),
     .doc = "Seconds from the start of the container to the first probe."},
    {"timeoutSeconds", FIELD_INT, 3, .otherwise = "1", RANGE(0, INT32_MAX),
     .doc = "Seconds a probe may take."},
    {"periodSeconds", FIELD_INT, 4, .otherwise = "10", RANGE(0, INT32_MAX),
     .doc = "Seconds between probes."},
    {"successThreshold", FIELD_INT, 5, .otherwise = "1", RANGE(0, INT32_MAX),
     .doc = "Successes in a row that count as success."},
    {"failureThreshold", FIELD_INT, 6, .otherwise = "3", RANGE(0, INT32_MAX),
     .doc = "Failures in a row that count as failure."},
    {"terminationGracePeriodSeconds", FIELD_LONG, 7, .pointer = true,
     .doc = "Seconds to end when this probe kills the container."},
    {"exec", FIELD_OBJECT, 1, .of = &exec_action_schema, .proto_in = 1,
     .doc = "Run a command in the container."},
    {"httpGet", FIELD_OBJECT, 2, .of = &http_get_action_schema, .proto_in = 1,
     .doc = "Ask over HTTP; 200 to 399 is success."},
    {"tcpSocket", FIELD_OBJECT, 3, .of = &tcp_socket_action_schema, .proto_in = 1,
     .doc = "Open a TCP connection."},
    {"grpc", FIELD_OBJECT, 4, .of = &grpc_action_schema, .proto_in = 1,
     .doc = "Ask the gRPC health service."},
    {0},
};
static const struct schema probe_schema = {
    "core.v1.Probe", probe_fields, "A question that tells whether a container is well."};

static const struct field container_port_fields[] = {
    {"name", FIELD_STRING, 1, .doc = "Name Services may use instead of the number."},
    {"hostPort", FIELD_INT, 2, RANGE(1, 65535), .doc = "Port of the node that leads to it."},
    {"containerPort", FIELD_INT, 3, .required = true, RANGE(1, 65535),
     .doc = "Port in the container, 1 to 65535."},
    {"protocol", FIELD_STRING, 4, .otherwise = "TCP", ONE_OF("SCTP", "TCP", "UDP"),
     .doc = "Protocol: TCP, UDP or SCTP."},
    {"hostIP", FIELD_STRING, 5, .doc = "Address of the node the port is bound to."},
    {0},
};
static const struct schema container_port_schema = {"core.v1.ContainerPort", container_port_fields};

static const struct field container_resize_policy_fields[] = {
    {"resourceName", FIELD_STRING, 1, .required = true},
    {"restartPolicy", FIELD_STRING, 2, .required = true,
     ONE_OF("NotRequired", "RestartContainer")},
    {0},
};
static const struct schema container_resize_policy_schema = {
    "core.v1.ContainerResizePolicy", container_resize_policy_fields};

static const struct field resource_claim_fields[] = {
    {"name", FIELD_STRING, 1, .required = true, .doc = "Name."},
    {"request", FIELD_STRING, 2},
    {0},
};
static const struct schema resource_claim_schema = {"core.v1.ResourceClaim", resource_claim_fields};

static const struct field resource_requirements_fields[] = {
    {"limits", FIELD_MAP, 1, .item = FIELD_QUANTITY,
     .doc = "The most it may use of each resource."},
    {"requests", FIELD_MAP, 2, .item = FIELD_QUANTITY,
     .doc = "What is set aside for it; limits if absent."},
    {"claims", FIELD_LIST, 3, .of = &resource_claim_schema, .list_keys = "name",
     .doc = "Device claims used."},
    {0},
};
const struct schema resource_requirements_schema = {
    "core.v1.ResourceRequirements", resource_requirements_fields};

static const struct field app_armor_profile_fields[] = {
    {"type", FIELD_STRING, 1, .required = true,
     ONE_OF("Localhost", "RuntimeDefault", "Unconfined"), .doc = "What type it is."},
    {"localhostProfile", FIELD_STRING, 2, .doc = "Profile file on the node, for type Localhost."},
    {0},
};
const struct schema app_armor_profile_schema = {
    "core.v1.AppArmorProfile", app_armor_profile_fields};

static const struct field capabilities_fields[] = {
    {"add", FIELD_LIST, 1, .item = FIELD_STRING},
    {"drop", FIELD_LIST, 2, .item = FIELD_STRING},
    {0},
};
static const struct schema capabilities_schema = {"core.v1.Capabilities", capabilities_fields};

static const struct field se_linux_options_fields[] = {
    {"user", FIELD_STRING, 1},
    {"role", FIELD_STRING, 2},
    {"type", FIELD_STRING, 3, .doc = "What type it is."},
    {"level", FIELD_STRING, 4},
    {0},
};
const struct schema se_linux_options_schema = {"core.v1.SELinuxOptions", se_linux_options_fields};

static const struct field seccomp_profile_fields[] = {
    {"type", FIELD_STRING, 1, .required = true,
     ONE_OF("Localhost", "RuntimeDefault", "Unconfined"), .doc = "What type it is."},
    {"localhostProfile", FIELD_STRING, 2, .doc = "Profile file on the node, for type Localhost."},
    {0},
};
const struct schema seccomp_profile_schema = {"core.v1.SeccompProfile", seccomp_profile_fields};

static const struct field windows_security_context_options_fields[] = {
    {"gmsaCredentialSpecName", FIELD_STRING, 1},
    {"gmsaCredentialSpec", FIELD_STRING, 2},
    {"runAsUserName", FIELD_STRING, 3},
    {"hostProcess", FIELD_BOOL, 4, .pointer = true},
    {0},
};
const struct schema windows_security_context_options_schema = {
    "core.v1.WindowsSecurityContextOptions", windows_security_context_options_fields};

static const struct field security_context_fields[] = {
    {"capabilities", FIELD_OBJECT, 1, .of = &capabilities_schema,
     .doc = "Linux capabilities to add or drop."},
    {"privileged", FIELD_BOOL, 2, .pointer = true, .doc = "Run with all rights of the node."},
    {"seLinuxOptions", FIELD_OBJECT, 3, .of = &se_linux_options_schema, .doc = "SELinux label."},
    {"runAsUser", FIELD_LONG, 4, .pointer = true, RANGE(0, 2147483647),
     .doc = "User id its processes run as."},
    {"runAsNonRoot", FIELD_BOOL, 5, .pointer = true, .doc = "Refuse to start as user 0."},
    {"readOnlyRootFilesystem", FIELD_BOOL, 6, .pointer = true,
     .doc = "Its root file system cannot be written."},
    {"allowPrivilegeEscalation", FIELD_BOOL, 7, .pointer = true,
     .doc = "Whether a process may gain rights its parent lacks."},
    {"runAsGroup", FIELD_LONG, 8, .pointer = true, RANGE(0, 2147483647),
     .doc = "Group id its processes run as."},
    {"procMount", FIELD_STRING, 9, ONE_OF("Default", "Unmasked"),
     .doc = "How /proc is mounted: Default or Unmasked."},
    {"windowsOptions", FIELD_OBJECT, 10, .of = &windows_security_context_options_schema,
     .doc = "Windows only.", .no_effect = true},
    {"seccompProfile", FIELD_OBJECT, 11, .of = &seccomp_profile_schema,
     .doc = "System calls that are allowed."},
    {"appArmorProfile", FIELD_OBJECT, 12, .of = &app_armor_profile_schema,
     .doc = "AppArmor profile."},
    {0},
};
static const struct schema security_context_schema = {
    "core.v1.SecurityContext", security_context_fields};

static const struct field volume_device_fields[] = {
    {"name", FIELD_STRING, 1, .required = true, .doc = "Name."},
    {"devicePath", FIELD_STRING, 2, .required = true},
    {0},
};
static const struct schema volume_device_schema = {"core.v1.VolumeDevice", volume_device_fields};

static const struct field volume_mount_fields[] = {
    {"name", FIELD_STRING, 1, .required = true, .doc = "Name."},
    {"readOnly", FIELD_BOOL, 2, .doc = "It cannot be written."},
    {"mountPath", FIELD_STRING, 3, .required = true, .doc = "Where it appears."},
    {"subPath", FIELD_STRING, 4, .doc = "Part of the volume that is mounted."},
    {"mountPropagation", FIELD_STRING, 5, ONE_OF("Bidirectional", "HostToContainer", "None"),
     .doc = "None, HostToContainer or Bidirectional."},
    {"subPathExpr", FIELD_STRING, 6, .doc = "As subPath, with $(VAR) replaced."},
    {"recursiveReadOnly", FIELD_STRING, 7, ONE_OF("Disabled", "Enabled", "IfPossible"),
     .doc = "Disabled, IfPossible or Enabled."},
    {0},
};
static const struct schema volume_mount_schema = {"core.v1.VolumeMount", volume_mount_fields};

static const struct field container_fields[] = {
    {"name", FIELD_STRING, 1, .required = true, .doc = "Name, unique in the pod; a DNS label."},
    {"image", FIELD_STRING, 2, .doc = "Image it runs."},
    {"command", FIELD_LIST, 3, .item = FIELD_STRING,
     .doc = "What is run instead of the image's entry point; $(VAR) is replaced."},
    {"args", FIELD_LIST, 4, .item = FIELD_STRING,
     .doc = "Arguments instead of the image's; $(VAR) is replaced."},
    {"workingDir", FIELD_STRING, 5, .doc = "Directory it starts in."},
    {"ports", FIELD_LIST, 6, .of = &container_port_schema, .merge_key = "containerPort",
     .list_keys = "containerPort,protocol",
     .doc = "Ports it listens on; for information and for names."},
    {"env", FIELD_LIST, 7, .of = &env_var_schema, .merge_key = "name", .list_keys = "name",
     .doc = "Variables of its environment."},
    {"resources", FIELD_OBJECT, 8, .of = &resource_requirements_schema, .otherwise = "{}",
     .doc = "What it asks for and may use at most."},
    {"volumeMounts", FIELD_LIST, 9, .of = &volume_mount_schema, .merge_key = "mountPath",
     .list_keys = "mountPath", .doc = "Where volumes appear in its file system."},
    {"livenessProbe", FIELD_OBJECT, 10, .of = &probe_schema,
     .doc = "When it fails the container is started again."},
    {"readinessProbe", FIELD_OBJECT, 11, .of = &probe_schema,
     .doc = "While it fails the container gets no traffic."},
    {"lifecycle", FIELD_OBJECT, 12, .of = &lifecycle_schema,
     .doc = "What is done after its start and before its end."},
    {"terminationMessagePath", FIELD_STRING, 13, .otherwise = "/dev/termination-log",
     .doc = "File whose content becomes the reason of its end."},
    {"imagePullPolicy", FIELD_STRING, 14, ONE_OF("Always", "IfNotPresent", "Never"),
     .doc = "Always, IfNotPresent or Never."},
    {"securityContext", FIELD_OBJECT, 15, .of = &security_context_schema,
     .doc = "Users, rights and limits of this container."},
    {"stdin", FIELD_BOOL, 16, .doc = "Keep its standard input open."},
    {"stdinOnce", FIELD_BOOL, 17, .doc = "Close standard input after the first client."},
    {"tty", FIELD_BOOL, 18, .doc = "Give it a terminal."},
    {"envFrom", FIELD_LIST, 19, .of = &env_from_source_schema,
     .doc = "ConfigMaps and Secrets whose keys become variables."},
    {"terminationMessagePolicy", FIELD_STRING, 20, .otherwise = "File",
     ONE_OF("FallbackToLogsOnError", "File"), .doc = "File, or FallbackToLogsOnError."},
    {"volumeDevices", FIELD_LIST, 21, .of = &volume_device_schema, .merge_key = "devicePath",
     .list_keys = "devicePath", .doc = "Where block volumes appear as devices."},
    {"startupProbe", FIELD_OBJECT, 22, .of = &probe_schema,
     .doc = "Until it succeeds no other probe runs."},
    {"resizePolicy", FIELD_LIST, 23, .of = &container_resize_policy_schema,
     .doc = "What a change of resources means for a running container."},
    {"restartPolicy", FIELD_STRING, 24, ONE_OF("Always"),
     .doc = "Always makes an init container a sidecar."},
    {0},
};
const struct schema container_schema = {
    "core.v1.Container", container_fields, "A process in an image."};

static const struct field ephemeral_container_fields[] = {
    {"targetContainerName", FIELD_STRING, 2, .doc = "Container whose processes it shares."},
    {"name", FIELD_STRING, 1, .proto_in = 1, .required = true, .doc = "Name."},
    {"image", FIELD_STRING, 2, .proto_in = 1, .doc = "Image it runs."},
    {"command", FIELD_LIST, 3, .item = FIELD_STRING, .proto_in = 1,
     .doc = "What is run instead of the image's entry point; $(VAR) is replaced."},
    {"args", FIELD_LIST, 4, .item = FIELD_STRING, .proto_in = 1,
     .doc = "Arguments instead of the image's; $(VAR) is replaced."},
    {"workingDir", FIELD_STRING, 5, .proto_in = 1, .doc = "Directory it starts in."},
    {"ports", FIELD_LIST, 6, .of = &container_port_schema, .proto_in = 1,
     .merge_key = "containerPort", .list_keys = "containerPort,protocol",
     .doc = "Ports it listens on; for information and for names."},
    {"env", FIELD_LIST, 7, .of = &env_var_schema, .proto_in = 1, .merge_key = "name",
     .list_keys = "name", .doc = "Variables of its environment."},
    {"resources", FIELD_OBJECT, 8, .of = &resource_requirements_schema, .proto_in = 1,
     .otherwise = "{}", .doc = "What it asks for and may use at most."},
    {"volumeMounts", FIELD_LIST, 9, .of = &volume_mount_schema, .proto_in = 1,
     .merge_key = "mountPath", .list_keys = "mountPath",
     .doc = "Where volumes appear in its file system."},
    {"livenessProbe", FIELD_OBJECT, 10, .of = &probe_schema, .proto_in = 1,
     .doc = "When it fails the container is started again."},
    {"readinessProbe", FIELD_OBJECT, 11, .of = &probe_schema, .proto_in = 1,
     .doc = "While it fails the container gets no traffic."},
    {"lifecycle", FIELD_OBJECT, 12, .of = &lifecycle_schema, .proto_in = 1,
     .doc = "What is done after its start and before its end."},
    {"terminationMessagePath", FIELD_STRING, 13, .proto_in = 1,
     .otherwise = "/dev/termination-log",
     .doc = "File whose content becomes the reason of its end."},
    {"imagePullPolicy", FIELD_STRING, 14, .proto_in = 1,
     ONE_OF("Always", "IfNotPresent", "Never"), .doc = "Always, IfNotPresent or Never."},
    {"securityContext", FIELD_OBJECT, 15, .of = &security_context_schema, .proto_in = 1,
     .doc = "Users, rights and limits of this container."},
    {"stdin", FIELD_BOOL, 16, .proto_in = 1, .doc = "Keep its standard input open."},
    {"stdinOnce", FIELD_BOOL, 17, .proto_in = 1,
     .doc = "Close standard input after the first client."},
    {"tty", FIELD_BOOL, 18, .proto_in = 1, .doc = "Give it a terminal."},
    {"envFrom", FIELD_LIST, 19, .of = &env_from_source_schema, .proto_in = 1,
     .doc = "ConfigMaps and Secrets whose keys become variables."},
    {"terminationMessagePolicy", FIELD_STRING, 20, .proto_in = 1, .otherwise = "File",
     ONE_OF("FallbackToLogsOnError", "File"), .doc = "File, or FallbackToLogsOnError."},
    {"volumeDevices", FIELD_LIST, 21, .of = &volume_device_schema, .proto_in = 1,
     .merge_key = "devicePath", .list_keys = "devicePath",
     .doc = "Where block volumes appear as devices."},
    {"startupProbe", FIELD_OBJECT, 22, .of = &probe_schema, .proto_in = 1,
     .doc = "Until it succeeds no other probe runs."},
    {"resizePolicy", FIELD_LIST, 23, .of = &container_resize_policy_schema, .proto_in = 1,
     .doc = "What a change of resources means for a running container."},
    {"restartPolicy", FIELD_STRING, 24, .proto_in = 1,
     .doc = "Always makes an init container a sidecar."},
    {0},
};
const struct schema ephemeral_container_schema = {
    "core.v1.EphemeralContainer", ephemeral_container_fields};

/* clang-format on */
