/* node.c - what the parts of a node are given, and how they find each other. */
#include "node/node.h"

#include "control/reflector.h"
#include "kinds/kinds.h"
#include "node/node_self.h"
#include "node/volume.h"
#include "node/volume_keeper.h"

#include <stdlib.h>

struct node {
    struct node_settings settings;
    struct remote *remote;
    struct events *events;
    struct node_self *own;
    struct reflector *pods;
    struct volume_keeper *volumes;
    bool pods_known, registered, told_ready;
};

static void pod_set(void *self, const struct reflected *pod, bool is_new)
{
    struct node *node = self;
    if (is_new)
        log_info(node->settings.log, "pod", F_STR("ns", pod->ns), F_STR("name", pod->name));
}

static void pod_gone(void *self, const struct reflected *pod)
{
    struct node *node = self;
    log_info(node->settings.log, "pod gone", F_STR("ns", pod->ns), F_STR("name", pod->name));
}

static void tell_ready(struct node *node)
{
    if (node->told_ready || !node->pods_known || !node->registered)
        return;
    node->told_ready = true;
    log_info(node->settings.log, "node", F_STR("name", str_from_z(node->settings.name)),
             F_STR("address", str_from_z(node_self_address(node->own))));
    if (node->settings.ready != NULL)
        node->settings.ready(node->settings.self);
}

static void pods_known(void *self)
{
    struct node *node = self;
    node->pods_known = true;
    tell_ready(node);
}

static void registered(void *self)
{
    struct node *node = self;
    node->registered = true;
    tell_ready(node);
}

static void follow_pods(struct node *node)
{
    AUTO(arena_done) struct arena arena = {0};
    struct reflector_settings settings = {
        .remote = node->remote,
        .log = node->settings.log,
        .kind = &kind_pod,
        .fields = arena_printf(&arena, "spec.nodeName=%s", node->settings.name),
        .self = node,
        .set = pod_set,
        .gone = pod_gone,
        .synced = pods_known,
    };
    node->pods = reflector_new(&settings);
}

static int open_own(struct node *node, struct err *err)
{
    struct node_self_settings settings = {
        .remote = node->remote,
        .loop = node->settings.loop,
        .log = node->settings.log,
        .name = node->settings.name,
        .disk = node->settings.dir,
        .runtime = "davy://" DAVY_VERSION,
        .self = node,
        .registered = registered,
    };
    node->events = events_new(node->remote, node->settings.loop, node->settings.name);
    settings.events = node->events;
    return node_self_new(&settings, &node->own, err);
}

static int keep_volumes(struct node *node, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct volume_keeper_settings settings = {
        .loop = node->settings.loop,
        .log = node->settings.log,
        .remote = node->remote,
        .node = node->settings.name,
        .store = arena_printf(&arena, "%s/" VOLUME_STORE, node->settings.dir).at,
    };
    return volume_keeper_new(&settings, &node->volumes, err);
}

int node_open(const struct node_settings *settings, struct node **out, struct err *err)
{
    struct node *node = calloc(1, sizeof(*node));
    MUST(node != NULL);
    node->settings = *settings;
    struct remote_settings remote = {.loop = settings->loop,
                                     .http = {.unix_path = settings->api_socket},
                                     .user_agent = "davy-node/" DAVY_VERSION};
    int r = remote_new(&remote, &node->remote, err);
    if (r == 0)
        r = open_own(node, err);
    if (r == 0)
        r = keep_volumes(node, err);
    if (r < 0) {
        node_close(node);
        return r;
    }
    follow_pods(node);
    *out = node;
    return 0;
}

void node_close(struct node *node)
{
    if (node == NULL)
        return;
    volume_keeper_free(node->volumes);
    reflector_free(node->pods);
    node_self_free(node->own);
    events_free(node->events);
    remote_free(node->remote);
    free(node);
}
