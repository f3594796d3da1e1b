/*
 * netlink.h - requests to the kernel, several in one message, each answered.
 *
 * A socket belongs to the network namespace of the thread that opened it, whoever uses it later.
 * Blocking; one thread at a time.
 */
#pragma once

#include "base/err.h"

#include <libmnl/libmnl.h>

enum { NETLINK_REQUESTS_MAX = 8, NETLINK_BYTES = 8192 };

struct netlink {
    struct mnl_socket *socket;
    uint32_t seq;
    size_t used; /* Bytes of finished requests. */
    size_t n;
    const char *what[NETLINK_REQUESTS_MAX]; /* For the error's text. */
    int may[NETLINK_REQUESTS_MAX];          /* An errno that is no error; 0: none. */
    struct nlmsghdr *open;
    char bytes[NETLINK_BYTES] __attribute__((aligned(16)));
};

int netlink_open(struct netlink *netlink, int bus, struct err *err);
void netlink_close(struct netlink *netlink); /* All zero, or closed already: nothing. */

/* One more request; it is put together with libmnl's mnl_attr_put...(). */
struct nlmsghdr *netlink_add(struct netlink *netlink, const char *what, uint16_t type,
                             uint16_t flags);
void netlink_may(struct netlink *netlink, int number); /* Of the request just added. */
/* Sends them all and waits for every answer; the first that failed is the error. */
int netlink_send(struct netlink *netlink, struct err *err);
/* Sends the one that was added and hands over the answer. */
int netlink_get(struct netlink *netlink, void (*each)(void *to, const struct nlmsghdr *message),
                void *to, struct err *err);
/* Sends the one that was added, a dump, and hands over what comes. */
int netlink_dump(struct netlink *netlink, void (*each)(void *to, const struct nlmsghdr *message),
                 void *to, struct err *err);
