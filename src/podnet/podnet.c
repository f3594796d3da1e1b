/*
 * podnet.c - addresses, and the pods that have them.
 *
 * Of a pod DIR/pods/ID holds its address, written first and removed last. One is complete when its
 * namespace is mounted and its port is on the bridge.
 */
#include "podnet/podnet.h"

#include "base/file.h"
#include "base/map.h"
#include "podnet/link.h"
#include "podnet/masquerade.h"
#include "podnet/space.h"

#include <dirent.h>
#include <errno.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct pod {
    struct map_node node; /* By id. */
    struct ip address;
    bool complete;
    char path[PODNET_PATH_MAX];
    char id[PODNET_ID_MAX + 1];
};

struct resting { /* An address of a pod that has left. */
    struct ip address;
    msec_t until_ms;
};

struct podnet {
    struct podnet_settings settings;
    char *dir, *bridge;
    int bridge_index;
    unsigned mtu;
    struct map pods; /* The loop's thread only. */
    uint32_t next;   /* Where the search for a free address begins. */
    struct resting *resting;
    size_t n_resting;
    pthread_mutex_t lock; /* Of `netlink`. */
    struct netlink netlink;
};

/* --- names --- */

static void ns_path(const struct podnet *podnet, const char *id, char path[PODNET_PATH_MAX])
{
    (void)snprintf(path, PODNET_PATH_MAX, "%s/ns/%.64s", podnet->dir, id);
}

static void pod_path(const struct podnet *podnet, const char *id, char path[PODNET_PATH_MAX])
{
    (void)snprintf(path, PODNET_PATH_MAX, "%s/pods/%.64s", podnet->dir, id);
}

/* Of the address, so that it says whose it is and no two are the same on one machine. */
static void port_name(struct ip address, char name[LINK_NAME_MAX])
{
    (void)snprintf(name, LINK_NAME_MAX, "veth%08x", ip_v4_number(address));
}

static bool id_is_valid(str_t id)
{
    if (id.len == 0 || id.len > PODNET_ID_MAX || id.at[0] == '.')
        return false;
    for (size_t i = 0; i < id.len; i++) {
        char c = id.at[i];
        bool fine = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    c == '-' || c == '_' || c == '.';
        if (!fine)
            return false;
    }
    return true;
}

/* --- pods and addresses --- */

static struct pod *pod_of(struct map_node *node)
{
    return CONTAINER_OF(node, struct pod, node);
}

static struct pod *pod_find(const struct podnet *podnet, str_t id)
{
    struct map_node *node = map_find(&podnet->pods, id);
    return node == NULL ? NULL : pod_of(node);
}

static struct pod *pod_new(struct podnet *podnet, str_t id, struct ip address)
{
    struct pod *pod = calloc(1, sizeof(*pod));
    MUST(pod != NULL && id.len <= PODNET_ID_MAX);
    memcpy(pod->id, id.at, id.len);
    pod->address = address;
    ns_path(podnet, pod->id, pod->path);
    map_add(&podnet->pods, str_from_z(pod->id), &pod->node);
    return pod;
}

static void pod_free(struct podnet *podnet, struct pod *pod)
{
    map_remove(&podnet->pods, &pod->node);
    free(pod);
}

static void rest(struct podnet *podnet, struct ip address)
{
    msec_t now_ms = loop_now_ms(podnet->settings.loop);
    size_t kept = 0;
    for (size_t i = 0; i < podnet->n_resting; i++)
        if (podnet->resting[i].until_ms > now_ms)
            podnet->resting[kept++] = podnet->resting[i];
    podnet->resting = reallocarray(podnet->resting, kept + 1, sizeof(*podnet->resting));
    MUST(podnet->resting != NULL);
    podnet->resting[kept] = (struct resting){address, now_ms + PODNET_ADDRESS_REST_MS};
    podnet->n_resting = kept + 1;
}

