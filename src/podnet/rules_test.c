/* rules_test.c - what the text says; that the kernel takes it is for tests/podnet. */
#include "podnet/podnet_priv.h"
#include "podnet/rules.h"
#include "testkit/test.h"

#include <netinet/in.h>
#include <string.h>

static bool says(const struct buf *text, const char *what)
{
    return memmem(text->at, text->len, what, strlen(what)) != NULL;
}

static struct rules_net net_of(void)
{
    struct rules_net net = {.table = "davy", .bridge = "davy0", .gateway = ip_v4(0x0a580001)};
    CHECK(cidr_parse(STR("10.88.0.0/16"), &net.pods));
    CHECK(cidr_parse(STR("10.96.0.0/16"), &net.services));
    return net;
}

/* Two that want the same door: one has it, and nftables does not refuse the whole. */
TEST(rules_a_door_is_there_once)
{
    AUTO(buf_done) struct buf text = {0};
    struct rules_net net = net_of();
    struct rules_end a = {ip_v4(0x0a580002), 80}, b = {ip_v4(0x0a580003), 80};
    struct rules_port ports[] = {{.protocol = IPPROTO_TCP, .host_port = 8080, .end = a},
                                 {.protocol = IPPROTO_TCP, .host_port = 8080, .end = b},
                                 {.protocol = IPPROTO_UDP, .host_port = 8080, .end = b}};
    rules_text(&net, &(struct rules){0}, ports, ARRAY_LEN(ports), &text);
    CHECK(says(&text, "tcp . 8080 . 0 : 10.88.0.") && says(&text, "udp . 8080 . 0 : 10.88.0.3"));
    CHECK(says(&text, "10.88.0.2 . 80,") != says(&text, "tcp . 8080 . 0 : 10.88.0.3 . 80,"));
}

TEST(rules_addresses_of_ipv6_are_left_out)
{
    AUTO(buf_done) struct buf text = {0};
    struct rules_net net = net_of();
    struct ip six;
    CHECK(ip_parse(STR("fd00::7"), &six));
    struct rules_pass pass = {.peers = &six, .n_peers = 1, .any_port = true};
    struct rules_policy policy = {
        .ingress = true, .pods = &six, .n_pods = 1, .passes = &pass, .n_passes = 1};
    struct rules_service service = {.ip = six, .protocol = IPPROTO_TCP, .port = 80};
    rules_text(&net, &(struct rules){&service, 1, &policy, 1}, NULL, 0, &text);
    CHECK(!says(&text, "fd00"));
}

/* What is on disk was perhaps cut short, or written by somebody else. */
TEST(rules_ports_are_read_as_they_were_written)
{
    struct podnet_port ports[PODNET_PORTS_MAX];
    struct ip address;
    size_t n;
    CHECK(net_pod_read(STR("10.88.0.5\ntcp * 8080 80\nudp 127.0.0.1 53 5353\n"), &address, ports,
                       &n));
    CHECK_INT(n, 2);
    CHECK(ports[0].host_ip.family == 0 && ports[1].host_ip.family == 4);
    CHECK(ports[1].protocol == IPPROTO_UDP && ports[1].pod_port == 5353);
    static const char *const bad[] = {"",
                                      "10.88.0.5",
                                      "fd00::1\n",
                                      "10.88.0.5\ntcp * 8080 80",
                                      "x\n",
                                      "10.88.0.5\ntcp\n",
                                      "10.88.0.5\ntcp * 0 80\n",
                                      "10.88.0.5\nicmp * 1 1\n",
                                      "10.88.0.5\ntcp x 1 1\n",
                                      "10.88.0.5\ntcp * 65536 1\n",
                                      "10.88.0.5\n\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!net_pod_read(str_from_z(bad[i]), &address, ports, &n));
}
