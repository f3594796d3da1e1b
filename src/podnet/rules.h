/*
 * rules.h - where packets go and which may pass, as the text of one table of nftables.
 *
 * Pure: structs in, text out. All of the table is made anew each time and swapped in one
 * transaction; connections that are there keep what was decided for them.
 */
#pragma once

#include "base/buf.h"
#include "net/ip.h"

struct rules_end {
    struct ip ip;
    uint16_t port;
};

/* One port of a Service. */
struct rules_service {
    struct ip ip;              /* Of none: headless. */
    const struct ip *external; /* More addresses that lead to it: externalIPs, load balancers'. */
    size_t n_external;
    uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
    uint16_t port;
    uint16_t node_port;           /* 0: none. At all of the machine's addresses. */
    bool sticky;                  /* A client's address decides, so that it stays with one end. */
    const struct rules_end *ends; /* None: whoever connects is refused. */
    size_t n;
    const struct rules_end *outer; /* Those for who comes by node port or external address. */
    size_t n_outer;
};

/* A port of the machine that leads to one of a pod. */
struct rules_port {
    struct ip host_ip; /* Of none: all of the machine's. */
    uint8_t protocol;
    uint16_t host_port;
    struct rules_end end;
};

struct rules_range { /* Of ports; protocol 0: all, port 0: all of the protocol. */
    uint8_t protocol;
    uint16_t port, last; /* last 0: as port. */
};

struct rules_block {
    struct cidr cidr;
    const struct cidr *except; /* Not those of it that are in here. */
    size_t n_except;
};

/* Who may pass: any of the peers at any of the ports. No peers: anybody. No ports: any. */
struct rules_pass {
    bool any_peer;
    const struct ip *peers; /* Pods. */
    size_t n_peers;
    const struct rules_block *blocks;
    size_t n_blocks;
    bool any_port;
    const struct rules_range *ports;
    size_t n_ports;
};

/* What one NetworkPolicy says of the pods it is for; in a direction that it is not about it is
 * not there. Several for a pod allow what any of them allows. */
struct rules_policy {
    bool ingress; /* What comes to them, else what leaves them. */
    const struct ip *pods;
    size_t n_pods;
    const struct rules_pass *passes;
    size_t n_passes;
};

struct rules {
    const struct rules_service *services;
    size_t n_services;
    const struct rules_policy *policies;
    size_t n_policies;
};

struct rules_net {
    const char *table, *bridge;
    struct cidr pods, services;
    struct ip gateway;
};

/* The whole table; goes to nft_run(). Of IPv6 nothing comes in. */
void rules_text(const struct rules_net *net, const struct rules *rules,
                const struct rules_port *ports, size_t n_ports, struct buf *text);
/* Deletes the table, if it is there. */
void rules_end_text(const char *table, struct buf *text);
