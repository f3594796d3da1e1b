/*
 * client.c - HTTP/1.1: a connection carries one call at a time, then waits in the client's list of
 * idle ones.
 */
#include "base/buf.h"
#include "http/client_priv.h"
#include "http/h1_parse.h"
#include "http/out.h"
#include "net/sockets.h"
#include "net/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IN_BYTES = HTTP_HEAD_BYTES_MAX, IDLE_DEFAULT = 4, HEAD_DEFAULT_MS = 60000, ROUNDS_MAX = 8 };

struct client_connection {
    struct list link;
    struct http_client *client;
    struct stream stream;
    struct timer timer;
    struct http_call *call; /* NULL: idle. */
    struct out_queue out;
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
    out_done(&c->out);
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
                 call->written == 0 && http_may_repeat(call->method);
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
                c->in_at == c->in_len && c->out.bytes == 0 && call->ended &&
                client->n_idle < client->settings.idle_max;
    timer_stop(&c->timer);
    call->connection = NULL;
    c->call = NULL;
    list_remove(&c->link);
    if (keep) {
        list_add_before(client->idle.next, &c->link);
        client->n_idle++;
        c->in_body = c->paused = c->seen = false;
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

/* Values come from elsewhere, too; what would end the line is a blank. */
static void add_value(struct buf *out, str_t value)
{
    if (http_is_field_value(value)) {
        buf_add(out, value);
        return;
    }
    for (size_t i = 0; i < value.len; i++)
        buf_add_char(out,
                     (char)(http_is_field_value((str_t){value.at + i, 1}) ? value.at[i] : ' '));
}

static void add_length(struct buf *out, const struct http_call *call)
{
    static const str_t with_body[] = {STR("POST"), STR("PUT"), STR("PATCH")};
    bool says = call->body.len > 0;
    for (size_t i = 0; i < ARRAY_LEN(with_body); i++)
        says |= str_eq(call->method, with_body[i]);
    if (call->streams && call->body_bytes == 0)
        buf_add(out, STR("Transfer-Encoding: chunked\r\n"));
    else if (call->streams)
        buf_printf(out, "Content-Length: %lld\r\n", (long long)call->body_bytes);
    else if (says)
        buf_printf(out, "Content-Length: %zu\r\n", call->body.len);
}

static void render(struct client_connection *c)
{
    const struct http_call *call = c->call;
    const char *host = c->client->settings.server_name;
    struct buf head = {0};
    MUST(http_is_token(call->method) && http_is_target(call->target));
    buf_printf(&head, STR_F " " STR_F " HTTP/1.1\r\nHost: %s\r\n", STR_A(call->method),
               STR_A(call->target), host != NULL ? host : "localhost");
    for (size_t i = 0; i < call->n_fields; i++) {
        MUST(http_is_token(call->fields[i].name));
        buf_add(&head, call->fields[i].name);
        buf_add(&head, STR(": "));
        add_value(&head, call->fields[i].value);
        buf_add(&head, STR("\r\n"));
    }
    add_length(&head, call);
    buf_add(&head, STR("\r\n"));
    out_add(&c->out, (struct http_bytes){buf_str(&head), free, head.at});
    if (!call->streams)
        out_add(&c->out, (struct http_bytes){.bytes = call->body}); /* From where it is. */
}

bool http_call_is_drained(const struct http_call *call, size_t before, size_t now)
{
    size_t low = HTTP_UPLOAD_BYTES / 2;
    return call != NULL && call->streams && !call->ended && call->drained != NULL && now <= low &&
           (before > low || now == 0);
}

/* Until the kernel takes no more, or the call has nothing to give; then others have their turn. */
static int send_out(struct client_connection *c, struct err *err)
{
    for (int i = 0; i < ROUNDS_MAX && c->out.bytes > 0; i++) {
        size_t before = c->out.bytes;
        ssize_t n = out_send(&c->out, &c->stream);
        if (n < 0)
            return err_set(err, ERR_IO, "the connection broke while the request was sent");
        if (n == 0)
            return 0;
        if (c->call != NULL && c->call->streams && !c->in_body) /* An upload takes its time. */
            timer_set(c->client->loop, &c->timer, c->client->settings.head_ms, time_over);
        if (http_call_is_drained(c->call, before, c->out.bytes))
            c->call->drained(c->call);
        if (c->dead)
            return 0;
    }
    return 0;
}

static void h1_write(struct client_connection *c, struct http_bytes bytes)
{
    char frame[OUT_FRAME_BYTES];
    int n = snprintf(frame, sizeof(frame), "%zx\r\n", bytes.bytes.len);
    if (c->call->body_bytes > 0)
        out_add(&c->out, bytes);
    else
        out_add_framed(&c->out, (str_t){frame, (size_t)n}, bytes, true, NULL);
}

static void want_to_send(struct client_connection *c)
{
    if (!c->busy)
        stream_want(&c->stream, (c->paused ? 0 : LOOP_READ) | LOOP_WRITE);
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
    c->busy = true;
    int r = send_out(c, &err);
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
        stream_want(&c->stream, (c->paused ? 0 : LOOP_READ) | (c->out.bytes > 0 ? LOOP_WRITE : 0));
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
    out_init(&c->out);
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
    call->written = 0;
    call->ended = !call->streams;
    render(c);
    timer_set(client->loop, &c->timer, client->settings.head_ms, time_over);
    stream_want(&c->stream, LOOP_READ | LOOP_WRITE);
}

void http_client_send(struct http_client *client, struct http_call *call)
{
    call->connection = NULL;
    call->stream = NULL;
    if (client->settings.http2 && !client->no_h2)
        h2_client_send(client, call);
    else
        call_start(client, call, false);
}

void h1_client_send(struct http_client *client, struct http_call *call)
{
    call_start(client, call, true);
}

void http_call_write(struct http_call *call, struct http_bytes bytes)
{
    MUST(call->streams && !call->ended && (call->connection != NULL || call->stream != NULL));
    call->written += (int64_t)bytes.bytes.len;
    MUST(call->body_bytes == 0 || call->written <= call->body_bytes);
    if (bytes.bytes.len == 0) { /* An empty chunk would be the end. */
        if (bytes.release != NULL)
            bytes.release(bytes.owner);
    } else if (call->stream != NULL) {
        h2_call_write(call, bytes);
    } else {
        h1_write(call->connection, bytes);
        want_to_send(call->connection);
    }
}

void http_call_end(struct http_call *call)
{
    MUST(call->streams && !call->ended && (call->connection != NULL || call->stream != NULL));
    MUST(call->body_bytes == 0 || call->written == call->body_bytes);
    call->ended = true;
    if (call->stream != NULL) {
        h2_call_end(call);
        return;
    }
    struct http_bytes none = {0};
    if (call->body_bytes == 0)
        out_add_framed(&call->connection->out, STR("0\r\n\r\n"), none, false, NULL);
    want_to_send(call->connection);
}

size_t http_call_waiting(const struct http_call *call)
{
    if (call->stream != NULL)
        return h2_call_waiting(call);
    return call->connection != NULL ? call->connection->out.bytes : 0;
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
