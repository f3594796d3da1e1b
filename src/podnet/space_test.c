/* space_test.c - names of sysctls, good and bad. */
#include "podnet/space.h"
#include "testkit/test.h"

TEST(space_sysctls_have_paths_below_net)
{
    static const struct {
        const char *name, *path;
    } rows[] = {
        {"net.core.somaxconn", "/proc/sys/net/core/somaxconn"},
        {"net/core/somaxconn", "/proc/sys/net/core/somaxconn"},
        {"net/ipv4/conf/eth0.1/rp_filter", "/proc/sys/net/ipv4/conf/eth0.1/rp_filter"},
        {"net.ipv4.conf.eth0/1.rp_filter", "/proc/sys/net/ipv4/conf/eth0.1/rp_filter"},
        {"kernel.panic", NULL},
        {"net", NULL},
        {"net.", NULL},
        {"network.core", NULL},
        {"net..core", NULL},
        {"net/../kernel/panic", NULL},
        {"net.//.kernel.panic", NULL},
        {"net.core. somaxconn", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char path[PODNET_PATH_MAX];
        struct err err;
        int r = space_sysctl_path(str_from_z(rows[i].name), path, &err);
        CHECK_INT(r, rows[i].path == NULL ? ERR_INVALID : 0);
        if (r == 0)
            CHECK(str_eq(str_from_z(path), str_from_z(rows[i].path)));
    }
}
