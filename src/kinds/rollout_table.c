/* rollout_table.c - the fields of Rollout (argoproj.io/v1alpha1). */
#include "kinds/argo.h"
#include "kinds/columns.h"
#include "kinds/rollout.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field workload_fields[] = {
    {"apiVersion", FIELD_STRING, .doc = "Group and version."},
    {"kind", FIELD_STRING, .doc = "Kind, as Deployment."},
    {"name", FIELD_STRING, .doc = "Name."},
    {"scaleDown", FIELD_STRING, ONE_OF("never", "onsuccess", "progressively"),
     .doc = "When its own pods go."},
    {0},
};
static const struct schema workload_schema = {"argo.v1alpha1.ObjectRef", workload_fields};

static const struct field analysis_fields[] = {
    {"templates", FIELD_LIST, .of = &argo_template_ref_schema, .merge_key = "templateName",
     .doc = "What is run."},
    {"args", FIELD_LIST, .of = &argo_run_argument_schema, .merge_key = "name",
     .doc = "What it is called with."},
    {"dryRun", FIELD_LIST, .of = &argo_dry_run_schema, .doc = "Metrics that decide nothing."},
    {"measurementRetention", FIELD_LIST, .of = &argo_retention_schema,
     .doc = "How many measurements are kept."},
    {"analysisRunMetadata", FIELD_OBJECT, .of = &argo_metadata_schema,
     .doc = "Labels and annotations of the AnalysisRun."},
    {"startingStep", FIELD_INT, .pointer = true, .doc = "The step it begins with."},
    {0},
};
static const struct schema analysis_schema = {"argo.v1alpha1.RolloutAnalysis", analysis_fields};

static const struct field preferred_fields[] = {
    {"weight", FIELD_INT, .required = true, RANGE(1, 100), .doc = "How much it counts."}, {0}};
static const struct schema preferred_schema = {
    "argo.v1alpha1.PreferredDuringScheduling", preferred_fields};
static const struct field nothing_fields[] = {{0}};
static const struct schema required_schema = {
    "argo.v1alpha1.RequiredDuringScheduling", nothing_fields};
static const struct field anti_affinity_fields[] = {
    {"preferredDuringSchedulingIgnoredDuringExecution", FIELD_OBJECT, .of = &preferred_schema,
     .doc = "New and old pods rather on different nodes."},
    {"requiredDuringSchedulingIgnoredDuringExecution", FIELD_OBJECT, .of = &required_schema,
     .doc = "New and old pods always on different nodes."},
    {0},
};
static const struct schema anti_affinity_schema = {
    "argo.v1alpha1.AntiAffinity", anti_affinity_fields};

static const struct field blue_green_fields[] = {
    {"activeService", FIELD_STRING, .doc = "Service of the version that serves."},
    {"previewService", FIELD_STRING, .doc = "Service of the new version before the switch."},
    {"previewReplicaCount", FIELD_INT, .pointer = true, RANGE(0, INT32_MAX),
     .doc = "Pods of the new version before the switch."},
    {"autoPromotionEnabled", FIELD_BOOL, .pointer = true, .doc = "Whether it switches by itself."},
    {"autoPromotionSeconds", FIELD_INT, .doc = "Seconds until it switches by itself."},
    {"maxUnavailable", FIELD_INT_OR_STRING, .doc = "How many pods may be missing in a restart."},
    {"scaleDownDelaySeconds", FIELD_INT, .pointer = true, RANGE(0, INT32_MAX),
     .doc = "Seconds the old version is kept after the switch; 30."},
    {"scaleDownDelayRevisionLimit", FIELD_INT, .pointer = true, RANGE(0, INT32_MAX),
     .doc = "Old versions that are kept meanwhile."},
    {"abortScaleDownDelaySeconds", FIELD_INT, .pointer = true, RANGE(0, INT32_MAX),
     .doc = "Seconds the new version is kept after an abort; 30."},
    {"prePromotionAnalysis", FIELD_OBJECT, .of = &analysis_schema, .doc = "Before the switch."},
    {"postPromotionAnalysis", FIELD_OBJECT, .of = &analysis_schema, .doc = "After the switch."},
    {"antiAffinity", FIELD_OBJECT, .of = &anti_affinity_schema, .doc = "Which nodes."},
    {"previewMetadata", FIELD_OBJECT, .of = &argo_metadata_schema, .doc = "Of new pods before."},
    {"activeMetadata", FIELD_OBJECT, .of = &argo_metadata_schema, .doc = "Of pods that serve."},
    {0},
};
static const struct schema blue_green_schema = {
    "argo.v1alpha1.BlueGreenStrategy", blue_green_fields};

