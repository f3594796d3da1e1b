/* runtime_test.c - the pure parts: names of capabilities. */
#include "runtime/caps.h"
#include "runtime/runtime.h"
#include "runtime/wire.h"
#include "testkit/test.h"

#include <linux/capability.h>

TEST(capabilities_are_known_by_any_of_their_names)
{
    CHECK(caps_bit(STR("NET_ADMIN")) == 1ULL << CAP_NET_ADMIN);
    CHECK(caps_bit(STR("CAP_NET_ADMIN")) == 1ULL << CAP_NET_ADMIN);
    CHECK(caps_bit(STR("net_admin")) == 1ULL << CAP_NET_ADMIN);
    CHECK(caps_bit(STR("all")) == (1ULL << (CAP_LAST_CAP + 1)) - 1);
    CHECK(caps_bit(STR("CAP_")) == 0 && caps_bit(STR("")) == 0 && caps_bit(STR("NET")) == 0);
    CHECK(caps_name(CAP_LAST_CAP + 1) == NULL);
    static const char *const usual[] = {
        "CHOWN",   "DAC_OVERRIDE",     "FSETID",     "FOWNER", "SETGID",  "SETUID",
        "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL",   "SETFCAP",
    };
    uint64_t all = 0;
    for (size_t i = 0; i < ARRAY_LEN(usual); i++)
        all |= caps_bit(str_from_z(usual[i]));
    CHECK(all == CAPS_DEFAULT);
}
