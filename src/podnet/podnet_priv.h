/* podnet_priv.h - what the files that make up a podnet share. */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "podnet/ipam.h"
#include "podnet/link.h"
#include "podnet/podnet.h"
#include "podnet/rules.h"

enum { DIR_MAX = 160 };

enum net_pod_state {
    NET_POD_MAKING,
    NET_POD_THERE,
    NET_POD_LEAVING,
};

struct net_pod {
    struct map_node node; /* By id. */
    char id[PODNET_ID_MAX + 1];
    enum net_pod_state state;
    struct ip address;
    struct podnet_port *ports;
    size_t n_ports;
};

struct podnet {
    struct podnet_settings settings;
    char dir[DIR_MAX];
    char bridge[LINK_NAME_MAX];
    char table[32];
    struct rules_net net;
    int bridge_index;
    unsigned mtu;
    struct ipam ipam;
    struct map pods;
    /* Rules: what is wanted, and what the pool is at. */
    struct job rules_job;
    struct arena rules_arena;
    struct rules rules;        /* As the caller wants them; in the arena. */
    struct buf running;        /* Text that the pool gives to the kernel. */
    uint64_t wanted, applying; /* Generations. */
    bool rules_busy, rules_dirty, rules_wait;
    uint64_t running_hash, done_hash; /* Of texts; 0: none is in force. */
    struct timer again;               /* After what failed, later each time. */
    msec_t again_ms;
    int rules_r;
    struct err rules_err;
};

/* Names: DIR/ns/ID is the namespace, DIR/pods/ID what is written of it, with '~' until it is done.
 */
int podnet_ns_path(const struct podnet *podnet, const char *id, char path[PODNET_PATH_MAX],
                   struct err *err);
bool podnet_id_ok(str_t id);
void podnet_link_name(struct ip address, char name[LINK_NAME_MAX]);

struct net_pod *net_pod_new(struct podnet *podnet, str_t id, struct ip address,
                            const struct podnet_port *ports, size_t n_ports);
void net_pod_free(struct podnet *podnet, struct net_pod *pod);

/* --- podnet_state.c: blocking, any thread --- */

int net_pod_write(const struct podnet *podnet, const struct net_pod *pod, struct err *err);
int net_pod_complete(const struct podnet *podnet, const struct net_pod *pod, struct err *err);
void net_pod_erase(const struct podnet *podnet, const char *id);
/* What a file says: the address and the ports; false when it says nothing of use. Pure. */
bool net_pod_read(str_t text, struct ip *address, struct podnet_port *ports, size_t *n);
/* At start-up: takes in what is complete, removes the rest. */
int podnet_find(struct podnet *podnet, struct err *err);

/* --- podnet_rules.c --- */

void podnet_rules_begin(struct podnet *podnet);
void podnet_rules_touch(struct podnet *podnet); /* Of the pods' ports some came or went. */
void podnet_rules_done(struct podnet *podnet);
