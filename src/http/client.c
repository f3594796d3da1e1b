/*
 * client.c - a connection carries one call at a time, then waits in the client's list of idle ones.
 */
#include "base/buf.h"
#include "http/client_priv.h"
#include "http/h1_parse.h"
#include "net/sockets.h"
#include "net/stream.h"

#include <stdlib.h>
#include <string.h>

enum { IN_BYTES = HTTP_HEAD_BYTES_MAX, IDLE_DEFAULT = 4, HEAD_DEFAULT_MS = 60000 };

struct client_connection {
    struct list link;
    struct http_client *client;
    struct stream stream;
    struct timer timer;
    struct http_call *call; /* NULL: idle. */
    struct buf out;
    size_t out_sent;
    char *in; /* IN_BYTES; held while bytes are in it. */
    size_t in_at, in_len, scanned;
    struct h1_response answer;
    struct h1_chunks chunks;
    int64_t left;
    bool in_body;
    bool paused;
    bool used_before; /* This call is not its first. */
    bool seen;        /* A byte of the answer. */
    bool dead;
    bool busy; /* connection_run() is on the stack. */
};

static void connection_run(struct client_connection *c);
static void call_start(struct http_client *client, struct http_call *call, bool fresh);

static void connection_free(struct stream *stream)
{
    struct client_connection *c = CONTAINER_OF(stream, struct client_connection, stream);
    buf_done(&c->out);
    free(c->in);
    free(c);
}

static void connection_close(struct client_connection *c)
{
    if (c->dead)
        return;
    c->dead = true;
    timer_stop(&c->timer);
    if (c->call == NULL && list_in(&c->link))
        c->client->n_idle--;
    list_remove(&c->link);
    if (c->call != NULL)
        c->call->connection = NULL;
    c->call = NULL;
    c->stream.freed = connection_free;
    if (stream_done(&c->stream) && !c->busy)
        connection_free(&c->stream);
}

bool http_may_repeat(str_t method)
{
    static const str_t safe[] = {STR("GET"), STR("HEAD"), STR("PUT"), STR("DELETE"),
                                 STR("OPTIONS")};
    for (size_t i = 0; i < ARRAY_LEN(safe); i++)
        if (str_eq(method, safe[i]))
            return true;
    return false;
}

static void call_failed(struct client_connection *c, const struct err *err)
{
    struct http_call *call = c->call;
    struct http_client *client = c->client;
    bool again = c->used_before && !c->seen && err->code != ERR_TIMEOUT && call != NULL &&
                 http_may_repeat(call->method);
    struct err copy = *err;
    connection_close(c);
    if (again)
        call_start(client, call, true);
    else if (call != NULL)
        call->done(call, copy.code, &copy);
}

static void time_over(struct timer *timer)
{
    struct client_connection *c = CONTAINER_OF(timer, struct client_connection, timer);
    struct err err;
    err_set(&err, ERR_TIMEOUT, "no answer in time");
    call_failed(c, &err);
}

static void call_finished(struct client_connection *c)
{
    struct http_call *call = c->call;
    struct http_client *client = c->client;
    /* Surplus bytes mean that the two sides no longer agree on where messages end. */
    bool keep = !c->answer.head.close && c->answer.body != H1_UNTIL_CLOSE &&
                c->in_at == c->in_len && c->out_sent == c->out.len &&
                client->n_idle < client->settings.idle_max;
    timer_stop(&c->timer);
    call->connection = NULL;
    c->call = NULL;
    list_remove(&c->link);
    if (keep) {
        list_add_before(client->idle.next, &c->link);
        client->n_idle++;
        c->in_body = c->paused = c->seen = false;
        c->out.len = c->out_sent = 0;
        free(c->in);
        c->in = NULL;
        c->in_at = c->in_len = c->scanned = 0;
        stream_want(&c->stream, LOOP_READ); /* Its end is all that may come. */
    } else {
        connection_close(c);
    }
    call->done(call, 0, NULL);
}

/* --- sending --- */

static void render(struct client_connection *c)
{
    const struct http_call *call = c->call;
    const char *host = c->client->settings.server_name;
    c->out.len = c->out_sent = 0;
    buf_printf(&c->out, STR_F " " STR_F " HTTP/1.1\r\nHost: %s\r\n", STR_A(call->method),
               STR_A(call->target), host != NULL ? host : "localhost");
    for (size_t i = 0; i < call->n_fields; i++) {
        buf_add(&c->out, call->fields[i].name);
        buf_add(&c->out, STR(": "));
        buf_add(&c->out, call->fields[i].value);
        buf_add(&c->out, STR("\r\n"));
    }
    if (call->body.len > 0 || str_eq(call->method, STR("POST")) ||
        str_eq(call->method, STR("PUT")) || str_eq(call->method, STR("PATCH")))
        buf_printf(&c->out, "Content-Length: %zu\r\n", call->body.len);
    buf_add(&c->out, STR("\r\n"));
    buf_add(&c->out, call->body);
}

