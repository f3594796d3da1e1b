/* dns_test.c - the server over UDP and TCP, with another one as the machine's. */
#include "base/file.h"
#include "net/sockets.h"
#include "podnet/dns.h"
#include "podnet/dns_world.h"
#include "testkit/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct world {
    struct loop *loop;
    struct dns *ours, *others;
    char resolv[64];
    struct err err;
};

static bool never(void *self)
{
    return self != NULL;
}

static void setup(struct world *w, bool ready)
{
    struct dns_settings settings = {.address = {4, {127, 0, 0, 1}},
                                    .domain = STR("other.test"),
                                    .resolv = "/dev/null",
                                    .source = dns_world()};
    *w = (struct world){.resolv = "/tmp/davy-dns-XXXXXX"};
    int fd = mkstemp(w->resolv);
    MUST(fd >= 0 && write(fd, "nameserver 127.0.0.2\n", 21) == 21 && close(fd) == 0);
    MUST(loop_new(system_clock(), &w->loop, &w->err) == 0);
    settings.loop = w->loop;
    settings.address.bytes[3] = 2; /* The machine's. */
    MUST(dns_open(&settings, &w->others, &w->err) == 0);
    settings.address.bytes[3] = 1;
    settings.domain = STR("cluster.local");
    settings.resolv = w->resolv;
    settings.forward_port = dns_port_of(w->others);
    if (!ready)
        settings.source.ready = never;
    MUST(dns_open(&settings, &w->ours, &w->err) == 0);
}

static void teardown(struct world *w)
{
    dns_close(w->ours);
    dns_close(w->others);
    loop_free(w->loop);
    (void)unlink(w->resolv);
}

static ssize_t receive(struct world *w, int fd, char *to, size_t n)
{
    ssize_t got;
    while ((got = recv(fd, to, n, MSG_DONTWAIT)) < 0 && errno == EAGAIN)
        MUST(loop_turn(w->loop, 5, &w->err) == 0);
    return got;
}

