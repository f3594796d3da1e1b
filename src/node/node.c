/* node.c - what the parts of a node are given, and how they find each other. */
#include "node/node.h"

#include "control/reflector.h"
#include "kinds/kinds.h"

#include <stdlib.h>

struct node {
    struct node_settings settings;
    struct remote *remote;
    struct reflector *pods;
    bool told_ready;
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

static void pods_known(void *self)
{
    struct node *node = self;
    if (!node->told_ready && node->settings.ready != NULL)
        node->settings.ready(node->settings.self);
    node->told_ready = true;
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

int node_open(const struct node_settings *settings, struct node **out, struct err *err)
{
    struct node *node = calloc(1, sizeof(*node));
    MUST(node != NULL);
    node->settings = *settings;
    struct remote_settings remote = {.loop = settings->loop,
                                     .http = {.unix_path = settings->api_socket},
                                     .user_agent = "davy-node/" DAVY_VERSION};
    int r = remote_new(&remote, &node->remote, err);
    if (r < 0) {
        free(node);
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
    reflector_free(node->pods);
    remote_free(node->remote);
    free(node);
}
