/* sockets.c - the few socket calls there are. */
#include "net/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un un;
};

static int fail(int fd, struct err *err)
{
    if (fd >= 0)
        close(fd);
    return ERR_NEGATIVE(err->code);
}

static int tcp_address(const char *host, uint16_t port, union address *at, socklen_t *len,
                       struct err *err)
{
    *at = (union address){0};
    if (inet_pton(AF_INET, host, &at->v4.sin_addr) == 1) {
        at->v4.sin_family = AF_INET;
        at->v4.sin_port = htons(port);
        *len = sizeof(at->v4);
    } else if (inet_pton(AF_INET6, host, &at->v6.sin6_addr) == 1) {
        at->v6.sin6_family = AF_INET6;
        at->v6.sin6_port = htons(port);
        *len = sizeof(at->v6);
    } else {
        return err_set(err, ERR_INVALID, "'%s' is not an IP address", host);
    }
    return 0;
}

int socket_listen_tcp(const char *host, uint16_t *port, struct err *err)
{
    union address at;
    socklen_t len;
    int r = tcp_address(host, *port, &at, &len, err);
    if (r < 0)
        return r;
    int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
        bind(fd, &at.any, len) < 0 || listen(fd, SOMAXCONN) < 0 ||
        getsockname(fd, &at.any, &len) < 0) {
        err_errno(err, "listen on %s port %u", host, (unsigned)*port);
        return fail(fd, err);
    }
    *port = ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
    return fd;
}

static int unix_address(const char *path, union address *at, struct err *err)
{
    *at = (union address){.un = {.sun_family = AF_UNIX}};
    if (strlen(path) >= sizeof(at->un.sun_path))
        return err_set(err, ERR_INVALID, "the path '%s' is too long for a socket", path);
    memcpy(at->un.sun_path, path, strlen(path));
    return 0;
}

int socket_listen_unix(const char *path, unsigned mode, struct err *err)
{
    union address at;
    int r = unix_address(path, &at, err);
    if (r < 0)
        return r;
    (void)unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, &at.any, sizeof(at.un)) < 0 || chmod(path, mode) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        err_errno(err, "listen on '%s'", path);
        return fail(fd, err);
    }
    return fd;
}

int socket_accept(int fd, struct err *err)
{
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client >= 0)
        return client;
    if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR)
        return err_set(err, ERR_BUSY, "nobody waits");
    return err_errno(err, "accept");
}

static int dial(const union address *at, socklen_t len, const char *where, struct err *err)
{
    int fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    if (fd < 0 || (connect(fd, &at->any, len) < 0 && errno != EINPROGRESS)) {
        err_errno(err, "connect to '%s'", where);
        return fail(fd, err);
    }
    if (at->any.sa_family != AF_UNIX)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

int socket_dial_tcp(const char *address, uint16_t port, struct err *err)
{
    union address at;
    socklen_t len;
    int r = tcp_address(address, port, &at, &len, err);
    return r < 0 ? r : dial(&at, len, address, err);
}

int socket_dial_unix(const char *path, struct err *err)
{
    union address at;
    int r = unix_address(path, &at, err);
    return r < 0 ? r : dial(&at, sizeof(at.un), path, err);
}

int socket_connect_unix(const char *path, struct err *err)
{
    union address at;
    int r = unix_address(path, &at, err);
    if (r < 0)
        return r;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, &at.any, sizeof(at.un)) < 0) {
        err_errno(err, "connect to '%s'", path);
        return fail(fd, err);
    }
    return fd;
}

bool socket_peer_uid(int fd, uint32_t *uid)
{
    union address at = {0};
    socklen_t len = sizeof(at);
    if (getsockname(fd, &at.any, &len) < 0 || at.any.sa_family != AF_UNIX)
        return false;
    struct ucred peer;
    len = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return false;
    *uid = peer.uid;
    return true;
}

str_t socket_peer_address(int fd, struct arena *arena)
{
    union address at = {0};
    socklen_t len = sizeof(at);
    char text[INET6_ADDRSTRLEN];
    if (getpeername(fd, &at.any, &len) < 0)
        return STR("");
    const void *ip = at.any.sa_family == AF_INET    ? (const void *)&at.v4.sin_addr
                     : at.any.sa_family == AF_INET6 ? (const void *)&at.v6.sin6_addr
                                                    : NULL;
    if (ip == NULL || inet_ntop(at.any.sa_family, ip, text, sizeof(text)) == NULL)
        return STR("");
    return arena_str(arena, str_from_z(text));
}

int socket_send_unix(const char *path, str_t text, struct err *err)
{
    union address at;
    int r = unix_address(path, &at, err);
    if (r < 0)
        return r;
    if (at.un.sun_path[0] == '@')
        at.un.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (fd < 0 || sendto(fd, text.at, text.len, MSG_NOSIGNAL, &at.any, len) < 0) {
        err_errno(err, "send to '%s'", path);
        return fail(fd, err);
    }
    close(fd);
    return 0;
}
