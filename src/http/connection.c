/*
 * connection.c - turns, deadlines and the end of a connection, whatever it speaks.
 *
 * The deadline moves with every byte, so it is only a number; the timer is set anew when it fires
 * too early or when a deadline comes before it.
 */
#include "http/server_priv.h"
#include "net/sockets.h"

#include <stdlib.h>

static void settle(struct connection *c)
{
    if (c->dead && !c->busy && !c->flush_waiting && stream_done(&c->stream))
        free(c);
}

static void on_freed(struct stream *stream)
{
    settle(CONTAINER_OF(stream, struct connection, stream));
}

static void on_ready(struct stream *stream, unsigned events)
{
    connection_turn(CONTAINER_OF(stream, struct connection, stream), events);
}

static void on_flush(struct post *post)
{
    struct connection *c = CONTAINER_OF(post, struct connection, flush);
    c->flush_waiting = false;
    if (c->dead)
        settle(c);
    else
        connection_turn(c, 0);
}

static void on_timer(struct timer *timer)
{
    struct connection *c = CONTAINER_OF(timer, struct connection, timer);
    msec_t now_ms = loop_now_ms(c->server->loop);
    if (c->due_ms == 0)
        return;
    if (now_ms < c->due_ms) {
        timer_set(c->server->loop, timer, c->due_ms - now_ms, on_timer);
        return;
    }
    c->due_ms = 0;
    c->busy = true;
    c->ops->late(c);
    c->busy = false;
    settle(c);
}

bool connection_init(struct connection *c, struct http_server *server,
                     const struct connection_ops *ops, const struct arrival *arrival)
{
    struct err err;
    c->server = server;
    c->ops = ops;
    c->local = arrival->local && socket_peer_uid(arrival->fd, &c->peer_uid);
    if (stream_init(&c->stream, server->loop, arrival->fd, arrival->tls, NULL, on_ready, &err) < 0)
        return false;
    c->stream.freed = on_freed;
    c->flush.run = on_flush;
    list_add_before(&server->connections, &c->link);
    server->n_connections++;
    return true;
}

void connection_turn(struct connection *c, unsigned events)
{
    MUST(!c->busy && !c->dead);
    c->busy = true;
    c->ops->turn(c, events);
    c->busy = false;
    settle(c);
}

void connection_turn_again(struct connection *c)
{
    if (c->flush_waiting || c->dead)
        return;
    c->flush_waiting = true;
    loop_later(c->server->loop, &c->flush);
}

void connection_flush_later(struct connection *c)
{
    if (!c->busy)
        connection_turn_again(c);
}

void connection_deadline(struct connection *c, msec_t in_ms)
{
    if (in_ms <= 0 || c->dead) {
        c->due_ms = 0;
        return;
    }
    c->due_ms = loop_now_ms(c->server->loop) + in_ms;
    if (c->timer.place == 0 || c->timer.due_ms > c->due_ms)
        timer_set(c->server->loop, &c->timer, in_ms, on_timer);
}

void connection_drain(struct connection *c)
{
    c->busy = true;
    c->ops->drain(c);
    c->busy = false;
    settle(c);
}

void connection_close(struct connection *c)
{
    if (c->dead)
        return;
    bool busy = c->busy;
    c->dead = c->busy = true;
    timer_stop(&c->timer);
    c->ops->gone(c);
    c->busy = busy;
    (void)stream_done(&c->stream); /* settle() asks again. */
    server_connection_gone(c->server, &c->link);
    settle(c);
}