static int dial_udp(struct ip ip, uint16_t port)
{
    char text[IP_TEXT_MAX];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    MUST(inet_pton(AF_INET, ip_text(ip, text), &at.sin_addr) == 1);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    MUST(connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
    return fd;
}

struct found {
    struct ip ip;
    size_t n;
};

static void add_found(void *to, const struct dns_record *record)
{
    struct found *found = to;
    found->n++;
    if (record->target == NULL)
        found->ip = record->ip;
}

/* The answer, with how many records. */
static size_t ask(struct world *w, bool tcp, const char *name, struct found *found, str_t *answer)
{
    static char bytes[2 + DNS_MESSAGE_MAX];
    uint8_t question[2 + DNS_PLAIN_MAX];
    size_t n = dns_ask(question + 2, 0x1234, str_from_z(name), DNS_A);
    size_t got = 0;
    question[0] = 0;
    question[1] = (uint8_t)n;
    *found = (struct found){0};
    int fd = socket_dial_tcp("127.0.0.1", dns_port_of(w->ours), &w->err);
    if (!tcp) {
        close(fd);
        fd = dial_udp((struct ip){4, {127, 0, 0, 1}}, dns_port_of(w->ours));
    }
    MUST(send(fd, question + (tcp ? 0 : 2), n + (tcp ? 2 : 0), 0) == (ssize_t)n + (tcp ? 2 : 0));
    size_t head = tcp ? 2 : 0, whole = tcp ? 2 : 1;
    while (got < whole) {
        ssize_t part = receive(w, fd, bytes + got, sizeof(bytes) - got);
        MUST(part > 0);
        got += (size_t)part;
        if (tcp && got >= 2)
            whole = 2U + (size_t)((uint8_t)bytes[0] << 8 | (uint8_t)bytes[1]);
    }
    close(fd);
    *answer = (str_t){bytes + head, got - head};
    CHECK(dns_is_answer((str_t){(const char *)question + 2, n}, *answer));
    CHECK(dns_each_answer(*answer, add_found, found));
    return found->n;
}

TEST(answers_over_udp_and_tcp)
{
    struct world w;
    struct found found;
    str_t answer;
    setup(&w, true);
    for (int tcp = 0; tcp < 2; tcp++) {
        CHECK_INT(ask(&w, tcp, "web.default.svc.cluster.local", &found, &answer), 1);
        CHECK(ip_eq(found.ip, (struct ip){4, {10, 96, 0, 9}}));
        CHECK_INT(ask(&w, tcp, "none.default.svc.cluster.local", &found, &answer), 0);
        CHECK_INT(answer.at[3] & 15, DNS_NO_NAME);
        /* By the machine's server. */
        CHECK_INT(ask(&w, tcp, "web.default.svc.other.test", &found, &answer), 1);
        CHECK(ip_eq(found.ip, (struct ip){4, {10, 96, 0, 9}}));
        CHECK_INT(ask(&w, tcp, "upstream.default.svc.cluster.local", &found, &answer), 2);
        CHECK(ip_eq(found.ip, (struct ip){4, {10, 96, 0, 9}}));
    }
    CHECK(ask(&w, false, "many.default.svc.cluster.local", &found, &answer) < 300);
    CHECK(dns_is_cut(answer));
    CHECK_INT(ask(&w, true, "many.default.svc.cluster.local", &found, &answer), 300);
    CHECK(!dns_is_cut(answer));
    CHECK_INT(ask(&w, true, "many.default.svc.other.test", &found, &answer), 300);
    teardown(&w);
}

TEST(nothing_is_said_of_what_is_not_known_yet)
{
    struct world w;
    struct found found;
    str_t answer;
    setup(&w, false);
    CHECK_INT(ask(&w, false, "web.default.svc.cluster.local", &found, &answer), 0);
    CHECK_INT(answer.at[3] & 15, DNS_FAILED);
    teardown(&w);
}

TEST(without_servers_others_names_fail)
{
    struct world w;
    struct found found;
    str_t answer;
    setup(&w, true);
    MUST(file_write(w.resolv, 0600, STR("nameserver 127.0.0.1\n"), &w.err) == 0); /* Ourselves. */
    CHECK_INT(ask(&w, true, "www.example.org", &found, &answer), 0);
    CHECK_INT(answer.at[3] & 15, DNS_FAILED);
    teardown(&w);
}

/* A server that says nothing takes from one who asks much, and from nobody else. */
TEST(nobody_can_keep_others_from_asking)
{
    enum { ASKED = DNS_FORWARDS_EACH_MAX + 8, DIALED = DNS_CONNECTIONS_EACH_MAX + 1 };
    struct world w;
    struct found found;
    str_t answer;
    uint8_t question[DNS_PLAIN_MAX];
    char bytes[DNS_PLAIN_MAX];
    int fds[DIALED];
    setup(&w, true);
    struct sockaddr_in at = {AF_INET, htons(dns_port_of(w.others)), {htonl(0x7f000003)}, {0}};
    int silent = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    MUST(bind(silent, (struct sockaddr *)&at, sizeof(at)) == 0);
    MUST(file_write(w.resolv, 0600, STR("nameserver 127.0.0.3\n"), &w.err) == 0);
    int fd = dial_udp((struct ip){4, {127, 0, 0, 1}}, dns_port_of(w.ours));
    size_t n = dns_ask(question, 1, STR("www.example.org"), DNS_A);
    for (int i = 0; i < ASKED; i++) {
        MUST(send(fd, question, n, 0) == (ssize_t)n);
        MUST(loop_turn(w.loop, 1, &w.err) == 0);
    }
    for (int i = DNS_FORWARDS_EACH_MAX; i < ASKED; i++) {
        CHECK(receive(&w, fd, bytes, sizeof(bytes)) == (ssize_t)n);
        CHECK_INT(bytes[3] & 15, DNS_FAILED);
    }
    CHECK(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) < 0);
    CHECK_INT(ask(&w, false, "web.default.svc.cluster.local", &found, &answer), 1);
    for (int i = 0; i < DIALED; i++)
        fds[i] = socket_dial_tcp("127.0.0.1", dns_port_of(w.ours), &w.err);
    CHECK_INT(receive(&w, fds[DIALED - 1], bytes, sizeof(bytes)), 0); /* One too many. */
    for (int i = 0; i < DIALED; i++)
        close(fds[i]);
    close(fd);
    close(silent);
    teardown(&w);
}

TEST(name_servers_of_a_machine)
{
    struct ip out[DNS_SERVERS_MAX], own = {4, {10, 0, 0, 1}};
    CHECK_INT(dns_servers(STR("# nameserver 1.1.1.1\nsearch a b\nnameserver  9.9.9.9 # x\n"
                              "nameserver\nnameserver 10.0.0.1\nnameserver\tfe80::1\r\n"
                              "nameserver fe80::1%eth0\nnameserverx 8.8.8.8"),
                          own, out),
              2);
    CHECK(ip_eq(out[0], (struct ip){4, {9, 9, 9, 9}}));
    CHECK_INT(out[1].family, 6);
}
