/* h2_client_test.c - our HTTP/2 client and our server, on one loop, plain and over TLS. */
#include "http/client.h"
#include "http/fixture.h"
#include "net/sockets.h"
#include "testkit/test.h"

#include <string.h>
#include <unistd.h>

enum { LARGE_BYTES = 1 << 20 };

struct probe {
    struct http_call call;
    struct buf body;
    int status, done, r;
    bool paused; /* Takes nothing until it is told to. */
    int trailers;
    struct http_client *client; /* To be freed by done(). */
};

struct seen {
    struct exchange *held;
    int gone;
};

static void on_head(struct http_call *call, const struct http_answer_head *head)
{
    CONTAINER_OF(call, struct probe, call)->status = head->status;
}

static bool on_piece(struct http_call *call, str_t bytes)
{
    struct probe *probe = CONTAINER_OF(call, struct probe, call);
    buf_add(&probe->body, bytes);
    return !probe->paused;
}

static void on_trailers(struct http_call *call, const struct http_field *fields, size_t n)
{
    struct probe *probe = CONTAINER_OF(call, struct probe, call);
    for (size_t i = 0; i < n; i++)
        probe->trailers += str_eq(fields[i].name, STR("grpc-status"));
}

static void on_done(struct http_call *call, int r, const struct err *err)
{
    struct probe *probe = CONTAINER_OF(call, struct probe, call);
    probe->done++;
    probe->r = r;
    CHECK((r < 0) == (err != NULL));
}

static struct probe probe_of(str_t method, str_t target, str_t body)
{
    return (struct probe){.call = {.method = method,
                                   .target = target,
                                   .body = body,
                                   .head = on_head,
                                   .piece = on_piece,
                                   .trailers = on_trailers,
                                   .done = on_done}};
}

static void echo(struct exchange *x, str_t body)
{
    http_answer_text(
        x, 200, STR("text/plain"),
        arena_printf(x->arena, "%d" STR_F "[%zu]", x->version, STR_A(x->path), body.len));
}

static void on_gone(struct exchange *x)
{
    ((struct seen *)x->self)->gone++;
}

static void handle(void *self, struct exchange *x)
{
    static const struct http_field trailers[] = {{STR("grpc-status"), STR("0")}};
    static char large[LARGE_BYTES];
    struct seen *seen = ((struct fixture *)self)->self;
    if (str_eq(x->path, STR("/large"))) {
        memset(large, 'x', sizeof(large));
        http_begin(x, 200, NULL, 0);
        http_write(x, (struct http_bytes){.bytes = {large, sizeof(large)}});
        http_end(x, trailers, 1);
    } else if (str_eq(x->path, STR("/hold"))) {
        x->self = seen;
        x->on_gone = on_gone;
        seen->held = x;
    } else if (str_eq(x->path, STR("/abort"))) {
        http_begin(x, 200, NULL, 0);
        http_flush(x);
        http_abort(x);
    } else {
        http_collect(x, (size_t)2 * LARGE_BYTES, echo);
    }
}

static struct http_client *client_of(struct fixture *f, bool tls, msec_t head_ms)
{
    struct http_client *client;
    struct err err;
    struct http_client_settings settings = {
        .address = "127.0.0.1", .port = f->port, .http2 = true, .head_ms = head_ms};
    if (tls) {
        settings.tls = tls_config_ref(f->client_tls);
        settings.server_name = "localhost";
    }
    MUST(http_client_new(f->loop, &settings, &client, &err) == 0);
    return client;
}

static void until_done(struct fixture *f, const struct probe *probe)
{
    for (int i = 0; i < 20000 && probe->done == 0; i++)
        fixture_turns(f, 1);
}

static void start(struct fixture *f, struct seen *seen, bool tls)
{
    *seen = (struct seen){0};
    *f = (struct fixture){.tls = tls, .alpn = "h2", .self = seen};
    fixture_start(f, handle);
}

TEST(calls_are_streams_of_one_connection)
{
    for (int tls = 0; tls < 2; tls++) {
        struct fixture f;
        struct seen seen;
        start(&f, &seen, tls);
        struct http_client *client = client_of(&f, tls, 0);
        static char body[LARGE_BYTES];
        struct probe hold = probe_of(STR("GET"), STR("/hold"), STR(""));
        struct probe get = probe_of(STR("GET"), STR("/a?b"), STR(""));
        struct probe post = probe_of(STR("POST"), STR("/p"), (str_t){body, sizeof(body)});
        http_client_send(client, &hold.call);
        http_client_send(client, &get.call);
        http_client_send(client, &post.call);
        until_done(&f, &get);
        until_done(&f, &post);
        CHECK(get.r == 0 && get.status == 200);
        CHECK_STR(buf_str(&get.body), "20/a[0]");
        CHECK_STR(buf_str(&post.body), "20/p[1048576]");
        CHECK_INT(hold.done, 0);
        http_call_cancel(&hold.call);
        fixture_turns(&f, 20);
        CHECK(seen.gone == 1 && hold.done == 0);
        buf_done(&get.body);
        buf_done(&post.body);
        http_client_free(client);
        fixture_end(&f);
    }
}

