/*
 * node_self.h - our own Node and its Lease: made when they are not there, and kept true.
 *
 * Every ten seconds the machine is looked at and the Lease renewed; the Node's status is written
 * when something in it is another, and else every five minutes. A Node that somebody deletes is
 * made again.
 */
#pragma once

#include "control/remote.h"
#include "node/events.h"

struct node_self;

enum { NODE_BEAT_MS = 10000, NODE_STATUS_MS = 300000, NODE_LEASE_S = 40 };

struct node_self_settings {
    struct remote *remote;
    struct loop *loop;
    const struct log *log;
    struct events *events;
    const char *name;
    const char *disk;    /* A path on the file system that pods write to. */
    const char *runtime; /* "crun://1.8.1" */
    void *self;
    void (*registered)(void *self); /* Once: the API has our status. */
};

int node_self_new(const struct node_self_settings *settings, struct node_self **out,
                  struct err *err);
void node_self_free(struct node_self *self);
/* Why pods cannot be run now; NULL: they can. The text stays the caller's. */
void node_self_not_ready(struct node_self *self, const char *why);
const char *node_self_address(const struct node_self *self);
uint64_t node_self_memory_bytes(const struct node_self *self);
uint64_t node_self_cpus(const struct node_self *self);
