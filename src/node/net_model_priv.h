/* net_model_priv.h - what is kept of objects, for the two files that make rules of it. */
#pragma once

#include "base/json.h"
#include "base/map.h"
#include "node/net_model.h"

struct net_service_port {
    str_t name;
    uint8_t protocol;
    uint16_t port, node_port;
};

struct net_service {
    struct ip ip;
    struct ip *external;
    size_t n_external;
    struct net_service_port *ports;
    size_t n_ports;
    bool sticky, inner_local, outer_local;
};

struct net_slice_port {
    str_t name;
    uint8_t protocol;
    uint16_t port;
};

struct net_end {
    struct ip ip;
    bool ready, draining; /* Draining: it goes, and still serves. */
    bool local;
};

struct net_slice {
    str_t service; /* "ns/name" */
    struct net_slice_port *ports;
    size_t n_ports;
    struct net_end *ends;
    size_t n_ends;
};

struct net_named_port {
    str_t name;
    uint8_t protocol;
    uint16_t port;
};

struct net_pod_seen {
    struct ip ip;
    bool host, over; /* Has the machine's network; has ended. */
    struct net_named_port *ports;
    size_t n_ports;
};

struct net_thing {        /* An object, of any kind. */
    struct map_node node; /* By "ns/name". */
    struct arena arena;   /* With all below, and the key. */
    str_t ns, name, uid;
    struct net_service service;
    struct net_slice slice;
    struct net_pod_seen pod;
    const struct json *labels; /* Of pods and namespaces. */
    const struct json *policy; /* spec */
};

struct net_model {
    struct map things[NET_KINDS];
    char node[256];
    struct rules_end api; /* Of port 0: none. */
};

#define NET_EACH(map, thing)                                                                       \
    for (size_t thing##_i = 0; thing##_i < (map)->n_buckets; thing##_i++)                          \
        for (struct map_node *thing##_node = (map)->buckets[thing##_i]; thing##_node != NULL;      \
             thing##_node = thing##_node->next)                                                    \
            for (const struct net_thing *thing =                                                   \
                     CONTAINER_OF(thing##_node, struct net_thing, node);                           \
                 thing != NULL; thing = NULL)

uint8_t net_protocol(str_t name); /* IPPROTO_TCP of "" */
str_t net_key(str_t ns, str_t name, struct arena *arena);

/* net_model_services.c, net_model_policies.c */
void net_model_services(const struct net_model *model, struct arena *arena, struct rules *out);
void net_model_policies(const struct net_model *model, const struct net_addresses *addresses,
                        struct arena *arena, struct rules *out);