static const struct field pause_fields[] = {
    {"duration", FIELD_INT_OR_STRING, .doc = "Seconds, or as 10m; none: until somebody promotes."},
    {0},
};
static const struct schema pause_schema = {"argo.v1alpha1.RolloutPause", pause_fields};

static const struct field scale_fields[] = {
    {"weight", FIELD_INT, .pointer = true, RANGE(0, 100), .doc = "Percent of all pods."},
    {"replicas", FIELD_INT, .pointer = true, RANGE(0, INT32_MAX), .doc = "So many pods."},
    {"matchTrafficWeight", FIELD_BOOL, .doc = "As many as the traffic wants."},
    {0},
};
static const struct schema set_scale_schema = {"argo.v1alpha1.SetCanaryScale", scale_fields};

static const struct field string_match_fields[] = {
    {"exact", FIELD_STRING, .doc = "Is this text."},
    {"prefix", FIELD_STRING, .doc = "Begins with this text."},
    {"regex", FIELD_STRING, .doc = "Matches this regular expression."},
    {0},
};
static const struct schema string_match_schema = {
    "argo.v1alpha1.StringMatch", string_match_fields};

static const struct field header_match_fields[] = {
    {"headerName", FIELD_STRING, .required = true, .doc = "Name of the header."},
    {"headerValue", FIELD_OBJECT, .of = &string_match_schema, .required = true,
     .doc = "Its value."},
    {0},
};
static const struct schema header_match_schema = {
    "argo.v1alpha1.HeaderRoutingMatch", header_match_fields};

static const struct field header_route_fields[] = {
    {"name", FIELD_STRING, .doc = "One of managedRoutes."},
    {"match", FIELD_LIST, .of = &header_match_schema, .doc = "Requests that go to the canary."},
    {0},
};
static const struct schema header_route_schema = {
    "argo.v1alpha1.SetHeaderRoute", header_route_fields};

static const struct field route_match_fields[] = {
    {"method", FIELD_OBJECT, .of = &string_match_schema, .doc = "The method."},
    {"path", FIELD_OBJECT, .of = &string_match_schema, .doc = "The path."},
    {"headers", FIELD_MAP, .of = &string_match_schema, .doc = "Headers by name."},
    {0},
};
static const struct schema route_match_schema = {"argo.v1alpha1.RouteMatch", route_match_fields};

static const struct field mirror_route_fields[] = {
    {"name", FIELD_STRING, .required = true, .doc = "One of managedRoutes."},
    {"match", FIELD_LIST, .of = &route_match_schema, .doc = "Requests that are copied."},
    {"percentage", FIELD_INT, .pointer = true, RANGE(0, 100), .doc = "How many of them."},
    {0},
};
static const struct schema mirror_route_schema = {
    "argo.v1alpha1.SetMirrorRoute", mirror_route_fields};

