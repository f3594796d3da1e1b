/*
 * authz_defaults.c - the ClusterRoles and ClusterRoleBindings every cluster of Kubernetes has.
 *
 * A role's rules are a text: rules end with ';', and a rule is "VERBS GROUPS RESOURCES [NAMES]" or
 * "VERBS PATHS", lists with commas, '.' for the core group. The facts are those of Kubernetes
 * 1.32's bootstrap policy; what exists for programs that Davy has in itself (the controllers) is
 * here because manifests and clients name it.
 */
#include "api/authz.h"

#include <stddef.h>

#define R "get,list,watch "
#define W "create,delete,deletecollection,patch,update "
#define RW "create,delete,deletecollection,get,list,patch,update,watch "
#define EVENTS "create,patch,update .,events.k8s.io events;"
#define CONTROLLER "system:controller:"
#define CERTIFICATES "system:certificates.k8s.io:"

/* clang-format off */
const struct default_role default_roles[] = {
    {"cluster-admin", "* * *;* *;"},
    {"admin", "", .made_of = "admin"},
    {"edit", "", .aggregates = "admin", .made_of = "edit"},
    {"view", "", .aggregates = "edit", .made_of = "view"},
    {"system:aggregate-to-admin",
     "create authorization.k8s.io localsubjectaccessreviews;"
     RW "rbac.authorization.k8s.io rolebindings,roles;",
     .aggregates = "admin"},
    {"system:aggregate-to-edit",
     R ". pods/attach,pods/exec,pods/portforward,pods/proxy,secrets,services/proxy;"
     "impersonate . serviceaccounts;"
     W ". pods,pods/attach,pods/exec,pods/portforward,pods/proxy;"
     "create . pods/eviction;"
     W ". configmaps,events,persistentvolumeclaims,replicationcontrollers,"
       "replicationcontrollers/scale,secrets,serviceaccounts,services,services/proxy;"
     "create . serviceaccounts/token;"
     W "apps daemonsets,deployments,deployments/rollback,deployments/scale,replicasets,"
       "replicasets/scale,statefulsets,statefulsets/scale;"
     W "argoproj.io analysisruns,analysistemplates,clusteranalysistemplates,experiments,"
       "rollouts,rollouts/scale,rollouts/status;"
     W "autoscaling horizontalpodautoscalers;"
     W "batch cronjobs,jobs;"
     W "extensions daemonsets,deployments,deployments/rollback,deployments/scale,ingresses,"
       "networkpolicies,replicasets,replicasets/scale,replicationcontrollers/scale;"
     W "policy poddisruptionbudgets;"
     W "networking.k8s.io ingresses,networkpolicies;"
     RW "coordination.k8s.io leases;",
     .aggregates = "edit"},
    {"system:aggregate-to-view",
     R ". configmaps,endpoints,persistentvolumeclaims,persistentvolumeclaims/status,pods,"
       "replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,"
       "services/status;"
     R ". bindings,events,limitranges,namespaces/status,pods/log,pods/status,"
       "replicationcontrollers/status,resourcequotas,resourcequotas/status;"
     R ". namespaces;"
     R "discovery.k8s.io endpointslices;"
     R "apps controllerrevisions,daemonsets,daemonsets/status,deployments,deployments/scale,"
       "deployments/status,replicasets,replicasets/scale,replicasets/status,statefulsets,"
       "statefulsets/scale,statefulsets/status;"
     R "argoproj.io analysisruns,analysistemplates,clusteranalysistemplates,experiments,"
       "rollouts,rollouts/scale,rollouts/status;"
     R "autoscaling horizontalpodautoscalers,horizontalpodautoscalers/status;"
     R "batch cronjobs,cronjobs/status,jobs,jobs/status;"
     R "extensions daemonsets,daemonsets/status,deployments,deployments/scale,"
       "deployments/status,ingresses,ingresses/status,networkpolicies,replicasets,"
       "replicasets/scale,replicasets/status,replicationcontrollers/scale;"
     R "policy poddisruptionbudgets,poddisruptionbudgets/status;"
     R "networking.k8s.io ingresses,ingresses/status,networkpolicies;",
     .aggregates = "view"},
    {"system:aggregated-metrics-reader", R "metrics.k8s.io nodes,pods;", .aggregates = "view"},
    {"system:auth-delegator",
     "create authentication.k8s.io tokenreviews;"
     "create authorization.k8s.io subjectaccessreviews;"},
    {"system:basic-user",
     "create authorization.k8s.io selfsubjectaccessreviews,selfsubjectrulesreviews;"
     "create authentication.k8s.io selfsubjectreviews;"},
    {CERTIFICATES "certificatesigningrequests:nodeclient",
     "create certificates.k8s.io certificatesigningrequests/nodeclient;"},
    {CERTIFICATES "certificatesigningrequests:selfnodeclient",
     "create certificates.k8s.io certificatesigningrequests/selfnodeclient;"},
    {CERTIFICATES "kube-apiserver-client-approver",
     "approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client;"},
    {CERTIFICATES "kube-apiserver-client-kubelet-approver",
     "approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet;"},
    {CERTIFICATES "kubelet-serving-approver",
     "approve certificates.k8s.io signers kubernetes.io/kubelet-serving;"},
    {CERTIFICATES "legacy-unknown-approver",
     "approve certificates.k8s.io signers kubernetes.io/legacy-unknown;"},
    {"system:discovery",
     "get /api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,"
     "/version/;"},
    {"system:heapster", R ". events,namespaces,nodes,pods;" R "extensions deployments;"},
    {"system:kube-aggregator", R ". endpoints,services;"},
    {"system:kube-controller-manager",
     EVENTS
     "create coordination.k8s.io leases;"
     "get,update coordination.k8s.io leases kube-controller-manager;"
     "create . secrets,serviceaccounts;"
     "delete . secrets;"
     "get . configmaps,namespaces,secrets,serviceaccounts;"
     "update . secrets,serviceaccounts;"
     "create authentication.k8s.io tokenreviews;"
     "create authorization.k8s.io subjectaccessreviews;"
     "list,watch * *;"
     "create . serviceaccounts/token;"},
    {"system:kube-dns", "list,watch . endpoints,services;"},
    {"system:kube-scheduler",
     EVENTS
     "create coordination.k8s.io leases;"
     "get,update coordination.k8s.io leases kube-scheduler;"
     R ". nodes;"
     "delete,get,list,watch . pods;"
     "create . bindings,pods/binding;"
     "patch,update . pods/status;"
     R ". replicationcontrollers,services;"
     R "apps,extensions replicasets;"
     R "apps statefulsets;"
     R "policy poddisruptionbudgets;"
     R ". persistentvolumeclaims,persistentvolumes;"
     "create authentication.k8s.io tokenreviews;"
     "create authorization.k8s.io subjectaccessreviews;"
     R "storage.k8s.io csinodes;"
     R ". namespaces;"
     R "storage.k8s.io csidrivers;"
     R "storage.k8s.io csistoragecapacities;"},
    {"system:kubelet-api-admin",
     R ". nodes;"
     "proxy . nodes;"
     "* . nodes/log,nodes/metrics,nodes/proxy,nodes/stats;"},
    {"system:monitoring",
     "get /healthz,/healthz/*,/livez,/livez/*,/metrics,/metrics/slis,/readyz,/readyz/*;"},
    {"system:node",
     "create authentication.k8s.io tokenreviews;"
     "create authorization.k8s.io localsubjectaccessreviews,subjectaccessreviews;"
     R ". services;"
     "create,get,list,watch . nodes;"
     "patch,update . nodes/status;"
     "patch,update . nodes;"
     "create,patch,update . events;"
     R ". pods;"
     "create,delete . pods;"
     "patch,update . pods/status;"
     "create . pods/eviction;"
     R ". configmaps,secrets;"
     "get . persistentvolumeclaims,persistentvolumes;"
     "get . endpoints;"
     "create,get,list,watch certificates.k8s.io certificatesigningrequests;"
     "create,delete,get,patch,update coordination.k8s.io leases;"
     "get storage.k8s.io volumeattachments;"
     "create . serviceaccounts/token;"
     "get,patch,update . persistentvolumeclaims/status;"
     R "storage.k8s.io csidrivers;"
     "create,delete,get,patch,update storage.k8s.io csinodes;"
     R "node.k8s.io runtimeclasses;"},
    {"system:node-bootstrapper",
     "create,get,list,watch certificates.k8s.io certificatesigningrequests;"},
    {"system:node-problem-detector", "get . nodes;patch . nodes/status;" EVENTS},
    {"system:node-proxier",
     "list,watch . endpoints,services;"
     R ". nodes;"
     EVENTS
     "list,watch discovery.k8s.io endpointslices;"},
    {"system:persistent-volume-provisioner",
     "create,delete,get,list,watch . persistentvolumes;"
     "get,list,update,watch . persistentvolumeclaims;"
     R "storage.k8s.io storageclasses;"
     "watch . events;"
     EVENTS},
    {"system:public-info-viewer", "get /healthz,/livez,/readyz,/version,/version/;"},
    {"system:service-account-issuer-discovery",
     "get /.well-known/openid-configuration,/.well-known/openid-configuration/,/openid/v1/jwks,"
     "/openid/v1/jwks/;"},
    {"system:volume-scheduler",
     "get,list,patch,update,watch . persistentvolumes;"
     R "storage.k8s.io storageclasses;"
     "get,list,patch,update,watch . persistentvolumeclaims;"},

    {CONTROLLER "attachdetach-controller",
     "list,watch . persistentvolumeclaims,persistentvolumes;"
     R ". nodes;"
     "patch,update . nodes/status;"
     "list,watch . pods;"
     EVENTS
     "create,delete,get,list,watch storage.k8s.io volumeattachments;"
     R "storage.k8s.io csidrivers;"
     R "storage.k8s.io csinodes;"},
    {CONTROLLER "certificate-controller",
     "delete,get,list,watch certificates.k8s.io certificatesigningrequests;"
     "update certificates.k8s.io certificatesigningrequests/approval,"
       "certificatesigningrequests/status;"
     "approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet;"
     "sign certificates.k8s.io signers kubernetes.io/kube-apiserver-client,"
       "kubernetes.io/kube-apiserver-client-kubelet,kubernetes.io/kubelet-serving,"
       "kubernetes.io/legacy-unknown;"
     "create authorization.k8s.io subjectaccessreviews;"
     EVENTS},
    {CONTROLLER "clusterrole-aggregation-controller",
     "escalate,get,list,patch,update,watch rbac.authorization.k8s.io clusterroles;"},
    {CONTROLLER "cronjob-controller",
     "get,list,update,watch batch cronjobs;"
     "create,delete,get,list,patch,update,watch batch jobs;"
     "update batch cronjobs/status;"
     "update batch cronjobs/finalizers;"
     "delete,list,watch . pods;"
     EVENTS},
    {CONTROLLER "daemon-set-controller",
     R "apps,extensions daemonsets;"
     "update apps,extensions daemonsets/status;"
     "update apps,extensions daemonsets/finalizers;"
     "list,watch . nodes;"
     "create,delete,list,patch,watch . pods;"
     "create . pods/binding;"
     "create,delete,get,list,patch,update,watch apps controllerrevisions;"
     EVENTS},
    {CONTROLLER "deployment-controller",
     "get,list,update,watch apps,extensions deployments;"
     "update apps,extensions deployments/status;"
     "update apps,extensions deployments/finalizers;"
     "create,delete,get,list,patch,update,watch apps,extensions replicasets;"
     "get,list,update,watch . pods;"
     EVENTS},
    {CONTROLLER "disruption-controller",
     R "apps,extensions deployments;"
     R "apps,extensions replicasets;"
     R ". replicationcontrollers;"
     R "policy poddisruptionbudgets;"
     R "apps statefulsets;"
     "update policy poddisruptionbudgets/status;"
     "patch,update . pods/status;"
     "get * */scale;"
     EVENTS},
    {CONTROLLER "endpoint-controller",
     R ". pods,services;"
     "create,delete,get,list,update,watch . endpoints;"
     "create . endpoints/restricted;"
     EVENTS},
    {CONTROLLER "endpointslice-controller",
     R ". nodes,pods,services;"
     "update . services/finalizers;"
     "create,delete,get,list,update,watch discovery.k8s.io endpointslices;"
     EVENTS},
    {CONTROLLER "endpointslicemirroring-controller",
     R ". endpoints,services;"
     "update . services/finalizers;"
     "update . endpoints/finalizers;"
     "create,delete,get,list,update,watch discovery.k8s.io endpointslices;"
     EVENTS},
    {CONTROLLER "ephemeral-volume-controller",
     R ". pods;"
     "update . pods/finalizers;"
     "create,get,list,watch . persistentvolumeclaims;"
     EVENTS},
    {CONTROLLER "expand-controller",
     "get,list,patch,update,watch . persistentvolumes;"
     "patch,update . persistentvolumeclaims/status;"
     R ". persistentvolumeclaims;"
     EVENTS},
    {CONTROLLER "generic-garbage-collector", "delete,get,list,patch,update,watch * *;" EVENTS},
    {CONTROLLER "horizontal-pod-autoscaler",
     R "autoscaling horizontalpodautoscalers;"
     "update autoscaling horizontalpodautoscalers/status;"
     "get,update * */scale;"
     "list,watch . pods;"
     "list,watch metrics.k8s.io pods;"
     R "custom.metrics.k8s.io *;"
     R "external.metrics.k8s.io *;"
     EVENTS},
    {CONTROLLER "job-controller",
     "get,list,patch,update,watch batch jobs;"
     "update batch jobs/status;"
     "update batch jobs/finalizers;"
     "create,delete,list,patch,watch . pods;"
     EVENTS},
    {CONTROLLER "legacy-service-account-token-cleaner",
     "get . configmaps kube-apiserver-legacy-service-account-token-tracking;"
     "delete,patch . secrets;"},
    {CONTROLLER "namespace-controller",
     "delete,get,list,watch . namespaces;"
     "update . namespaces/finalize,namespaces/status;"
     "delete,deletecollection,get,list,watch * *;"},
    {CONTROLLER "node-controller",
     "delete,get,list,patch,update,watch . nodes;"
     "patch,update . nodes/status;"
     "patch,update . pods/status;"
     "delete,get,list,watch . pods;"
     EVENTS},
    {CONTROLLER "persistent-volume-binder",
     "create,delete,get,list,update,watch . persistentvolumes;"
     "update . persistentvolumes/status;"
     "get,list,update,watch . persistentvolumeclaims;"
     "update . persistentvolumeclaims/status;"
     "create,delete,get,list,watch . pods;"
     R "storage.k8s.io storageclasses;"
     "list,watch . nodes;"
     EVENTS
     "watch . events;"},
    {CONTROLLER "pod-garbage-collector",
     "delete,list,watch . pods;" R ". nodes;patch . pods/status;"},
    {CONTROLLER "pv-protection-controller", "get,list,update,watch . persistentvolumes;" EVENTS},
    {CONTROLLER "pvc-protection-controller",
     "get,list,update,watch . persistentvolumeclaims;" R ". pods;" EVENTS},
    {CONTROLLER "replicaset-controller",
     "get,list,update,watch apps,extensions replicasets;"
     "update apps,extensions replicasets/status;"
     "update apps,extensions replicasets/finalizers;"
     "create,delete,list,patch,watch . pods;"
     EVENTS},
    {CONTROLLER "replication-controller",
     "get,list,update,watch . replicationcontrollers;"
     "update . replicationcontrollers/status;"
     "update . replicationcontrollers/finalizers;"
     "create,delete,list,patch,watch . pods;"
     EVENTS},
    {CONTROLLER "resourcequota-controller",
     "list,watch * *;update . resourcequotas/status;" EVENTS},
    {CONTROLLER "root-ca-cert-publisher", "create,update . configmaps;" EVENTS},
    {CONTROLLER "route-controller", "list,watch . nodes;patch . nodes/status;" EVENTS},
    {CONTROLLER "service-account-controller", "create . serviceaccounts;" EVENTS},
    {CONTROLLER "service-controller",
     R ". services;patch,update . services/status;list,watch . nodes;" EVENTS},
    {CONTROLLER "statefulset-controller",
     "list,watch . pods;"
     R "apps statefulsets;"
     "update apps statefulsets/status;"
     "update apps statefulsets/finalizers;"
     "create,delete,get,patch,update . pods;"
     "create,delete,get,list,patch,update,watch apps controllerrevisions;"
     "create,get,list,watch . persistentvolumeclaims;"
     "delete,update . persistentvolumeclaims;"
     "update . pods/finalizers;"
     EVENTS},
    {CONTROLLER "ttl-after-finished-controller", "delete,get,list,watch batch jobs;" EVENTS},
    {CONTROLLER "ttl-controller", "list,patch,update,watch . nodes;" EVENTS},
    {CONTROLLER "validatingadmissionpolicy-status-controller",
     R "admissionregistration.k8s.io validatingadmissionpolicies;"
     "get,patch,update admissionregistration.k8s.io validatingadmissionpolicies/status;"
     EVENTS},
    /* Davy's own node carries out Services, NetworkPolicies and volumes, too. */
    {"davy:node",
     R ". endpoints,namespaces,nodes,persistentvolumeclaims,persistentvolumes,services;"
     "delete,patch . persistentvolumes;"
     R "discovery.k8s.io endpointslices;"
     R "networking.k8s.io networkpolicies;"
     R "storage.k8s.io storageclasses;"},
    {0},
};

