/* netlink.c - libmnl with batches; the kernel's own words become part of our errors. */
#include "podnet/netlink.h"

#include <errno.h>
#include <string.h>
#include <time.h>

int netlink_open(struct netlink *netlink, int bus, struct err *err)
{
    *netlink = (struct netlink){.seq = 1};
    netlink->socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
    if (netlink->socket == NULL)
        return err_errno(err, "open a netlink socket");
    /* Without these an error is only a number, with our own request repeated behind it. */
    int on = 1;
    (void)mnl_socket_setsockopt(netlink->socket, NETLINK_EXT_ACK, &on, sizeof(on));
    (void)mnl_socket_setsockopt(netlink->socket, NETLINK_CAP_ACK, &on, sizeof(on));
    if (mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
        (void)err_errno(err, "bind a netlink socket");
        netlink_close(netlink);
        return ERR_NEGATIVE(err->code);
    }
    return 0;
}

void netlink_close(struct netlink *netlink)
{
    if (netlink != NULL && netlink->socket != NULL)
        mnl_socket_close(netlink->socket);
    if (netlink != NULL)
        netlink->socket = NULL;
}

static void finish(struct netlink *netlink)
{
    if (netlink->open != NULL)
        netlink->used += MNL_ALIGN(netlink->open->nlmsg_len);
    netlink->open = NULL;
    MUST(netlink->used <= NETLINK_BYTES);
}

struct nlmsghdr *netlink_add(struct netlink *netlink, const char *what, uint16_t type,
                             uint16_t flags)
{
    finish(netlink);
    MUST(netlink->n < NETLINK_REQUESTS_MAX && netlink->used + 1024 <= NETLINK_BYTES);
    struct nlmsghdr *head = mnl_nlmsg_put_header(netlink->bytes + netlink->used);
    head->nlmsg_type = type;
    head->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    head->nlmsg_seq = netlink->seq + (uint32_t)netlink->n;
    netlink->what[netlink->n] = what;
    netlink->may[netlink->n++] = 0;
    netlink->open = head;
    return head;
}

void netlink_may(struct netlink *netlink, int number)
{
    netlink->may[netlink->n - 1] = number;
}

/* The kernel's sentence, if it has one: "Bridge is not up" */
static const char *sentence(const struct nlmsghdr *head)
{
    if ((head->nlmsg_flags & NLM_F_ACK_TLVS) == 0)
        return NULL;
    const char *end = mnl_nlmsg_get_payload_tail(head);
    for (const struct nlattr *attr = mnl_nlmsg_get_payload_offset(head, sizeof(struct nlmsgerr));
         mnl_attr_ok(attr, (int)(end - (const char *)attr)); attr = mnl_attr_next(attr))
        if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
            mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
            return mnl_attr_get_str(attr);
    return NULL;
}

static int answer(const struct netlink *netlink, const struct nlmsghdr *head, int so_far,
                  struct err *err)
{
    const struct nlmsgerr *error = mnl_nlmsg_get_payload(head);
    size_t which = head->nlmsg_seq - netlink->seq;
    if (error->error == 0 || which >= netlink->n || -error->error == netlink->may[which] ||
        so_far < 0)
        return so_far;
    const char *words = sentence(head);
    errno = -error->error;
    if (words != NULL)
        return err_errno(err, "%s: %s", netlink->what[which], words);
    return err_errno(err, "%s", netlink->what[which]);
}

static void next(struct netlink *netlink)
{
    netlink->seq += (uint32_t)netlink->n;
    netlink->n = netlink->used = 0;
}

static int send_all(struct netlink *netlink, struct err *err)
{
    finish(netlink);
    if (mnl_socket_sendto(netlink->socket, netlink->bytes, netlink->used) < 0)
        return err_errno(err, "%s", netlink->what[0]);
    return 0;
}

int netlink_send(struct netlink *netlink, struct err *err)
{
    char bytes[NETLINK_BYTES] __attribute__((aligned(16)));
    for (size_t at = 0, i = 0; i < netlink->n; i++) {
        struct nlmsghdr *head = (struct nlmsghdr *)(void *)(netlink->bytes + at);
        head->nlmsg_flags |= NLM_F_ACK;
        at += MNL_ALIGN(head->nlmsg_len);
    }
    int r = send_all(netlink, err);
    for (size_t left = r < 0 ? 0 : netlink->n; left > 0;) {
        ssize_t n = mnl_socket_recvfrom(netlink->socket, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            r = err_errno(err, "%s", netlink->what[0]);
            break;
        }
        int rest = (int)n;
        for (struct nlmsghdr *head = (struct nlmsghdr *)(void *)bytes; mnl_nlmsg_ok(head, rest);
             head = mnl_nlmsg_next(head, &rest))
            if (head->nlmsg_type == NLMSG_ERROR) {
                r = answer(netlink, head, r, err);
                left -= left > 0;
            }
    }
    next(netlink);
    return r;
}

/* 1: go on. 0: that was the last. */
static int take(const struct netlink *netlink, const struct nlmsghdr *head,
                void (*each)(void *to, const struct nlmsghdr *message), void *to, struct err *err)
{
    if (head->nlmsg_seq != netlink->seq)
        return 1;
    if (head->nlmsg_type == NLMSG_ERROR)
        return answer(netlink, head, 0, err);
    if (head->nlmsg_type == NLMSG_DONE)
        return 0;
    each(to, head);
    return 1;
}

static int ask(struct netlink *netlink, uint16_t flags,
               void (*each)(void *to, const struct nlmsghdr *message), void *to, struct err *err)
{
    char bytes[32 * 1024] __attribute__((aligned(16)));
    netlink->open->nlmsg_flags |= flags;
    int r = send_all(netlink, err);
    for (r = r < 0 ? r : 1; r > 0;) {
        ssize_t n = mnl_socket_recvfrom(netlink->socket, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            r = err_errno(err, "%s", netlink->what[0]);
        int rest = (int)n;
        for (struct nlmsghdr *head = (struct nlmsghdr *)(void *)bytes;
             r > 0 && mnl_nlmsg_ok(head, rest); head = mnl_nlmsg_next(head, &rest))
            r = take(netlink, head, each, to, err);
    }
    next(netlink);
    return r;
}

int netlink_dump(struct netlink *netlink, void (*each)(void *to, const struct nlmsghdr *message),
                 void *to, struct err *err)
{
    return ask(netlink, NLM_F_DUMP, each, to, err);
}

/* With an acknowledgement, which comes last: then the end is seen as that of a dump is. */
int netlink_get(struct netlink *netlink, void (*each)(void *to, const struct nlmsghdr *message),
                void *to, struct err *err)
{
    return ask(netlink, NLM_F_ACK, each, to, err);
}