static const struct field experiment_template_fields[] = {
    {"name", FIELD_STRING, .required = true, .doc = "Its name in the experiment."},
    {"specRef", FIELD_STRING, .required = true, ONE_OF("canary", "stable"),
     .doc = "Which version."},
    {"replicas", FIELD_INT, .pointer = true, RANGE(0, INT32_MAX), .doc = "How many pods."},
    {"metadata", FIELD_OBJECT, .of = &argo_metadata_schema, .doc = "Of its pods."},
    {"selector", FIELD_OBJECT, .of = &label_selector_schema, .doc = "Which pods belong to it."},
    {"weight", FIELD_INT, .pointer = true, RANGE(0, 100), .doc = "Percent of the traffic."},
    {"service", FIELD_RAW, .doc = "A Service for its pods."},
    {0},
};
static const struct schema experiment_template_schema = {
    "argo.v1alpha1.RolloutExperimentTemplate", experiment_template_fields};

static const struct field experiment_analysis_fields[] = {
    {"name", FIELD_STRING, .required = true, .doc = "Its name in the experiment."},
    {"templateName", FIELD_STRING, .required = true, .doc = "The AnalysisTemplate."},
    {"clusterScope", FIELD_BOOL, .doc = "Whether it is a ClusterAnalysisTemplate."},
    {"args", FIELD_LIST, .of = &argo_run_argument_schema, .merge_key = "name",
     .doc = "What it is called with."},
    {"requiredForCompletion", FIELD_BOOL, .doc = "Whether the experiment waits for it."},
    {0},
};
static const struct schema experiment_analysis_schema = {
    "argo.v1alpha1.RolloutExperimentAnalysis", experiment_analysis_fields};

static const struct field experiment_step_fields[] = {
    {"templates", FIELD_LIST, .of = &experiment_template_schema, .required = true,
     .doc = "What runs."},
    {"duration", FIELD_STRING, .doc = "For how long."},
    {"analyses", FIELD_LIST, .of = &experiment_analysis_schema, .merge_key = "name",
     .doc = "What is measured."},
    {"dryRun", FIELD_LIST, .of = &argo_dry_run_schema, .doc = "Metrics that decide nothing."},
    {"analysisRunMetadata", FIELD_OBJECT, .of = &argo_metadata_schema,
     .doc = "Labels and annotations of the AnalysisRuns."},
    {0},
};
static const struct schema experiment_step_schema = {
    "argo.v1alpha1.RolloutExperimentStep", experiment_step_fields};

static const struct field plugin_fields[] = {
    {"name", FIELD_STRING, .required = true, .doc = "The plugin."},
    {"config", FIELD_RAW, .doc = "What it is told."},
    {0},
};
static const struct schema plugin_schema = {"argo.v1alpha1.PluginStep", plugin_fields};

static const struct field threshold_fields[] = {
    {"type", FIELD_STRING, ONE_OF("Percentage", "Pod"), .doc = "Percentage or Pod."},
    {"value", FIELD_INT, .doc = "How many must be there."},
    {0},
};
static const struct schema threshold_schema = {
    "argo.v1alpha1.ReplicaProgressThreshold", threshold_fields};

static const struct field step_fields[] = {
    {"setWeight", FIELD_INT, .pointer = true, .doc = "Percent of the traffic for the canary."},
    {"pause", FIELD_OBJECT, .of = &pause_schema, .doc = "A wait."},
    {"experiment", FIELD_OBJECT, .of = &experiment_step_schema, .doc = "An experiment."},
    {"analysis", FIELD_OBJECT, .of = &analysis_schema, .doc = "An analysis, to its end."},
    {"setCanaryScale", FIELD_OBJECT, .of = &set_scale_schema, .doc = "How many canary pods."},
    {"setHeaderRoute", FIELD_OBJECT, .of = &header_route_schema,
     .doc = "Requests with these headers go to the canary."},
    {"setMirrorRoute", FIELD_OBJECT, .of = &mirror_route_schema,
     .doc = "Copies of these requests go to the canary."},
    {"plugin", FIELD_OBJECT, .of = &plugin_schema, .doc = "A plugin's step."},
    {"replicaProgressThreshold", FIELD_OBJECT, .of = &threshold_schema,
     .doc = "How many pods suffice to go on."},
    {0},
};
static const struct schema step_schema = {"argo.v1alpha1.CanaryStep", step_fields};

