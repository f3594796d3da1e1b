/* argo.h - tables that the kinds of argoproj.io share (https://argo-rollouts.readthedocs.io). */
#pragma once

#include "kube/schema.h"

extern const struct schema argo_metadata_schema;     /* Labels and annotations for what is made. */
extern const struct schema argo_metric_schema;       /* One measurement, again and again. */
extern const struct schema argo_argument_schema;     /* Of a template. */
extern const struct schema argo_run_argument_schema; /* Of a step that runs one. */
extern const struct schema argo_dry_run_schema;
extern const struct schema argo_retention_schema;
extern const struct schema argo_template_ref_schema;
extern const struct schema argo_analysis_ref_schema; /* Of an experiment. */
extern const struct schema argo_traffic_schema;
