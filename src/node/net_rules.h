/*
 * net_rules.h - the API's Services, EndpointSlices and NetworkPolicies are followed and become the
 * rules of podnet, some milliseconds after a change.
 *
 * Pods and namespaces are followed only once there is a policy.
 */
#pragma once

#include "base/log.h"
#include "net/loop.h"

struct net_rules;
struct podnet;
struct remote;

struct net_rules_settings {
    struct loop *loop;
    const struct log *log;
    struct remote *remote;
    struct podnet *podnet;
    const char *node;     /* Its name. */
    const char *api_door; /* "127.0.0.1:6443", where default/kubernetes leads; NULL: nowhere. */
};

struct net_rules *net_rules_new(const struct net_rules_settings *settings);
void net_rules_free(struct net_rules *rules); /* Before its remote and podnet; NULL-safe. */
/* A pod here has its address, which its status does not say yet: policies are for it from now on.
 */
void net_rules_touch(struct net_rules *rules);
