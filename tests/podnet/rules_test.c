/* rules_test.c - Services lead to their ends, and policies say who may pass: with real packets. */
#include "testkit/test.h"
#include "tests/podnet/place.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VIP "10.96.0.20"

static struct ip ip_of(const char *text)
{
    struct ip ip = {0};
    MUST(ip_parse(str_from_z(text), &ip));
    return ip;
}

static const char *text_of(struct ip ip)
{
    static char texts[8][IP_TEXT_MAX];
    static size_t n;
    return ip_text(ip, texts[n++ % ARRAY_LEN(texts)]);
}

static void set_services(struct place *place, const struct rules_service *services, size_t n)
{
    place_rules(place, &(struct rules){.services = services, .n_services = n});
}

/* Bit i: the server that says 'a' + i has answered one of many. */
static unsigned who_answers(struct place *place, const char *where, const char *ip, uint16_t port)
{
    unsigned seen = 0;
    for (int i = 0; i < 24; i++) {
        char c = place_ask(place, where, SOCK_STREAM, ip, port, NULL);
        seen |= c >= 'a' && c <= 'e' ? 1U << (c - 'a') : 1U << 31;
    }
    return seen;
}

TEST(rules_a_service_leads_to_its_ends_from_everywhere)
{
    struct place place;
    struct ip seen;
    if (!place_open(&place))
        return;
    struct ip a = place_pod(&place, "a"), b = place_pod(&place, "b"), c = place_pod(&place, "c");
    struct rules_end ends[] = {{a, 8080}, {b, 8081}}, udp[] = {{a, 53}};
    struct rules_service services[] = {
        {.ip = ip_of(VIP),
         .protocol = IPPROTO_TCP,
         .port = 80,
         .node_port = 30080,
         .ends = ends,
         .n = 2,
         .outer = ends,
         .n_outer = 2},
        {.ip = ip_of(VIP), .protocol = IPPROTO_UDP, .port = 80, .ends = udp, .n = 1},
    };
    set_services(&place, services, ARRAY_LEN(services));
    place_serve(&place, "a", SOCK_STREAM, 8080, "a");
    place_serve(&place, "b", SOCK_STREAM, 8081, "b");
    place_serve(&place, "a", SOCK_DGRAM, 53, "u");
    CHECK_INT(who_answers(&place, "c", VIP, 80), 3);
    CHECK_INT(who_answers(&place, "", VIP, 80), 3);
    CHECK_INT(who_answers(&place, "a", VIP, 80), 3); /* Itself, too. */
    CHECK_INT(who_answers(&place, "out", VIP, 80), 3);
    CHECK_INT(who_answers(&place, "out", MACHINE, 30080), 3);
    CHECK_INT(who_answers(&place, "", "127.0.0.1", 30080), 3);
    CHECK_INT(who_answers(&place, "c", "10.99.0.1", 30080), 3);
    CHECK_INT(place_ask(&place, "c", SOCK_DGRAM, VIP, 80, &seen), 'u');
    CHECK(ip_eq(seen, c)); /* Seen with its own address. */
    CHECK_INT(place_ask(&place, "c", SOCK_STREAM, VIP, 81, NULL), 'R'); /* No such port. */
    CHECK_INT(place_ask(&place, "", SOCK_STREAM, VIP, 81, NULL), 'R');
    services[0].n = 1; /* The first end only. */
    set_services(&place, services, ARRAY_LEN(services));
    CHECK_INT(who_answers(&place, "c", VIP, 80), 1);
    CHECK_INT(who_answers(&place, "out", MACHINE, 30080), 3);
    place_close(&place);
}

TEST(rules_a_service_may_lead_to_the_machine_itself)
{
    struct place place;
    if (!place_open(&place))
        return;
    struct rules_end end = {ip_of("127.0.0.1"), 6443};
    struct rules_service service = {
        .ip = ip_of(VIP), .protocol = IPPROTO_TCP, .port = 443, .ends = &end, .n = 1};
    place_pod(&place, "c");
    set_services(&place, &service, 1);
    place_serve(&place, "", SOCK_STREAM, 6443, "m");
    CHECK_INT(place_ask(&place, "c", SOCK_STREAM, VIP, 443, NULL), 'm');
    CHECK_INT(place_ask(&place, "", SOCK_STREAM, VIP, 443, NULL), 'm');
    CHECK_INT(place_ask(&place, "c", SOCK_STREAM, "127.0.0.1", 6443, NULL), 'R'); /* Its own. */
    place_close(&place);
}

