/*
 * link.h - the few things done to interfaces, addresses and routes.
 *
 * All through a socket of netlink.h, in the namespace that it belongs to. Blocking.
 */
#pragma once

#include "net/ip.h"
#include "podnet/netlink.h"

enum { LINK_NAME_MAX = 16 }; /* IFNAMSIZ, with the NUL. */

/* Addresses of hardware are made of the IPv4 address, as CNI's plugins do: 0a:58:0a:58:00:01. So
 * who gets an address after somebody else is not looked for at the wrong place. */
void link_hardware(struct ip ip, uint8_t mac[6]);

int link_index(struct netlink *netlink, const char *name, int *index, struct err *err);
/* A bridge that is up and has this address; what is there already is taken over. */
int link_bridge(struct netlink *netlink, const char *name, struct cidr address, unsigned mtu,
                int *index, struct err *err);
/* `name` is a port of the bridge, up; its other end is eth0 in the namespace, with `mac`. */
int link_veth(struct netlink *netlink, const char *name, int bridge, int ns, const uint8_t mac[6],
              unsigned mtu, struct err *err);
/* Packets pass between a port that has its other end, its bridge and the machine. */
int link_wait_open(struct netlink *netlink, const char *name, int bridge, struct err *err);
/* Inside a pod's namespace: lo and eth0 up, its address, the way out through `gateway`. */
int link_inside(struct netlink *netlink, struct ip ip, struct ip gateway, struct err *err);
int link_route(struct netlink *netlink, struct cidr to, int index, struct err *err);
int link_delete(struct netlink *netlink, const char *name, struct err *err); /* Gone: no error. */
/* The ports of a bridge. */
int link_ports(struct netlink *netlink, int bridge, void (*each)(void *to, const char *name),
               void *to, struct err *err);
/* The mtu of the machine's way out; 1500 if it has none. */
unsigned link_uplink_mtu(struct netlink *netlink);
