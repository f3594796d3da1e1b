/* ipam_test.c - no address twice, and none again while another can be had. */
#include "podnet/ipam.h"
#include "testkit/test.h"

static struct cidr net(const char *text)
{
    struct cidr cidr = {0};
    CHECK(cidr_parse(str_from_z(text), &cidr));
    return cidr;
}

static bool is(struct ip ip, const char *text)
{
    char z[IP_TEXT_MAX];
    return str_eq(str_from_z(ip_text(ip, z)), str_from_z(text));
}

TEST(ipam_are_given_in_a_circle_and_rest)
{
    struct ipam a;
    struct err err;
    struct ip ip, first;
    CHECK_INT(ipam_init(&a, net("10.9.0.0/29"), 1000, &err), 0);
    CHECK(ipam_take(&a, 0, &first) && is(first, "10.9.0.2"));
    ipam_give_back(&a, first, 0);
    for (int i = 3; i <= 6; i++)
        CHECK(ipam_take(&a, 10, &ip) && ip.bytes[3] == i);
    /* Only one that rests is left: better that than none. */
    CHECK(ipam_take(&a, 10, &ip) && ip_eq(ip, first));
    CHECK(!ipam_take(&a, 5000, &ip));
    ipam_give_back(&a, first, 5000);
    CHECK(ipam_take(&a, 6000, &ip) && ip_eq(ip, first));
    ipam_done(&a);
}

TEST(ipam_that_are_found_are_not_given_again)
{
    struct ipam a;
    struct err err;
    struct ip ip, found = ip_v4(0x0a090003);
    CHECK_INT(ipam_init(&a, net("10.9.0.0/29"), 1000, &err), 0);
    CHECK(ipam_claim(&a, found));
    CHECK(!ipam_claim(&a, found));
    CHECK(!ipam_claim(&a, ip_v4(0x0a090001))); /* The gateway's. */
    CHECK(!ipam_claim(&a, ip_v4(0x0a0a0003)));
    for (int i = 0; i < 4; i++)
        CHECK(ipam_take(&a, 0, &ip) && !ip_eq(ip, found));
    CHECK(!ipam_take(&a, 0, &ip));
    ipam_done(&a);
}

TEST(ipam_need_a_network_of_some_size)
{
    struct ipam a;
    struct err err;
    CHECK_INT(ipam_init(&a, net("10.9.0.0/30"), 0, &err), ERR_INVALID);
    CHECK_INT(ipam_init(&a, net("10.0.0.0/8"), 0, &err), ERR_INVALID);
    CHECK_INT(ipam_init(&a, net("fd00::/64"), 0, &err), ERR_INVALID);
}

TEST(ipam_random_coming_and_going_gives_none_twice)
{
    struct ipam a;
    struct err err;
    struct dice dice = {1};
    struct ip held[512] = {0};
    size_t n = 0;
    CHECK_INT(ipam_init(&a, net("10.9.0.0/24"), 50, &err), 0);
    for (int step = 0; step < 20000; step++) {
        struct ip ip;
        if (dice_roll(&dice, 2) == 0 && ipam_take(&a, step, &ip)) {
            for (size_t i = 0; i < n; i++)
                MUST(!ip_eq(held[i], ip));
            held[n++] = ip;
        } else if (n > 0) {
            size_t i = dice_roll(&dice, (uint32_t)n);
            ipam_give_back(&a, held[i], step);
            held[i] = held[--n];
        }
        MUST(n <= 253);
    }
    CHECK(n > 0);
    ipam_done(&a);
}