TEST(rules_a_service_without_ends_refuses)
{
    struct place place;
    if (!place_open(&place))
        return;
    struct ip external = ip_of("192.168.77.50");
    struct rules_service service = {.ip = ip_of(VIP),
                                    .protocol = IPPROTO_TCP,
                                    .port = 80,
                                    .node_port = 30080,
                                    .external = &external,
                                    .n_external = 1};
    place_pod(&place, "c");
    set_services(&place, &service, 1);
    CHECK_INT(place_ask(&place, "c", SOCK_STREAM, VIP, 80, NULL), 'R');
    CHECK_INT(place_ask(&place, "", SOCK_STREAM, VIP, 80, NULL), 'R');
    CHECK_INT(place_ask(&place, "c", SOCK_STREAM, "192.168.77.50", 80, NULL), 'R');
    CHECK_INT(place_ask(&place, "out", SOCK_STREAM, MACHINE, 30080, NULL), 'R');
    CHECK_INT(place_ask(&place, "", SOCK_STREAM, "127.0.0.1", 30080, NULL), 'R');
    place_close(&place);
}

TEST(rules_a_client_stays_with_its_end)
{
    struct place place;
    char id[8];
    if (!place_open(&place))
        return;
    struct rules_end ends[5];
    for (int i = 0; i < 5; i++) {
        (void)snprintf(id, sizeof(id), "s%d", i);
        ends[i] = (struct rules_end){place_pod(&place, id), 80};
        place_serve(&place, id, SOCK_STREAM, 80, (char[]){(char)('a' + i), 0});
    }
    struct rules_service service = {.ip = ip_of(VIP),
                                    .protocol = IPPROTO_TCP,
                                    .port = 80,
                                    .node_port = 30080,
                                    .sticky = true,
                                    .ends = ends,
                                    .n = 5,
                                    .outer = ends,
                                    .n_outer = 5};
    set_services(&place, &service, 1);
    unsigned all = 0;
    for (int i = 0; i < 8; i++) {
        (void)snprintf(id, sizeof(id), "c%d", i);
        (void)place_pod(&place, id);
        unsigned one = who_answers(&place, id, VIP, 80);
        CHECK_INT(__builtin_popcount(one), 1);
        CHECK_INT(who_answers(&place, id, "10.99.0.1", 30080), one);
        all |= one;
    }
    CHECK(__builtin_popcount(all & 31) > 1);
    /* When an end goes, those of others stay where they are. */
    unsigned before = who_answers(&place, "c0", VIP, 80);
    int gone = (__builtin_ctz(before) + 1) % 5;
    ends[gone] = ends[4];
    service.n = service.n_outer = 4;
    set_services(&place, &service, 1);
    CHECK_INT(who_answers(&place, "c0", VIP, 80), before);
    place_close(&place);
}

TEST(rules_the_table_of_before_stays_until_somebody_says_more)
{
    struct place place;
    if (!place_open(&place))
        return;
    struct rules_end end = {place_pod(&place, "a"), 80};
    struct rules_service service = {
        .ip = ip_of(VIP), .protocol = IPPROTO_TCP, .port = 80, .ends = &end, .n = 1};
    set_services(&place, &service, 1);
    place_serve(&place, "a", SOCK_STREAM, 80, "a");
    place_reopen(&place);
    struct podnet_port port = {.protocol = IPPROTO_TCP, .host_port = 8080, .pod_port = 80};
    CHECK_INT(place_add(&place, &(struct podnet_want){STR("b"), NULL, 0, &port, 1})->r, 0);
    CHECK_INT(place_ask(&place, "", SOCK_STREAM, VIP, 80, NULL), 'a');
    place_serve(&place, "b", SOCK_STREAM, 80, "b");
    place_rules(&place, &(struct rules){0});
    CHECK_INT(place_ask(&place, "", SOCK_STREAM, MACHINE, 8080, NULL), 'b');
    CHECK_INT(place_ask(&place, "", SOCK_STREAM, VIP, 80, NULL), 'R');
    place_close(&place);
}

