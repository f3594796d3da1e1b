/* addresses_test.c - every address once, the chosen part last. */
#include "api/addresses.h"
#include "testkit/test.h"

TEST(addresses_are_given_once_and_the_lower_part_last)
{
    static struct addresses a;
    char text[16];
    unsigned place = 0, n = 0;
    addresses_init(&a);
    CHECK(address_next(&a, &place));
    address_text(place, text);
    CHECK_STR(str_from_z(text), "10.96.1.0");
    bool lower = false;
    for (n = 1; address_next(&a, &place); n++) {
        CHECK(!lower || place < SERVICE_CHOSEN);
        lower = place < SERVICE_CHOSEN;
    }
    CHECK_INT(n, SERVICE_ADDRESSES - 2);
    address_set(&a, 7, false);
    CHECK(address_next(&a, &place) && place == 7);
}

TEST(addresses_are_read_and_written)
{
    unsigned place;
    CHECK(address_place(STR("10.96.0.1"), &place) && place == 1);
    CHECK(address_place(STR("10.96.255.254"), &place));
    static const char *const bad[] = {"10.96.0.0", "10.96.255.255", "10.97.0.1", "1.2.3.4", "x",
                                      "",          "fd00::1",       "10.96.0.1 "};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!address_place(str_from_z(bad[i]), &place));
}

TEST(node_ports_stay_in_their_range)
{
    static struct addresses a;
    int64_t port;
    int n = 0;
    addresses_init(&a);
    while (port_next(&a, &port)) {
        CHECK(port_in_range(port) && port_is_taken(&a, port));
        n++;
    }
    CHECK_INT(n, NODE_PORTS);
    CHECK(!port_in_range(80) && !port_in_range(32768));
}
