/*
 * node.h - this machine as a node: registered, kept alive in the API's eyes, and running the pods
 * that are bound to it.
 *
 * An ordinary client of the API. It starts and goes on whether the API is there or not.
 */
#pragma once

#include "base/arena.h"
#include "base/log.h"
#include "net/loop.h"

struct node;

#define NODE_RUNTIME_DIR "runtime" /* In the data directory: state of containers, */
#define NODE_NET_DIR "net"         /* and of networks. */

struct node_settings {
    struct loop *loop;
    const struct log *log;
    const char *name;
    const char *dir;        /* The data directory. */
    const char *api_socket; /* Where the API knows us by our user. */
    const char *api_door;   /* "127.0.0.1:6443", where Service `kubernetes` leads; NULL: nowhere. */
    const char *pod_cidr;   /* "10.88.0.0/16": addresses of pods on this node. */
    const char *bridge;     /* "davy0": the interface that is theirs. */
    const char *shim;       /* The program davy-shim. */
    int local_fd;           /* Listens for those who want something of a pod. */
    unsigned image_gc_percent; /* Of the disk in use, from which on images go. */
    int registry_fd;           /* Listens for those who push images; -1: nobody may. */
    void *self;
    void (*ready)(void *self); /* Once: the Node is there, and all its pods are known. */
};

int node_open(const struct node_settings *settings, struct node **out, struct err *err);
void node_close(struct node *node); /* Containers go on. */

/* The path of davy-shim, which is installed beside us. */
int node_find_shim(struct arena *arena, const char **out, struct err *err);
/*
 * What a node that no longer runs has left on this machine: containers are killed, what is mounted
 * is unmounted, groups and networks are removed. Images and volumes stay. Blocks.
 */
int node_purge(const char *dir, const char *pod_cidr, const char *bridge, struct err *err);
