/*
 * stream_channels.c - channels over a WebSocket: the first byte of each message says which; v5 can
 * end one by itself (255, channel).
 */
#include "http/stream_priv.h"

#include <stdlib.h>
#include <string.h>

enum { CLOSE_CHANNEL = 255 };

static void send_channel(struct stream_session *s, enum stream_channel channel, str_t bytes)
{
    char *message = malloc(bytes.len + 1);
    MUST(message != NULL);
    message[0] = (char)channel;
    if (bytes.len > 0)
        memcpy(message + 1, bytes.at, bytes.len);
    ws_send(s->ws, false, (struct http_bytes){{message, bytes.len + 1}, free, message});
}

static void on_message(struct websocket *ws, bool text, str_t bytes)
{
    struct stream_session *s = ws_self(ws);
    (void)text;
    if (bytes.len == 0)
        return;
    unsigned channel = (unsigned char)bytes.at[0];
    str_t rest = {bytes.at + 1, bytes.len - 1};
    if (channel == CHANNEL_STDIN && s->want.in)
        (void)session_input(s, rest);
    else if (channel == CHANNEL_RESIZE && s->want.tty)
        session_resize(s, rest);
    else if (channel == CLOSE_CHANNEL && s->half_close && rest.len == 1 && rest.at[0] == 0)
        session_input_end(s);
    if (!s->over && s->unconsumed >= STREAM_INPUT_BYTES)
        ws_pause(ws);
}

static void on_drained(struct websocket *ws)
{
    struct stream_session *s = ws_self(ws);
    if (!s->over)
        s->handler.drained(s);
}

static void on_closed(struct websocket *ws, int code, str_t reason)
{
    (void)code;
    (void)reason;
    session_close(ws_self(ws));
}

static void channels_write(struct stream_session *s, bool to_stderr, str_t bytes)
{
    send_channel(s, to_stderr ? CHANNEL_STDERR : CHANNEL_STDOUT, bytes);
}

static void channels_consumed(struct stream_session *s, size_t n)
{
    (void)n;
    if (s->unconsumed < STREAM_INPUT_BYTES / 2)
        ws_resume(s->ws);
}

static void channels_finish(struct stream_session *s, str_t status)
{
    send_channel(s, CHANNEL_ERROR, status);
    ws_close(s->ws, WS_NORMAL, STR(""));
}

static const struct stream_ops ops = {channels_write, channels_consumed, channels_finish};

bool session_accept_channels(struct stream_session *s, str_t protocol)
{
    struct ws_handler handler = {
        .self = s, .message = on_message, .drained = on_drained, .closed = on_closed};
    s->ops = &ops;
    s->half_close = str_eq(protocol, STR("v5.channel.k8s.io"));
    s->ws = ws_accept(s->x, protocol, &handler);
    if (s->ws == NULL)
        return false;
    send_channel(s, CHANNEL_STDOUT, STR("")); /* As kubelets do: clients see that it works. */
    s->handler.opened(s);
    return true;
}
