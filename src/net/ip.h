/*
 * ip.h - addresses and prefixes of IPv4 and IPv6, as values.
 */
#pragma once

#include "base/str.h"

enum { IP_TEXT_MAX = 46, CIDR_TEXT_MAX = 50 };

struct ip {
    uint8_t family;    /* 4 or 6; 0: none. */
    uint8_t bytes[16]; /* As on the wire; the first 4 of IPv4. */
};

struct cidr {
    struct ip ip; /* Perhaps with bits past the prefix, as it was written. */
    uint8_t bits;
};

/* False leaves *out as it was. Only whole addresses: no zone, no blanks, no leading zeros. */
bool ip_parse(str_t text, struct ip *out) MUST_USE;
bool cidr_parse(str_t text, struct cidr *out) MUST_USE; /* "10.88.0.0/16" */
/* The usual text, into `to`, which is what is given back. "" for none. */
const char *ip_text(struct ip ip, char to[IP_TEXT_MAX]);
const char *cidr_text(struct cidr cidr, char to[CIDR_TEXT_MAX]);

bool ip_eq(struct ip a, struct ip b);
bool cidr_has(struct cidr cidr, struct ip ip);
struct cidr cidr_base(struct cidr cidr); /* With the bits past the prefix cleared. */

/* IPv4 as a number in the order one counts in, so that 10.88.0.1 + 1 is 10.88.0.2. */
struct ip ip_v4(uint32_t number);
uint32_t ip_v4_number(struct ip ip);
