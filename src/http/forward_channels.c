/*
 * forward_channels.c - port-forward over channels: for the i-th port of the query channel 2i
 * carries data and 2i+1 errors, and each begins with the port's number, low byte first. One
 * connection a port.
 */
#include "http/forward_priv.h"
#include "http/h1_parse.h"

#include <stdlib.h>
#include <string.h>

enum { HELD_BYTES_MAX = 256 * 1024, PORT_MAX = 65535 };

static void send_channel(struct forward_link *all, size_t channel, str_t bytes)
{
    char *message = malloc(bytes.len + 1);
    MUST(message != NULL);
    message[0] = (char)channel;
    if (bytes.len > 0)
        memcpy(message + 1, bytes.at, bytes.len);
    ws_send(all->ws, false, (struct http_bytes){{message, bytes.len + 1}, free, message});
}

static void channels_write(struct forward *f, str_t bytes)
{
    send_channel(f->all, f->at * 2, bytes);
}

static void give_back(struct forward_link *all, size_t n)
{
    all->unconsumed -= n;
    if (!all->over && all->unconsumed < HELD_BYTES_MAX / 2)
        ws_resume(all->ws);
}

static void channels_consumed(struct forward *f, size_t n)
{
    give_back(f->all, n);
}

/* A channel has no end of its own, so that waits for the other side too. */
static void channels_finish(struct forward *f)
{
    (void)f;
}

static void channels_end(struct forward *f, str_t why)
{
    struct forward_link *all = f->all;
    bool last = all->all.next == &f->link && f->link.next == &all->all;
    if (why.len > 0)
        send_channel(all, f->at * 2 + 1, why);
    all->by_channel[f->at] = NULL;
    give_back(all, f->unconsumed);
    if (last && !all->over)
        ws_close(all->ws, WS_NORMAL, STR(""));
}

static const struct forward_ops ops = {channels_write, channels_consumed, channels_finish,
                                       channels_end};

static void on_message(struct websocket *ws, bool text, str_t bytes)
{
    struct forward_link *all = ws_self(ws);
    (void)text;
    if (bytes.len < 2 || all->over)
        return;
    size_t channel = (unsigned char)bytes.at[0];
    struct forward *f = channel / 2 < all->n_ports ? all->by_channel[channel / 2] : NULL;
    if (channel % 2 != 0 || f == NULL)
        return;
    f->unconsumed += bytes.len - 1;
    all->unconsumed += bytes.len - 1;
    if (all->unconsumed >= HELD_BYTES_MAX)
        ws_pause(ws);
    all->handler.data(f, (str_t){bytes.at + 1, bytes.len - 1});
}

static void on_drained(struct websocket *ws)
{
    forward_all_drained(ws_self(ws));
}

static void on_closed(struct websocket *ws, int code, str_t reason)
{
    (void)code;
    (void)reason;
    forward_all_closed(ws_self(ws));
}

/* `ports=80,81` and `ports=80&ports=81`. False: one is no port. */
static bool read_ports(const struct exchange *x, uint16_t *ports, size_t *n)
{
    str_t rest = x->query, pair, key, list, one;
    *n = 0;
    while (rest.len > 0) {
        str_cut(rest, '&', &pair, &rest);
        str_cut(pair, '=', &key, &list);
        if (!str_eq(key, STR("ports")) || !http_decode(list, true, x->arena, &list))
            continue;
        while (list.len > 0) {
            int64_t port;
            str_cut(list, ',', &one, &list);
            if (!str_to_i64(one, &port) || port < 1 || port > PORT_MAX || *n == FORWARD_PORTS_MAX)
                return false;
            ports[(*n)++] = (uint16_t)port;
        }
    }
    return *n > 0;
}

bool forward_accept_channels(struct forward_link *all, str_t subprotocol)
{
    uint16_t ports[FORWARD_PORTS_MAX];
    struct forward *made[FORWARD_PORTS_MAX];
    struct ws_handler handler = {
        .self = all, .message = on_message, .drained = on_drained, .closed = on_closed};
    size_t n = 0;
    if (!read_ports(all->x, ports, &n)) {
        http_answer_text(all->x, 400, STR("text/plain; charset=utf-8"),
                         STR("query parameter \"ports\" must be numbers of ports\n"));
        return false;
    }
    all->ws = ws_accept(all->x, subprotocol, &handler);
    if (all->ws == NULL)
        return false;
    all->n_ports = n;
    for (size_t i = 0; i < n; i++) {
        char number[2] = {(char)ports[i], (char)(ports[i] >> 8)};
        struct forward *f = forward_new(all, &ops, STR(""));
        f->at = i;
        f->port = ports[i];
        f->opened = true;
        all->by_channel[i] = made[i] = f;
        send_channel(all, i * 2, (str_t){number, sizeof(number)});
        send_channel(all, i * 2 + 1, (str_t){number, sizeof(number)});
    }
    for (size_t i = 0; i < n; i++)
        all->handler.opened(made[i], all->handler.self, made[i]->port);
    return true;
}
