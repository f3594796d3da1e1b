/* endpoints_table.c - the fields of Endpoints (core/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field endpoint_address_fields[] = {
    {"ip", FIELD_STRING, 1, .required = true, .doc = "Address."},
    {"targetRef", FIELD_OBJECT, 2, .of = &object_reference_schema},
    {"hostname", FIELD_STRING, 3, .doc = "Host name."},
    {"nodeName", FIELD_STRING, 4},
    {0},
};
static const struct schema endpoint_address_schema = {
    "core.v1.EndpointAddress", endpoint_address_fields, .atomic = true};

static const struct field core_endpoint_port_fields[] = {
    {"name", FIELD_STRING, 1, .doc = "Name."},
    {"port", FIELD_INT, 2, .required = true, RANGE(1, 65535), .doc = "Port."},
    {"protocol", FIELD_STRING, 3, .otherwise = "TCP", ONE_OF("SCTP", "TCP", "UDP"),
     .doc = "Protocol: TCP, UDP or SCTP."},
    {"appProtocol", FIELD_STRING, 4, .doc = "Protocol spoken there."},
    {0},
};
static const struct schema core_endpoint_port_schema = {
    "core.v1.EndpointPort", core_endpoint_port_fields, .atomic = true};

static const struct field endpoint_subset_fields[] = {
    {"addresses", FIELD_LIST, 1, .of = &endpoint_address_schema, .doc = "Addresses."},
    {"notReadyAddresses", FIELD_LIST, 2, .of = &endpoint_address_schema,
     .doc = "Addresses that are not ready."},
    {"ports", FIELD_LIST, 3, .of = &core_endpoint_port_schema, .doc = "Ports."},
    {0},
};
static const struct schema endpoint_subset_schema = {
    "core.v1.EndpointSubset", endpoint_subset_fields};

static const struct field endpoints_fields[] = {
    META_ROWS,
    {"subsets", FIELD_LIST, 2, .of = &endpoint_subset_schema,
     .doc = "Addresses with the ports they serve."},
    {0},
};
const struct schema endpoints_schema = {
    "core.v1.Endpoints", endpoints_fields, "Addresses behind a Service."};

/* clang-format on */
