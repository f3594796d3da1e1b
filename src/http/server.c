/* server.c - accepting, read buffers, and the end of a server. */
#include "http/server_priv.h"
#include "net/sockets.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ACCEPTS_MAX = 16, ACCEPT_PAUSE_MS = 100 };

struct listener {
    struct list link;
    struct http_server *server;
    struct loop_fd watch;
    struct timer pause; /* Too many descriptors: try again a little later. */
    struct tls_config *tls;
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

static void listener_resume(struct timer *timer)
{
    struct listener *listener = CONTAINER_OF(timer, struct listener, pause);
    loop_want(&listener->watch, LOOP_READ);
}

static void listener_ready(struct loop_fd *watch, unsigned events)
{
    struct listener *listener = CONTAINER_OF(watch, struct listener, watch);
    struct http_server *server = listener->server;
    (void)events;
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        struct err err;
        bool full = server->n_connections >= server->limits.connections_max;
        int fd = full ? ERR_IO : socket_accept(watch->fd, &err);
        if (fd == ERR_BUSY)
            return;
        if (fd < 0) {
            loop_want(watch, 0);
            timer_set(server->loop, &listener->pause, ACCEPT_PAUSE_MS, listener_resume);
            return;
        }
        h1_connection_new(server, fd, listener->tls);
    }
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
    struct listener *listener = calloc(1, sizeof(*listener));
    MUST(listener != NULL);
    listener->server = server;
    listener->tls = tls;
    int r = loop_watch(server->loop, &listener->watch, fd, LOOP_READ, listener_ready, err);
    if (r < 0) {
        free(listener);
        return r;
    }
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
        int fd = listener->watch.fd;
        timer_stop(&listener->pause);
        loop_forget(&listener->watch);
        close(fd);
        tls_config_unref(listener->tls);
        list_remove(&listener->link);
        free(listener);
    }
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    stop_listening(server);
    timer_stop(&server->drain_timer);
    server->drained = NULL;
    LIST_EACH(&server->connections, link)
        h1_connection_cut(link);
    while (server->slabs != NULL)
        free(slab_take(server));
    free(server);
}

static void tell_drained(struct http_server *server)
{
    void (*drained)(void *) = server->drained;
    server->drained = NULL;
    timer_stop(&server->drain_timer);
    if (drained != NULL)
        drained(server->drained_self);
}

static void drain_over(struct timer *timer)
{
    struct http_server *server = CONTAINER_OF(timer, struct http_server, drain_timer);
    LIST_EACH(&server->connections, link)
        h1_connection_cut(link);
    tell_drained(server);
}

static void drain_check(struct post *post)
{
    struct http_server *server = CONTAINER_OF(post, struct http_server, drain_post);
    if (server->n_connections == 0)
        tell_drained(server);
}

void http_server_drain(struct http_server *server, msec_t within_ms, void (*drained)(void *self),
                       void *self)
{
    MUST(!server->draining);
    server->draining = true;
    server->drained = drained;
    server->drained_self = self;
    stop_listening(server);
    timer_set(server->loop, &server->drain_timer, within_ms, drain_over);
    LIST_EACH(&server->connections, link)
        h1_connection_drain(link);
    if (server->n_connections == 0) {
        server->drain_post.run = drain_check;
        loop_later(server->loop, &server->drain_post);
    }
}

void server_connection_gone(struct http_server *server, struct list *link)
{
    list_remove(link);
    server->n_connections--;
    if (server->draining && server->n_connections == 0 && server->drained != NULL)
        tell_drained(server);
}