TEST(rules_a_thousand_services_are_swapped_fast)
{
    enum { N = 1000, ENDS = 5 };
    static struct rules_service services[N];
    static struct rules_end ends[N][ENDS];
    struct place place;
    struct timespec from, to;
    if (!place_open(&place))
        return;
    for (unsigned i = 0; i < N; i++) {
        for (unsigned k = 0; k < ENDS; k++)
            ends[i][k] = (struct rules_end){ip_v4(0x0a630002 + (i * ENDS + k) % 250), 8080};
        services[i] = (struct rules_service){.ip = ip_v4(0x0a600100 + i),
                                             .protocol = IPPROTO_TCP,
                                             .port = 80,
                                             .ends = ends[i],
                                             .n = ENDS};
    }
    for (int round = 0; round < 3; round++) {
        services[0].port = (uint16_t)(81 + round); /* What is the same is not swapped. */
        clock_gettime(CLOCK_MONOTONIC, &from);
        set_services(&place, services, N);
        clock_gettime(CLOCK_MONOTONIC, &to);
        printf("1000 services of 5 ends: %.1f ms\n",
               (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6);
    }
    ends[7][0] = (struct rules_end){place_pod(&place, "a"), 8080};
    services[7].n = 1;
    set_services(&place, services, N);
    place_serve(&place, "a", SOCK_STREAM, 8080, "a");
    CHECK_INT(place_ask(&place, "", SOCK_STREAM, "10.96.1.7", 80, NULL), 'a');
    place_close(&place);
}

/* --- policies --- */

struct scene {
    struct place place;
    struct ip a, b, c;
};

static bool scene_open(struct scene *s)
{
    if (!place_open(&s->place))
        return false;
    s->a = place_pod(&s->place, "a");
    s->b = place_pod(&s->place, "b");
    s->c = place_pod(&s->place, "c");
    static const char *const pods[] = {"a", "b", "c"};
    for (size_t i = 0; i < ARRAY_LEN(pods); i++) {
        place_serve(&s->place, pods[i], SOCK_STREAM, 80, pods[i]);
        place_serve(&s->place, pods[i], SOCK_STREAM, 8000, pods[i]);
        place_serve(&s->place, pods[i], SOCK_DGRAM, 80, pods[i]);
    }
    place_serve(&s->place, "out", SOCK_STREAM, 80, "o");
    place_serve(&s->place, "", SOCK_STREAM, 80, "m");
    place_serve(&s->place, "", SOCK_DGRAM, 53, "d");
    return true;
}

static void set_policies(struct scene *s, const struct rules_policy *policies, size_t n)
{
    place_rules(&s->place, &(struct rules){.policies = policies, .n_policies = n});
}

static char tcp(struct scene *s, const char *from, struct ip to, uint16_t port)
{
    return place_ask(&s->place, from, SOCK_STREAM, text_of(to), port, NULL);
}

TEST(rules_nobody_comes_in_unless_a_policy_says_so)
{
    struct scene s;
    if (!scene_open(&s))
        return;
    struct rules_policy deny = {.ingress = true, .pods = &s.a, .n_pods = 1};
    set_policies(&s, &deny, 1);
    CHECK_INT(tcp(&s, "b", s.a, 80), 'T');
    CHECK_INT(tcp(&s, "b", s.c, 80), 'c'); /* Others are as they were. */
    CHECK_INT(tcp(&s, "a", s.b, 80), 'b'); /* What it asks is answered. */
    CHECK_INT(tcp(&s, "", s.a, 80), 'a');  /* Probes of the machine. */
    CHECK_INT(tcp(&s, "a", s.a, 80), 'a');

    struct rules_range port = {.protocol = IPPROTO_TCP, .port = 80};
    struct rules_pass pass = {.peers = &s.b, .n_peers = 1, .ports = &port, .n_ports = 1};
    struct rules_policy policies[] = {
        deny, {.ingress = true, .pods = &s.a, .n_pods = 1, .passes = &pass, .n_passes = 1}};
    set_policies(&s, policies, 2);
    CHECK_INT(tcp(&s, "b", s.a, 80), 'a');
    CHECK_INT(tcp(&s, "b", s.a, 8000), 'T');
    CHECK_INT(tcp(&s, "c", s.a, 80), 'T');
    CHECK_INT(place_ask(&s.place, "b", SOCK_DGRAM, text_of(s.a), 80, NULL), 'T');
    port = (struct rules_range){.protocol = IPPROTO_TCP, .port = 7000, .last = 8000};
    set_policies(&s, policies, 2);
    CHECK_INT(tcp(&s, "b", s.a, 8000), 'a');
    CHECK_INT(tcp(&s, "b", s.a, 80), 'T');
    port = (struct rules_range){.protocol = IPPROTO_UDP};
    set_policies(&s, policies, 2);
    CHECK_INT(place_ask(&s.place, "b", SOCK_DGRAM, text_of(s.a), 80, NULL), 'a');
    CHECK_INT(tcp(&s, "b", s.a, 80), 'T');
    set_policies(&s, NULL, 0);
    CHECK_INT(tcp(&s, "c", s.a, 80), 'a');
    place_close(&s.place);
}

TEST(rules_who_may_not_leave_reaches_nobody_but_the_names)
{
    struct scene s;
    if (!scene_open(&s))
        return;
    struct rules_policy deny = {.pods = &s.a, .n_pods = 1};
    set_policies(&s, &deny, 1);
    CHECK_INT(tcp(&s, "a", s.b, 80), 'T');
    CHECK_INT(tcp(&s, "a", ip_of(OUTSIDE), 80), 'T');
    CHECK_INT(tcp(&s, "a", ip_of("10.99.0.1"), 80), 'T'); /* The machine. */
    CHECK_INT(place_ask(&s.place, "a", SOCK_DGRAM, "10.99.0.1", 53, NULL), 'd');
    CHECK_INT(tcp(&s, "b", s.a, 80), 'a'); /* Answers go out. */

    struct cidr except;
    struct rules_block block = {.except = &except, .n_except = 1};
    CHECK(cidr_parse(STR("0.0.0.0/0"), &block.cidr) && cidr_parse(STR("10.99.0.0/24"), &except));
    struct rules_pass pass = {.blocks = &block, .n_blocks = 1, .any_port = true};
    struct rules_policy some = {.pods = &s.a, .n_pods = 1, .passes = &pass, .n_passes = 1};
    set_policies(&s, &some, 1);
    CHECK_INT(tcp(&s, "a", ip_of(OUTSIDE), 80), 'o');
    CHECK_INT(tcp(&s, "a", s.b, 80), 'T');
    pass = (struct rules_pass){.any_peer = true, .any_port = true};
    set_policies(&s, &some, 1);
    CHECK_INT(tcp(&s, "a", s.b, 80), 'b');
    place_close(&s.place);
}

/* A policy is about the pods, not about the address that was asked. */
TEST(rules_policies_see_through_services)
{
    struct scene s;
    if (!scene_open(&s))
        return;
    struct rules_end end = {s.a, 80};
    struct rules_service service = {.ip = ip_of(VIP),
                                    .protocol = IPPROTO_TCP,
                                    .port = 8888,
                                    .node_port = 30080,
                                    .ends = &end,
                                    .n = 1,
                                    .outer = &end,
                                    .n_outer = 1};
    struct rules_range port = {.protocol = IPPROTO_TCP, .port = 80};
    struct rules_pass pass = {.peers = &s.b, .n_peers = 1, .ports = &port, .n_ports = 1};
    struct rules_policy policy = {
        .ingress = true, .pods = &s.a, .n_pods = 1, .passes = &pass, .n_passes = 1};
    place_rules(&s.place, &(struct rules){&service, 1, &policy, 1});
    CHECK_INT(tcp(&s, "b", ip_of(VIP), 8888), 'a');
    CHECK_INT(tcp(&s, "c", ip_of(VIP), 8888), 'T');
    CHECK_INT(tcp(&s, "a", ip_of(VIP), 8888), 'a');
    CHECK_INT(tcp(&s, "out", ip_of(MACHINE), 30080), 'T');
    struct rules_block block = {0};
    CHECK(cidr_parse(STR(OUTSIDE "/32"), &block.cidr));
    pass.blocks = &block;
    pass.n_blocks = 1;
    place_rules(&s.place, &(struct rules){&service, 1, &policy, 1});
    CHECK_INT(tcp(&s, "out", ip_of(MACHINE), 30080), 'a');
    place_close(&s.place);
}
