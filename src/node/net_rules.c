/* net_rules.c - reflectors feed the model; a timer makes one change of rules of many of objects. */
#include "node/net_rules.h"

#include "control/reflector.h"
#include "kinds/kinds.h"
#include "node/net_model.h"
#include "podnet/podnet.h"

#include <stdlib.h>

enum { GATHER_MS = 10 };

struct follower {
    struct net_rules *rules;
    struct reflector *reflector; /* NULL: not followed. */
    enum net_kind kind;
    bool synced;
};

struct net_rules {
    struct net_rules_settings settings;
    struct net_model *model;
    struct timer timer;
    bool due;
    struct follower followers[NET_KINDS];
};

static void changed(struct net_rules *rules);

static void set(void *self, const struct reflected *object, bool is_new)
{
    const struct follower *f = self;
    struct net_object seen = {object->ns, object->name, object->uid, object->text};
    (void)is_new;
    net_model_set(f->rules->model, f->kind, &seen);
    changed(f->rules);
}

static void gone(void *self, const struct reflected *object)
{
    const struct follower *f = self;
    net_model_gone(f->rules->model, f->kind, object->ns, object->name);
    changed(f->rules);
}

static void synced(void *self)
{
    struct follower *f = self;
    f->synced = true;
    changed(f->rules);
}

static void follow(struct net_rules *rules, enum net_kind kind)
{
    static const struct kind *const kinds[NET_KINDS] = {
        [NET_SERVICE] = &kind_service,      [NET_SLICE] = &kind_endpointslice,
        [NET_POLICY] = &kind_networkpolicy, [NET_POD] = &kind_pod,
        [NET_NAMESPACE] = &kind_namespace,
    };
    struct follower *f = &rules->followers[kind];
    if (f->reflector != NULL)
        return;
    *f = (struct follower){.rules = rules, .kind = kind};
    struct reflector_settings settings = {.remote = rules->settings.remote,
                                          .log = rules->settings.log,
                                          .kind = kinds[kind],
                                          .self = f,
                                          .set = set,
                                          .gone = gone,
                                          .synced = synced};
    f->reflector = reflector_new(&settings);
}

static bool address(void *self, str_t uid, struct ip *out)
{
    const struct net_rules *rules = self;
    return podnet_address(rules->settings.podnet, uid, out);
}

/* Rules that lack half of what is there would be worse than those of before. */
static bool knows_all(const struct net_rules *rules)
{
    for (int kind = 0; kind < NET_KINDS; kind++)
        if (rules->followers[kind].reflector != NULL && !rules->followers[kind].synced)
            return false;
    return true;
}

static void fire(struct timer *timer)
{
    struct net_rules *own = CONTAINER_OF(timer, struct net_rules, timer);
    AUTO(arena_done) struct arena arena = {0};
    struct net_addresses addresses = {own, address};
    struct rules rules;
    own->due = false;
    if (net_model_count(own->model, NET_POLICY) > 0) {
        follow(own, NET_POD);
        follow(own, NET_NAMESPACE);
    }
    if (!knows_all(own))
        return; /* synced() comes. */
    net_model_rules(own->model, &addresses, &arena, &rules);
    (void)podnet_rules_set(own->settings.podnet, &rules);
}

static void changed(struct net_rules *rules)
{
    if (!rules->due)
        timer_set(rules->settings.loop, &rules->timer, GATHER_MS, fire);
    rules->due = true;
}

struct net_rules *net_rules_new(const struct net_rules_settings *settings)
{
    struct net_rules *rules = calloc(1, sizeof(*rules));
    MUST(rules != NULL);
    rules->settings = *settings;
    rules->model = net_model_new(settings->node, settings->api_door);
    follow(rules, NET_SERVICE);
    follow(rules, NET_SLICE);
    follow(rules, NET_POLICY);
    return rules;
}

void net_rules_free(struct net_rules *rules)
{
    if (rules == NULL)
        return;
    for (int kind = 0; kind < NET_KINDS; kind++)
        reflector_free(rules->followers[kind].reflector);
    timer_stop(&rules->timer);
    net_model_free(rules->model);
    free(rules);
}

void net_rules_touch(struct net_rules *rules)
{
    if (net_model_count(rules->model, NET_POLICY) > 0)
        changed(rules);
}