TEST(who_pauses_holds_nobody_else_up_and_gets_all_in_the_end)
{
    struct fixture f;
    struct seen seen;
    start(&f, &seen, false);
    struct http_client *client = client_of(&f, false, 0);
    struct probe slow = probe_of(STR("GET"), STR("/large"), STR("")),
                 other = probe_of(STR("GET"), STR("/large"), STR(""));
    slow.paused = true;
    http_client_send(client, &slow.call);
    http_client_send(client, &other.call);
    until_done(&f, &other);
    CHECK(other.r == 0 && other.body.len == LARGE_BYTES && other.trailers == 1);
    CHECK(slow.done == 0 && slow.body.len < LARGE_BYTES / 4);
    slow.paused = false;
    http_call_more(&slow.call);
    until_done(&f, &slow);
    CHECK(slow.r == 0 && slow.body.len == LARGE_BYTES && slow.trailers == 1);
    buf_done(&slow.body);
    buf_done(&other.body);
    http_client_free(client);
    fixture_end(&f);
}

TEST(a_reset_or_a_silent_server_is_an_error_and_the_connection_goes_on)
{
    struct fixture f;
    struct seen seen;
    start(&f, &seen, false);
    struct http_client *client = client_of(&f, false, 1000);
    struct probe abort = probe_of(STR("GET"), STR("/abort"), STR("")),
                 silent = probe_of(STR("GET"), STR("/hold"), STR("")),
                 after = probe_of(STR("GET"), STR("/"), STR(""));
    http_client_send(client, &abort.call);
    http_client_send(client, &silent.call);
    until_done(&f, &abort);
    CHECK_INT(abort.r, ERR_IO);
    fixture_wait(&f, 1001);
    until_done(&f, &silent);
    CHECK(silent.r == ERR_TIMEOUT && silent.done == 1);
    http_client_send(client, &after.call);
    until_done(&f, &after);
    CHECK(after.r == 0 && after.status == 200 && seen.gone == 1);
    buf_done(&after.body);
    http_client_free(client);
    fixture_end(&f);
}

TEST(a_server_that_goes_away_finishes_what_it_has_and_the_next_call_dials_again)
{
    struct fixture f;
    struct seen seen;
    start(&f, &seen, false);
    struct http_client *client = client_of(&f, false, 0);
    struct probe held = probe_of(STR("GET"), STR("/hold"), STR("")),
                 late = probe_of(STR("GET"), STR("/"), STR(""));
    http_client_send(client, &held.call);
    for (int i = 0; i < 1000 && seen.held == NULL; i++)
        fixture_turns(&f, 1);
    http_server_drain(f.server, 60000, NULL, NULL);
    fixture_wait(&f, 1001); /* Now it names the last stream that it serves. */
    fixture_turns(&f, 10);
    http_client_send(client, &late.call);
    until_done(&f, &late);
    CHECK_INT(late.r, ERR_IO); /* It listens no more. */
    seen.held->on_gone = NULL;
    http_answer_text(seen.held, 200, STR("text/plain"), STR("here"));
    until_done(&f, &held);
    CHECK(held.r == 0);
    CHECK_STR(buf_str(&held.body), "here");
    buf_done(&held.body);
    http_client_free(client);
    fixture_end(&f);
}

static void free_client(struct http_call *call, int r, const struct err *err)
{
    struct probe *probe = CONTAINER_OF(call, struct probe, call);
    on_done(call, r, err);
    http_client_free(probe->client);
}

TEST(a_call_may_free_the_client_when_it_is_done)
{
    struct fixture f;
    struct seen seen;
    start(&f, &seen, false);
    struct probe other = probe_of(STR("GET"), STR("/hold"), STR("")),
                 last = probe_of(STR("GET"), STR("/"), STR(""));
    last.client = client_of(&f, false, 0);
    last.call.done = free_client;
    http_client_send(last.client, &other.call);
    http_client_send(last.client, &last.call);
    until_done(&f, &last);
    fixture_turns(&f, 10);
    CHECK(last.done == 1 && other.done == 0 && seen.gone == 1);
    buf_done(&last.body);
    fixture_end(&f);
}

TEST(freeing_the_client_ends_its_calls_without_a_word)
{
    struct fixture f;
    struct seen seen;
    start(&f, &seen, false);
    struct http_client *client = client_of(&f, false, 0);
    struct probe held = probe_of(STR("GET"), STR("/hold"), STR(""));
    http_client_send(client, &held.call);
    for (int i = 0; i < 1000 && seen.held == NULL; i++)
        fixture_turns(&f, 1);
    http_client_free(client);
    fixture_turns(&f, 10);
    CHECK(held.done == 0 && seen.gone == 1);
    fixture_end(&f);
}
