/* sockets.h - listening, accepting and connecting without blocking. All close-on-exec. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

/* `host` is an address, not a name. Port 0: any; *port says which. Gives the descriptor. */
int socket_listen_tcp(const char *host, uint16_t *port, struct err *err);
/* A socket left over from a dead process is replaced. */
int socket_listen_unix(const char *path, unsigned mode, struct err *err);
/* Not waiting for the connection to be there: the first write waits. `address` is an IP address. */
int socket_dial_tcp(const char *address, uint16_t port, struct err *err);
int socket_dial_unix(const char *path, struct err *err);
/* The descriptor, STREAM_AGAIN-like ERR_BUSY when nobody waits, or ERR_IO. */
int socket_accept(int fd, struct err *err);
int socket_connect_unix(const char *path, struct err *err); /* Blocking descriptor. */
bool socket_peer_uid(int fd, uint32_t *uid);                /* Unix sockets only. */
/* The other side's IP address as text; "" for unix sockets and for those that are gone. */
str_t socket_peer_address(int fd, struct arena *arena);
/* One datagram to a unix socket ('@' begins an abstract name), as systemd's notify protocol wants.
 */
int socket_send_unix(const char *path, str_t text, struct err *err);
