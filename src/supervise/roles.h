/* roles.h - what runs as a child of the supervisor. */
#pragma once

#include "base/arena.h"

/* Descriptors a role finds open when it starts. */
enum { FD_DOORS = 10, FD_API = 29, FD_LOCAL = 30, FD_READY = 31 };

struct role_settings {
    str_t dir;
    struct arena *arena;
    const char *node_name;
    const char *pod_cidr, *bridge; /* Of the node. */
    const char *api_door;          /* Of the node: "127.0.0.1:6443" leads to the API. */
    unsigned image_gc_percent;     /* Of the node. */
    const char *token_file;        /* NULL: none. */
    const char *audit_policy;      /* A file; NULL: none. */
};

/* Runs until SIGTERM; gives the exit code. */
int control_run(const struct role_settings *settings);
int node_run(const struct role_settings *settings);
