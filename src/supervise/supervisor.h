/*
 * supervisor.h - `davy serve`: opens the sockets, starts the roles, starts them again when they
 * die.
 *
 * Sockets belong to the supervisor and outlive every role, so while a role is replaced connections
 * wait in the kernel instead of being refused. An upgrade replaces the supervisor's program in
 * place (same process, same sockets), then each role.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

enum node_wish { NODE_IF_ROOT, NODE_ON, NODE_OFF };

struct supervisor_settings {
    str_t dir;           /* Absolute. */
    enum node_wish node; /* The role that runs pods; it needs root. */
    const char *node_name;
    const char *pod_cidr, *bridge; /* Of the node. */
    const char *listen;            /* An address. */
    bool ports_auto;               /* Free ports instead of the usual ones. */
    unsigned image_gc_percent;     /* Of the node. */
    int registry_port;             /* 0: none; -1: the usual one. */
    const char *token_file;        /* NULL: none. */
    const char *audit_policy;      /* A file; NULL: none. */
    char **argv;                   /* Of this process, for the upgrade. */
    struct arena *arena;
};

/* Until SIGTERM. Gives the exit code; says on stderr what went wrong. */
int supervisor_run(const struct supervisor_settings *settings);

/* One command to the supervisor of `dir`: "status", "stop", "upgrade PATH". Its answer's text. */
int supervisor_ask(str_t dir, str_t command, struct arena *arena, str_t *answer, struct err *err);
