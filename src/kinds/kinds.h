/*
 * kinds.h - the kinds there are: those built in, one file each beside this one, and those that
 * CustomResourceDefinitions add while we run.
 */
#pragma once

#include "base/map.h"
#include "kube/kind.h"

extern const struct kind kind_rollout, kind_analysistemplate, kind_clusteranalysistemplate,
    kind_analysisrun, kind_experiment, kind_crd, kind_binding, kind_configmap,
    kind_controllerrevision, kind_cronjob, kind_daemonset, kind_deployment, kind_endpoints,
    kind_endpointslice, kind_event, kind_event_v1, kind_hpa, kind_hpa_v1, kind_ingress,
    kind_ingressclass, kind_job, kind_lease, kind_limitrange, kind_namespace, kind_networkpolicy,
    kind_node, kind_persistentvolume, kind_persistentvolumeclaim, kind_pod,
    kind_poddisruptionbudget, kind_podtemplate, kind_priorityclass, kind_replicaset,
    kind_replicationcontroller, kind_resourcequota, kind_runtimeclass, kind_secret, kind_service,
    kind_statefulset, kind_storageclass, kind_eviction, kind_scale, kind_serviceaccount, kind_role,
    kind_clusterrole, kind_rolebinding, kind_clusterrolebinding, kind_tokenrequest,
    kind_tokenreview, kind_selfsubjectreview, kind_subjectaccessreview,
    kind_localsubjectaccessreview, kind_selfsubjectaccessreview, kind_selfsubjectrulesreview,
    kind_podmetrics, kind_nodemetrics;
extern const struct scale_paths scale_by_selector; /* spec.replicas, spec.selector */

/* The API server owns it and adds to it; others look. Kinds stay in memory after they went. */
struct kinds {
    const struct kind **at; /* Ends with NULL. */
    size_t n, cap;
    struct map by_plural; /* "group/version/plural" */
};

struct kinds *kinds_new(void); /* With all that are built in. */
void kinds_free(struct kinds *kinds);
/* Behind all others, or in the place of one with the same group, version and plural. */
void kinds_add(struct kinds *kinds, const struct kind *kind);
void kinds_remove(struct kinds *kinds, const struct kind *kind);
/* NULL: not served. */
const struct kind *kind_by_plural(const struct kinds *kinds, str_t group, str_t version,
                                  str_t plural);
const struct kind *kind_by_name(const struct kinds *kinds, str_t group, str_t version, str_t name);
/* By its name in the store: "deployments.apps". */
const struct kind *kind_by_resource(const struct kinds *kinds, str_t resource);
bool kind_is_secret(str_t resource); /* For store_settings.secret. */
