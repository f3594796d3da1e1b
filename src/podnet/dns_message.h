/*
 * dns_message.h - questions and answers of DNS as bytes (RFC 1035, 2782, 3596, 6891).
 *
 * Pure, and everything that is read is bounded: a name has at most 255 bytes, pointers lead only
 * backwards, no more than what was sent is looked at.
 */
#pragma once

#include "base/err.h"
#include "net/ip.h"

enum {
    DNS_NAME_MAX = 255,
    DNS_HEADER = 12,
    DNS_PLAIN_MAX = 512,     /* Of an answer over UDP when the question names no size. */
    DNS_DATAGRAM_MAX = 4096, /* When it does. */
    DNS_MESSAGE_MAX = 65535,
};

enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_OPT = 41,
    DNS_ANY = 255,
};

enum dns_code {
    DNS_FINE = 0,
    DNS_MALFORMED = 1,
    DNS_FAILED = 2,
    DNS_NO_NAME = 3,
    DNS_NOT_HERE = 4,
    DNS_REFUSED = 5,
};

/* In lower case, without the last dot; a dot inside of a label is the byte 1, so that no name that
 * is odd is mistaken for one that is not. */
struct dns_name {
    size_t len;
    char text[DNS_NAME_MAX + 1];
};

struct dns_query {
    uint16_t id, flags, type, klass;
    struct dns_name name;
    size_t end;         /* Where the question ends. */
    bool edns;          /* It has an OPT record. */
    uint16_t most;      /* Bytes that an answer over UDP may have. */
    enum dns_code code; /* Not DNS_FINE: all there is to say. */
};

/* False: nothing to answer, such as a response, or a header that is not whole. */
bool dns_query_read(str_t bytes, struct dns_query *out);

/* --- answers --- */

struct dns_writer {
    uint8_t *at;
    size_t len, cap;    /* `cap` leaves room for the OPT record. */
    uint16_t counts[3]; /* Answers, authority, additional. */
    bool edns;
    bool cut; /* Something did not fit. */
};

enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };

/* `to` has at least `cap` bytes, and cap at least DNS_PLAIN_MAX. */
void dns_begin(struct dns_writer *writer, uint8_t *to, size_t cap, str_t question,
               const struct dns_query *query);
/* Owner "": the question's name. What does not fit is left out, and of answers that is told. */
void dns_add_address(struct dns_writer *writer, enum dns_section section, str_t owner,
                     uint32_t ttl_s, struct ip ip);
/* CNAME, PTR or NS. */
void dns_add_name(struct dns_writer *writer, enum dns_section section, str_t owner,
                  enum dns_type type, uint32_t ttl_s, str_t name);
void dns_add_srv(struct dns_writer *writer, uint32_t ttl_s, uint16_t weight, uint16_t port,
                 str_t target);
void dns_add_soa(struct dns_writer *writer, enum dns_section section, str_t zone, uint32_t ttl_s);
/* Gives the number of bytes. `own`: we are the authority for it. */
size_t dns_end(struct dns_writer *writer, enum dns_code code, bool own);

/* --- asking others --- */

/* A question of ours for `name`; 0: the name cannot be one. */
size_t dns_ask(uint8_t to[DNS_PLAIN_MAX], uint16_t id, str_t name, enum dns_type type);
/* The answer is one to exactly this question. */
bool dns_is_answer(str_t question, str_t answer);
bool dns_is_cut(str_t message);
/* Each A, AAAA and CNAME among the answers; `target` of CNAME only. False: not well-formed. */
struct dns_record {
    const struct dns_name *owner;
    enum dns_type type;
    uint32_t ttl_s;
    struct ip ip;
    const struct dns_name *target;
};
bool dns_each_answer(str_t message, void (*each)(void *to, const struct dns_record *record),
                     void *to);
