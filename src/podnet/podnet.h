/*
 * podnet.h - a network for each pod: a namespace, an address, and the way to everybody else.
 *
 * A pod's namespace is a bind mount at DIR/ns/ID, so it is there without any process in it. In it
 * are lo and eth0, which is one end of a veth; the other is a port of a bridge of ours. A pod has
 * its address alone (/32) and sends everything to the bridge's, so all packets between pods are
 * routed, and pass the same rules on every machine, also where br_netfilter is not there.
 *
 * What is on disk is written before it is done, so whatever was interrupted is cleaned up by the
 * next podnet_open(), and pods that were complete are found again with their addresses and ports.
 * An address is not given again for PODNET_ADDRESS_REST_MS after its pod has left, if there is
 * another.
 *
 * Knows nothing of Kubernetes. Everything is for the loop's own thread; what blocks is done on the
 * pool, and a `struct podnet_call` tells when. Of one pod one call at a time.
 */
#pragma once

#include "base/err.h"
#include "net/ip.h"
#include "net/pool.h"

struct podnet;
struct rules; /* rules.h */

enum {
    PODNET_ID_MAX = 64,
    PODNET_PATH_MAX = 256,
    PODNET_PORTS_MAX = 256, /* Of a pod. */
    PODNET_ADDRESS_REST_MS = 60 * 1000,
};

struct podnet_settings {
    struct loop *loop;
    struct pool *pool;
    const char *dir;      /* Absolute; made when missing, as is the directory it is in. */
    const char *bridge;   /* "davy0"; the table of any other is "davy_NAME", not "davy". */
    struct cidr pods;     /* 10.244.0.0/24; IPv4, /16 to /29. Its first address is the bridge's. */
    struct cidr services; /* What nobody answers there is refused at once. {0}: none. */
    unsigned mtu;         /* 0: as the machine's way out has it. */
    /* The rules as of `generation` are in force, or why not; see podnet_rules_set(). May be NULL.
     */
    void (*rules_applied)(void *self, uint64_t generation, int r, const struct err *err);
    /* One that podnet_address() knows has come, or has gone. May be NULL. */
    void (*pods_changed)(void *self);
    void *self;
};

/*
 * Makes the bridge, lets the machine forward, cleans up what was left half done, finds the pods
 * that are there, and begins to put the rules in force. Blocks, for some milliseconds.
 */
int podnet_open(const struct podnet_settings *settings, struct podnet **out, struct err *err);
/* Networks and rules stay. No call may be waiting; the pool is freed before, or has ended. */
void podnet_close(struct podnet *podnet);
/* For good: all pods' networks, the bridge and the rules, of what was opened as this. Blocks. */
int podnet_purge(const struct podnet_settings *settings, struct err *err);

struct ip podnet_gateway(const struct podnet *podnet); /* The bridge's address. */
unsigned podnet_mtu(const struct podnet *podnet);

/* --- pods --- */

struct podnet_pod {
    str_t id;
    struct ip address;
    const char *path; /* Of the namespace. */
};

/* Of one that is complete; false: it is not there. */
bool podnet_address(const struct podnet *podnet, str_t id, struct ip *out);
/* Those that are complete. `each` may change nothing. */
void podnet_each(struct podnet *podnet, void (*each)(void *to, const struct podnet_pod *pod),
                 void *to);

struct podnet_sysctl {
    str_t name; /* "net.core.somaxconn", or with slashes. Only those below net. */
    str_t value;
};

struct podnet_port {   /* A port of the machine that leads to one of the pod. */
    struct ip host_ip; /* Of none: all of the machine's. */
    uint8_t protocol;  /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
    uint16_t host_port;
    uint16_t pod_port;
};

struct podnet_want {
    str_t id; /* Letters, digits, '-', '_' and '.'; not beginning with '.'. */
    const struct podnet_sysctl *sysctls;
    size_t n_sysctls;
    const struct podnet_port *ports;
    size_t n_ports;
};

struct podnet_call {
    void (*done)(struct podnet_call *call);
    int r;
    struct err err;
    struct ip address;          /* Of add. */
    char path[PODNET_PATH_MAX]; /* Of add: of the namespace. */
    /* The rest is podnet's. */
    struct job job;
    struct podnet *podnet;
    struct net_pod *pod;
    const struct podnet_want *want;
};

/*
 * What is there and complete is given as it is. `call` and `want` stay put until done(). After a
 * failure nothing of it is left. ERR_INVALID: the id, a port or a sysctl; ERR_BUSY: no address is
 * free. Its ports are open soon after done().
 */
void podnet_add(struct podnet *podnet, struct podnet_call *call, const struct podnet_want *want,
                void (*done)(struct podnet_call *call));
/* What is not there is no error. Processes that still live in it are alone from then on. */
void podnet_remove(struct podnet *podnet, struct podnet_call *call, str_t id,
                   void (*done)(struct podnet_call *call));

/* --- rules --- */

/*
 * All there is to be, see rules.h; replaces what was, at once and as a whole. Copies what it needs.
 * Several in a row become one change. Gives the generation that rules_applied() will tell of,
 * unless a later one overtakes it; what fails is tried again, and told again. Tables of others are
 * never touched.
 */
uint64_t podnet_rules_set(struct podnet *podnet, const struct rules *rules);
