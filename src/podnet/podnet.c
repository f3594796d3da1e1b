/* podnet.c - pods come and go: what is decided on the loop, what is done on the pool. */
#include "podnet/podnet.h"

#include "base/tree.h"
#include "podnet/nft.h"
#include "podnet/podnet_priv.h"
#include "podnet/space.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GATEWAY = 1 };

/* --- names --- */

bool podnet_id_ok(str_t id)
{
    if (id.len == 0 || id.len > PODNET_ID_MAX || id.at[0] == '.')
        return false;
    for (size_t i = 0; i < id.len; i++) {
        char c = id.at[i];
        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' &&
            c != '_' && c != '.')
            return false;
    }
    return true;
}

int podnet_ns_path(const struct podnet *podnet, const char *id, char path[PODNET_PATH_MAX],
                   struct err *err)
{
    if (snprintf(path, PODNET_PATH_MAX, "%s/ns/%s", podnet->dir, id) >= PODNET_PATH_MAX)
        return err_set(err, ERR_INVALID, "the path '%s' is too long", podnet->dir);
    return 0;
}

/* Of its address: no two pods have one, and who looks at the bridge sees whose it is. */
void podnet_link_name(struct ip address, char name[LINK_NAME_MAX])
{
    (void)snprintf(name, LINK_NAME_MAX, "veth%08x", ip_v4_number(address));
}

/* --- pods as they are known here --- */

struct net_pod *net_pod_new(struct podnet *podnet, str_t id, struct ip address,
                            const struct podnet_port *ports, size_t n_ports)
{
    struct net_pod *pod = calloc(1, sizeof(*pod));
    MUST(pod != NULL && id.len <= PODNET_ID_MAX);
    memcpy(pod->id, id.at, id.len);
    pod->address = address;
    if (n_ports > 0) {
        pod->ports = malloc(n_ports * sizeof(*ports));
        MUST(pod->ports != NULL);
        memcpy(pod->ports, ports, n_ports * sizeof(*ports));
    }
    pod->n_ports = n_ports;
    map_add(&podnet->pods, (str_t){pod->id, id.len}, &pod->node);
    return pod;
}

void net_pod_free(struct podnet *podnet, struct net_pod *pod)
{
    map_remove(&podnet->pods, &pod->node);
    free(pod->ports);
    free(pod);
}

static void pod_leave(struct podnet *podnet, struct net_pod *pod)
{
    ipam_give_back(&podnet->ipam, pod->address, loop_now_ms(podnet->settings.loop));
    net_pod_free(podnet, pod);
}

/* --- what blocks --- */

static void unmake(const struct podnet *podnet, const struct net_pod *pod)
{
    char path[PODNET_PATH_MAX], name[LINK_NAME_MAX];
    struct netlink netlink;
    struct err ignored;
    podnet_link_name(pod->address, name);
    if (netlink_open(&netlink, NETLINK_ROUTE, &ignored) == 0)
        (void)link_delete(&netlink, name, &ignored);
    netlink_close(&netlink);
    if (podnet_ns_path(podnet, pod->id, path, &ignored) == 0)
        space_remove(path);
    net_pod_erase(podnet, pod->id);
}

static int connect_pod(const struct podnet *podnet, const struct net_pod *pod, struct space *space,
                       struct err *err)
{
    struct netlink netlink;
    char name[LINK_NAME_MAX];
    uint8_t mac[6];
    podnet_link_name(pod->address, name);
    link_hardware(pod->address, mac);
    int r = netlink_open(&netlink, NETLINK_ROUTE, err);
    if (r == 0)
        r = link_veth(&netlink, name, podnet->bridge_index, space->fd, mac, podnet->mtu, err);
    if (r == 0)
        r = link_inside(&space->inside, pod->address, podnet->net.gateway, err);
    if (r == 0)
        r = link_wait_open(&netlink, name, podnet->bridge_index, err);
    netlink_close(&netlink);
    return r;
}

