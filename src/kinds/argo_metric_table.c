/* argo_metric_table.c - what an analysis measures, and with what it is called. */
#include "kinds/argo.h"

/* clang-format off */
static const struct field metadata_fields[] = {
    {"labels", FIELD_MAP, .item = FIELD_STRING, .doc = "Labels."},
    {"annotations", FIELD_MAP, .item = FIELD_STRING, .doc = "Annotations."},
    {0},
};
const struct schema argo_metadata_schema = {"argo.v1alpha1.PodTemplateMetadata", metadata_fields};

static const struct field secret_key_fields[] = {
    {"name", FIELD_STRING, .doc = "The Secret."},
    {"key", FIELD_STRING, .doc = "Its key."},
    {0},
};
static const struct schema secret_key_schema = {"argo.v1alpha1.SecretKeyRef", secret_key_fields};

static const struct field field_ref_fields[] = {
    {"fieldPath", FIELD_STRING, .doc = "Path of a field of the Rollout."},
    {0},
};
static const struct schema field_ref_schema = {"argo.v1alpha1.FieldRef", field_ref_fields};

static const struct field value_from_fields[] = {
    {"secretKeyRef", FIELD_OBJECT, .of = &secret_key_schema, .doc = "A key of a Secret."},
    {"fieldRef", FIELD_OBJECT, .of = &field_ref_schema, .doc = "A field."},
    {0},
};
static const struct schema value_from_schema = {"argo.v1alpha1.ValueFrom", value_from_fields};

static const struct field argument_fields[] = {
    {"name", FIELD_STRING, .required = true, .doc = "Its name in the template."},
    {"value", FIELD_STRING, .doc = "Its value."},
    {"valueFrom", FIELD_OBJECT, .of = &value_from_schema, .doc = "Where its value is."},
    {0},
};
const struct schema argo_argument_schema = {"argo.v1alpha1.Argument", argument_fields};

static const struct field run_value_from_fields[] = {
    {"podTemplateHashValue", FIELD_STRING, ONE_OF("Latest", "Stable"),
     .doc = "Hash of the new or of the stable version."},
    {"fieldRef", FIELD_OBJECT, .of = &field_ref_schema, .doc = "A field of the Rollout."},
    {0},
};
static const struct schema run_value_from_schema = {
    "argo.v1alpha1.ArgumentValueFrom", run_value_from_fields};

static const struct field run_argument_fields[] = {
    {"name", FIELD_STRING, .required = true, .doc = "Its name in the template."},
    {"value", FIELD_STRING, .doc = "Its value."},
    {"valueFrom", FIELD_OBJECT, .of = &run_value_from_schema, .doc = "Where its value is."},
    {0},
};
const struct schema argo_run_argument_schema = {
    "argo.v1alpha1.AnalysisRunArgument", run_argument_fields};

static const struct field dry_run_fields[] = {
    {"metricName", FIELD_STRING, .required = true, .doc = "Measured, but decides nothing."},
    {0},
};
const struct schema argo_dry_run_schema = {"argo.v1alpha1.DryRun", dry_run_fields};

static const struct field retention_fields[] = {
    {"metricName", FIELD_STRING, .required = true, .doc = "The metric."},
    {"limit", FIELD_INT, .required = true, .doc = "How many measurements are kept."},
    {0},
};
const struct schema argo_retention_schema = {
    "argo.v1alpha1.MeasurementRetention", retention_fields};

static const struct field template_ref_fields[] = {
    {"templateName", FIELD_STRING, .doc = "The AnalysisTemplate."},
    {"clusterScope", FIELD_BOOL, .doc = "Whether it is a ClusterAnalysisTemplate."},
    {0},
};
const struct schema argo_template_ref_schema = {
    "argo.v1alpha1.AnalysisTemplateRef", template_ref_fields};

