/*
 * podnet.h - a network for each pod: a namespace, an address, and the way to everybody else.
 *
 * A pod's namespace is a bind mount at DIR/ns/ID, so it is there without any process in it. In it
 * are lo and eth0, which is one end of a veth; the other is a port of a bridge of ours. A pod has
 * its address alone (/32) and sends everything to the bridge's, so all packets between pods are
 * routed, and pass the same rules on every machine, also where br_netfilter is not there.
 *
 * What is on disk is written before it is done, so whatever was interrupted is cleaned up by the
 * next podnet_open(), and pods that were complete are found again with their addresses. An address
 * is given to nobody for PODNET_ADDRESS_REST_MS after its pod has left.
 *
 * Knows nothing of Kubernetes. Everything is for the loop's own thread; what blocks is done on the
 * pool, and a `struct podnet_call` tells when. Of one pod one call at a time.
 */
#pragma once

#include "base/err.h"
#include "net/ip.h"
#include "net/pool.h"

struct podnet;
struct pod;

enum {
    PODNET_ID_MAX = 64,
    PODNET_PATH_MAX = 256,
    PODNET_ADDRESS_REST_MS = 60 * 1000,
    PODNET_PODS_MAX = 4096,
};

struct podnet_settings {
    struct loop *loop;
    struct pool *pool;
    const char *dir;      /* Absolute, made when missing. Best on a tmpfs, such as /run/davy/net. */
    const char *bridge;   /* "davy0" */
    struct cidr pods;     /* 10.88.0.0/16; IPv4. Its first address is the bridge's. */
    struct cidr services; /* Whose addresses the machine knows a way to; {0}: none. */
    unsigned mtu;         /* 0: as the machine's way out has it. */
};

/*
 * Makes the bridge, lets the machine forward, cleans up what was left half done, finds the pods
 * that are there. Blocks, for some milliseconds.
 */
int podnet_open(const struct podnet_settings *settings, struct podnet **out, struct err *err);
void podnet_close(struct podnet *podnet); /* Networks stay. No call may be waiting. */
/* For good: all pods' networks, the bridge and the rules. Blocks. */
int podnet_uninstall(struct podnet *podnet, struct err *err);

struct ip podnet_gateway(const struct podnet *podnet); /* The bridge's address. */
unsigned podnet_mtu(const struct podnet *podnet);

/* --- pods --- */

struct podnet_pod {
    str_t id;
    struct ip address;
    const char *path; /* Of the namespace. */
};

/* Those that are complete. What is given is good until the next call of add or remove. */
void podnet_each(struct podnet *podnet, void (*each)(void *to, const struct podnet_pod *pod),
                 void *to);

struct podnet_sysctl {
    str_t name; /* "net.core.somaxconn", or with slashes. Only those below net. */
    str_t value;
};

struct podnet_want {
    str_t id; /* Letters, digits, '-', '_' and '.'. */
    const struct podnet_sysctl *sysctls;
    size_t n_sysctls;
};

struct podnet_call {
    void (*done)(struct podnet_call *call);
    int r;
    struct err err;
    struct ip address; /* Of add. */
    char path[PODNET_PATH_MAX];
    /* The rest is podnet's. */
    struct job job;
    struct podnet *podnet;
    const struct podnet_want *want;
    struct pod *pod;
};

/*
 * What is there and complete is given as it is. `call` and `want` stay put until done(). After a
 * failure nothing of it is left. ERR_INVALID: the id or a sysctl; ERR_BUSY: no address is free.
 */
void podnet_add(struct podnet *podnet, struct podnet_call *call, const struct podnet_want *want,
                void (*done)(struct podnet_call *call));
/* What is not there is no error. Processes that still live in it are alone from then on. */
void podnet_remove(struct podnet *podnet, struct podnet_call *call, str_t id,
                   void (*done)(struct podnet_call *call));
