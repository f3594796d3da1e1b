/* networkpolicy_table.c - the fields of NetworkPolicy (networking/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field network_policy_port_fields[] = {
    {"protocol", FIELD_STRING, 1, .otherwise = "TCP", ONE_OF("SCTP", "TCP", "UDP"),
     .doc = "Protocol: TCP, UDP or SCTP."},
    {"port", FIELD_INT_OR_STRING, 2, .doc = "Port."},
    {"endPort", FIELD_INT, 3, .pointer = true},
    {0},
};
static const struct schema network_policy_port_schema = {
    "networking.v1.NetworkPolicyPort", network_policy_port_fields};

static const struct field ip_block_fields[] = {
    {"cidr", FIELD_STRING, 1, .required = true},
    {"except", FIELD_LIST, 2, .item = FIELD_STRING},
    {0},
};
static const struct schema ip_block_schema = {"networking.v1.IPBlock", ip_block_fields};

static const struct field network_policy_peer_fields[] = {
    {"podSelector", FIELD_OBJECT, 1, .of = &label_selector_schema, .doc = "Pods it is about."},
    {"namespaceSelector", FIELD_OBJECT, 2, .of = &label_selector_schema,
     .doc = "Which namespaces are meant."},
    {"ipBlock", FIELD_OBJECT, 3, .of = &ip_block_schema},
    {0},
};
static const struct schema network_policy_peer_schema = {
    "networking.v1.NetworkPolicyPeer", network_policy_peer_fields};

static const struct field network_policy_egress_rule_fields[] = {
    {"ports", FIELD_LIST, 1, .of = &network_policy_port_schema, .doc = "Ports."},
    {"to", FIELD_LIST, 2, .of = &network_policy_peer_schema},
    {0},
};
static const struct schema network_policy_egress_rule_schema = {
    "networking.v1.NetworkPolicyEgressRule", network_policy_egress_rule_fields};

static const struct field network_policy_ingress_rule_fields[] = {
    {"ports", FIELD_LIST, 1, .of = &network_policy_port_schema, .doc = "Ports."},
    {"from", FIELD_LIST, 2, .of = &network_policy_peer_schema},
    {0},
};
static const struct schema network_policy_ingress_rule_schema = {
    "networking.v1.NetworkPolicyIngressRule", network_policy_ingress_rule_fields};

static const struct field network_policy_spec_fields[] = {
    {"podSelector", FIELD_OBJECT, 1, .of = &label_selector_schema, .required = true,
     .doc = "Pods it is about."},
    {"ingress", FIELD_LIST, 2, .of = &network_policy_ingress_rule_schema,
     .doc = "Who may come in."},
    {"egress", FIELD_LIST, 3, .of = &network_policy_egress_rule_schema,
     .doc = "Where pods may connect to."},
    {"policyTypes", FIELD_LIST, 4, .item = FIELD_STRING, .doc = "Ingress, Egress or both."},
    {0},
};
static const struct schema network_policy_spec_schema = {
    "networking.v1.NetworkPolicySpec", network_policy_spec_fields};

static const struct field network_policy_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &network_policy_spec_schema, .doc = "What is wanted."},
    {0},
};
const struct schema network_policy_schema = {
    "networking.v1.NetworkPolicy", network_policy_fields, "Which pods may talk to which."};

/* clang-format on */