static const struct field analysis_ref_fields[] = {
    {"name", FIELD_STRING, .required = true, .doc = "Its name in the experiment."},
    {"templateName", FIELD_STRING, .required = true, .doc = "The AnalysisTemplate."},
    {"clusterScope", FIELD_BOOL, .doc = "Whether it is a ClusterAnalysisTemplate."},
    {"args", FIELD_LIST, .of = &argo_argument_schema, .merge_key = "name",
     .doc = "What it is called with."},
    {"requiredForCompletion", FIELD_BOOL, .doc = "Whether the experiment waits for it."},
    {0},
};
const struct schema argo_analysis_ref_schema = {
    "argo.v1alpha1.ExperimentAnalysis", analysis_ref_fields};

static const struct field header_fields[] = {
    {"key", FIELD_STRING, .required = true, .doc = "Name of the header."},
    {"value", FIELD_STRING, .required = true, .doc = "Its value."},
    {0},
};
static const struct schema header_schema = {"argo.v1alpha1.Header", header_fields};

static const struct field range_fields[] = {
    {"start", FIELD_STRING, .doc = "Expression for the first moment."},
    {"end", FIELD_STRING, .doc = "Expression for the last moment."},
    {"step", FIELD_STRING, .doc = "Between two values."},
    {0},
};
static const struct schema range_schema = {"argo.v1alpha1.PrometheusRangeQuery", range_fields};

static const struct field prometheus_fields[] = {
    {"address", FIELD_STRING, .doc = "URL of the server; empty: Davy's own."},
    {"query", FIELD_STRING, .doc = "The PromQL query."},
    {"authentication", FIELD_RAW, .doc = "How we say who we are."},
    {"timeout", FIELD_LONG, .pointer = true, .doc = "Seconds a query may take."},
    {"insecure", FIELD_BOOL, .doc = "Whether any certificate will do."},
    {"headers", FIELD_LIST, .of = &header_schema, .doc = "Headers to send."},
    {"rangeQuery", FIELD_OBJECT, .of = &range_schema, .doc = "A query over a time."},
    {0},
};
static const struct schema prometheus_schema = {
    "argo.v1alpha1.PrometheusMetric", prometheus_fields};

static const struct field web_fields[] = {
    {"method", FIELD_STRING, ONE_OF("GET", "POST", "PUT"), .doc = "HTTP method; GET."},
    {"url", FIELD_STRING, .required = true, .doc = "Where to ask."},
    {"headers", FIELD_LIST, .of = &header_schema, .merge_key = "key", .doc = "Headers to send."},
    {"body", FIELD_STRING, .doc = "Body to send."},
    {"timeoutSeconds", FIELD_LONG, .doc = "Seconds an answer may take."},
    {"jsonPath", FIELD_STRING, .doc = "Where in the answer the value is."},
    {"insecure", FIELD_BOOL, .doc = "Whether any certificate will do."},
    {"jsonBody", FIELD_RAW, .doc = "Body to send, as JSON."},
    {"authentication", FIELD_RAW, .doc = "How we say who we are."},
    {0},
};
static const struct schema web_schema = {"argo.v1alpha1.WebMetric", web_fields};

static const struct field job_fields[] = {
    {"metadata", FIELD_RAW, .doc = "Labels and annotations of the Job."},
    {"spec", FIELD_RAW, .required = true, .doc = "The Job."},
    {0},
};
static const struct schema job_schema = {"argo.v1alpha1.JobMetric", job_fields};

static const struct field provider_fields[] = {
    {"prometheus", FIELD_OBJECT, .of = &prometheus_schema, .doc = "A PromQL query."},
    {"web", FIELD_OBJECT, .of = &web_schema, .doc = "An HTTP request."},
    {"job", FIELD_OBJECT, .of = &job_schema, .doc = "A Job that succeeds or fails."},
    {"kayenta", FIELD_RAW, .doc = "A judgement by Kayenta."},
    {"datadog", FIELD_RAW, .doc = "A query to Datadog."},
    {"wavefront", FIELD_RAW, .doc = "A query to Wavefront."},
    {"newRelic", FIELD_RAW, .doc = "A query to New Relic."},
    {"cloudWatch", FIELD_RAW, .doc = "A query to CloudWatch."},
    {"graphite", FIELD_RAW, .doc = "A query to Graphite."},
    {"influxdb", FIELD_RAW, .doc = "A query to InfluxDB."},
    {"skywalking", FIELD_RAW, .doc = "A query to SkyWalking."},
    {"plugin", FIELD_RAW, .doc = "What a plugin is told, by its name."},
    {0},
};
static const struct schema provider_schema = {"argo.v1alpha1.MetricProvider", provider_fields};

