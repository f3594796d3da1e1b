/* node.c - what the parts of a node are given, and how they find each other. */
#include "node/node.h"

#include "control/reflector.h"
#include "http/server.h"
#include "kinds/kinds.h"
#include "node/host_open.h"
#include "node/image_door.h"
#include "node/image_keeper.h"
#include "node/net_dns.h"
#include "node/net_rules.h"
#include "node/node_self.h"
#include "node/pods.h"
#include "node/registry_door.h"
#include "node/stats.h"
#include "node/streams.h"
#include "node/volume.h"
#include "node/volume_keeper.h"
#include "podnet/podnet.h"

#include <stdlib.h>

#define SERVICES "10.96.0.0/16" /* As the API gives them addresses. */

enum { POOL_THREADS = 4, SLOW_THREADS = 3 };

struct node {
    struct node_settings settings;
    struct remote *remote;
    struct events *events;
    struct node_self *own;
    struct reflector *followed;
    struct volume_keeper *volumes;
    struct pool *pool, *slow; /* What takes milliseconds, and what may take minutes. */
    struct runtime *runtime;
    struct images *images;
    struct podnet *podnet;
    struct net_dns *dns;
    struct net_rules *rules;
    bool rules_failed;
    struct host *host;
    struct pods *pods;
    struct streams_host streams;
    struct stats *stats;
    struct image_door images_door;
    struct image_keeper *image_keeper;
    struct registry_door *registry;
    struct http_server *server;
    bool pods_known, registered, told_ready;
};

/* --- pods --- */

static void pod_set(void *self, const struct reflected *pod, bool is_new)
{
    struct node *node = self;
    (void)is_new;
    host_changed(node->host, pod->uid, pod->text);
    pods_set(node->pods, pod->text);
}

static void pod_gone(void *self, const struct reflected *pod)
{
    struct node *node = self;
    pods_gone(node->pods, pod->ns, pod->name, pod->uid);
}

