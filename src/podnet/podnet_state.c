/*
 * podnet_state.c - what is known of pods across a restart: a small file for each, "10.244.0.5" and
 * a line "tcp 0.0.0.0 8080 80" for each port. Not synced: after a reboot nothing of it is true.
 */
#include "base/file.h"
#include "podnet/podnet_priv.h"
#include "podnet/space.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATE_BYTES_MAX = 64 * 1024 };

static const struct {
    const char *name;
    uint8_t number;
} protocols[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP}};

static void state_path(const struct podnet *podnet, const char *id, bool complete, char *path,
                       size_t size)
{
    (void)snprintf(path, size, "%s/pods/%.64s%s", podnet->dir, id, complete ? "" : "~");
}

int net_pod_write(const struct podnet *podnet, const struct net_pod *pod, struct err *err)
{
    char path[PODNET_PATH_MAX], ip[IP_TEXT_MAX];
    AUTO(buf_done) struct buf text = {0};
    buf_printf(&text, "%s\n", ip_text(pod->address, ip));
    for (size_t i = 0; i < pod->n_ports; i++) {
        const struct podnet_port *port = &pod->ports[i];
        for (size_t k = 0; k < ARRAY_LEN(protocols); k++)
            if (protocols[k].number == port->protocol)
                buf_printf(&text, "%s %s %u %u\n", protocols[k].name,
                           port->host_ip.family == 0 ? "*" : ip_text(port->host_ip, ip),
                           port->host_port, port->pod_port);
    }
    state_path(podnet, pod->id, false, path, sizeof(path));
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, "make '%s'", path);
    if (write(fd, text.at, text.len) != (ssize_t)text.len)
        return err_errno(err, "write '%s'", path);
    return 0;
}

int net_pod_complete(const struct podnet *podnet, const struct net_pod *pod, struct err *err)
{
    char from[PODNET_PATH_MAX], to[PODNET_PATH_MAX];
    state_path(podnet, pod->id, false, from, sizeof(from));
    state_path(podnet, pod->id, true, to, sizeof(to));
    return rename(from, to) < 0 ? err_errno(err, "rename '%s'", from) : 0;
}

void net_pod_erase(const struct podnet *podnet, const char *id)
{
    char path[PODNET_PATH_MAX];
    for (int complete = 0; complete < 2; complete++) {
        state_path(podnet, id, complete == 1, path, sizeof(path));
        (void)unlink(path);
    }
}

static bool number(str_t text, uint16_t *out)
{
    int64_t n;
    if (!str_to_i64(text, &n) || n < 1 || n > UINT16_MAX)
        return false;
    *out = (uint16_t)n;
    return true;
}

static bool port_read(str_t line, struct podnet_port *port)
{
    str_t protocol, ip, host, pod;
    *port = (struct podnet_port){0};
    if (!str_cut(line, ' ', &protocol, &ip) || !str_cut(ip, ' ', &ip, &host) ||
        !str_cut(host, ' ', &host, &pod))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
        if (str_eq(protocol, str_from_z(protocols[i].name)))
            port->protocol = protocols[i].number;
    return port->protocol != 0 && (str_eq(ip, STR("*")) || ip_parse(ip, &port->host_ip)) &&
           number(host, &port->host_port) && number(pod, &port->pod_port);
}

bool net_pod_read(str_t text, struct ip *address, struct podnet_port *ports, size_t *n)
{
    str_t line;
    *n = 0;
    if (!str_cut(text, '\n', &line, &text) || !ip_parse(line, address) || address->family != 4)
        return false;
    while (text.len > 0) {
        if (*n == PODNET_PORTS_MAX || !str_cut(text, '\n', &line, &text) ||
            !port_read(line, &ports[*n]))
            return false;
        (*n)++;
    }
    return true;
}

/* --- at start-up --- */

