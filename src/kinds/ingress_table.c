/* ingress_table.c - the fields of Ingress (networking/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field service_backend_port_fields[] = {
    {"name", FIELD_STRING, 1, .doc = "Name."},
    {"number", FIELD_INT, 2, RANGE(1, 65535)},
    {0},
};
static const struct schema service_backend_port_schema = {
    "networking.v1.ServiceBackendPort", service_backend_port_fields, .atomic = true};

static const struct field ingress_service_backend_fields[] = {
    {"name", FIELD_STRING, 1, .required = true, .doc = "Name."},
    {"port", FIELD_OBJECT, 2, .of = &service_backend_port_schema, .doc = "Port."},
    {0},
};
static const struct schema ingress_service_backend_schema = {
    "networking.v1.IngressServiceBackend", ingress_service_backend_fields};

static const struct field ingress_backend_fields[] = {
    {"resource", FIELD_OBJECT, 3, .of = &typed_local_object_reference_schema},
    {"service", FIELD_OBJECT, 4, .of = &ingress_service_backend_schema},
    {0},
};
static const struct schema ingress_backend_schema = {
    "networking.v1.IngressBackend", ingress_backend_fields};

static const struct field http_ingress_path_fields[] = {
    {"path", FIELD_STRING, 1, .doc = "Path of the request."},
    {"backend", FIELD_OBJECT, 2, .of = &ingress_backend_schema, .required = true,
     .doc = "Where requests go."},
    {"pathType", FIELD_STRING, 3, .required = true,
     ONE_OF("Exact", "ImplementationSpecific", "Prefix"),
     .doc = "Exact, Prefix or ImplementationSpecific."},
    {0},
};
static const struct schema http_ingress_path_schema = {
    "networking.v1.HTTPIngressPath", http_ingress_path_fields};

static const struct field http_ingress_rule_value_fields[] = {
    {"paths", FIELD_LIST, 1, .of = &http_ingress_path_schema, .required = true},
    {0},
};
static const struct schema http_ingress_rule_value_schema = {
    "networking.v1.HTTPIngressRuleValue", http_ingress_rule_value_fields};

static const struct field ingress_rule_fields[] = {
    {"host", FIELD_STRING, 1, .doc = "Host, or *.domain."},
    {"http", FIELD_OBJECT, 1, .of = &http_ingress_rule_value_schema, .proto_in = 2,
     .doc = "Rules by path."},
    {0},
};
static const struct schema ingress_rule_schema = {"networking.v1.IngressRule", ingress_rule_fields};

static const struct field ingress_tls_fields[] = {
    {"hosts", FIELD_LIST, 1, .item = FIELD_STRING, .doc = "Host names."},
    {"secretName", FIELD_STRING, 2, .doc = "Name of the Secret."},
    {0},
};
static const struct schema ingress_tls_schema = {"networking.v1.IngressTLS", ingress_tls_fields};

static const struct field ingress_spec_fields[] = {
    {"defaultBackend", FIELD_OBJECT, 1, .of = &ingress_backend_schema,
     .doc = "Where requests go that no rule takes."},
    {"tls", FIELD_LIST, 2, .of = &ingress_tls_schema,
     .doc = "Hosts and the Secrets with their certificates."},
    {"rules", FIELD_LIST, 3, .of = &ingress_rule_schema, .doc = "Rules by host."},
    {"ingressClassName", FIELD_STRING, 4, .pointer = true, .doc = "Who serves it."},
    {0},
};
static const struct schema ingress_spec_schema = {"networking.v1.IngressSpec", ingress_spec_fields};

static const struct field ingress_port_status_fields[] = {
    {"port", FIELD_INT, 1, .doc = "Port."},
    {"protocol", FIELD_STRING, 2, .doc = "Protocol: TCP, UDP or SCTP."},
    {"error", FIELD_STRING, 3},
    {0},
};
static const struct schema ingress_port_status_schema = {
    "networking.v1.IngressPortStatus", ingress_port_status_fields};

static const struct field ingress_load_balancer_ingress_fields[] = {
    {"ip", FIELD_STRING, 1, .doc = "Address."},
    {"hostname", FIELD_STRING, 2, .doc = "Host name."},
    {"ports", FIELD_LIST, 4, .of = &ingress_port_status_schema, .doc = "Ports."},
    {0},
};
static const struct schema ingress_load_balancer_ingress_schema = {
    "networking.v1.IngressLoadBalancerIngress", ingress_load_balancer_ingress_fields};

static const struct field ingress_load_balancer_status_fields[] = {
    {"ingress", FIELD_LIST, 1, .of = &ingress_load_balancer_ingress_schema},
    {0},
};
static const struct schema ingress_load_balancer_status_schema = {
    "networking.v1.IngressLoadBalancerStatus", ingress_load_balancer_status_fields};

static const struct field ingress_status_fields[] = {
    {"loadBalancer", FIELD_OBJECT, 1, .of = &ingress_load_balancer_status_schema},
    {0},
};
static const struct schema ingress_status_schema = {
    "networking.v1.IngressStatus", ingress_status_fields};

static const struct field ingress_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &ingress_spec_schema, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &ingress_status_schema, .doc = "What is."},
    {0},
};
const struct schema ingress_schema = {
    "networking.v1.Ingress", ingress_fields, "Rules by which HTTP requests reach Services."};

/* clang-format on */
