/*
 * net_model.h - what the API's objects say about packets: where Services lead, as kube-proxy has
 * it, and who may pass by NetworkPolicies. Pure: texts of objects in, rules for podnet out.
 *
 * Each object is read once, when it changes, and the little of it that counts is kept.
 */
#pragma once

#include "base/arena.h"
#include "podnet/rules.h"

struct net_model;

enum net_kind { NET_SERVICE, NET_SLICE, NET_POLICY, NET_POD, NET_NAMESPACE, NET_KINDS };

/*
 * `node`: whose ends are local. `api_door`: where default/kubernetes leads that nobody makes slices
 * for, such as "127.0.0.1:6443"; of all addresses, the machine's own. NULL: nowhere.
 */
struct net_model *net_model_new(const char *node, const char *api_door);
void net_model_free(struct net_model *model); /* NULL-safe. */

struct net_object {
    str_t ns, name, uid, text;
};

/* What cannot be read is as if it were not there. */
void net_model_set(struct net_model *model, enum net_kind kind, const struct net_object *from);
void net_model_gone(struct net_model *model, enum net_kind kind, str_t ns, str_t name);
size_t net_model_count(const struct net_model *model, enum net_kind kind);

/*
 * `address` may know that of a pod here before its status says so; NULL: it does not. What is given
 * is in the arena or in the model, good until that changes.
 */
struct net_addresses {
    void *self;
    bool (*address)(void *self, str_t uid, struct ip *out);
};

void net_model_rules(const struct net_model *model, const struct net_addresses *addresses,
                     struct arena *arena, struct rules *out);
