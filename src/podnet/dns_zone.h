/*
 * dns_zone.h - what the names of a cluster stand for, as CoreDNS with its plugin `kubernetes` and
 * `pods insecure` has it; see the specification of kubernetes/dns.
 *
 *     web.default.svc.cluster.local              A, AAAA of the Service, or of each of its ends
 *     _http._tcp.web.default.svc.cluster.local   SRV
 *     web-0.web.default.svc.cluster.local        of one end, by its hostname or 10-88-0-5
 *     10-88-0-5.default.pod.cluster.local        A of exactly that address
 *     5.0.88.10.in-addr.arpa                     PTR
 *
 * Knows nothing of Kubernetes' objects: who does fills in a `struct dns_source`.
 */
#pragma once

#include "base/arena.h"
#include "podnet/dns_message.h"

enum { DNS_TTL_S = 5 };

struct dns_port {
    str_t name;     /* May be "". */
    str_t protocol; /* "tcp", "udp", "sctp" */
    uint16_t port;
};

struct dns_end {
    struct ip ip;
    str_t hostname; /* "": its address with '-', 10-88-0-5. */
    const struct dns_port *ports;
    size_t n_ports;
};

struct dns_service {
    struct ip ips[2]; /* Its own; none: headless. */
    size_t n_ips;
    str_t external;               /* The name that it is another word for; "" : none. */
    const struct dns_port *ports; /* Of its own. */
    size_t n_ports;
    const struct dns_end *ends;
    size_t n_ends;
};

/* What is given goes to the arena or stays until the source changes. Names are in lower case. */
struct dns_source {
    void *self;
    bool (*ready)(void *self); /* What is not there is not there; else nothing is said of it. */
    bool (*has_ns)(void *self, str_t ns);
    /* `ends`: they are wanted also of one that has an address of its own. */
    bool (*service)(void *self, str_t ns, str_t name, bool ends, struct arena *arena,
                    struct dns_service *out);
    /* The names of an address below svc, such as "web-0.web.default". Gives how many, and at most
     * `most`. */
    size_t (*names)(void *self, struct ip ip, struct arena *arena, str_t *out, size_t most);
};

str_t dns_end_host(const struct dns_end *end, struct arena *arena);

enum dns_outcome {
    DNS_ANSWERED,
    DNS_NOT_OURS, /* Others know. */
    DNS_ALIAS,    /* Others know what `target` is; the answer begins with a CNAME. */
};

/*
 * The answer to a good question, but for dns_end(), with its code. `domain`: "cluster.local". The
 * target of an alias goes to the arena.
 */
enum dns_outcome dns_zone_answer(str_t domain, const struct dns_source *source,
                                 const struct dns_query *query, struct arena *arena,
                                 struct dns_writer *writer, enum dns_code *code, str_t *target);
