/* client_test.c - our client and our server, on one loop. */
#include "http/client.h"
#include "http/fixture.h"
#include "net/sockets.h"
#include "testkit/test.h"

#include <string.h>
#include <unistd.h>

struct probe {
    struct http_call call;
    struct buf body;
    int status;
    int done, r;
    int pieces_max; /* Then it pauses. */
    int pieces;
};

static void on_head(struct http_call *call, const struct http_answer_head *head)
{
    CONTAINER_OF(call, struct probe, call)->status = head->status;
}

static bool on_piece(struct http_call *call, str_t bytes)
{
    struct probe *probe = CONTAINER_OF(call, struct probe, call);
    buf_add(&probe->body, bytes);
    return probe->pieces_max == 0 || ++probe->pieces < probe->pieces_max;
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
                                   .done = on_done}};
}

static void echo(struct exchange *x, str_t body)
{
    http_answer_text(x, 200, STR("text/plain"),
                     arena_printf(x->arena, STR_F "[" STR_F "]", STR_A(x->path), STR_A(body)));
}

static void handle(void *self, struct exchange *x)
{
    (void)self;
    if (str_eq(x->path, STR("/chunks"))) {
        http_begin(x, 200, NULL, 0);
        http_write(x, (struct http_bytes){.bytes = STR("one,")});
        http_write(x, (struct http_bytes){.bytes = STR("two")});
        http_end(x, NULL, 0);
    } else if (str_eq(x->path, STR("/never"))) {
        return;
    } else {
        http_collect(x, 1 << 20, echo);
    }
}

static void start(struct fixture *f, struct http_client **client)
{
    struct err err;
    fixture_start(f, handle);
    struct http_client_settings settings = {
        .address = "127.0.0.1", .port = f->port, .tls = f->client_tls, .server_name = "localhost"};
    if (f->client_tls != NULL)
        tls_config_ref(f->client_tls);
    MUST(http_client_new(f->loop, &settings, client, &err) == 0);
}

static void go(struct fixture *f, struct http_client *client, struct probe *probe)
{
    http_client_send(client, &probe->call);
    for (int i = 0; i < 500 && probe->done == 0 && probe->pieces_max == 0; i++)
        fixture_turns(f, 1);
}

static void end(struct fixture *f, struct http_client *client)
{
    http_client_free(client);
    fixture_end(f);
}

static void asks_of_every_sort(bool with_tls)
{
    struct fixture f = {.tls = with_tls};
    struct http_client *client;
    start(&f, &client);
    static const struct {
        str_t method, target, body;
        const char *answer;
    } rows[] = {
        {STR("GET"), STR("/a?b"), STR(""), "/a[]"},
        {STR("POST"), STR("/p"), STR("hello"), "/p[hello]"},
        {STR("HEAD"), STR("/h"), STR(""), ""},
        {STR("GET"), STR("/chunks"), STR(""), "one,two"},
        {STR("POST"), STR("/empty"), STR(""), "/empty[]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct probe probe = probe_of(rows[i].method, rows[i].target, rows[i].body);
        go(&f, client, &probe);
        CHECK_INT(probe.done, 1);
        CHECK_INT(probe.r, 0);
        CHECK_INT(probe.status, 200);
        test_check_str(buf_str(&probe.body), str_from_z(rows[i].answer), rows[i].target.at,
                       __FILE__, __LINE__);
        buf_done(&probe.body);
    }
    end(&f, client);
}

TEST(a_client_asks_and_is_answered)
{
    asks_of_every_sort(false);
}

TEST(a_client_asks_and_is_answered_through_tls)
{
    asks_of_every_sort(true);
}

TEST(a_kept_connection_that_was_closed_meanwhile_is_no_error)
{
    struct fixture f = {.limits = {.idle_ms = 1000}};
    struct http_client *client;
    start(&f, &client);
    struct probe first = probe_of(STR("GET"), STR("/1"), STR("")),
                 second = probe_of(STR("GET"), STR("/2"), STR(""));
    go(&f, client, &first);
    CHECK_INT(first.r, 0);
    fixture_wait(&f, 5000); /* The server closes what is idle. */
    go(&f, client, &second);
    CHECK_INT(second.done, 1);
    CHECK_STR(buf_str(&second.body), "/2[]");
    buf_done(&first.body);
    buf_done(&second.body);
    end(&f, client);
}

TEST(a_pause_holds_the_rest_back_and_a_cancel_forgets_it)
{
    struct fixture f = {0};
    struct http_client *client;
    start(&f, &client);
    struct probe probe = probe_of(STR("GET"), STR("/chunks"), STR(""));
    probe.pieces_max = 1;
    go(&f, client, &probe);
    fixture_turns(&f, 200);
    CHECK_INT(probe.done, 0);
    CHECK_STR(buf_str(&probe.body), "one,");
    probe.pieces_max = 0;
    http_call_more(&probe.call);
    fixture_turns(&f, 50);
    CHECK_INT(probe.done, 1);
    CHECK_STR(buf_str(&probe.body), "one,two");

    struct probe never = probe_of(STR("GET"), STR("/never"), STR(""));
    never.pieces_max = 1;
    go(&f, client, &never);
    fixture_turns(&f, 50);
    http_call_cancel(&never.call);
    fixture_turns(&f, 50);
    CHECK_INT(never.done, 0);
    buf_done(&probe.body);
    buf_done(&never.body);
    end(&f, client);
}

TEST(what_does_not_answer_is_given_up_and_nobody_there_is_said)
{
    struct fixture f = {0};
    struct http_client *client;
    struct err err;
    start(&f, &client);
    struct probe never = probe_of(STR("GET"), STR("/never"), STR(""));
    never.pieces_max = 1;
    go(&f, client, &never);
    fixture_turns(&f, 50);
    fixture_wait(&f, 61000);
    CHECK_INT(never.done, 1);
    CHECK_INT(never.r, ERR_TIMEOUT);
    http_client_free(client);

    uint16_t port = 0;
    int fd = socket_listen_tcp("127.0.0.1", &port, &err);
    MUST(fd >= 0 && close(fd) == 0);
    struct http_client_settings settings = {.address = "127.0.0.1", .port = port};
    MUST(http_client_new(f.loop, &settings, &client, &err) == 0);
    struct probe nobody = probe_of(STR("GET"), STR("/"), STR(""));
    go(&f, client, &nobody);
    CHECK_INT(nobody.done, 1);
    CHECK(nobody.r < 0);
    end(&f, client);
}