static void exited(void *self, str_t id, const struct container_exit *exit)
{
    struct node *node = self;
    pods_exited(node->pods, id, exit);
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
    if (!node->pods_known) {
        pods_synced(node->pods);
        host_sweep(node->host, node->pods);
    }
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
    node->followed = reflector_new(&settings);
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

/* --- what pods stand on --- */

static int open_machine(struct node *node, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    const struct node_settings *own = &node->settings;
    struct runtime_settings runtime = {
        .loop = own->loop,
        .dir = arena_printf(&arena, "%s/" NODE_RUNTIME_DIR, own->dir).at,
        .shim = own->shim,
        .program = "",
        .cgroup_root = "",
        .seccomp_file = "",
        .exited = exited,
        .self = node,
    };
    struct images_settings images = {
        .loop = own->loop, .log = own->log, .dir = arena_printf(&arena, "%s/images", own->dir).at};
    int r = pool_new(own->loop, POOL_THREADS, &node->pool, err);
    if (r == 0)
        r = pool_new(own->loop, SLOW_THREADS, &node->slow, err);
    runtime.pool = node->pool;
    images.pool = node->slow;
    if (r == 0)
        r = runtime_open(&runtime, &node->runtime, err);
    return r < 0 ? r : images_open(&images, &node->images, err);
}

static void rules_applied(void *self, uint64_t generation, int r, const struct err *err)
{
    struct node *node = self;
    if (r < 0 && !node->rules_failed)
        log_error(node->settings.log, "services and policies",
                  F_INT("generation", (int64_t)generation), F_STR("error", str_from_z(err->text)));
    node->rules_failed = r < 0;
}

static void pods_moved(void *self)
{
    struct node *node = self;
    if (node->rules != NULL)
        net_rules_touch(node->rules);
}

static void follow_network(struct node *node)
{
    struct net_dns_settings dns = {.loop = node->settings.loop,
                                   .log = node->settings.log,
                                   .remote = node->remote,
                                   .address = podnet_gateway(node->podnet)};
    struct net_rules_settings rules = {.loop = node->settings.loop,
                                       .log = node->settings.log,
                                       .remote = node->remote,
                                       .podnet = node->podnet,
                                       .node = node->settings.name,
                                       .api_door = node->settings.api_door};
    net_dns_new(&dns, &node->dns);
    node->rules = net_rules_new(&rules);
}

static int open_network(struct node *node, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct podnet_settings settings = {
        .loop = node->settings.loop,
        .pool = node->pool,
        .dir = arena_printf(&arena, "%s/" NODE_NET_DIR, node->settings.dir).at,
        .bridge = node->settings.bridge,
        .rules_applied = rules_applied,
        .pods_changed = pods_moved,
        .self = node,
    };
    MUST(cidr_parse(STR(SERVICES), &settings.services));
    if (!cidr_parse(str_from_z(node->settings.pod_cidr), &settings.pods))
        return err_set(err, ERR_INVALID, "'%s' is no range of addresses", node->settings.pod_cidr);
    int r = podnet_open(&settings, &node->podnet, err);
    if (r == 0)
        follow_network(node);
    return r;
}

/* Containers of an earlier life of this process. */
static int find_old(struct node *node, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct container_seen *seen;
    size_t n, kept = 0;
    int r = runtime_list(node->runtime, &arena, &seen, &n, err);
    for (size_t i = 0; i < n && r == 0; i++)
        if (!host_found(node->host, &seen[i]))
            seen[kept++] = seen[i];
    if (r == 0)
        pods_found(node->pods, seen, kept);
    return r;
}

static int open_pods(struct node *node, struct err *err)
{
    struct host_settings settings = {
        .loop = node->settings.loop,
        .log = node->settings.log,
        .remote = node->remote,
        .events = node->events,
        .runtime = node->runtime,
        .images = node->images,
        .podnet = node->podnet,
        .pool = node->pool,
        .dir = node->settings.dir,
        .node = node->settings.name,
        .host_ip = node_self_address(node->own),
        .memory_bytes = node_self_memory_bytes(node->own),
        .cpus = node_self_cpus(node->own),
    };
    int r = host_open(&settings, &node->host, err);
    if (r < 0)
        return r;
    node->pods = pods_new(host_ops(node->host));
    return find_old(node, err);
}

/* --- what people ask of pods that run --- */

static int find(void *self, str_t ns, str_t pod, str_t container, struct pod_place *out,
                struct err *err)
{
    struct node *node = self;
    return pods_find(node->pods, ns, pod, container, out, err);
}

static void exec(void *self, struct runtime_call *call, str_t id, const struct exec_spec *exec_spec,
                 void (*done)(struct runtime_call *call))
{
    struct node *node = self;
    runtime_exec(node->runtime, call, id, exec_spec, done);
}

static int attach(void *self, str_t id, int *fd, struct err *err)
{
    struct node *node = self;
    return runtime_attach(node->runtime, id, fd, err);
}

static void each_running(void *self, void (*see)(void *with, const struct pod_running *running),
                         void *with)
{
    struct node *node = self;
    pods_each_running(node->pods, see, with);
}

static int group_stats(void *self, str_t group, struct group_stats *out, struct err *err)
{
    struct node *node = self;
    return runtime_group_stats(node->runtime, group, out, err);
}

static void head(void *self, struct exchange *x)
{
    struct node *node = self;
    if (str_eq(x->path, STR("/stats")) && x->method == HTTP_GET)
        stats_head(node->stats, x);
    else if (!image_door_head(&node->images_door, x))
        streams_head(&node->streams, x);
}

static int serve(struct node *node, struct err *err)
{
    struct http_handler handler = {node, head};
    node->streams = (struct streams_host){
        .self = node,
        .loop = node->settings.loop,
        .pool = node->pool,
        .logs_dir = host_ops(node->host)->logs_dir,
        .find = find,
        .exec = exec,
        .attach = attach,
    };
    node->stats = stats_new(&(struct stats_settings){
        .loop = node->settings.loop,
        .name = node->settings.name,
        .self = node,
        .each = each_running,
        .group = group_stats,
    });
    node->images_door = (struct image_door){node->images, node->host, host_images_used};
    struct image_keeper_settings keeper = {.images = node->images,
                                           .loop = node->settings.loop,
                                           .log = node->settings.log,
                                           .high_percent = node->settings.image_gc_percent,
                                           .self = node->host,
                                           .used = host_images_used};
    node->image_keeper = image_keeper_new(&keeper);
    int r = http_server_new(node->settings.loop, &handler, NULL, &node->server, err);
    if (r == 0)
        r = http_server_listen(node->server, node->settings.local_fd, NULL, err);
    if (r < 0 || node->settings.registry_fd < 0)
        return r;
    return registry_door_open(node->images, node->settings.loop, node->settings.registry_fd,
                              &node->registry, err);
}

/* --- its life --- */

int node_open(const struct node_settings *settings, struct node **out, struct err *err)
{
    static int (*const steps[])(struct node *, struct err *) = {
        open_own, open_machine, open_network, open_pods, keep_volumes, serve,
    };
    struct node *node = calloc(1, sizeof(*node));
    MUST(node != NULL);
    node->settings = *settings;
    struct remote_settings remote = {.loop = settings->loop,
                                     .http = {.unix_path = settings->api_socket},
                                     .user_agent = "davy-node/" DAVY_VERSION};
    int r = remote_new(&remote, &node->remote, err);
    for (size_t i = 0; i < ARRAY_LEN(steps) && r == 0; i++)
        r = steps[i](node, err);
    if (r < 0) {
        node_close(node);
        return r;
    }
    follow_pods(node);
    *out = node;
    return 0;
}

/* What is under way ends first: nobody is told of it any more. */
void node_close(struct node *node)
{
    if (node == NULL)
        return;
    stats_free(node->stats);
    http_server_free(node->server);
    registry_door_close(node->registry);
    volume_keeper_free(node->volumes);
    reflector_free(node->followed);
    images_stop(node->images);
    pool_free(node->pool);
    pool_free(node->slow);
    image_keeper_free(node->image_keeper);
    pods_free(node->pods);
    host_close(node->host);
    runtime_close(node->runtime);
    net_dns_free(node->dns);
    net_rules_free(node->rules);
    podnet_close(node->podnet);
    images_close(node->images);
    node_self_free(node->own);
    events_free(node->events);
    remote_free(node->remote);
    free(node);
}
