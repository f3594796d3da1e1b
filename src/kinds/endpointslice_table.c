/* endpointslice_table.c - the fields of EndpointSlice (discovery/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field endpoint_conditions_fields[] = {
    {"ready", FIELD_BOOL, 1, .pointer = true, .doc = "Whether it is ready."},
    {"serving", FIELD_BOOL, 2, .pointer = true},
    {"terminating", FIELD_BOOL, 3, .pointer = true},
    {0},
};
static const struct schema endpoint_conditions_schema = {
    "discovery.v1.EndpointConditions", endpoint_conditions_fields};

static const struct field for_zone_fields[] = {
    {"name", FIELD_STRING, 1, .required = true, .doc = "Name."},
    {0},
};
static const struct schema for_zone_schema = {"discovery.v1.ForZone", for_zone_fields};

static const struct field endpoint_hints_fields[] = {
    {"forZones", FIELD_LIST, 1, .of = &for_zone_schema},
    {0},
};
static const struct schema endpoint_hints_schema = {
    "discovery.v1.EndpointHints", endpoint_hints_fields};

static const struct field endpoint_fields[] = {
    {"addresses", FIELD_LIST, 1, .item = FIELD_STRING, .required = true, .set = true,
     .doc = "Addresses."},
    {"conditions", FIELD_OBJECT, 2, .of = &endpoint_conditions_schema,
     .doc = "What is known about it."},
    {"hostname", FIELD_STRING, 3, .doc = "Host name."},
    {"targetRef", FIELD_OBJECT, 4, .of = &object_reference_schema},
    {"deprecatedTopology", FIELD_MAP, 5, .item = FIELD_STRING},
    {"nodeName", FIELD_STRING, 6},
    {"zone", FIELD_STRING, 7},
    {"hints", FIELD_OBJECT, 8, .of = &endpoint_hints_schema},
    {0},
};
static const struct schema endpoint_schema = {"discovery.v1.Endpoint", endpoint_fields};

static const struct field discovery_endpoint_port_fields[] = {
    {"name", FIELD_STRING, 1, .pointer = true, .otherwise = "", .doc = "Name."},
    {"protocol", FIELD_STRING, 2, .otherwise = "TCP", ONE_OF("SCTP", "TCP", "UDP"),
     .doc = "Protocol: TCP, UDP or SCTP."},
    {"port", FIELD_INT, 3, .pointer = true, .doc = "Port."},
    {"appProtocol", FIELD_STRING, 4, .doc = "Protocol spoken there."},
    {0},
};
static const struct schema discovery_endpoint_port_schema = {
    "discovery.v1.EndpointPort", discovery_endpoint_port_fields, .atomic = true};

static const struct field endpoint_slice_fields[] = {
    META_ROWS,
    {"endpoints", FIELD_LIST, 2, .of = &endpoint_schema},
    {"ports", FIELD_LIST, 3, .of = &discovery_endpoint_port_schema, .doc = "Ports."},
    {"addressType", FIELD_STRING, 4, .required = true, .immutable = true,
     ONE_OF("FQDN", "IPv4", "IPv6")},
    {0},
};
const struct schema endpoint_slice_schema = {
    "discovery.v1.EndpointSlice",
    endpoint_slice_fields,
    "A part of the addresses behind a Service."};

/* clang-format on */
