/*
 * ipam.h - which addresses of a network are given away.
 *
 * One after the other in a circle, so that the one just left is the last to be given again; and
 * not before it has rested, unless there is no other. Pure: time is passed in.
 */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "net/ip.h"

struct resting;

enum { IPAM_BITS_MIN = 16, IPAM_BITS_MAX = 29 };

struct ipam {
    uint32_t base;
    uint32_t n;    /* Numbers from base; the first and the last are nobody's, the second ours. */
    uint32_t next; /* Where to look first. */
    uint64_t *used;
    struct resting *resting; /* A ring of those that have left. */
    uint32_t n_resting, first;
    msec_t rest_ms;
};

int ipam_init(struct ipam *a, struct cidr cidr, msec_t rest_ms, struct err *err);
void ipam_done(struct ipam *a);
bool ipam_take(struct ipam *a, msec_t now_ms, struct ip *out); /* False: full. */
bool ipam_claim(struct ipam *a, struct ip ip);                 /* False: not ours, or taken. */
bool ipam_has(const struct ipam *a, struct ip ip);             /* Taken, or rests. */
void ipam_give_back(struct ipam *a, struct ip ip, msec_t now_ms);
