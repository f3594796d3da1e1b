/*
 * stream_spdy.c - v4.channel.k8s.io over SPDY: one stream each for error, stdin, stdout, stderr and
 * resize, opened by the client in any order; it begins when all are there.
 */
#include "base/buf.h"
#include "http/stream_priv.h"

static const char *const names[] = {"stdin", "stdout", "stderr", "error", "resize"};

static bool is_wanted(const struct stream_session *s, size_t channel)
{
    const bool wanted[] = {s->want.in, s->want.out, s->want.err, true, s->want.tty};
    return wanted[channel];
}

static bool is_complete(const struct stream_session *s)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (is_wanted(s, i) && s->streams[i] == NULL)
            return false;
    return true;
}

static bool on_opened(void *self, struct spdy_stream *stream, const struct http_field *fields,
                      size_t n)
{
    struct stream_session *s = self;
    str_t type = spdy_field(fields, n, STR("streamtype"));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!str_eq(type, str_from_z(names[i])) || s->streams[i] != NULL || !is_wanted(s, i))
            continue;
        s->streams[i] = stream;
        if (is_complete(s))
            s->handler.opened(s);
        return true;
    }
    return false;
}

static void on_data(void *self, struct spdy_stream *stream, str_t bytes)
{
    struct stream_session *s = self;
    if (stream == s->streams[CHANNEL_STDIN] && is_complete(s) && session_input(s, bytes))
        return; /* Given back when it is consumed. */
    if (stream == s->streams[CHANNEL_RESIZE])
        session_resize(s, bytes);
    if (!s->over)
        spdy_link_consumed(s->link, stream, bytes.len);
}

static void on_ended(void *self, struct spdy_stream *stream)
{
    struct stream_session *s = self;
    if (stream == s->streams[CHANNEL_STDIN])
        session_input_end(s);
}

static void on_drained(void *self)
{
    struct stream_session *s = self;
    if (is_complete(s) && !s->over)
        s->handler.drained(s);
}

static void on_closed(void *self)
{
    session_close(self);
}

static void streams_write(struct stream_session *s, bool to_stderr, str_t bytes)
{
    struct spdy_stream *stream = s->streams[to_stderr ? CHANNEL_STDERR : CHANNEL_STDOUT];
    if (stream != NULL)
        spdy_write(stream, bytes);
}

static void streams_consumed(struct stream_session *s, size_t n)
{
    spdy_link_consumed(s->link, s->streams[CHANNEL_STDIN], n);
}

static void streams_finish(struct stream_session *s, str_t status)
{
    if (s->streams[CHANNEL_ERROR] != NULL)
        spdy_write(s->streams[CHANNEL_ERROR], status);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (s->streams[i] != NULL)
            spdy_end(s->streams[i]);
    spdy_link_end(s->link);
}

static const struct stream_ops ops = {streams_write, streams_consumed, streams_finish};

bool session_accept_spdy(struct stream_session *s)
{
    struct spdy_link_handler handler = {s, on_opened, on_data, on_ended, on_drained, on_closed};
    struct http_field field = {STR("X-Stream-Protocol-Version"), STR("v4.channel.k8s.io")};
    bool offered = false;
    for (size_t i = 0; i < s->x->n_fields; i++)
        offered = offered || (http_name_eq(s->x->fields[i].name, field.name) &&
                              str_eq(s->x->fields[i].value, field.value));
    if (!offered) {
        http_answer_text(s->x, 403, STR("text/plain; charset=utf-8"),
                         STR("unable to upgrade: unable to negotiate protocol: the server speaks "
                             "v4.channel.k8s.io\n"));
        return false;
    }
    s->ops = &ops;
    s->link = spdy_link_accept(s->x, STR(""), &field, 1, &handler);
    return s->link != NULL;
}