static bool is_taken(const struct podnet *podnet, struct ip address, bool tired_too)
{
    msec_t now_ms = loop_now_ms(podnet->settings.loop);
    for (size_t i = 0; i < podnet->pods.n_buckets; i++)
        for (struct map_node *node = podnet->pods.buckets[i]; node != NULL; node = node->next)
            if (ip_eq(pod_of(node)->address, address))
                return true;
    for (size_t i = 0; i < podnet->n_resting && !tired_too; i++)
        if (podnet->resting[i].until_ms > now_ms && ip_eq(podnet->resting[i].address, address))
            return true;
    return false;
}

/* Round and round: who left last is followed last. The first is the bridge's, the last everybody's.
 * One that rests is given only when there is no other. */
static int choose(struct podnet *podnet, struct ip *out, struct err *err)
{
    struct cidr pods = cidr_base(podnet->settings.pods);
    uint32_t first = ip_v4_number(pods.ip), size = 1U << (32 - pods.bits);
    for (int tired = 0; tired < 2; tired++)
        for (uint32_t i = 0; i < size; i++) {
            uint32_t at = (podnet->next + i) % size;
            struct ip address = ip_v4(first + at);
            if (at < 2 || at == size - 1 || is_taken(podnet, address, tired == 1))
                continue;
            podnet->next = at + 1;
            *out = address;
            return 0;
        }
    return err_set(err, ERR_BUSY, "no address is free for a pod");
}

/* --- what blocks --- */

static void take_down(struct podnet *podnet, const struct pod *pod)
{
    char name[LINK_NAME_MAX], file[PODNET_PATH_MAX];
    struct err ignored;
    port_name(pod->address, name);
    (void)pthread_mutex_lock(&podnet->lock);
    (void)link_delete(&podnet->netlink, name, &ignored);
    (void)pthread_mutex_unlock(&podnet->lock);
    space_remove(pod->path);
    pod_path(podnet, pod->id, file);
    (void)unlink(file);
}

static int furnish(struct podnet *podnet, const struct pod *pod, int fd, struct netlink *inside,
                   struct err *err)
{
    char name[LINK_NAME_MAX];
    uint8_t mac[6];
    link_hardware(pod->address, mac);
    port_name(pod->address, name);
    (void)pthread_mutex_lock(&podnet->lock);
    struct err ignored;
    (void)link_delete(&podnet->netlink, name, &ignored); /* Of a pod that nobody remembers. */
    int r = link_veth(&podnet->netlink, name, podnet->bridge_index, fd, mac, podnet->mtu, err);
    (void)pthread_mutex_unlock(&podnet->lock);
    return r < 0 ? r : link_inside(inside, pod->address, podnet_gateway(podnet), err);
}

static int set_up(struct podnet *podnet, const struct pod *pod, const struct podnet_want *want,
                  struct err *err)
{
    struct netlink *inside = calloc(1, sizeof(*inside));
    char file[PODNET_PATH_MAX], text[IP_TEXT_MAX];
    int fd = -1;
    MUST(inside != NULL);
    pod_path(podnet, pod->id, file);
    int r = file_write(file, 0600, str_from_z(ip_text(pod->address, text)), err);
    if (r == 0)
        r = space_make(pod->path, want, &fd, inside, err);
    if (r == 0)
        r = furnish(podnet, pod, fd, inside, err);
    netlink_close(inside);
    free(inside);
    if (fd >= 0)
        close(fd);
    if (r < 0)
        take_down(podnet, pod);
    return r;
}

/* --- calls --- */

static void add_work(struct job *job)
{
    struct podnet_call *call = CONTAINER_OF(job, struct podnet_call, job);
    if (call->r == 0 && !call->pod->complete)
        call->r = set_up(call->podnet, call->pod, call->want, &call->err);
}

static void add_done(struct job *job)
{
    struct podnet_call *call = CONTAINER_OF(job, struct podnet_call, job);
    struct pod *pod = call->pod;
    if (call->r < 0) {
        if (pod != NULL)
            pod_free(call->podnet, pod);
    } else {
        pod->complete = true;
        call->address = pod->address;
        (void)snprintf(call->path, sizeof(call->path), "%s", pod->path);
    }
    call->done(call);
}

