/*
 * dns.h - a DNS server for pods: the cluster's names from a source, all others from the machine's.
 *
 * UDP and TCP. A question for others goes to the name servers of `resolv`, which is read again when
 * it has changed: over UDP from a socket of its own, so that nobody can guess the port; over TCP if
 * it came so. Each is asked for DNS_TRY_MS, twice. What waits is bounded: above that questions are
 * answered with SERVFAIL, connections not accepted; nobody may use all of it (..._EACH_MAX).
 */
#pragma once

#include "net/loop.h"
#include "podnet/dns_zone.h"

struct dns;

enum {
    DNS_TRY_MS = 2000,
    DNS_FORWARDS_MAX = 512,
    DNS_FORWARDS_EACH_MAX = 128,
    DNS_CONNECTIONS_MAX = 128,
    DNS_CONNECTIONS_EACH_MAX = 16,
    DNS_SERVERS_MAX = 3,
};

struct dns_settings {
    struct loop *loop;
    struct ip address;     /* To answer at. */
    uint16_t port;         /* 0: any. */
    str_t domain;          /* "cluster.local"; copied. */
    const char *resolv;    /* "/etc/resolv.conf"; stays. */
    uint16_t forward_port; /* Of the others; 0: 53. */
    struct dns_source source;
};

int dns_open(const struct dns_settings *settings, struct dns **out, struct err *err);
void dns_close(struct dns *dns);
uint16_t dns_port_of(const struct dns *dns);

/* The name servers of a resolv.conf, at most DNS_SERVERS_MAX; those at `own` are not among them. */
size_t dns_servers(str_t resolv, struct ip own, struct ip out[DNS_SERVERS_MAX]);
