/* registry_door.c - a server of its own: who pushes images has nothing to do with pods. */
#include "node/registry_door.h"

#include "http/server.h"
#include "images/registry.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { NAME_BYTES = 32, CONNECTIONS_MAX = 256 };

struct registry_door {
    struct registry *registry;
    struct http_server *server;
};

static int name_of(int fd, char name[NAME_BYTES], struct err *err)
{
    struct sockaddr_in address = {0};
    socklen_t len = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        return err_errno(err, "ask for the registry's port");
    (void)snprintf(name, NAME_BYTES, "localhost:%u", (unsigned)ntohs(address.sin_port));
    return 0;
}

int registry_door_open(struct images *images, struct loop *loop, int fd, struct registry_door **out,
                       struct err *err)
{
    char name[NAME_BYTES];
    struct registry_settings settings = {images, loop, name};
    struct http_server_limits limits = {.connections_max = CONNECTIONS_MAX};
    struct registry_door *door = calloc(1, sizeof(*door));
    MUST(door != NULL);
    int r = name_of(fd, name, err);
    if (r == 0)
        r = registry_open(&settings, &door->registry, err);
    if (r == 0) {
        struct http_handler handler = registry_handler(door->registry);
        r = http_server_new(loop, &handler, &limits, &door->server, err);
    }
    if (r == 0)
        r = http_server_listen(door->server, fd, NULL, err);
    if (r < 0) {
        registry_door_close(door);
        return r;
    }
    *out = door;
    return 0;
}

void registry_door_close(struct registry_door *door)
{
    if (door == NULL)
        return;
    http_server_free(door->server);
    registry_close(door->registry);
    free(door);
}
