/*
 * addresses.h - which addresses and ports of Services are taken. Pure: two bitmaps.
 *
 * As Kubernetes splits its range: the lower part is for addresses that people choose, and one is
 * given out from it by itself only when the rest is full (KEP-3070).
 */
#pragma once

#include "base/str.h"

enum {
    SERVICE_NET = 10 << 24 | 96 << 16, /* 10.96.0.0/16 */
    SERVICE_BITS = 16,
    SERVICE_ADDRESSES = 1 << SERVICE_BITS,
    SERVICE_CHOSEN = 256, /* The lower part. */
    NODE_PORT_LEAST = 30000,
    NODE_PORT_MOST = 32767,
    NODE_PORTS = NODE_PORT_MOST - NODE_PORT_LEAST + 1,
    NODE_PORT_CHOSEN = 86,
};

#define SERVICE_RANGE "10.96.0.0/16"
#define NODE_PORT_RANGE "30000-32767"

struct addresses {
    uint64_t ips[SERVICE_ADDRESSES / 64];
    uint64_t ports[NODE_PORTS / 64 + 1];
    unsigned next_ip, next_port; /* Where the next search begins. */
};

void addresses_init(struct addresses *a);
/* The place of "10.96.0.7" in the range; false: it is not in it, or no address of a host. */
bool address_place(str_t text, unsigned *place);
void address_text(unsigned place, char out[16]);

bool address_is_taken(const struct addresses *a, unsigned place);
void address_set(struct addresses *a, unsigned place, bool taken);
bool address_next(struct addresses *a, unsigned *place); /* Taken; false: none is left. */

bool port_in_range(int64_t port);
bool port_is_taken(const struct addresses *a, int64_t port);
void port_set(struct addresses *a, int64_t port, bool taken);
bool port_next(struct addresses *a, int64_t *port);
