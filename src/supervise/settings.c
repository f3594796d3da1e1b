/* settings.c - the table, and how it is shown. */
#include "supervise/settings.h"

#include <stddef.h>

const struct door doors[DOORS] = {
    [DOOR_KUBERNETES] = {"kubernetes", "https", 6443, NULL},
    /* Whoever can reach it may push: this machine only. */
    [DOOR_REGISTRY] = {"registry", "http", 5000, DEFAULT_HOST},
};

const char *const roles_built[] = {"control", "node", NULL};
const char *const roles_later[] = {"edge", "telemetry", "vault", NULL};

void settings_print(struct buf *out)
{
    buf_printf(out, "data              %s\n", DEFAULT_DATA);
    buf_printf(out, "listen            %s\n", DEFAULT_HOST);
    buf_printf(out, "user              %s (when started as root and there is one)\n", SERVICE_USER);
    buf_printf(out, "pod cidr          %s\nbridge            %s\n", DEFAULT_POD_CIDR,
               DEFAULT_BRIDGE);
    for (int i = 0; i < DOORS; i++)
        buf_printf(out, "port %-12s %u (%s)\n", doors[i].name, (unsigned)doors[i].port,
                   doors[i].scheme);
    buf_printf(out, "roles             ");
    for (const char *const *role = roles_built; *role != NULL; role++)
        buf_printf(out, "%s%s", role == roles_built ? "" : ",", *role);
    buf_printf(out, "\nca days           %d\nleaf days         %d\n", CA_DAYS, LEAF_DAYS);
    buf_printf(out, "stop ms           %d\ndrain ms          %d\n", STOP_MS, DRAIN_MS);
    buf_printf(out, "control memory    %d MiB at most\n", CONTROL_MEMORY_MAX >> 20);
    buf_printf(out, "node memory       %d MiB at most\n", NODE_MEMORY_MAX >> 20);
    buf_printf(out, "image gc          at %d %% of the disk\n", IMAGE_GC_PERCENT);
    buf_printf(out, "restart ms        %d to %d\n", RESTART_MIN_MS, RESTART_MAX_MS);
}
