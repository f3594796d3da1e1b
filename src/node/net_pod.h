/* net_pod.h - the network of one pod, and the files that its containers find names in. */
#pragma once

#include "base/json.h"
#include "node/host.h"
#include "podnet/podnet.h"

struct net_pod_call {
    void (*done)(struct net_pod_call *call);
    int r;
    struct err err;
    /* The rest is net_pod.c's. */
    struct post post;
    struct arena arena;
    struct podnet_call call;
    struct podnet_want want;
    struct ground *out;
};

/* Fills in `ip` and `net` of the ground; nothing with hostNetwork. done() never from within. */
void net_pod_add(struct podnet *podnet, struct loop *loop, struct net_pod_call *call,
                 const struct json *pod, struct ground *out,
                 void (*done)(struct net_pod_call *call));
/* What is not there is no error. */
void net_pod_remove(struct podnet *podnet, struct loop *loop, struct net_pod_call *call, str_t uid,
                    void (*done)(struct net_pod_call *call));
void net_pod_call_done(struct net_pod_call *call);

/* DIR/hosts, resolv.conf, hostname. Blocks; any thread. */
int net_pod_files(struct podnet *podnet, const struct json *pod, const struct ground *ground,
                  const char *dir, struct err *err);