static void add_work(struct job *job)
{
    struct podnet_call *call = CONTAINER_OF(job, struct podnet_call, job);
    const struct podnet *podnet = call->podnet;
    struct space space;
    int r = net_pod_write(podnet, call->pod, &call->err);
    if (r == 0) {
        r = space_make(call->path, call->want, &space, &call->err);
        if (r == 0)
            r = connect_pod(podnet, call->pod, &space, &call->err);
        space_close(&space);
    }
    r = r < 0 ? r : net_pod_complete(podnet, call->pod, &call->err);
    if (r < 0)
        unmake(podnet, call->pod);
    call->r = r;
}

static void remove_work(struct job *job)
{
    struct podnet_call *call = CONTAINER_OF(job, struct podnet_call, job);
    unmake(call->podnet, call->pod);
}

/* --- calls --- */

static void nothing(struct job *job)
{
    (void)job;
}

static void call_done(struct job *job)
{
    struct podnet_call *call = CONTAINER_OF(job, struct podnet_call, job);
    call->done(call);
}

static void call_run(struct podnet_call *call, void (*work)(struct job *),
                     void (*done)(struct job *))
{
    call->job = (struct job){.work = work, .done = done};
    pool_run(call->podnet->settings.pool, &call->job);
}

static void tell(struct podnet *podnet)
{
    if (podnet->settings.pods_changed != NULL)
        podnet->settings.pods_changed(podnet->settings.self);
}

static void add_done(struct job *job)
{
    struct podnet_call *call = CONTAINER_OF(job, struct podnet_call, job);
    struct podnet *podnet = call->podnet;
    struct net_pod *pod = call->pod;
    bool ports = pod->n_ports > 0;
    pod->state = NET_POD_THERE;
    if (call->r < 0)
        pod_leave(podnet, pod);
    else if (ports)
        podnet_rules_touch(podnet);
    tell(podnet);
    call->done(call);
}

static int check(const struct podnet_want *want, struct err *err)
{
    char path[PODNET_PATH_MAX];
    if (!podnet_id_ok(want->id))
        return err_set(err, ERR_INVALID, "'" STR_F "' cannot name a pod's network",
                       STR_A(want->id));
    if (want->n_ports > PODNET_PORTS_MAX)
        return err_set(err, ERR_INVALID, "more than %d ports of the machine", PODNET_PORTS_MAX);
    for (size_t i = 0; i < want->n_ports; i++) {
        const struct podnet_port *port = &want->ports[i];
        if (port->host_port == 0 || port->pod_port == 0 || port->host_ip.family == 6 ||
            (port->protocol != IPPROTO_TCP && port->protocol != IPPROTO_UDP &&
             port->protocol != IPPROTO_SCTP))
            return err_set(err, ERR_INVALID, "port %u of the machine cannot lead to a pod's %u",
                           port->host_port, port->pod_port);
    }
    for (size_t i = 0; i < want->n_sysctls; i++)
        if (space_sysctl_path(want->sysctls[i].name, path, err) < 0)
            return err->code;
    return 0;
}

static int begin(struct podnet *podnet, struct podnet_call *call, const struct podnet_want *want)
{
    struct map_node *node = map_find(&podnet->pods, want->id);
    struct ip address;
    int r = check(want, &call->err);
    if (r < 0)
        return r;
    if (node == NULL && !ipam_take(&podnet->ipam, loop_now_ms(podnet->settings.loop), &address))
        return err_set(&call->err, ERR_BUSY, "no address is free for one more pod");
    call->pod = node != NULL ? CONTAINER_OF(node, struct net_pod, node)
                             : net_pod_new(podnet, want->id, address, want->ports, want->n_ports);
    MUST(node == NULL || call->pod->state == NET_POD_THERE);
    call->address = call->pod->address;
    return podnet_ns_path(podnet, call->pod->id, call->path, &call->err);
}

void podnet_add(struct podnet *podnet, struct podnet_call *call, const struct podnet_want *want,
                void (*done)(struct podnet_call *call))
{
    *call = (struct podnet_call){.done = done, .podnet = podnet, .want = want};
    call->r = begin(podnet, call, want);
    if (call->r < 0 || call->pod->state == NET_POD_THERE)
        call_run(call, nothing, call_done);
    else
        call_run(call, add_work, add_done);
}

