/* dns_priv.h - what the parts of the server share. */
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "podnet/dns.h"

#include <netinet/in.h>

union dns_peer {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct dns_connection;
struct dns_forward;

struct dns_asker {
    struct dns_connection *connection; /* NULL: over UDP. */
    union dns_peer peer;
    socklen_t peer_len;
};

struct dns {
    struct dns_settings settings;
    str_t domain;
    struct loop_fd udp, tcp;
    uint16_t port;
    struct list connections, forwards;
    size_t n_connections, n_forwards;
    struct ip servers[DNS_SERVERS_MAX];
    size_t n_servers;
    int64_t resolv_changed; /* In nanoseconds; of the file the servers are from. */
    uint8_t answer[DNS_MESSAGE_MAX];
};

socklen_t dns_peer_of(struct ip ip, uint16_t port, union dns_peer *out);
bool dns_peer_same(const union dns_peer *a, const union dns_peer *b); /* The address only. */
void dns_reply(struct dns *dns, const struct dns_asker *asker, const uint8_t *bytes, size_t n);
/* One question. Its asker gets one reply, now or later, or, if it made no sense at all, none:
 * false. */
bool dns_asked(struct dns *dns, const struct dns_asker *asker, str_t question);

/* --- dns_forward.c --- */

/* `target` "": the question as it is; else what an alias leads to. */
void dns_forward(struct dns *dns, const struct dns_asker *asker, str_t question,
                 const struct dns_query *query, str_t target);
void dns_forward_forget(struct dns_forward *forward); /* Nobody waits for it. */
void dns_forwards_close(struct dns *dns);
/* An answer without records. */
void dns_reply_code(struct dns *dns, const struct dns_asker *asker, str_t question,
                    const struct dns_query *query, enum dns_code code, bool cut);

/* --- dns_tcp.c --- */

void dns_accept(struct dns *dns);
void dns_connection_close(struct dns_connection *connection);
void dns_connection_reply(struct dns_connection *connection, const uint8_t *bytes, size_t n);
void dns_connection_waits(struct dns_connection *connection, struct dns_forward *forward);
void dns_connections_close(struct dns *dns);
