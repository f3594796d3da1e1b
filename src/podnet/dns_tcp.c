/* dns_tcp.c - connections: one question at a time, each behind its length. */
#include "net/sockets.h"
#include "podnet/dns_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IDLE_MS = 10 * 1000 };

struct dns_connection {
    struct list link;
    struct dns *dns;
    union dns_peer peer;
    struct loop_fd watch;
    struct timer timer;
    struct dns_forward *waits;
    struct post next;
    bool next_waiting, closed;
    char in[2 + DNS_DATAGRAM_MAX];
    size_t n_in;
    struct buf out;
};

static void go_on(struct dns_connection *c);

static void next(struct post *post)
{
    struct dns_connection *c = CONTAINER_OF(post, struct dns_connection, next);
    c->next_waiting = false;
    if (c->closed)
        free(c);
    else
        go_on(c);
}

static void later(struct dns_connection *c)
{
    if (c->next_waiting)
        return;
    c->next_waiting = true;
    c->next.run = next;
    loop_later(c->dns->settings.loop, &c->next);
}

void dns_connection_close(struct dns_connection *c)
{
    int fd = c->watch.fd;
    if (c->waits != NULL)
        dns_forward_forget(c->waits);
    timer_stop(&c->timer);
    loop_forget(&c->watch);
    close(fd);
    list_remove(&c->link);
    if (c->dns->n_connections-- == DNS_CONNECTIONS_MAX)
        loop_want(&c->dns->tcp, LOOP_READ);
    buf_done(&c->out);
    c->closed = true;
    if (!c->next_waiting)
        free(c);
}

void dns_connections_close(struct dns *dns)
{
    LIST_EACH(&dns->connections, item)
        dns_connection_close(CONTAINER_OF(item, struct dns_connection, link));
}

void dns_connection_waits(struct dns_connection *c, struct dns_forward *forward)
{
    c->waits = forward;
}

/* Nothing is closed from here: who asks may be in the middle of something. */
void dns_connection_reply(struct dns_connection *c, const uint8_t *bytes, size_t n)
{
    buf_add_char(&c->out, (char)(n >> 8));
    buf_add_char(&c->out, (char)n);
    buf_add(&c->out, (str_t){(const char *)bytes, n});
    later(c);
}

static void too_long(struct timer *timer)
{
    dns_connection_close(CONTAINER_OF(timer, struct dns_connection, timer));
}

static bool write_out(struct dns_connection *c)
{
    while (c->out.len > 0) {
        ssize_t n = send(c->watch.fd, c->out.at, c->out.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0)
            return false;
        buf_take_front(&c->out, (size_t)n);
        timer_set(c->dns->settings.loop, &c->timer, IDLE_MS, too_long);
    }
    return true;
}

/* False: over. */
static bool read_in(struct dns_connection *c)
{
    ssize_t n = recv(c->watch.fd, c->in + c->n_in, sizeof(c->in) - c->n_in, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    c->n_in += (size_t)n;
    return n > 0;
}

/* The next question, if it is whole and the one before it has its answer. False: no good. */
static bool take_one(struct dns_connection *c)
{
    struct dns_asker asker = {.connection = c, .peer = c->peer};
    char question[DNS_DATAGRAM_MAX];
    if (c->waits != NULL || c->out.len > 0 || c->n_in < 2)
        return true;
    size_t n = (size_t)((uint8_t)c->in[0] << 8 | (uint8_t)c->in[1]);
    if (n > DNS_DATAGRAM_MAX)
        return false;
    if (c->n_in < 2 + n)
        return true;
    memcpy(question, c->in + 2, n);
    c->n_in -= 2 + n;
    memmove(c->in, c->in + 2 + n, c->n_in);
    timer_set(c->dns->settings.loop, &c->timer, IDLE_MS, too_long);
    return dns_asked(c->dns, &asker, (str_t){question, n});
}

static void go_on(struct dns_connection *c)
{
    if (!write_out(c) || !take_one(c)) {
        dns_connection_close(c);
        return;
    }
    bool full = c->n_in == sizeof(c->in);
    loop_want(&c->watch, (c->out.len > 0 ? LOOP_WRITE : 0U) |
                             (c->waits != NULL || full ? 0U : (unsigned)LOOP_READ));
}

static void ready(struct loop_fd *watch, unsigned events)
{
    struct dns_connection *c = CONTAINER_OF(watch, struct dns_connection, watch);
    if ((events & LOOP_READ) != 0 && c->n_in < sizeof(c->in) && !read_in(c)) {
        dns_connection_close(c);
        return;
    }
    if ((events & LOOP_HANGUP) != 0 && c->n_in == sizeof(c->in)) {
        dns_connection_close(c);
        return;
    }
    go_on(c);
}

static bool too_many(const struct dns *dns, const union dns_peer *peer)
{
    size_t same = 0;
    LIST_EACH(&dns->connections, item)
        same += dns_peer_same(&CONTAINER_OF(item, struct dns_connection, link)->peer, peer);
    return same >= DNS_CONNECTIONS_EACH_MAX;
}

void dns_accept(struct dns *dns)
{
    struct err ignored;
    int fd = socket_accept(dns->tcp.fd, &ignored);
    if (fd < 0)
        return;
    union dns_peer peer = {0};
    socklen_t len = sizeof(peer);
    if (getpeername(fd, &peer.any, &len) < 0 || too_many(dns, &peer)) {
        close(fd);
        return;
    }
    struct dns_connection *c = calloc(1, sizeof(*c));
    MUST(c != NULL);
    c->dns = dns;
    c->peer = peer;
    if (loop_watch(dns->settings.loop, &c->watch, fd, LOOP_READ, ready, &ignored) < 0) {
        close(fd);
        free(c);
        return;
    }
    list_add_before(&dns->connections, &c->link);
    if (++dns->n_connections == DNS_CONNECTIONS_MAX)
        loop_want(&dns->tcp, 0);
    timer_set(dns->settings.loop, &c->timer, IDLE_MS, too_long);
}
