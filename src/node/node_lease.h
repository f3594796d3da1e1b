/* node_lease.h - the Lease of a node in kube-node-lease, by which others know that it lives. */
#pragma once

#include "control/remote.h"

struct node_lease {
    struct remote *remote;
    struct loop *loop;
    const struct log *log;
    const char *name;
    char uid[64]; /* Of the Node, its owner; "" while it is not known. */
    struct remote_call call;
    struct buf body;
    bool busy, made, said;
};

void node_lease_init(struct node_lease *lease, struct remote *remote, struct loop *loop,
                     const struct log *log, const char *name);
void node_lease_done(struct node_lease *lease);
/* Renews it, or makes it; not while the last renewal waits for its answer. */
void node_lease_beat(struct node_lease *lease);