static int send_out(struct client_connection *c, struct err *err)
{
    while (c->out_sent < c->out.len) {
        struct iovec part = {c->out.at + c->out_sent, c->out.len - c->out_sent};
        ssize_t n = stream_write(&c->stream, &part, 1, err);
        if (n == STREAM_AGAIN)
            return 0;
        if (n < 0)
            return (int)n;
        c->out_sent += (size_t)n;
    }
    return 0;
}

/* --- receiving --- */

static str_t unread(const struct client_connection *c)
{
    return (str_t){c->in + c->in_at, c->in_len - c->in_at};
}

static void head_here(struct client_connection *c)
{
    const struct h1_response *answer = &c->answer;
    struct http_answer_head head = {answer->status, answer->head.fields, answer->head.n_fields};
    msec_t gap_ms = c->client->settings.gap_ms;
    c->in_body = true;
    c->chunks = (struct h1_chunks){0};
    c->left = answer->body == H1_LENGTH ? answer->head.content_length : 0;
    if (gap_ms > 0)
        timer_set(c->client->loop, &c->timer, gap_ms, time_over);
    else
        timer_stop(&c->timer);
    if (c->call->head != NULL)
        c->call->head(c->call, &head);
}

/* 1: did something; 0: more bytes are needed; < 0: broken. */
static int head_step(struct client_connection *c, struct err *err)
{
    int len = h1_head_len(unread(c), &c->scanned);
    if (len == 0)
        return 0;
    str_t head = {c->in + c->in_at, len > 0 ? (size_t)len : 0};
    bool to_head = str_eq(c->call->method, STR("HEAD"));
    if (len < 0 || h1_parse_response(head, to_head, &c->answer) < 0)
        return err_set(err, ERR_IO, "the answer is not HTTP");
    c->in_at += (size_t)len;
    c->scanned = 0;
    if (c->answer.status == 101)
        return err_set(err, ERR_IO, "an upgrade that nobody asked for");
    if (c->answer.status >= 200)
        head_here(c);
    return 1;
}

static int piece_here(struct client_connection *c, str_t data)
{
    struct http_call *call = c->call;
    if (data.len > 0 && call->piece != NULL && !call->piece(call, data) && c->call == call)
        c->paused = true;
    return 1;
}

static int body_step(struct client_connection *c, struct err *err)
{
    str_t bytes = unread(c), data = bytes;
    ssize_t used;
    switch (c->answer.body) {
    case H1_NO_BODY:
        call_finished(c);
        return 1;
    case H1_LENGTH:
        if (c->left == 0) {
            call_finished(c);
            return 1;
        }
        if ((int64_t)data.len > c->left)
            data.len = (size_t)c->left;
        c->left -= (int64_t)data.len;
        c->in_at += data.len;
        return data.len == 0 ? 0 : piece_here(c, data);
    case H1_UNTIL_CLOSE:
        c->in_at += data.len;
        return data.len == 0 ? 0 : piece_here(c, data);
    case H1_CHUNKED:
        if (c->chunks.state == CHUNK_DONE) {
            call_finished(c);
            return 1;
        }
        used = h1_chunk_next(&c->chunks, bytes, &data);
        if (used < 0)
            return err_set(err, ERR_IO, "the answer's chunks are broken");
        c->in_at += (size_t)used;
        if (data.len > 0)
            return piece_here(c, data);
        return used > 0 || c->chunks.state == CHUNK_DONE;
    }
    return 0;
}

/* What is there now goes to the call. */
static void connection_run(struct client_connection *c)
{
    struct err err;
    int r = send_out(c, &err);
    c->busy = true;
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): `busy` keeps it. */
    while (r >= 0 && !c->dead && c->call != NULL && !c->paused) {
        r = c->in_body ? body_step(c, &err) : c->in == NULL ? 0 : head_step(c, &err);
        if (r <= 0)
            break;
    }
    c->busy = false;
    if (c->dead) {
        if (stream_done(&c->stream))
            connection_free(&c->stream);
        return;
    }
    if (r < 0) {
        call_failed(c, &err);
        return;
    }
    if (c->call != NULL)
        stream_want(&c->stream,
                    (c->paused ? 0 : LOOP_READ) | (c->out_sent < c->out.len ? LOOP_WRITE : 0));
}

