/* stream_session.c - choosing the way, and what both have in common. */
#include "base/json.h"
#include "http/h1_parse.h"
#include "http/stream_priv.h"

static void refuse(struct exchange *x)
{
    http_answer_text(x, 400, STR("text/plain; charset=utf-8"),
                     STR("this needs an upgrade to SPDY/3.1 or to a WebSocket of "
                         "v5.channel.k8s.io or v4.channel.k8s.io\n"));
}

struct stream_session *session_accept(struct exchange *x, const struct stream_want *want,
                                      const struct stream_handler *handler)
{
    static const str_t protocols[] = {STR("v5.channel.k8s.io"), STR("v4.channel.k8s.io")};
    struct stream_session *session = arena_new(x->arena, struct stream_session);
    *session = (struct stream_session){.x = x, .want = *want, .handler = *handler};
    session->want.err = want->err && !want->tty; /* A terminal has one output. */
    if (http_list_has(x->offer, STR("SPDY/3.1")))
        return session_accept_spdy(session) ? session : NULL;
    for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
        if (http_list_has(x->offer, STR("websocket")) && ws_offers(x, protocols[i]))
            return session_accept_channels(session, protocols[i]) ? session : NULL;
    refuse(x);
    return NULL;
}

void *session_self(const struct stream_session *session)
{
    return session->handler.self;
}

void session_write(struct stream_session *session, bool to_stderr, str_t bytes)
{
    if (!session->over && bytes.len > 0)
        session->ops->write(session, to_stderr, bytes);
}

size_t session_waiting(const struct stream_session *session)
{
    return session->over ? 0 : http_waiting(session->x);
}

void session_consumed(struct stream_session *session, size_t n)
{
    MUST(n <= session->unconsumed);
    session->unconsumed -= n;
    if (!session->over)
        session->ops->consumed(session, n);
}

void session_finish(struct stream_session *session, str_t status)
{
    if (session->over)
        return;
    session->over = true;
    session->ops->finish(session, status);
}

/* --- for the two ways --- */

bool session_input(struct stream_session *session, str_t bytes)
{
    if (session->over || session->input_over || bytes.len == 0)
        return false;
    session->unconsumed += bytes.len;
    session->handler.input(session, bytes);
    return true;
}

void session_input_end(struct stream_session *session)
{
    if (session->over || session->input_over)
        return;
    session->input_over = true;
    session->handler.input_ended(session);
}

/* {"Width":80,"Height":24}; anything else is passed over. */
void session_resize(struct stream_session *session, str_t text)
{
    enum { SIDE_MAX = 65535 };
    AUTO(arena_done) struct arena arena = {0};
    struct json *size;
    struct err err;
    int64_t columns, rows;
    if (session->over || json_parse(text, &arena, &size, &err) < 0 ||
        !json_to_i64(json_get(size, STR("Width")), &columns) ||
        !json_to_i64(json_get(size, STR("Height")), &rows))
        return;
    if (columns > 0 && rows > 0 && columns <= SIDE_MAX && rows <= SIDE_MAX)
        session->handler.resized(session, (unsigned)columns, (unsigned)rows);
}

void session_close(struct stream_session *session)
{
    if (session->over)
        return;
    session->over = true;
    session->handler.closed(session);
}

/* --- how it ended --- */

static str_t status_text(struct json *status, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    json_write(status, &out);
    return arena_str(arena, buf_str(&out));
}

static struct json *status_of(const char *word, struct arena *arena)
{
    struct json *status = json_object(arena);
    json_add(status, STR("metadata"), json_object(arena));
    return json_add(status, STR("status"), json_string(arena, str_from_z(word)));
}

str_t session_exit_status(int code, struct arena *arena)
{
    if (code == 0)
        return status_text(status_of("Success", arena), arena);
    struct json *status = status_of("Failure", arena), *cause = json_object(arena);
    str_t number = arena_printf(arena, "%d", code);
    json_add(status, STR("message"),
             json_string(arena, arena_printf(arena,
                                             "command terminated with non-zero exit code: exit "
                                             "status %d",
                                             code)));
    json_add(status, STR("reason"), json_string(arena, STR("NonZeroExitCode")));
    json_add(cause, STR("reason"), json_string(arena, STR("ExitCode")));
    json_add(cause, STR("message"), json_string(arena, number));
    json_add(
        status, STR("details"),
        json_add(json_object(arena), STR("causes"), json_add(json_array(arena), STR(""), cause)));
    return status_text(status, arena);
}

str_t session_failure_status(str_t message, struct arena *arena)
{
    struct json *status = status_of("Failure", arena);
    json_add(status, STR("message"), json_string(arena, message));
    json_add(status, STR("reason"), json_string(arena, STR("InternalError")));
    json_add(status, STR("code"), json_int(arena, 500));
    return status_text(status, arena);
}