static void remove_done(struct job *job)
{
    struct podnet_call *call = CONTAINER_OF(job, struct podnet_call, job);
    pod_leave(call->podnet, call->pod);
    tell(call->podnet);
    call->done(call);
}

void podnet_remove(struct podnet *podnet, struct podnet_call *call, str_t id,
                   void (*done)(struct podnet_call *call))
{
    struct map_node *node = map_find(&podnet->pods, id);
    *call = (struct podnet_call){.done = done, .podnet = podnet};
    if (node == NULL) {
        call_run(call, nothing, call_done);
        return;
    }
    call->pod = CONTAINER_OF(node, struct net_pod, node);
    MUST(call->pod->state == NET_POD_THERE);
    call->pod->state = NET_POD_LEAVING;
    if (call->pod->n_ports > 0)
        podnet_rules_touch(podnet);
    call_run(call, remove_work, remove_done);
}

bool podnet_address(const struct podnet *podnet, str_t id, struct ip *out)
{
    struct map_node *node = map_find(&podnet->pods, id);
    const struct net_pod *pod = node == NULL ? NULL : CONTAINER_OF(node, struct net_pod, node);
    if (pod == NULL || pod->state != NET_POD_THERE)
        return false;
    *out = pod->address;
    return true;
}

void podnet_each(struct podnet *podnet, void (*each)(void *to, const struct podnet_pod *pod),
                 void *to)
{
    char path[PODNET_PATH_MAX];
    struct err ignored;
    for (size_t i = 0; i < podnet->pods.n_buckets; i++)
        for (struct map_node *node = podnet->pods.buckets[i]; node != NULL; node = node->next) {
            const struct net_pod *pod = CONTAINER_OF(node, struct net_pod, node);
            if (pod->state == NET_POD_THERE && podnet_ns_path(podnet, pod->id, path, &ignored) == 0)
                each(to, &(struct podnet_pod){node->key, pod->address, path});
        }
}

/* --- its own life --- */

static int make_dir(const char *path, struct err *err)
{
    return mkdir(path, 0700) < 0 && errno != EEXIST ? err_errno(err, "make '%s'", path) : 0;
}

static int make_dirs(const struct podnet *podnet, struct err *err)
{
    static const char *const below[] = {"", "/ns", "/pods"};
    char path[PODNET_PATH_MAX];
    struct err ignored;
    (void)snprintf(path, sizeof(path), "%s", podnet->dir);
    char *slash = strrchr(path, '/');
    if (slash != NULL && slash != path) {
        *slash = '\0';
        (void)make_dir(path, &ignored);
    }
    for (size_t i = 0; i < ARRAY_LEN(below); i++) {
        (void)snprintf(path, sizeof(path), "%s%s", podnet->dir, below[i]);
        if (make_dir(path, err) < 0)
            return err->code;
    }
    return 0;
}

static int set_machine(const struct podnet *podnet, struct err *err)
{
    static const struct {
        const char *family, *name, *value;
    } own[] = {{"ipv4", "send_redirects", "0"},
               {"ipv4", "route_localnet", "1"}, /* For 127.0.0.1:PORT; see rules.c. */
               {"ipv6", "disable_ipv6", "1"}};
    char path[PODNET_PATH_MAX];
    struct err ignored;
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        (void)snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", own[i].family,
                       podnet->bridge, own[i].name);
        (void)sysctl_set(path, str_from_z(own[i].value), &ignored);
    }
    (void)sysctl_set("/proc/sys/net/ipv4/conf/all/send_redirects", STR("0"), &ignored);
    return sysctl_set("/proc/sys/net/ipv4/ip_forward", STR("1"), err);
}

static int make_bridge(struct podnet *podnet, struct err *err)
{
    struct netlink netlink;
    struct cidr address = {podnet->net.gateway, podnet->net.pods.bits};
    int r = netlink_open(&netlink, NETLINK_ROUTE, err);
    if (r == 0) {
        podnet->mtu = podnet->settings.mtu != 0 ? podnet->settings.mtu : link_uplink_mtu(&netlink);
        r = link_bridge(&netlink, podnet->bridge, address, podnet->mtu, &podnet->bridge_index, err);
    }
    if (r == 0 && podnet->net.services.ip.family == 4)
        r = link_route(&netlink, podnet->net.services, podnet->bridge_index, err);
    netlink_close(&netlink);
    return r;
}

