/* service_table.c - the fields of Service (core/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field service_port_fields[] = {
    {"name", FIELD_STRING, 1, .doc = "Name, unique in the Service."},
    {"protocol", FIELD_STRING, 2, .otherwise = "TCP", ONE_OF("SCTP", "TCP", "UDP"),
     .doc = "Protocol: TCP, UDP or SCTP."},
    {"port", FIELD_INT, 3, .required = true, RANGE(1, 65535), .doc = "Port clients use."},
    {"targetPort", FIELD_INT_OR_STRING, 4, .doc = "Number or name of the pods' port."},
    {"nodePort", FIELD_INT, 5, .doc = "Port on every node."},
    {"appProtocol", FIELD_STRING, 6, .doc = "Protocol spoken there."},
    {0},
};
static const struct schema service_port_schema = {"core.v1.ServicePort", service_port_fields};

static const struct field client_ip_config_fields[] = {
    {"timeoutSeconds", FIELD_INT, 1, .pointer = true, RANGE(1, 86400)},
    {0},
};
static const struct schema client_ip_config_schema = {
    "core.v1.ClientIPConfig", client_ip_config_fields};

static const struct field session_affinity_config_fields[] = {
    {"clientIP", FIELD_OBJECT, 1, .of = &client_ip_config_schema},
    {0},
};
static const struct schema session_affinity_config_schema = {
    "core.v1.SessionAffinityConfig", session_affinity_config_fields};

static const struct field service_spec_fields[] = {
    {"ports", FIELD_LIST, 1, .of = &service_port_schema, .merge_key = "port",
     .list_keys = "port,protocol", .doc = "Ports of the Service."},
    {"selector", FIELD_MAP, 2, .item = FIELD_STRING, .atomic = true,
     .doc = "Labels of the pods behind it."},
    {"clusterIP", FIELD_STRING, 3, .doc = "Its address inside the cluster; None for headless."},
    {"type", FIELD_STRING, 4, .otherwise = "ClusterIP",
     ONE_OF("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
     .doc = "ClusterIP, NodePort, LoadBalancer or ExternalName."},
    {"externalIPs", FIELD_LIST, 5, .item = FIELD_STRING,
     .doc = "More addresses it is reached at."},
    {"sessionAffinity", FIELD_STRING, 7, .otherwise = "None", ONE_OF("ClientIP", "None"),
     .doc = "None or ClientIP."},
    {"loadBalancerIP", FIELD_STRING, 8},
    {"loadBalancerSourceRanges", FIELD_LIST, 9, .item = FIELD_STRING,
     .doc = "Clients that may come in."},
    {"externalName", FIELD_STRING, 10, .doc = "Name that is answered with a CNAME."},
    {"externalTrafficPolicy", FIELD_STRING, 11, ONE_OF("Cluster", "Local"),
     .doc = "Cluster or Local."},
    {"healthCheckNodePort", FIELD_INT, 12},
    {"publishNotReadyAddresses", FIELD_BOOL, 13, .doc = "Also pods that are not ready."},
    {"sessionAffinityConfig", FIELD_OBJECT, 14, .of = &session_affinity_config_schema},
    {"ipFamilyPolicy", FIELD_STRING, 17,
     ONE_OF("SingleStack", "PreferDualStack", "RequireDualStack"),
     .doc = "SingleStack, PreferDualStack or RequireDualStack."},
    {"clusterIPs", FIELD_LIST, 18, .item = FIELD_STRING,
     .doc = "Its addresses inside the cluster."},
    {"ipFamilies", FIELD_LIST, 19, .item = FIELD_STRING, .doc = "IPv4, IPv6."},
    {"allocateLoadBalancerNodePorts", FIELD_BOOL, 20, .pointer = true},
    {"loadBalancerClass", FIELD_STRING, 21},
    {"internalTrafficPolicy", FIELD_STRING, 22, ONE_OF("Cluster", "Local"),
     .doc = "Cluster or Local."},
    {"trafficDistribution", FIELD_STRING, 23},
    {0},
};
static const struct schema service_spec_schema = {"core.v1.ServiceSpec", service_spec_fields};

static const struct field port_status_fields[] = {
    {"port", FIELD_INT, 1, .doc = "Port."},
    {"protocol", FIELD_STRING, 2, .doc = "Protocol: TCP, UDP or SCTP."},
    {"error", FIELD_STRING, 3},
    {0},
};
static const struct schema port_status_schema = {"core.v1.PortStatus", port_status_fields};

static const struct field load_balancer_ingress_fields[] = {
    {"ip", FIELD_STRING, 1, .doc = "Address."},
    {"hostname", FIELD_STRING, 2, .doc = "Host name."},
    {"ipMode", FIELD_STRING, 3},
    {"ports", FIELD_LIST, 4, .of = &port_status_schema, .doc = "Ports."},
    {0},
};
static const struct schema load_balancer_ingress_schema = {
    "core.v1.LoadBalancerIngress", load_balancer_ingress_fields};

static const struct field load_balancer_status_fields[] = {
    {"ingress", FIELD_LIST, 1, .of = &load_balancer_ingress_schema},
    {0},
};
static const struct schema load_balancer_status_schema = {
    "core.v1.LoadBalancerStatus", load_balancer_status_fields};

static const struct field service_status_fields[] = {
    {"loadBalancer", FIELD_OBJECT, 1, .of = &load_balancer_status_schema},
    {"conditions", FIELD_LIST, 2, .of = &condition_schema, .merge_key = "type",
     .list_keys = "type", .doc = "What is known about it."},
    {0},
};
static const struct schema service_status_schema = {"core.v1.ServiceStatus", service_status_fields};

static const struct field service_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &service_spec_schema, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &service_status_schema, .doc = "What is."},
    {0},
};
const struct schema service_schema = {
    "core.v1.Service", service_fields, "One address for a set of pods."};

/* clang-format on */
