/* link.c - rtnetlink requests, put together attribute by attribute. */
#include "podnet/link.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

enum { MTU_USUAL = 1500, MTU_LEAST = 576, LOOPBACK = 1, OPEN_TRIES = 2000 };

static struct nlmsghdr *add_link(struct netlink *netlink, const char *what, uint16_t type,
                                 uint16_t flags, const struct ifinfomsg *info)
{
    struct nlmsghdr *head = netlink_add(netlink, what, type, flags);
    memcpy(mnl_nlmsg_put_extra_header(head, sizeof(*info)), info, sizeof(*info));
    return head;
}

static void add_up(struct netlink *netlink, const char *what, int index)
{
    struct ifinfomsg info = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    (void)add_link(netlink, what, RTM_NEWLINK, 0, &info);
}

static void add_address(struct netlink *netlink, int index, struct ip ip, unsigned bits)
{
    struct nlmsghdr *head =
        netlink_add(netlink, "set an address", RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
    struct ifaddrmsg *address = mnl_nlmsg_put_extra_header(head, sizeof(*address));
    address->ifa_family = AF_INET;
    address->ifa_prefixlen = (unsigned char)bits;
    address->ifa_index = (unsigned)index;
    mnl_attr_put(head, IFA_LOCAL, 4, ip.bytes);
    mnl_attr_put(head, IFA_ADDRESS, 4, ip.bytes);
}

/* To `to` over the interface, and through `gateway` unless it is none. */
static void add_route(struct netlink *netlink, struct cidr to, int index, struct ip gateway)
{
    struct nlmsghdr *head =
        netlink_add(netlink, "set a route", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
    struct rtmsg *route = mnl_nlmsg_put_extra_header(head, sizeof(*route));
    route->rtm_family = AF_INET;
    route->rtm_dst_len = to.bits;
    route->rtm_table = RT_TABLE_MAIN;
    route->rtm_protocol = RTPROT_STATIC;
    route->rtm_type = RTN_UNICAST;
    route->rtm_scope = gateway.family == 0 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    if (to.bits > 0)
        mnl_attr_put(head, RTA_DST, 4, to.ip.bytes);
    if (gateway.family != 0)
        mnl_attr_put(head, RTA_GATEWAY, 4, gateway.bytes);
    mnl_attr_put_u32(head, RTA_OIF, (uint32_t)index);
}

void link_hardware(struct ip ip, uint8_t mac[6])
{
    mac[0] = 0x0a;
    mac[1] = 0x58;
    memcpy(mac + 2, ip.bytes, 4);
}

int link_index(struct netlink *netlink, const char *name, int *index, struct err *err)
{
    struct ifreq request = {0};
    memcpy(request.ifr_name, name, strnlen(name, sizeof(request.ifr_name) - 1));
    if (ioctl(mnl_socket_get_fd(netlink->socket), SIOCGIFINDEX, &request) < 0)
        return err_errno(err, "find the interface '%s'", name);
    *index = request.ifr_ifindex;
    return 0;
}

static int bridge_make(struct netlink *netlink, const char *name, struct ip ip, struct err *err)
{
    uint8_t mac[6];
    struct ifinfomsg none = {0};
    struct nlmsghdr *head =
        add_link(netlink, "make a bridge", RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &none);
    netlink_may(netlink, EEXIST);
    mnl_attr_put_strz(head, IFLA_IFNAME, name);
    /* Else it is that of a port, and changes as pods come and go. */
    link_hardware(ip, mac);
    mnl_attr_put(head, IFLA_ADDRESS, sizeof(mac), mac);
    struct nlattr *link = mnl_attr_nest_start(head, IFLA_LINKINFO);
    mnl_attr_put_strz(head, IFLA_INFO_KIND, "bridge");
    struct nlattr *data = mnl_attr_nest_start(head, IFLA_INFO_DATA);
    mnl_attr_put_u8(head, IFLA_BR_MCAST_SNOOPING, 0); /* Timers for each port, for nothing. */
    mnl_attr_nest_end(head, data);
    mnl_attr_nest_end(head, link);
    return netlink_send(netlink, err);
}

int link_bridge(struct netlink *netlink, const char *name, struct cidr address, unsigned mtu,
                int *index, struct err *err)
{
    int r = bridge_make(netlink, name, address.ip, err);
    r = r < 0 ? r : link_index(netlink, name, index, err);
    if (r < 0)
        return r;
    struct ifinfomsg info = {.ifi_index = *index};
    struct nlmsghdr *head = add_link(netlink, "set the bridge's mtu", RTM_NEWLINK, 0, &info);
    mnl_attr_put_u32(head, IFLA_MTU, mtu);
    add_up(netlink, "set the bridge up", *index);
    add_address(netlink, *index, address.ip, address.bits);
    return netlink_send(netlink, err);
}

/*
 * Both ends at once, and the port's settings with them. eth0 is set up later, from inside: a peer
 * that is up before it has its other end is refused by the kernel.
 */
int link_veth(struct netlink *netlink, const char *name, int bridge, int ns, const uint8_t mac[6],
              unsigned mtu, struct err *err)
{
    struct ifinfomsg up = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    struct nlmsghdr *head =
        add_link(netlink, "make a veth", RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &up);
    mnl_attr_put_strz(head, IFLA_IFNAME, name);
    mnl_attr_put_u32(head, IFLA_MASTER, (uint32_t)bridge);
    mnl_attr_put_u32(head, IFLA_MTU, mtu);
    struct nlattr *link = mnl_attr_nest_start(head, IFLA_LINKINFO);
    mnl_attr_put_strz(head, IFLA_INFO_KIND, "veth");
    struct nlattr *data = mnl_attr_nest_start(head, IFLA_INFO_DATA);
    struct nlattr *peer = mnl_attr_nest_start(head, VETH_INFO_PEER);
    (void)mnl_nlmsg_put_extra_header(head, sizeof(struct ifinfomsg));
    mnl_attr_put_strz(head, IFLA_IFNAME, "eth0");
    mnl_attr_put(head, IFLA_ADDRESS, 6, mac);
    mnl_attr_put_u32(head, IFLA_MTU, mtu);
    mnl_attr_put_u32(head, IFLA_NET_NS_FD, (uint32_t)ns);
    mnl_attr_nest_end(head, peer);
    mnl_attr_nest_end(head, data);
    mnl_attr_nest_end(head, link);
    int index, r = netlink_send(netlink, err);
    r = r < 0 ? r : link_index(netlink, name, &index, err);
    if (r < 0)
        return r;
    /* Where br_netfilter rewrites a Service's address to the pod that asks, it goes back. */
    struct ifinfomsg port = {.ifi_family = AF_BRIDGE, .ifi_index = index};
    head = add_link(netlink, "set hairpin", RTM_SETLINK, 0, &port);
    struct nlattr *settings = mnl_attr_nest_start(head, IFLA_PROTINFO | NLA_F_NESTED);
    mnl_attr_put_u8(head, IFLA_BRPORT_MODE, 1);
    mnl_attr_nest_end(head, settings);
    return netlink_send(netlink, err);
}

int link_inside(struct netlink *netlink, struct ip ip, struct ip gateway, struct err *err)
{
    int eth0;
    int r = link_index(netlink, "eth0", &eth0, err);
    if (r < 0)
        return r;
    add_up(netlink, "set lo up", LOOPBACK);
    add_up(netlink, "set eth0 up", eth0);
    add_address(netlink, eth0, ip, 32);
    add_route(netlink, (struct cidr){gateway, 32}, eth0, (struct ip){0});
    add_route(netlink, (struct cidr){0}, eth0, gateway);
    return netlink_send(netlink, err);
}

int link_route(struct netlink *netlink, struct cidr to, int index, struct err *err)
{
    add_route(netlink, cidr_base(to), index, (struct ip){0});
    return netlink_send(netlink, err);
}

int link_delete(struct netlink *netlink, const char *name, struct err *err)
{
    struct ifinfomsg none = {0};
    struct nlmsghdr *head = add_link(netlink, "delete an interface", RTM_DELLINK, 0, &none);
    mnl_attr_put_strz(head, IFLA_IFNAME, name);
    netlink_may(netlink, ENODEV);
    return netlink_send(netlink, err);
}

/* --- what is there --- */

static const struct nlattr *find(const struct nlmsghdr *head, size_t offset, uint16_t type)
{
    const char *end = mnl_nlmsg_get_payload_tail(head);
    for (const struct nlattr *attr = mnl_nlmsg_get_payload_offset(head, offset);
         mnl_attr_ok(attr, (int)(end - (const char *)attr)); attr = mnl_attr_next(attr))
        if (mnl_attr_get_type(attr) == type)
            return attr;
    return NULL;
}

static const struct nlattr *find_in(const struct nlattr *nest, uint16_t type)
{
    const struct nlattr *attr;
    if (nest != NULL)
        mnl_attr_for_each_nested(attr, nest) if (mnl_attr_get_type(attr) == type) return attr;
    return NULL;
}

static void state_seen(void *to, const struct nlmsghdr *head)
{
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(head);
    const struct nlattr *kind = find(head, sizeof(*info), IFLA_LINKINFO);
    const struct nlattr *state = find_in(find_in(kind, IFLA_INFO_SLAVE_DATA), IFLA_BRPORT_STATE);
    *(bool *)to = state != NULL ? mnl_attr_get_u8(state) == BR_STATE_FORWARDING
                                : (info->ifi_flags & IFF_RUNNING) != 0;
}

static int wait_open(struct netlink *netlink, int index, struct err *err)
{
    bool open = false;
    int r = 0;
    for (int i = 0; i < OPEN_TRIES && r == 0 && !open; i++) {
        struct ifinfomsg info = {.ifi_index = index};
        if (i > 0)
            (void)poll(NULL, 0, 1);
        (void)add_link(netlink, "look at an interface", RTM_GETLINK, 0, &info);
        r = netlink_get(netlink, state_seen, &open, err);
    }
    return r; /* If it still is not open, it will be. */
}

/*
 * A port is closed until the kernel has noticed that its other end is up, and the bridge itself
 * until it has noticed its first port. It does so later, and when it has much to do much later:
 * what is sent first would be lost, and be sent again after a second. Newer kernels look when
 * asked.
 */
int link_wait_open(struct netlink *netlink, const char *name, int bridge, struct err *err)
{
    int index;
    int r = link_index(netlink, name, &index, err);
    r = r < 0 ? r : wait_open(netlink, index, err);
    return r < 0 ? r : wait_open(netlink, bridge, err);
}

struct ports {
    int bridge;
    void (*each)(void *to, const char *name);
    void *to;
};

static void port_seen(void *to, const struct nlmsghdr *head)
{
    const struct ports *ports = to;
    const struct nlattr *master = find(head, sizeof(struct ifinfomsg), IFLA_MASTER);
    const struct nlattr *name = find(head, sizeof(struct ifinfomsg), IFLA_IFNAME);
    if (master != NULL && name != NULL && mnl_attr_get_u32(master) == (uint32_t)ports->bridge)
        ports->each(ports->to, mnl_attr_get_str(name));
}

int link_ports(struct netlink *netlink, int bridge, void (*each)(void *to, const char *name),
               void *to, struct err *err)
{
    struct ports ports = {bridge, each, to};
    struct ifinfomsg all = {.ifi_family = AF_UNSPEC};
    (void)add_link(netlink, "list interfaces", RTM_GETLINK, 0, &all);
    return netlink_dump(netlink, port_seen, &ports, err);
}

struct way_out {
    uint32_t metric;
    uint32_t index;
};

static void route_seen(void *to, const struct nlmsghdr *head)
{
    struct way_out *way = to;
    const struct rtmsg *route = mnl_nlmsg_get_payload(head);
    const struct nlattr *index = find(head, sizeof(*route), RTA_OIF);
    const struct nlattr *metric = find(head, sizeof(*route), RTA_PRIORITY);
    uint32_t n = metric == NULL ? 0 : mnl_attr_get_u32(metric);
    if (route->rtm_dst_len > 0 || route->rtm_type != RTN_UNICAST ||
        route->rtm_table != RT_TABLE_MAIN || index == NULL || (way->index != 0 && way->metric <= n))
        return;
    way->metric = n;
    way->index = mnl_attr_get_u32(index);
}

unsigned link_uplink_mtu(struct netlink *netlink)
{
    struct way_out way = {0};
    struct ifreq request = {0};
    struct err err;
    struct nlmsghdr *head = netlink_add(netlink, "list routes", RTM_GETROUTE, 0);
    struct rtmsg *route = mnl_nlmsg_put_extra_header(head, sizeof(*route));
    route->rtm_family = AF_INET;
    int fd = mnl_socket_get_fd(netlink->socket);
    if (netlink_dump(netlink, route_seen, &way, &err) < 0 || way.index == 0)
        return MTU_USUAL;
    request.ifr_ifindex = (int)way.index;
    if (ioctl(fd, SIOCGIFNAME, &request) < 0 || ioctl(fd, SIOCGIFMTU, &request) < 0 ||
        request.ifr_mtu < MTU_LEAST)
        return MTU_USUAL;
    return (unsigned)request.ifr_mtu;
}
