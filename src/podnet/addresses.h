/*
 * addresses.h - which addresses of a network are given away.
 *
 * One after the other in a circle, so that the one just left is the last to be given again; and
 * not before it has rested, unless there is no other. Pure: time is passed in.
 */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "net/ip.h"

struct resting;

enum { ADDRESSES_BITS_MIN = 16, ADDRESSES_BITS_MAX = 29 };

struct addresses {
    uint32_t base;
    uint32_t n;    /* Numbers from base; the first and the last are nobody's, the second ours. */
    uint32_t next; /* Where to look first. */
    uint64_t *used;
    struct resting *resting; /* A ring of those that have left. */
    uint32_t n_resting, first;
    msec_t rest_ms;
};

int addresses_init(struct addresses *addresses, struct cidr cidr, msec_t rest_ms, struct err *err);
void addresses_done(struct addresses *addresses);
bool addresses_take(struct addresses *addresses, msec_t now_ms, struct ip *out); /* False: full. */
bool addresses_claim(struct addresses *addresses, struct ip ip); /* False: not ours, or taken. */
bool addresses_has(const struct addresses *addresses, struct ip ip); /* Taken, or rests. */
void addresses_give_back(struct addresses *addresses, struct ip ip, msec_t now_ms);
