/*
 * node.h - this machine as a node: registered, kept alive in the API's eyes, and running the pods
 * that are bound to it.
 *
 * An ordinary client of the API. It starts and goes on whether the API is there or not.
 */
#pragma once

#include "base/log.h"
#include "net/loop.h"

struct node;

struct node_settings {
    struct loop *loop;
    const struct log *log;
    const char *name;
    const char *dir;        /* The data directory. */
    const char *api_socket; /* Where the API knows us by our user. */
    void *self;
    void (*ready)(void *self); /* Once: the Node is there, and all its pods are known. */
};

int node_open(const struct node_settings *settings, struct node **out, struct err *err);
void node_close(struct node *node); /* Containers go on. */