static bool take_in(struct podnet *podnet, const char *id, struct netlink *netlink)
{
    AUTO(arena_done) struct arena arena = {0};
    struct podnet_port *ports = arena_array(&arena, struct podnet_port, PODNET_PORTS_MAX);
    char path[PODNET_PATH_MAX], ns[PODNET_PATH_MAX], name[LINK_NAME_MAX];
    struct ip address;
    size_t n;
    int index;
    str_t text;
    struct err err;
    state_path(podnet, id, true, path, sizeof(path));
    if (!podnet_id_ok(str_from_z(id)) || podnet_ns_path(podnet, id, ns, &err) < 0 ||
        file_read(&arena, path, STATE_BYTES_MAX, &text, &err) < 0 ||
        !net_pod_read(text, &address, ports, &n) || !space_there(ns))
        return false;
    podnet_link_name(address, name);
    if (link_index(netlink, name, &index, &err) < 0 || !ipam_claim(&podnet->ipam, address))
        return false;
    net_pod_new(podnet, str_from_z(id), address, ports, n)->state = NET_POD_THERE;
    return true;
}

struct leftovers {
    struct podnet *podnet;
    char names[256][LINK_NAME_MAX];
    size_t n;
};

static void port_seen(void *to, const char *name)
{
    struct leftovers *left = to;
    char *end;
    uint32_t number = strncmp(name, "veth", 4) == 0 ? (uint32_t)strtoul(name + 4, &end, 16) : 0;
    if (number == 0 || strlen(name) != 12 || *end != '\0' ||
        ipam_has(&left->podnet->ipam, ip_v4(number)) || left->n == ARRAY_LEN(left->names))
        return;
    (void)snprintf(left->names[left->n++], LINK_NAME_MAX, "veth%08x", number);
}

static int remove_ports(struct podnet *podnet, struct netlink *netlink, struct err *err)
{
    struct leftovers left;
    int r;
    do {
        left = (struct leftovers){.podnet = podnet};
        r = link_ports(netlink, podnet->bridge_index, port_seen, &left, err);
        for (size_t i = 0; i < left.n && r == 0; i++)
            r = link_delete(netlink, left.names[i], err);
    } while (r == 0 && left.n == ARRAY_LEN(left.names));
    return r;
}

static int each_file(struct podnet *podnet, const char *below,
                     void (*each)(struct podnet *podnet, const char *name, struct netlink *netlink),
                     struct netlink *netlink, struct err *err)
{
    char path[PODNET_PATH_MAX];
    const struct dirent *entry;
    (void)snprintf(path, sizeof(path), "%s/%s", podnet->dir, below);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return err_errno(err, "open '%s'", path);
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            each(podnet, entry->d_name, netlink);
    closedir(dir);
    return 0;
}

static void find_pod(struct podnet *podnet, const char *name, struct netlink *netlink)
{
    char path[PODNET_PATH_MAX];
    if (!take_in(podnet, name, netlink)) {
        (void)snprintf(path, sizeof(path), "%s/pods/%.*s", podnet->dir, PODNET_ID_MAX + 1, name);
        (void)unlink(path);
    }
}

static void find_space(struct podnet *podnet, const char *name, struct netlink *netlink)
{
    char path[PODNET_PATH_MAX];
    (void)netlink;
    if (map_find(&podnet->pods, str_from_z(name)) != NULL)
        return;
    (void)snprintf(path, sizeof(path), "%s/ns/%.*s", podnet->dir, PODNET_ID_MAX, name);
    space_remove(path);
}

int podnet_find(struct podnet *podnet, struct err *err)
{
    struct netlink netlink;
    int r = netlink_open(&netlink, NETLINK_ROUTE, err);
    r = r < 0 ? r : each_file(podnet, "pods", find_pod, &netlink, err);
    r = r < 0 ? r : each_file(podnet, "ns", find_space, &netlink, err);
    r = r < 0 ? r : remove_ports(podnet, &netlink, err);
    netlink_close(&netlink);
    return r;
}