static const struct field ping_pong_fields[] = {
    {"pingService", FIELD_STRING, .required = true, .doc = "One Service."},
    {"pongService", FIELD_STRING, .required = true, .doc = "The other."},
    {0},
};
static const struct schema ping_pong_schema = {"argo.v1alpha1.PingPongSpec", ping_pong_fields};

static const struct field canary_fields[] = {
    {"canaryService", FIELD_STRING, .doc = "Service of the new version."},
    {"stableService", FIELD_STRING, .doc = "Service of the stable version."},
    {"steps", FIELD_LIST, .of = &step_schema, .doc = "How the new version gets its traffic."},
    {"trafficRouting", FIELD_OBJECT, .of = &argo_traffic_schema, .doc = "Who splits the traffic."},
    {"maxUnavailable", FIELD_INT_OR_STRING, .doc = "How many pods may be missing; 25%."},
    {"maxSurge", FIELD_INT_OR_STRING, .doc = "How many pods there may be above; 25%."},
    {"analysis", FIELD_OBJECT, .of = &analysis_schema, .doc = "An analysis beside all steps."},
    {"antiAffinity", FIELD_OBJECT, .of = &anti_affinity_schema, .doc = "Which nodes."},
    {"canaryMetadata", FIELD_OBJECT, .of = &argo_metadata_schema, .doc = "Of canary pods."},
    {"stableMetadata", FIELD_OBJECT, .of = &argo_metadata_schema, .doc = "Of stable pods."},
    {"scaleDownDelaySeconds", FIELD_INT, .pointer = true, RANGE(0, INT32_MAX),
     .doc = "Seconds the old version is kept; 30 with traffic routing."},
    {"scaleDownDelayRevisionLimit", FIELD_INT, .pointer = true, RANGE(0, INT32_MAX),
     .doc = "Old versions that are kept meanwhile."},
    {"abortScaleDownDelaySeconds", FIELD_INT, .pointer = true, RANGE(0, INT32_MAX),
     .doc = "Seconds the new version is kept after an abort; 30."},
    {"dynamicStableScale", FIELD_BOOL, .doc = "Whether stable pods go as canary pods come."},
    {"pingPong", FIELD_OBJECT, .of = &ping_pong_schema, .doc = "Two Services that take turns."},
    {"minPodsPerReplicaSet", FIELD_INT, .pointer = true, RANGE(0, INT32_MAX),
     .doc = "Least pods of each version."},
    {0},
};
static const struct schema canary_schema = {"argo.v1alpha1.CanaryStrategy", canary_fields};

static const struct field strategy_fields[] = {
    {"blueGreen", FIELD_OBJECT, .of = &blue_green_schema, .doc = "All at once, after a look."},
    {"canary", FIELD_OBJECT, .of = &canary_schema, .doc = "Step by step."},
    {0},
};
static const struct schema strategy_schema = {"argo.v1alpha1.RolloutStrategy", strategy_fields};

static const struct field history_fields[] = {
    {"successfulRunHistoryLimit", FIELD_INT, .pointer = true, .doc = "Good runs kept; 5."},
    {"unsuccessfulRunHistoryLimit", FIELD_INT, .pointer = true, .doc = "Bad runs kept; 5."},
    {0},
};
static const struct schema history_schema = {
    "argo.v1alpha1.AnalysisRunStrategy", history_fields};

static const struct field window_fields[] = {
    {"revisions", FIELD_INT, .doc = "Going back so few revisions skips the steps."}, {0}};
static const struct schema window_schema = {"argo.v1alpha1.RollbackWindowSpec", window_fields};