void podnet_add(struct podnet *podnet, struct podnet_call *call, const struct podnet_want *want,
                void (*done)(struct podnet_call *call))
{
    struct ip address;
    *call = (struct podnet_call){.done = done, .podnet = podnet, .want = want};
    if (!id_is_valid(want->id))
        call->r = err_set(&call->err, ERR_INVALID, "'" STR_F "' cannot name a pod's network",
                          STR_A(want->id));
    else if ((call->pod = pod_find(podnet, want->id)) == NULL)
        call->r = choose(podnet, &address, &call->err);
    if (call->r == 0 && call->pod == NULL)
        call->pod = pod_new(podnet, want->id, address);
    call->job = (struct job){.work = add_work, .done = add_done};
    pool_run(podnet->settings.pool, &call->job);
}

static void remove_work(struct job *job)
{
    struct podnet_call *call = CONTAINER_OF(job, struct podnet_call, job);
    if (call->pod != NULL)
        take_down(call->podnet, call->pod);
}

static void remove_done(struct job *job)
{
    struct podnet_call *call = CONTAINER_OF(job, struct podnet_call, job);
    if (call->pod != NULL) {
        rest(call->podnet, call->pod->address);
        pod_free(call->podnet, call->pod);
    }
    call->done(call);
}

void podnet_remove(struct podnet *podnet, struct podnet_call *call, str_t id,
                   void (*done)(struct podnet_call *call))
{
    *call = (struct podnet_call){.done = done, .podnet = podnet};
    call->pod = pod_find(podnet, id);
    call->job = (struct job){.work = remove_work, .done = remove_done};
    pool_run(podnet->settings.pool, &call->job);
}

void podnet_each(struct podnet *podnet, void (*each)(void *to, const struct podnet_pod *pod),
                 void *to)
{
    for (size_t i = 0; i < podnet->pods.n_buckets; i++)
        for (struct map_node *node = podnet->pods.buckets[i]; node != NULL; node = node->next) {
            const struct pod *pod = pod_of(node);
            struct podnet_pod seen = {str_from_z(pod->id), pod->address, pod->path};
            if (pod->complete)
                each(to, &seen);
        }
}

/* --- its life --- */

struct ip podnet_gateway(const struct podnet *podnet)
{
    return ip_v4(ip_v4_number(cidr_base(podnet->settings.pods).ip) + 1);
}

unsigned podnet_mtu(const struct podnet *podnet)
{
    return podnet->mtu;
}

static int make_dirs(const struct podnet *podnet, struct err *err)
{
    static const char *const names[] = {"", "/ns", "/pods"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[PODNET_PATH_MAX];
        int n = snprintf(path, sizeof(path), "%s%s", podnet->dir, names[i]);
        if (n + PODNET_ID_MAX + 8 >= (int)sizeof(path))
            return err_set(err, ERR_INVALID, "the path '%s' is too long", podnet->dir);
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            return err_errno(err, "make '%s'", path);
    }
    return 0;
}

static int make_bridge(struct podnet *podnet, struct err *err)
{
    struct cidr own = {podnet_gateway(podnet), podnet->settings.pods.bits};
    char path[PODNET_PATH_MAX];
    int r = netlink_open(&podnet->netlink, NETLINK_ROUTE, err);
    if (r < 0)
        return r;
    podnet->mtu =
        podnet->settings.mtu != 0 ? podnet->settings.mtu : link_uplink_mtu(&podnet->netlink);
    r = link_bridge(&podnet->netlink, podnet->bridge, own, podnet->mtu, &podnet->bridge_index, err);
    if (r == 0 && podnet->settings.services.ip.family != 0)
        r = link_route(&podnet->netlink, podnet->settings.services, podnet->bridge_index, err);
    if (r == 0)
        r = sysctl_set("/proc/sys/net/ipv4/ip_forward", STR("1"), err);
    /* So that a port of the host on 127.0.0.1 can be a pod's. */
    (void)snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/route_localnet", podnet->bridge);
    if (r == 0)
        r = sysctl_set(path, STR("1"), err);
    return r < 0 ? r : masquerade_set(podnet->bridge, podnet->settings.pods, err);
}