#define WHO(...) (const char *const[]){__VA_ARGS__, NULL}

/* Those of the controllers follow from their names; see authz_bootstrap.c. */
const struct default_binding default_bindings[] = {
    {"cluster-admin", "Group", WHO("system:masters")},
    {"davy:node", "Group", WHO("system:nodes")},
    {"system:basic-user", "Group", WHO("system:authenticated")},
    {"system:discovery", "Group", WHO("system:authenticated")},
    {"system:kube-controller-manager", "User", WHO("system:kube-controller-manager")},
    {"system:kube-dns", "ServiceAccount", WHO("kube-dns")},
    {"system:kube-scheduler", "User", WHO("system:kube-scheduler")},
    {"system:monitoring", "Group", WHO("system:monitoring")},
    /* In Kubernetes its node authorizer gives them this, each to its own pods. */
    {"system:node", "Group", WHO("system:nodes")},
    {"system:node-proxier", "User", WHO("system:kube-proxy")},
    {"system:public-info-viewer", "Group",
     WHO("system:authenticated", "system:unauthenticated")},
    {"system:service-account-issuer-discovery", "Group", WHO("system:serviceaccounts")},
    {"system:volume-scheduler", "User", WHO("system:kube-scheduler")},
    {0},
};
/* clang-format on */