static const struct field spec_fields[] = {
    {"replicas", FIELD_INT, .pointer = true, RANGE(0, INT32_MAX), .doc = "How many pods; 1."},
    {"selector", FIELD_OBJECT, .of = &label_selector_schema, .doc = "Which pods belong to it."},
    {"template", FIELD_OBJECT, .of = &pod_template_spec_schema, .doc = "The pods to make."},
    {"workloadRef", FIELD_OBJECT, .of = &workload_schema,
     .doc = "Where the template is, instead."},
    {"minReadySeconds", FIELD_INT, RANGE(0, INT32_MAX),
     .doc = "Seconds a pod must be ready before it counts as available."},
    {"strategy", FIELD_OBJECT, .of = &strategy_schema, .doc = "How old pods are replaced."},
    {"revisionHistoryLimit", FIELD_INT, .pointer = true, RANGE(0, INT32_MAX),
     .doc = "How many old revisions are kept; 10."},
    {"paused", FIELD_BOOL, .doc = "No step is made while it is true."},
    {"progressDeadlineSeconds", FIELD_INT, .pointer = true, RANGE(0, INT32_MAX),
     .doc = "Seconds without progress after which a release is degraded; 600."},
    {"progressDeadlineAbort", FIELD_BOOL, .doc = "Whether it is aborted then."},
    {"restartAt", FIELD_TIME, .doc = "Pods made before are made anew."},
    {"analysis", FIELD_OBJECT, .of = &history_schema, .doc = "How many AnalysisRuns are kept."},
    {"rollbackWindow", FIELD_OBJECT, .of = &window_schema, .doc = "Ways back that are short."},
    {0},
};
static const struct schema spec_schema = {"argo.v1alpha1.RolloutSpec", spec_fields};

static const struct field status_fields[] = {
    {"phase", FIELD_STRING, .doc = "Healthy, Progressing, Paused, Degraded."},
    {"message", FIELD_STRING, .doc = "A sentence why."},
    {"abort", FIELD_BOOL, .doc = "Whether it was aborted."},
    {"replicas", FIELD_INT, .doc = "Pods that are there."},
    {"updatedReplicas", FIELD_INT, .doc = "Pods of the new version."},
    {"readyReplicas", FIELD_INT, .doc = "Pods that are ready."},
    {"availableReplicas", FIELD_INT, .doc = "Pods that are available."},
    {"HPAReplicas", FIELD_INT, .doc = "Pods an autoscaler counts."},
    {"selector", FIELD_STRING, .doc = "Which pods an autoscaler counts."},
    {"observedGeneration", FIELD_STRING, .doc = "Generation of the spec this is about."},
    {"currentPodHash", FIELD_STRING, .doc = "Hash of the new version."},
    {"stableRS", FIELD_STRING, .doc = "Hash of the stable version."},
    {"currentStepIndex", FIELD_INT, .pointer = true, .doc = "The step it is at."},
    {"currentStepHash", FIELD_STRING, .doc = "Hash of the steps."},
    {"collisionCount", FIELD_INT, .pointer = true, .doc = "How often a name was taken."},
    {"promoteFull", FIELD_BOOL, .doc = "Whether the rest of the steps is skipped."},
    {"pauseConditions", FIELD_RAW, .doc = "Why it is paused."},
    {"conditions", FIELD_RAW, .doc = "What is known about it."},
    {"canary", FIELD_RAW, .doc = "How the canary stands."},
    {"blueGreen", FIELD_RAW, .doc = "How blue and green stand."},
    {0},
};
static const struct schema status_schema = {
    "argo.v1alpha1.RolloutStatus", status_fields, .open = true};

static const struct field rollout_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, .of = &spec_schema, .required = true, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, .of = &status_schema, .doc = "What is."},
    {0},
};
const struct schema rollout_schema = {
    "argo.v1alpha1.Rollout", rollout_fields,
    "Pods of one template, released step by step or all at once after a look."};
/* clang-format on */
