/* ip_test.c - texts of addresses there and back, and what is in a prefix. */
#include "net/ip.h"
#include "testkit/test.h"

TEST(an_address_is_read_and_written)
{
    static const struct {
        const char *in, *out; /* NULL: is none. */
    } rows[] = {
        {"10.88.0.1", "10.88.0.1"}, {"::1", "::1"},
        {"FE80::00A", "fe80::a"},   {"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
        {"10.88.0", NULL},          {"10.88.0.256", NULL},
        {"010.1.1.1", NULL},        {" 10.1.1.1", NULL},
        {"fe80::1%eth0", NULL},     {"", NULL},
        {"1.2.3.4/8", NULL},
    };
    char text[IP_TEXT_MAX];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ip ip = {0};
        bool ok = ip_parse(str_from_z(rows[i].in), &ip);
        CHECK_INT(ok, rows[i].out != NULL);
        CHECK(str_eq(str_from_z(ip_text(ip, text)),
                     str_from_z(rows[i].out == NULL ? "" : rows[i].out)));
    }
}

TEST(a_prefix_has_what_begins_with_it)
{
    static const struct {
        const char *cidr, *ip;
        bool has;
    } rows[] = {
        {"10.88.0.0/16", "10.88.255.255", true},
        {"10.88.0.0/16", "10.89.0.0", false},
        {"10.88.3.7/16", "10.88.0.1", true},
        {"0.0.0.0/0", "1.2.3.4", true},
        {"0.0.0.0/0", "::1", false},
        {"10.1.1.1/32", "10.1.1.1", true},
        {"10.1.1.1/32", "10.1.1.0", false},
        {"192.168.0.0/23", "192.168.1.9", true},
        {"192.168.0.0/23", "192.168.2.0", false},
        {"fd00::/9", "fd7f::1", true},
        {"fd00::/9", "fd80::1", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cidr cidr;
        struct ip ip;
        CHECK(cidr_parse(str_from_z(rows[i].cidr), &cidr));
        CHECK(ip_parse(str_from_z(rows[i].ip), &ip));
        CHECK_INT(cidr_has(cidr, ip), rows[i].has);
    }
    struct cidr none;
    CHECK(!cidr_parse(STR("10.0.0.0/33"), &none) && !cidr_parse(STR("10.0.0.0"), &none) &&
          !cidr_parse(STR("10.0.0.0/"), &none) && !cidr_parse(STR("::/129"), &none) &&
          !cidr_parse(STR("10.0.0.0/0008"), &none));
}

TEST(addresses_can_be_counted)
{
    char text[CIDR_TEXT_MAX];
    struct ip ip = {0};
    CHECK(ip_parse(STR("10.88.0.255"), &ip));
    CHECK(str_eq(str_from_z(ip_text(ip_v4(ip_v4_number(ip) + 1), text)), STR("10.88.1.0")));
    struct cidr cidr = {0};
    CHECK(cidr_parse(STR("10.88.3.4/20"), &cidr));
    CHECK(str_eq(str_from_z(cidr_text(cidr_base(cidr), text)), STR("10.88.0.0/20")));
}
