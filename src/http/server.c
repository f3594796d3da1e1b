/* server.c - accepting, read buffers, and the end of a server. */
#include "http/server_priv.h"
#include "net/sockets.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPTS_MAX = 16, ACCEPT_PAUSE_MS = 100 };

struct listener {
    struct list link;
    struct http_server *server;
    struct loop_fd watch;
    struct timer pause; /* Too many descriptors: try again a little later. */
    struct tls_config *tls;
    int fd;
    bool local;
};

char *slab_take(struct http_server *server)
{
    void *slab = server->slabs;
    if (slab == NULL) {
        slab = malloc(SLAB_BYTES);
        MUST(slab != NULL);
        return slab;
    }
    memcpy(&server->slabs, slab, sizeof(void *));
    server->n_slabs--;
    return slab;
}

void slab_give(struct http_server *server, char *slab)
{
    if (server->n_slabs == SLABS_KEPT_MAX) {
        free(slab);
        return;
    }
    memcpy(slab, &server->slabs, sizeof(void *));
    server->slabs = slab;
    server->n_slabs++;
}

str_t server_date(struct http_server *server)
{
    int64_t now_s = loop_wall_ms(server->loop) / 1000;
    if (now_s != server->date_s) {
        server->date_s = now_s;
        http_date(now_s, server->date_text);
    }
    return (str_t){server->date_text, 29};
}

static void listener_ready(struct loop_fd *watch, unsigned events);

static int listener_watch(struct listener *listener, struct err *err)
{
    return loop_watch_exclusive(listener->server->loop, &listener->watch, listener->fd,
                                listener_ready, err);
}

static void listener_pause(struct listener *listener);

static void listener_resume(struct timer *timer)
{
    struct listener *listener = CONTAINER_OF(timer, struct listener, pause);
    struct err err;
    if (listener_watch(listener, &err) < 0)
        listener_pause(listener);
}

static void listener_pause(struct listener *listener)
{
    loop_forget(&listener->watch);
    timer_set(listener->server->loop, &listener->pause, ACCEPT_PAUSE_MS, listener_resume);
}

/* False: nobody waits, or nobody can be taken now. */
static bool accept_one(struct listener *listener, bool *full)
{
    struct http_server *server = listener->server;
    struct err err;
    *full = server->n_connections >= server->limits.connections_max;
    int fd = *full ? ERR_BUSY : socket_accept(listener->fd, &err);
    *full = *full || (fd < 0 && fd != ERR_BUSY);
    if (fd < 0)
        return false;
    h1_connection_new(server, &(struct arrival){fd, listener->tls, listener->local});
    return true;
}

static void listener_ready(struct loop_fd *watch, unsigned events)
{
    struct listener *listener = CONTAINER_OF(watch, struct listener, watch);
    (void)events;
    bool full = false;
    for (int i = 0; i < ACCEPTS_MAX && accept_one(listener, &full); i++) {
    }
    if (full)
        listener_pause(listener);
}

static unsigned or_default(int64_t value, int64_t otherwise)
{
    return (unsigned)(value > 0 ? value : otherwise);
}

int http_server_new(struct loop *loop, const struct http_handler *handler,
                    const struct http_server_limits *limits, struct http_server **out,
                    struct err *err)
{
    (void)err;
    struct http_server_limits given = limits == NULL ? (struct http_server_limits){0} : *limits;
    struct http_server *server = calloc(1, sizeof(*server));
    MUST(server != NULL);
    server->loop = loop;
    server->handler = *handler;
    server->limits = (struct http_server_limits){
        .connections_max = or_default(given.connections_max, 20000),
        .head_ms = or_default(given.head_ms, 10000),
        .idle_ms = or_default(given.idle_ms, 75000),
        .body_gap_ms = or_default(given.body_gap_ms, 30000),
        .send_bytes_max = or_default((int64_t)given.send_bytes_max, 1 << 20),
        .streams_max = or_default(given.streams_max, 128),
    };
    list_init(&server->listeners);
    list_init(&server->connections);
    *out = server;
    return 0;
}

int http_server_listen(struct http_server *server, int fd, struct tls_config *tls, struct err *err)
{
    uint32_t uid;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return err_errno(err, "listen with descriptor %d", fd);
    struct listener *listener = calloc(1, sizeof(*listener));
    MUST(listener != NULL);
    listener->server = server;
    listener->fd = fd;
    listener->local = socket_peer_uid(fd, &uid);
    int r = listener_watch(listener, err);
    if (r < 0) {
        free(listener);
        return r;
    }
    listener->tls = tls;
    list_add_before(&server->listeners, &listener->link);
    return 0;
}

void http_server_set_tls(struct http_server *server, struct tls_config *tls)
{
    LIST_EACH(&server->listeners, link) {
        struct listener *listener = CONTAINER_OF(link, struct listener, link);
        if (listener->tls == NULL)
            continue;
        tls_config_unref(listener->tls);
        listener->tls = tls_config_ref(tls);
    }
    tls_config_unref(tls);
}

static void stop_listening(struct http_server *server)
{
    LIST_EACH(&server->listeners, link) {
        struct listener *listener = CONTAINER_OF(link, struct listener, link);
        timer_stop(&listener->pause);
        loop_forget(&listener->watch);
        close(listener->fd);
        tls_config_unref(listener->tls);
        list_remove(&listener->link);
        free(listener);
    }
}

static void cut_all(struct http_server *server)
{
    while (list_in(&server->connections)) /* One that goes may take others with it. */
        connection_close(CONTAINER_OF(server->connections.next, struct connection, link));
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    stop_listening(server);
    server->drained = NULL;
    cut_all(server);
    timer_stop(&server->drain_timer);
    while (server->slabs != NULL)
        free(slab_take(server));
    free(server);
}

/* Either the time is over or nobody is left. `drained` may free the server. */
static void drain_over(struct timer *timer)
{
    struct http_server *server = CONTAINER_OF(timer, struct http_server, drain_timer);
    void (*drained)(void *) = server->drained;
    server->drained = NULL;
    cut_all(server);
    if (drained != NULL)
        drained(server->drained_self);
}

static void drain_check(struct http_server *server)
{
    if (server->drained != NULL && server->n_connections == 0)
        timer_set(server->loop, &server->drain_timer, 0, drain_over);
}

void http_server_drain(struct http_server *server, msec_t within_ms, void (*drained)(void *self),
                       void *self)
{
    MUST(!server->draining);
    /* Who has connected already would otherwise be reset; the kernel has shaken hands for us. */
    LIST_EACH(&server->listeners, link) {
        bool full = false;
        for (int i = 0; i < SOMAXCONN; i++)
            if (!accept_one(CONTAINER_OF(link, struct listener, link), &full))
                break;
    }
    server->draining = true;
    server->drained = drained;
    server->drained_self = self;
    stop_listening(server);
    timer_set(server->loop, &server->drain_timer, within_ms, drain_over);
    LIST_EACH(&server->connections, link)
        connection_drain(CONTAINER_OF(link, struct connection, link));
    drain_check(server);
}

void server_connection_gone(struct http_server *server, struct list *link)
{
    list_remove(link);
    server->n_connections--;
    drain_check(server);
}
