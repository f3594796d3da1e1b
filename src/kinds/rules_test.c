/* rules_test.c - addresses that others reach, blocks within blocks, names of time zones. */
#include "kinds/rules.h"
#include "kinds/zone.h"
#include "testkit/test.h"

static str_t complaint_about(const char *ip, struct arena *arena)
{
    struct field_errors errors = {.arena = arena};
    rule_ip_of_network(str_from_z(ip), IN(NULL, "ip"), &errors);
    return errors.n == 0 ? STR("") : errors.at[0].text;
}

TEST(addresses_of_a_machine_alone_are_refused)
{
    static const struct {
        const char *ip, *complaint;
    } rows[] = {
        {"10.1.2.3", ""},
        {"2001:db8::1", ""},
        {"128.0.0.1", ""},
        {"169.253.255.255", ""},
        {"224.0.1.0", ""},
        {"fec0::1", ""},
        {"", "Invalid value: \"\": must be a valid IP address"},
        {"1.2.3", "Invalid value: \"1.2.3\": must be a valid IP address"},
        {"0.0.0.0", "Invalid value: \"0.0.0.0\": may not be unspecified (0.0.0.0)"},
        {"::", "Invalid value: \"::\": may not be unspecified (::)"},
        {"127.255.0.1", "Invalid value: \"127.255.0.1\": may not be in the loopback range"},
        {"::1", "Invalid value: \"::1\": may not be in the loopback range"},
        {"::ffff:127.0.0.1",
         "Invalid value: \"::ffff:127.0.0.1\": may not be in the loopback range"},
        {"169.254.1.1", "Invalid value: \"169.254.1.1\": may not be in the link-local range"},
        {"febf::1", "Invalid value: \"febf::1\": may not be in the link-local range"},
        {"224.0.0.9", "Invalid value: \"224.0.0.9\": may not be in the link-local multicast range"},
        {"ff02::1", "Invalid value: \"ff02::1\": may not be in the link-local multicast range"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        str_t said = complaint_about(rows[i].ip, &arena);
        str_t wanted = str_from_z(rows[i].complaint);
        CHECK(wanted.len == 0 ? said.len == 0 : str_starts(said, wanted));
    }
}

TEST(a_block_is_part_of_a_larger_one)
{
    CHECK(cidr_is_part(STR("10.1.0.0/16"), STR("10.0.0.0/8")));
    CHECK(cidr_is_part(STR("10.1.2.3/32"), STR("10.1.2.0/31")) == false);
    CHECK(cidr_is_part(STR("10.1.2.1/32"), STR("10.1.2.0/31")));
    CHECK(cidr_is_part(STR("1.2.3.4/32"), STR("0.0.0.0/0")));
    CHECK(cidr_is_part(STR("2001:db8:1::/48"), STR("2001:db8::/32")));
    CHECK(!cidr_is_part(STR("10.0.0.0/8"), STR("10.0.0.0/8")));
    CHECK(!cidr_is_part(STR("10.0.0.0/7"), STR("10.0.0.0/8")));
    CHECK(!cidr_is_part(STR("11.0.0.0/16"), STR("10.0.0.0/8")));
    CHECK(!cidr_is_part(STR("::/64"), STR("0.0.0.0/0")));
    CHECK(!cidr_is_part(STR("::ffff:10.0.0.0/112"), STR("10.0.0.0/8")));
    CHECK(!cidr_is_part(STR("10.0.0.0"), STR("10.0.0.0/8")));
    CHECK(!cidr_is_part(STR("10.0.0.0/33"), STR("10.0.0.0/8")));
}

TEST(names_of_zones_lead_nowhere_else)
{
    static const char *const good[] = {"UTC", "Etc/GMT+1", "America/Argentina/Buenos_Aires"};
    static const char *const bad[] = {"",     "/etc/passwd", "../UTC", "a/../b",
                                      "a//b", "Europe/",     "-x",     "abcdefghijklmno",
                                      "a b",  "a/./b"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        CHECK(is_zone_name(str_from_z(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!is_zone_name(str_from_z(bad[i])) && !is_known_zone(str_from_z(bad[i])));
    CHECK(is_known_zone(STR("UTC")));
}
