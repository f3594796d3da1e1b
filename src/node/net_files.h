/*
 * net_files.h - what a pod's containers find in /etc/hosts and /etc/resolv.conf, as kubelet writes
 * it. Pure. https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
 */
#pragma once

#include "base/json.h"

struct net_names {
    const struct json *pod;
    str_t hostname, ip; /* `ip` "": the pod has the host's network. */
    str_t host_hosts;   /* The machine's own files. */
    str_t host_resolv;
    str_t dns; /* Address of the cluster's DNS; "" : there is none. */
};

str_t net_hosts(const struct net_names *names, struct arena *arena);
str_t net_resolv(const struct net_names *names, struct arena *arena);