static const struct field metric_fields[] = {
    {"name", FIELD_STRING, .required = true, .doc = "Its name."},
    {"interval", FIELD_STRING, .doc = "Between two measurements, as 30s; none: once."},
    {"initialDelay", FIELD_STRING, .doc = "Before the first measurement."},
    {"count", FIELD_INT_OR_STRING, .doc = "How many measurements; none: until stopped."},
    {"successCondition", FIELD_STRING, .doc = "Expression that is true for a good value."},
    {"failureCondition", FIELD_STRING, .doc = "Expression that is true for a bad value."},
    {"failureLimit", FIELD_INT_OR_STRING, .doc = "Bad values that are still allowed."},
    {"inconclusiveLimit", FIELD_INT_OR_STRING, .doc = "Values that say nothing, still allowed."},
    {"consecutiveErrorLimit", FIELD_INT_OR_STRING, .doc = "Errors in a row, still allowed; 4."},
    {"consecutiveSuccessLimit", FIELD_INT_OR_STRING, .doc = "Good values in a row that suffice."},
    {"provider", FIELD_OBJECT, .of = &provider_schema, .required = true,
     .doc = "Who measures."},
    {0},
};
const struct schema argo_metric_schema = {"argo.v1alpha1.Metric", metric_fields};

static const struct field named_fields[] = {{"name", FIELD_STRING, .doc = "Name."}, {0}};
static const struct schema named_schema = {"argo.v1alpha1.Named", named_fields};

static const struct field nginx_fields[] = {
    {"annotationPrefix", FIELD_STRING, .doc = "Prefix of its annotations."},
    {"stableIngress", FIELD_STRING, .doc = "Ingress of the stable Service."},
    {"stableIngresses", FIELD_LIST, .item = FIELD_STRING, .doc = "Several of them."},
    {"additionalIngressAnnotations", FIELD_MAP, .item = FIELD_STRING, .doc = "More annotations."},
    {"canaryIngressAnnotations", FIELD_MAP, .item = FIELD_STRING,
     .doc = "Annotations of the canary's Ingress."},
    {0},
};
static const struct schema nginx_schema = {"argo.v1alpha1.NginxTrafficRouting", nginx_fields};

static const struct field traffic_fields[] = {
    {"nginx", FIELD_OBJECT, .of = &nginx_schema, .doc = "By an Ingress with canary annotations."},
    {"istio", FIELD_RAW, .doc = "By Istio's VirtualServices."},
    {"alb", FIELD_RAW, .doc = "By AWS load balancers."},
    {"smi", FIELD_RAW, .doc = "By SMI's TrafficSplit."},
    {"ambassador", FIELD_RAW, .doc = "By Ambassador's mappings."},
    {"appMesh", FIELD_RAW, .doc = "By AWS App Mesh."},
    {"traefik", FIELD_RAW, .doc = "By Traefik's weighted services."},
    {"apisix", FIELD_RAW, .doc = "By APISIX' routes."},
    {"plugins", FIELD_RAW, .doc = "By plugins, by their names."},
    {"managedRoutes", FIELD_LIST, .of = &named_schema, .doc = "Routes that steps may make."},
    {"maxTrafficWeight", FIELD_INT, .pointer = true, .doc = "What all weights add up to; 100."},
    {0},
};
const struct schema argo_traffic_schema = {"argo.v1alpha1.RolloutTrafficRouting", traffic_fields};
/* clang-format on */
