/* net_dns.h - the DNS server of a node: names of the API's objects, at the pods' gateway. */
#pragma once

#include "base/log.h"
#include "net/ip.h"
#include "net/loop.h"

struct net_dns;
struct remote;

struct net_dns_settings {
    struct loop *loop;
    const struct log *log;
    struct remote *remote;
    struct ip address;
    uint16_t port; /* 0: 53. */
};

/* Where nobody can listen there, because somebody else does, that is logged and tried again. */
void net_dns_new(const struct net_dns_settings *settings, struct net_dns **out);
void net_dns_free(struct net_dns *dns); /* Before its remote; NULL-safe. */