static int take_settings(struct podnet *podnet, const struct podnet_settings *settings,
                         struct err *err)
{
    podnet->settings = *settings;
    if (settings->dir[0] != '/' || strlen(settings->dir) >= DIR_MAX)
        return err_set(err, ERR_INVALID, "networks of pods cannot be kept at '%s'", settings->dir);
    if (strlen(settings->bridge) >= LINK_NAME_MAX || settings->bridge[0] == '\0')
        return err_set(err, ERR_INVALID, "'%s' cannot be a bridge", settings->bridge);
    (void)snprintf(podnet->dir, sizeof(podnet->dir), "%s", settings->dir);
    (void)snprintf(podnet->bridge, sizeof(podnet->bridge), "%s", settings->bridge);
    bool usual = strcmp(settings->bridge, "davy0") == 0;
    (void)snprintf(podnet->table, sizeof(podnet->table), "davy%s%s", usual ? "" : "_",
                   usual ? "" : settings->bridge);
    podnet->net = (struct rules_net){
        .table = podnet->table,
        .bridge = podnet->bridge,
        .pods = cidr_base(settings->pods),
        .services = settings->services,
        .gateway = ip_v4(ip_v4_number(cidr_base(settings->pods).ip) + GATEWAY),
    };
    return ipam_init(&podnet->ipam, settings->pods, PODNET_ADDRESS_REST_MS, err);
}

int podnet_open(const struct podnet_settings *settings, struct podnet **out, struct err *err)
{
    struct podnet *podnet = calloc(1, sizeof(*podnet));
    MUST(podnet != NULL);
    int r = take_settings(podnet, settings, err);
    r = r < 0 ? r : make_dirs(podnet, err);
    r = r < 0 ? r : make_bridge(podnet, err);
    r = r < 0 ? r : set_machine(podnet, err);
    r = r < 0 ? r : podnet_find(podnet, err);
    if (r < 0) {
        podnet_close(podnet);
        return err_wrap(err, "network of pods");
    }
    podnet_rules_begin(podnet);
    *out = podnet;
    return 0;
}

void podnet_close(struct podnet *podnet)
{
    if (podnet == NULL)
        return;
    for (size_t i = 0; i < podnet->pods.n_buckets; i++)
        while (podnet->pods.buckets[i] != NULL)
            net_pod_free(podnet, CONTAINER_OF(podnet->pods.buckets[i], struct net_pod, node));
    map_done(&podnet->pods);
    ipam_done(&podnet->ipam);
    podnet_rules_done(podnet);
    free(podnet);
}

int podnet_purge(const struct podnet_settings *settings, struct err *err)
{
    struct podnet *podnet = calloc(1, sizeof(*podnet));
    AUTO(buf_done) struct buf text = {0};
    struct netlink netlink;
    struct err ignored;
    MUST(podnet != NULL);
    int r = take_settings(podnet, settings, err);
    if (r == 0)
        r = netlink_open(&netlink, NETLINK_ROUTE, err);
    if (r == 0 && link_index(&netlink, podnet->bridge, &podnet->bridge_index, &ignored) == 0) {
        char path[PODNET_PATH_MAX];
        (void)snprintf(path, sizeof(path), "%s/pods", podnet->dir);
        (void)tree_remove(AT_FDCWD, path, &ignored);
        r = make_dirs(podnet, err); /* All that is not written down is left over. */
        r = r < 0 ? r : podnet_find(podnet, err);
        r = r < 0 ? r : link_delete(&netlink, podnet->bridge, err);
    }
    if (r == 0) {
        rules_end_text(podnet->table, &text);
        (void)nft_run(&text, &ignored); /* Where there is no nftables there is no table. */
        r = tree_remove(AT_FDCWD, podnet->dir, err);
    }
    netlink_close(&netlink);
    podnet_close(podnet);
    return r;
}

struct ip podnet_gateway(const struct podnet *podnet)
{
    return podnet->net.gateway;
}

unsigned podnet_mtu(const struct podnet *podnet)
{
    return podnet->mtu;
}