/* 1: bytes; 0: nothing now; < 0: the end, told. */
static int read_some(struct client_connection *c)
{
    struct err err;
    if (c->in == NULL) {
        c->in = malloc(IN_BYTES);
        MUST(c->in != NULL);
    }
    if (c->in_at > 0) {
        memmove(c->in, c->in + c->in_at, c->in_len - c->in_at);
        c->in_len -= c->in_at;
        c->in_at = 0;
    }
    if (c->in_len == IN_BYTES)
        return 0;
    ssize_t n = stream_read(&c->stream, c->in + c->in_len, IN_BYTES - c->in_len, &err);
    if (n == STREAM_AGAIN)
        return 0;
    if (n > 0) {
        c->in_len += (size_t)n;
        c->seen = true;
        return 1;
    }
    if (n == 0 && c->call != NULL && c->in_body && c->answer.body == H1_UNTIL_CLOSE) {
        call_finished(c);
        return -1;
    }
    if (n == 0)
        err_set(&err, ERR_IO, "the server closed the connection before the answer was complete");
    if (c->call != NULL)
        call_failed(c, &err);
    else
        connection_close(c);
    return -1;
}

static void connection_ready(struct stream *stream, unsigned events)
{
    struct client_connection *c = CONTAINER_OF(stream, struct client_connection, stream);
    msec_t gap_ms = c->client->settings.gap_ms;
    if (events & (LOOP_READ | LOOP_HANGUP)) {
        int r = c->paused ? 0 : read_some(c);
        if (r < 0)
            return;
        if (r > 0 && c->call == NULL) { /* Bytes nobody asked for. */
            connection_close(c);
            return;
        }
        if (r > 0 && c->in_body && gap_ms > 0)
            timer_set(c->client->loop, &c->timer, gap_ms, time_over);
    }
    if (c->call != NULL)
        connection_run(c);
}

/* --- calls --- */

int http_client_dial(struct http_client *client, struct err *err)
{
    const struct http_client_settings *s = &client->settings;
    return s->unix_path != NULL ? socket_dial_unix(s->unix_path, err)
                                : socket_dial_tcp(s->address, s->port, err);
}

static int dial(struct http_client *client, struct client_connection **out, struct err *err)
{
    const struct http_client_settings *s = &client->settings;
    int fd = http_client_dial(client, err);
    if (fd < 0)
        return fd;
    struct client_connection *c = calloc(1, sizeof(*c));
    MUST(c != NULL);
    c->client = client;
    int r =
        stream_init(&c->stream, client->loop, fd, s->tls, s->server_name, connection_ready, err);
    if (r < 0) {
        free(c);
        return r;
    }
    *out = c;
    return 0;
}

static void call_start(struct http_client *client, struct http_call *call, bool fresh)
{
    struct client_connection *c;
    struct err err;
    if (!fresh && client->n_idle > 0) {
        c = CONTAINER_OF(client->idle.next, struct client_connection, link);
        list_remove(&c->link);
        client->n_idle--;
        c->used_before = true;
    } else if (dial(client, &c, &err) < 0) {
        call->done(call, err.code, &err);
        return;
    }
    list_add_before(&client->busy, &c->link);
    c->call = call;
    call->connection = c;
    render(c);
    timer_set(client->loop, &c->timer, client->settings.head_ms, time_over);
    stream_want(&c->stream, LOOP_READ | LOOP_WRITE);
}

void http_client_send(struct http_client *client, struct http_call *call)
{
    call->connection = NULL;
    call->stream = NULL;
    if (client->settings.http2)
        h2_client_send(client, call);
    else
        call_start(client, call, false);
}

void http_call_more(struct http_call *call)
{
    struct client_connection *c = call->connection;
    if (call->stream != NULL)
        h2_call_more(call);
    if (c == NULL || !c->paused)
        return;
    c->paused = false;
    if (!c->busy)
        connection_run(c);
}

void http_call_cancel(struct http_call *call)
{
    if (call->connection != NULL)
        connection_close(call->connection);
    if (call->stream != NULL)
        h2_call_cancel(call);
}

int http_client_new(struct loop *loop, const struct http_client_settings *settings,
                    struct http_client **out, struct err *err)
{
    if ((settings->unix_path == NULL) == (settings->address == NULL))
        return err_set(err, ERR_INVALID, "a client needs a unix socket or an address");
    struct http_client *client = calloc(1, sizeof(*client));
    MUST(client != NULL);
    client->loop = loop;
    client->settings = *settings;
    if (client->settings.idle_max == 0)
        client->settings.idle_max = IDLE_DEFAULT;
    if (client->settings.head_ms == 0)
        client->settings.head_ms = HEAD_DEFAULT_MS;
    list_init(&client->idle);
    list_init(&client->busy);
    list_init(&client->h2_all);
    *out = client;
    return 0;
}

void http_client_free(struct http_client *client)
{
    if (client == NULL)
        return;
    struct list *lists[] = {&client->idle, &client->busy};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        LIST_EACH(lists[i], link)
            connection_close(CONTAINER_OF(link, struct client_connection, link));
    h2_client_close_all(client);
    tls_config_unref(client->settings.tls);
    free(client);
}