static void see_port(void *to, const char *name)
{
    struct podnet *podnet = to;
    for (size_t i = 0; i < podnet->pods.n_buckets; i++)
        for (struct map_node *node = podnet->pods.buckets[i]; node != NULL; node = node->next) {
            char own[LINK_NAME_MAX];
            port_name(pod_of(node)->address, own);
            if (strcmp(own, name) == 0)
                pod_of(node)->complete = space_there(pod_of(node)->path);
        }
}

static void read_pod(struct podnet *podnet, const char *id)
{
    AUTO(arena_done) struct arena arena = {0};
    char file[PODNET_PATH_MAX], path[PODNET_PATH_MAX];
    struct ip address;
    struct err err;
    str_t text;
    if (!id_is_valid(str_from_z(id)))
        return;
    pod_path(podnet, id, file);
    if (file_read(&arena, file, IP_TEXT_MAX, &text, &err) == 0 && ip_parse(text, &address) &&
        cidr_has(podnet->settings.pods, address)) {
        (void)pod_new(podnet, str_from_z(id), address);
        return;
    }
    ns_path(podnet, id, path);
    space_remove(path);
    (void)unlink(file);
}

static int read_pods(struct podnet *podnet, struct err *err)
{
    char path[PODNET_PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/pods", podnet->dir);
    DIR *dir = opendir(path);
    const struct dirent *entry;
    if (dir == NULL)
        return err_errno(err, "open '%s'", path);
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            read_pod(podnet, entry->d_name);
    closedir(dir);
    int r = link_ports(&podnet->netlink, podnet->bridge_index, see_port, podnet, err);
    for (size_t i = 0; i < podnet->pods.n_buckets && r == 0; i++)
        for (struct map_node *node = podnet->pods.buckets[i], *next; node != NULL; node = next) {
            next = node->next;
            if (pod_of(node)->complete)
                continue;
            take_down(podnet, pod_of(node));
            pod_free(podnet, pod_of(node));
        }
    return r;
}

int podnet_open(const struct podnet_settings *settings, struct podnet **out, struct err *err)
{
    struct podnet *podnet = calloc(1, sizeof(*podnet));
    MUST(podnet != NULL);
    podnet->settings = *settings;
    podnet->dir = strdup(settings->dir);
    podnet->bridge = strdup(settings->bridge);
    MUST(podnet->dir != NULL && podnet->bridge != NULL);
    MUST(pthread_mutex_init(&podnet->lock, NULL) == 0);
    int r =
        settings->pods.ip.family == 4 && settings->pods.bits >= 8 && settings->pods.bits <= 29
            ? make_dirs(podnet, err)
            : err_set(err, ERR_INVALID, "addresses of pods must be an IPv4 prefix of /8 to /29");
    if (r == 0)
        r = make_bridge(podnet, err);
    if (r == 0)
        r = read_pods(podnet, err);
    if (r < 0) {
        podnet_close(podnet);
        return err_wrap(err, "network of pods");
    }
    *out = podnet;
    return 0;
}

void podnet_close(struct podnet *podnet)
{
    if (podnet == NULL)
        return;
    for (size_t i = 0; i < podnet->pods.n_buckets; i++)
        for (struct map_node *node = podnet->pods.buckets[i], *next; node != NULL; node = next) {
            next = node->next;
            free(pod_of(node));
        }
    map_done(&podnet->pods);
    netlink_close(&podnet->netlink);
    (void)pthread_mutex_destroy(&podnet->lock);
    free(podnet->resting);
    free(podnet->dir);
    free(podnet->bridge);
    free(podnet);
}

int podnet_uninstall(struct podnet *podnet, struct err *err)
{
    for (size_t i = 0; i < podnet->pods.n_buckets; i++)
        for (struct map_node *node = podnet->pods.buckets[i], *next; node != NULL; node = next) {
            next = node->next;
            take_down(podnet, pod_of(node));
            pod_free(podnet, pod_of(node));
        }
    int r = link_delete(&podnet->netlink, podnet->bridge, err);
    return r < 0 ? r : masquerade_remove(podnet->bridge, err);
}
