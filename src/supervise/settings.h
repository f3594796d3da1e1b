/* settings.h - ports, paths, limits and defaults: each fact once. `davy config` prints them. */
#pragma once

#include "base/buf.h"

#define DEFAULT_DATA "/var/lib/davy"
#define DEFAULT_HOST "127.0.0.1"
#define SERVICE_USER "davy"
#define DEFAULT_POD_CIDR "10.88.0.0/16"
#define DEFAULT_BRIDGE "davy0"

enum {
    CA_DAYS = 3650,
    LEAF_DAYS = 365,
    STOP_MS = 10000,      /* From SIGTERM to SIGKILL. */
    DRAIN_MS = 5000,      /* For answers that are under way. */
    RESTART_MIN_MS = 100, /* A role that dies waits this long, then twice as long ... */
    RESTART_MAX_MS = 10000,
    RESTART_CALM_MS = 60000,      /* ... until it has lived this long. */
    CONTROL_MEMORY_MAX = 1 << 30, /* Bytes: the ceiling of its cgroup. */
    NODE_MEMORY_MAX = 1 << 29,
    IMAGE_GC_PERCENT = 85, /* Of the disk: then images go that nobody uses. */
    EXIT_CONFIG = 78,      /* As sysexits.h: starting again will not help. */
};

struct door {
    const char *name; /* In endpoints.json. */
    const char *scheme;
    uint16_t port;
    const char *host; /* NULL: where `--listen` says. */
};
/* Without the registry's door the rest goes on: others use that port too. */
enum { DOORS = 2, DOOR_KUBERNETES = 0, DOOR_REGISTRY };
extern const struct door doors[DOORS];

/* Built roles, as `--roles` names them; and those that are designed and not built. */
extern const char *const roles_built[];
extern const char *const roles_later[];

void settings_print(struct buf *out);
