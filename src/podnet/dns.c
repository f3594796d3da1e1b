/* dns.c - sockets, and who answers what came. */
#include "podnet/dns.h"

#include "net/sockets.h"
#include "podnet/dns_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DATAGRAMS_A_TURN = 64, PORTS_TRIED = 16 };

socklen_t dns_peer_of(struct ip ip, uint16_t port, union dns_peer *out)
{
    *out = (union dns_peer){0};
    if (ip.family == 4) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        memcpy(&out->v4.sin_addr, ip.bytes, 4);
        return sizeof(out->v4);
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(port);
    memcpy(&out->v6.sin6_addr, ip.bytes, 16);
    return sizeof(out->v6);
}

bool dns_peer_same(const union dns_peer *a, const union dns_peer *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    return a->any.sa_family == AF_INET ? a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr
                                       : memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, 16) == 0;
}

void dns_reply(struct dns *dns, const struct dns_asker *asker, const uint8_t *bytes, size_t n)
{
    if (asker->connection != NULL)
        dns_connection_reply(asker->connection, bytes, n);
    else /* Who does not get it asks again. */
        (void)sendto(dns->udp.fd, bytes, n, MSG_NOSIGNAL, &asker->peer.any, asker->peer_len);
}

void dns_reply_code(struct dns *dns, const struct dns_asker *asker, str_t question,
                    const struct dns_query *query, enum dns_code code, bool cut)
{
    struct dns_writer writer;
    dns_begin(&writer, dns->answer, DNS_PLAIN_MAX, question, query);
    writer.cut = cut;
    dns_reply(dns, asker, dns->answer, dns_end(&writer, code, false));
}

bool dns_asked(struct dns *dns, const struct dns_asker *asker, str_t question)
{
    AUTO(arena_done) struct arena arena = {0};
    const struct dns_source *source = &dns->settings.source;
    struct dns_query query;
    struct dns_writer writer;
    enum dns_code code;
    str_t target = STR("");
    if (!dns_query_read(question, &query))
        return false;
    if (query.code != DNS_FINE || !source->ready(source->self)) {
        code = query.code != DNS_FINE ? query.code : DNS_FAILED;
        dns_reply_code(dns, asker, question, &query, code, false);
        return true;
    }
    size_t cap = asker->connection != NULL ? DNS_MESSAGE_MAX : query.most;
    dns_begin(&writer, dns->answer, cap, question, &query);
    switch (dns_zone_answer(dns->domain, source, &query, &arena, &writer, &code, &target)) {
    case DNS_ANSWERED:
        dns_reply(dns, asker, dns->answer, dns_end(&writer, code, true));
        break;
    case DNS_NOT_OURS:
    case DNS_ALIAS:
        dns_forward(dns, asker, question, &query, target);
        break;
    }
    return true;
}

static void datagrams(struct loop_fd *watch, unsigned events)
{
    struct dns *dns = CONTAINER_OF(watch, struct dns, udp);
    char bytes[DNS_DATAGRAM_MAX];
    (void)events;
    for (int i = 0; i < DATAGRAMS_A_TURN; i++) {
        struct dns_asker asker = {.peer_len = sizeof(asker.peer)};
        ssize_t n =
            recvfrom(watch->fd, bytes, sizeof(bytes), MSG_TRUNC, &asker.peer.any, &asker.peer_len);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n > 0 && (size_t)n <= sizeof(bytes))
            (void)dns_asked(dns, &asker, (str_t){bytes, (size_t)n});
    }
}

static void connections(struct loop_fd *watch, unsigned events)
{
    (void)events;
    dns_accept(CONTAINER_OF(watch, struct dns, tcp));
}

static int open_udp(struct dns *dns, uint16_t port, struct err *err)
{
    union dns_peer own;
    char text[IP_TEXT_MAX];
    socklen_t len = dns_peer_of(dns->settings.address, port, &own);
    int fd = socket(own.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && bind(fd, &own.any, len) == 0)
        return loop_watch(dns->settings.loop, &dns->udp, fd, LOOP_READ, datagrams, err);
    int r = err_errno(err, "answer questions of DNS at %s:%u", ip_text(dns->settings.address, text),
                      port);
    if (fd >= 0)
        close(fd);
    return r;
}

/* Both at one port: TCP says which, if any will do, and there UDP may be taken. */
static int open_both(struct dns *dns, struct err *err)
{
    char text[IP_TEXT_MAX];
    int r = -1;
    for (int i = 0; i < PORTS_TRIED && r < 0; i++) {
        dns->port = dns->settings.port;
        int fd = socket_listen_tcp(ip_text(dns->settings.address, text), &dns->port, err);
        r = fd < 0 ? fd : open_udp(dns, dns->port, err);
        if (r == 0)
            return loop_watch(dns->settings.loop, &dns->tcp, fd, LOOP_READ, connections, err);
        if (fd >= 0)
            close(fd);
        if (dns->settings.port != 0)
            break;
    }
    return r;
}

int dns_open(const struct dns_settings *settings, struct dns **out, struct err *err)
{
    struct dns *dns = calloc(1, sizeof(*dns));
    MUST(dns != NULL);
    dns->settings = *settings;
    if (settings->forward_port == 0)
        dns->settings.forward_port = 53;
    dns->domain = (str_t){strndup(settings->domain.at, settings->domain.len), settings->domain.len};
    MUST(dns->domain.at != NULL);
    dns->udp.fd = dns->tcp.fd = -1;
    list_init(&dns->connections);
    list_init(&dns->forwards);
    int r = open_both(dns, err);
    if (r < 0) {
        dns_close(dns);
        return r;
    }
    *out = dns;
    return 0;
}

static void end_watch(struct loop_fd *watch)
{
    int fd = watch->fd;
    if (fd < 0)
        return;
    loop_forget(watch);
    close(fd);
}

void dns_close(struct dns *dns)
{
    if (dns == NULL)
        return;
    dns_connections_close(dns);
    dns_forwards_close(dns);
    end_watch(&dns->udp);
    end_watch(&dns->tcp);
    free((char *)dns->domain.at);
    free(dns);
}

uint16_t dns_port_of(const struct dns *dns)
{
    return dns->port;
}
