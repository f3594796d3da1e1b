/* server_test.c - raw bytes to a real server on the loopback, and what it says. */
#include "http/fixture.h"
#include "testkit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    struct exchange *held;
    int gone, drained, released, drains;
    size_t received, left;
    bool hold_bytes;
} seen;

static void echo(struct exchange *x, str_t body)
{
    http_answer_text(x, 200, STR("text/plain"),
                     arena_printf(x->arena, STR_F " " STR_F " [" STR_F "]", STR_A(x->method_text),
                                  STR_A(x->path), STR_A(body)));
}

static void on_piece(struct exchange *x, str_t bytes)
{
    http_write(x, (struct http_bytes){.bytes = arena_str(x->arena, bytes)});
    http_consumed(x, bytes.len);
}

static void on_held_piece(struct exchange *x, str_t bytes)
{
    seen.received += bytes.len;
    if (!seen.hold_bytes)
        http_consumed(x, bytes.len);
}

static void on_received(struct exchange *x)
{
    http_answer_text(x, 200, STR("text/plain"), STR("thanks"));
}

static void on_end(struct exchange *x)
{
    struct http_field trailer = {STR("Sum"), STR("12")};
    http_end(x, &trailer, 1);
}

static void on_gone(struct exchange *x)
{
    (void)x;
    seen.gone++;
}

static void on_release(void *owner)
{
    seen.released++;
    free(owner);
}

static void write_block(struct exchange *x)
{
    size_t n = 100000;
    char *bytes = malloc(n);
    MUST(bytes != NULL);
    memset(bytes, 'b', n);
    http_write(x, (struct http_bytes){{bytes, n}, on_release, bytes});
}

/* As much as there is room for; comes back when there is room again. */
static void pour(struct exchange *x)
{
    seen.drains++;
    while (seen.left > 0 && http_waiting(x) < 300000) {
        seen.left--;
        write_block(x);
    }
    if (seen.left == 0)
        http_end(x, NULL, 0);
}

static void hold(struct exchange *x)
{
    x->on_gone = on_gone;
    seen.held = x;
}

static void tunnel_end(struct exchange *x)
{
    http_write(x, (struct http_bytes){.bytes = STR("<bye>")});
    http_end(x, NULL, 0);
}

static void handle(void *self, struct exchange *x)
{
    (void)self;
    if (str_eq(x->path, STR("/stream"))) {
        http_begin(x, 200, NULL, 0);
        http_receive(x, on_piece, on_end);
    } else if (str_eq(x->path, STR("/hold"))) {
        hold(x);
        http_begin(x, 200, NULL, 0);
        http_flush(x);
    } else if (str_eq(x->path, STR("/wait"))) {
        hold(x);
    } else if (str_eq(x->path, STR("/upload"))) {
        hold(x);
        http_receive(x, on_held_piece, on_received);
    } else if (str_eq(x->path, STR("/pour"))) {
        x->on_drain = pour;
        hold(x);
        http_begin(x, 200, NULL, 0);
        pour(x);
    } else if (str_eq(x->path, STR("/now"))) {
        struct http_field place = {STR("Location"), STR("/a\r\nEvil: 1")};
        http_answer(x, 200, &place, 1, (struct http_bytes){.bytes = STR("early")});
    } else if (str_eq(x->path, STR("/empty"))) {
        http_answer(x, 204, NULL, 0, (struct http_bytes){0});
    } else if (str_eq(x->path, STR("/abort"))) {
        http_begin(x, 200, NULL, 0);
        http_abort(x);
    } else if (str_eq(x->path, STR("/who"))) {
        http_answer_text(
            x, 200, STR("text/plain"),
            arena_printf(x->arena, "%d %d %d", x->local, x->peer_uid == getuid(), x->tls != NULL));
    } else if (str_eq(x->path, STR("/switch"))) {
        struct http_field field = {STR("X-Kind"), STR("echo")};
        if (!http_upgrade(x, STR("echo"), &field, 1))
            http_answer_text(x, 426, STR("text/plain"), STR("echo only"));
        else
            http_receive(x, on_piece, tunnel_end);
    } else {
        x->on_gone = on_gone;
        http_collect(x, 1000, echo);
    }
}

static void start(struct fixture *f)
{
    memset(&seen, 0, sizeof(seen));
    fixture_start(f, handle);
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path, fields) "POST " path " HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

static void pipelined(struct fixture *f)
{
    start(f);
    const char *at = ask(
        f,
        STR(GET("/a?b=c") POST("/b", "Content-Length: 5\r\n") "hello" POST(
            "/c", CHUNKED) "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nA: b\r\n\r\n"
                           "HEAD /d HTTP/1.1\r\nHost: x\r\n\r\n" GET("/empty") GET("/now") POST(
                               "/now",
                               "Content-Length: 3\r\n") "abc"
                                                        "GET /e HTTP/1.1\r\nHost: x\r\nConnection: "
                                                        "close\r\n\r\n" GET("/f")),
        NULL);
    CHECK(!has(at, "HEAD /d []") && !has(at, "/f") && !has(at, "\nEvil"));
    const char *const wanted[] = {"HTTP/1.1 200 OK\r\nDate: Tue, 24 Nov 2026 12:00:00 GMT\r\n",
                                  "GET /a []",
                                  "POST /b [hello]",
                                  "POST /c [abcde]",
                                  "Content-Length: 10\r\n\r\nHTTP/1.1 204 No Content\r\n",
                                  "early",
                                  "early",
                                  "Connection: close\r\n\r\nGET /e []<closed>"};
    for (size_t i = 0; i < ARRAY_LEN(wanted) && at != NULL; i++) {
        at = strstr(at, wanted[i]);
        if (!CHECK(at != NULL))
            test_check_str(STR(""), str_from_z(wanted[i]), "what is missing", __FILE__, __LINE__);
    }
    fixture_end(f);
}

TEST(requests_are_answered_in_order_on_one_connection)
{
    pipelined(&(struct fixture){0});
}

TEST(tls_makes_no_difference)
{
    pipelined(&(struct fixture){.tls = true});
}

TEST(what_could_be_read_two_ways_is_refused_and_the_connection_closed)
{
    static const struct {
        const char *request;
        const char *status;
    } rows[] = {
        {"GET / HTTP/1.1\r\n\r\n", "400"},
        {"GET / HTTP/1.1\nHost: a\n\n", "400"},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505"},
        {"PRI * HTTP/2.0\r\n\r\nGET ", "505"},
        {"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "405"},
        {POST("/", "Content-Length: 1\r\n" CHUNKED) "0\r\n\r\n", "400"},
        {POST("/", "Transfer-Encoding: gzip, chunked\r\n") "0\r\n\r\n", "501"},
        {POST("/", CHUNKED) "0x1\r\na\r\n", "400"},
        {POST("/", CHUNKED) "1\r\nabc\r\n", "400"},
        {POST("/", CHUNKED) "1\na\r\n", "400"},
        {POST("/upload", CHUNKED) "1\na\r\n", "400"},
        {POST("/", "Content-Length: 2000\r\n"), "413"},
    };
    struct fixture f = {0};
    start(&f);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        str_t both = arena_printf(&arena, "%s%s", rows[i].request, GET("/smuggled"));
        const char *heard = ask(&f, both, NULL);
        str_t wanted = arena_printf(&arena, "HTTP/1.1 %s", rows[i].status);
        if (!CHECK(has(heard, "<closed>") && str_starts(str_from_z(heard), wanted) &&
                   !has(heard, "/smuggled")))
            test_check_str(str_from_z(heard), wanted, rows[i].request, __FILE__, __LINE__);
    }
    CHECK_INT(seen.gone, 5); /* Bodies that went wrong or were too large: the handler is told. */
    fixture_end(&f);
}

TEST(heads_have_limits)
{
    struct fixture f = {0};
    start(&f);
    AUTO(buf_done) struct buf text = {0};
    buf_add(&text, STR("GET /"));
    for (int i = 0; i < 8000; i++)
        buf_add_char(&text, 'a');
    size_t line = text.len;
    buf_add(&text, STR(" HTTP/1.1\r\nHost: a\r\n\r\n"));
    CHECK(has(ask(&f, buf_str(&text), "[]"), "200 OK"));
    text.len = line;
    for (int i = 0; i < 9000; i++)
        buf_add_char(&text, 'a');
    CHECK(has(ask(&f, buf_str(&text), NULL), "HTTP/1.1 414"));
    text.len = 0;
    buf_add(&text, STR("GET / HTTP/1.1\r\nHost: a\r\n"));
    for (int i = 0; i < HTTP_FIELDS_MAX; i++)
        buf_printf(&text, "X-%d: y\r\n", i);
    buf_add(&text, STR("\r\n"));
    CHECK(has(ask(&f, buf_str(&text), NULL), "HTTP/1.1 431"));
    fixture_end(&f);
}

TEST(a_streamed_body_comes_back_in_chunks_and_trailers_to_those_who_ask)
{
    struct fixture f = {0};
    start(&f);
    CHECK(has(ask(&f, STR(POST("/stream", "Content-Length: 3\r\n") "abc" GET("/x")), "/x []"),
              "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHTTP/1.1 200"));
    CHECK(has(ask(&f, STR(POST("/stream", CHUNKED "TE: trailers\r\n") "1\r\na\r\n0\r\n\r\n"),
                  "\r\n\r\n1\r\na\r\n0\r\nSum: 12\r\n\r\n"),
              "Sum: 12"));
    /* HTTP/1.0 knows no chunks; the end of the connection is the end of the body. */
    CHECK(has(ask(&f, STR("POST /stream HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"), NULL),
              "Connection: close\r\n\r\nabc<closed>"));
    CHECK(
        has(ask(&f, STR("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n"),
                NULL),
            "GET /b []<closed>"));
    CHECK(has(ask(&f, STR(GET("/abort") GET("/x")), NULL), "<closed>"));
    fixture_end(&f);
}

TEST(a_client_that_expects_100_gets_it_when_its_body_is_wanted)
{
    struct fixture f = {0};
    start(&f);
    struct client client;
    client_dial(&client, &f);
    client_say(&client, STR(POST("/x", "Expect: 100-continue\r\nContent-Length: 2\r\n")));
    CHECK(has(client_hear(&client, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n"));
    client_say(&client, STR("ok"));
    CHECK(has(client_hear(&client, "[ok]"), "POST /x [ok]"));
    client_forget(&client);
    /* The body may come or not after an answer: the connection cannot be used again. */
    client_say(&client, STR(POST("/now", "Expect: 100-continue\r\nContent-Length: 2\r\n")));
    const char *heard = client_hear(&client, NULL);
    CHECK(has(heard, "Connection: close") && has(heard, "early") && !has(heard, "100 Continue"));
    client_done(&client);
    CHECK(
        !has(ask(&f, STR("POST /x HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok"),
                 NULL),
             "100 Continue"));
    fixture_end(&f);
}

TEST(a_slow_reader_slows_the_handler_and_a_lost_one_ends_it)
{
    struct fixture f = {0};
    start(&f);
    for (int lost = 0; lost < 2; lost++) {
        struct client client;
        memset(&seen, 0, sizeof(seen));
        seen.left = 300; /* 30 MB: more than any socket buffer. */
        client_dial(&client, &f);
        client_say(&client, STR(GET("/pour")));
        client.reading = false;
        fixture_turns(&f, 300);
        CHECK(seen.left > 100); /* It waits for us. */
        CHECK(http_waiting(seen.held) < 500000);
        if (!lost) {
            client.reading = true;
            client_say(&client, STR(""));
            client_hear(&client, "\r\n0\r\n\r\n");
            CHECK(client.heard.len > 30000000);
            CHECK(seen.drains > 3);
            CHECK_INT(seen.gone, 0);
            CHECK_INT(seen.released, 300);
        }
        client_done(&client);
        fixture_turns(&f, 20);
        CHECK_INT(seen.gone, lost);
        CHECK_INT((int64_t)seen.released + (int64_t)seen.left, 300); /* Nothing is forgotten. */
    }
    fixture_end(&f);
}

TEST(a_handler_that_does_not_consume_stops_the_sender)
{
    struct fixture f = {0};
    start(&f);
    seen.hold_bytes = true;
    struct client client;
    client_dial(&client, &f);
    client_say(&client, STR(POST("/upload", "Content-Length: 20000000\r\n")));
    AUTO(buf_done) struct buf body = {0};
    memset(buf_room(&body, 20000000), 'x', 20000000);
    body.len = 20000000;
    client_say(&client, buf_str(&body));
    fixture_turns(&f, 100);
    CHECK(seen.received > 0 && seen.received <= 16384);
    CHECK(client.to_say.len > 5000000);
    fixture_wait(&f, 100000); /* It is not the sender's fault. */
    CHECK_INT(seen.gone, 0);
    seen.hold_bytes = false;
    http_consumed(seen.held, seen.received);
    for (int i = 0; i < 20000 && seen.received < 20000000; i++)
        fixture_turns(&f, 1);
    CHECK_INT((int64_t)seen.received, 20000000);
    client_done(&client);
    fixture_end(&f);
}

TEST(a_lost_client_is_noticed_while_nothing_is_sent)
{
    struct fixture f = {0};
    start(&f);
    struct client client;
    client_dial(&client, &f);
    client_say(&client, STR(GET("/hold")));
    CHECK(has(client_hear(&client, "\r\n\r\n"), "200 OK")); /* The head came before any body. */
    client_done(&client);
    fixture_turns(&f, 20);
    CHECK_INT(seen.gone, 1);
    /* But an answer that is complete is sent, though the client has finished sending. */
    memset(&seen, 0, sizeof(seen));
    client_dial(&client, &f);
    client_say(&client, STR(GET("/a")));
    client_finish(&client);
    CHECK(has(client_hear(&client, NULL), "GET /a []"));
    client_done(&client);
    fixture_end(&f);
}

TEST(who_is_slow_is_cut_and_who_waits_for_a_handler_is_not)
{
    struct fixture f = {0};
    start(&f);
    struct client client;
    /* A head that drips in has ten seconds, however often a byte comes. */
    client_dial(&client, &f);
    client_say(&client, STR("GET / HT"));
    for (int i = 0; i < 12; i++) {
        fixture_wait(&f, 900);
        client_say(&client, STR("T"));
    }
    const char *heard = client_hear(&client, NULL);
    CHECK(has(heard, "HTTP/1.1 408") && has(heard, "Connection: close"));
    client_done(&client);
    /* A body has thirty from byte to byte. */
    client_dial(&client, &f);
    client_say(&client, STR(POST("/x", "Content-Length: 9\r\n")));
    for (int i = 0; i < 8; i++) {
        fixture_wait(&f, 29000);
        client_say(&client, STR("x"));
    }
    fixture_turns(&f, 5);
    CHECK(!client.closed && seen.gone == 0);
    fixture_wait(&f, 31000);
    CHECK(has(client_hear(&client, NULL), "HTTP/1.1 408"));
    CHECK_INT(seen.gone, 1);
    client_done(&client);
    /* Nothing at all; and nothing more after an answer. */
    client_dial(&client, &f);
    fixture_wait(&f, 11000);
    CHECK_STR(str_from_z(client_hear(&client, NULL)), "");
    client_done(&client);
    client_dial(&client, &f);
    client_say(&client, STR(GET("/a")));
    client_hear(&client, "[]");
    fixture_wait(&f, 70000);
    CHECK(!client.closed);
    fixture_wait(&f, 6000);
    client_hear(&client, NULL);
    client_done(&client);
    /* A handler may take its time. */
    client_dial(&client, &f);
    client_say(&client, STR(GET("/wait")));
    fixture_wait(&f, 1000000);
    CHECK(!client.closed);
    http_answer_text(seen.held, 200, STR("text/plain"), STR("at last"));
    CHECK(has(client_hear(&client, "at last"), "200 OK"));
    client_done(&client);
    fixture_end(&f);
}

TEST(who_does_not_read_is_cut_though_the_handler_writes_on)
{
    struct fixture f = {0};
    start(&f);
    struct client client;
    client_dial(&client, &f);
    client.reading = false;
    client_say(&client, STR(GET("/hold")));
    fixture_turns(&f, 5);
    for (int i = 0; i < 200 && seen.gone == 0; i++) {
        write_block(seen.held);
        fixture_wait(&f, 500);
    }
    CHECK_INT(seen.gone, 1);
    client_done(&client);
    fixture_end(&f);
}

TEST(an_upgrade_makes_a_tunnel_that_may_end_on_one_side_first)
{
    struct fixture f = {0};
    start(&f);
    struct client client;
    client_dial(&client, &f);
    client_say(&client, STR("GET /switch HTTP/1.1\r\nHost: a\r\nConnection: x, Upgrade\r\n"
                            "Upgrade: other, echo\r\n\r\nfirst"));
    const char *heard = client_hear(&client, "first");
    CHECK(has(heard, "HTTP/1.1 101 Switching Protocols\r\n") && has(heard, "X-Kind: echo\r\n") &&
          has(heard, "Upgrade: echo\r\nConnection: Upgrade\r\n\r\nfirst"));
    fixture_wait(&f, 1000000);
    client_say(&client, STR("second"));
    client_hear(&client, "second");
    client_finish(&client);
    CHECK(has(client_hear(&client, NULL), "firstsecond<bye>"));
    client_done(&client);
    CHECK(has(ask(&f, STR(GET("/switch")), "only"), "426 Upgrade Required"));
    CHECK(has(ask(&f,
                  STR("GET /switch HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
                      "\r\n"),
                  "only"),
              "426"));
    CHECK(has(ask(&f, STR("GET /switch HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\n\r\n"), "only"),
              "426"));
    fixture_end(&f);
}

TEST(a_unix_socket_says_who_is_there)
{
    struct fixture f = {0};
    start(&f);
    struct client client;
    client_dial_unix(&client, &f);
    client_say(&client, STR(GET("/who")));
    CHECK(has(client_hear(&client, "1 0"), "\r\n\r\n1 1 0"));
    client_done(&client);
    CHECK(has(ask(&f, STR(GET("/who")), "\r\n\r\n0"), "\r\n\r\n0 "));
    fixture_end(&f);
    f = (struct fixture){.tls = true};
    start(&f);
    CHECK(has(ask(&f, STR(GET("/who")), " 1"), "\r\n\r\n0 "));
    fixture_end(&f);
}

static void on_drained(void *self)
{
    struct fixture *f = self;
    seen.drained++;
    http_server_free(f->server); /* The last moment at which anybody needs it. */
    f->server = NULL;
}

TEST(a_drain_closes_the_idle_and_lets_the_working_finish)
{
    struct fixture f = {0};
    start(&f);
    struct client idle, working, fresh, queued;
    client_dial(&idle, &f);
    client_say(&idle, STR(GET("/a")));
    CHECK(has(client_hear(&idle, "[]"), "GET /a []"));
    client_dial(&working, &f);
    client_say(&working, STR(GET("/hold")));
    client_hear(&working, "\r\n\r\n");
    client_dial(&fresh, &f);
    fixture_turns(&f, 2);
    client_dial(&queued, &f); /* In the kernel's queue only. */
    client_say(&queued, STR(GET("/q")));
    http_server_drain(f.server, 10000, on_drained, &f);
    client_hear(&idle, NULL);
    client_done(&idle);
    client_say(&fresh, STR(GET("/f")));
    CHECK(has(client_hear(&fresh, NULL), "GET /f []"));
    client_done(&fresh);
    CHECK(has(client_hear(&queued, NULL), "Connection: close\r\n\r\nGET /q []"));
    client_done(&queued);
    CHECK_INT(seen.drained, 0);
    http_write(seen.held, (struct http_bytes){.bytes = STR("last")});
    http_end(seen.held, NULL, 0);
    CHECK(has(client_hear(&working, NULL), "4\r\nlast\r\n0\r\n\r\n"));
    client_done(&working);
    fixture_turns(&f, 20);
    CHECK_INT(seen.drained, 1);
    fixture_end(&f);
}

TEST(a_drain_that_takes_too_long_cuts_the_rest)
{
    struct fixture f = {0};
    start(&f);
    struct client a, b;
    client_dial(&a, &f);
    client_dial(&b, &f);
    client_say(&a, STR(GET("/hold")));
    client_say(&b, STR(GET("/hold")));
    client_hear(&a, "\r\n\r\n");
    client_hear(&b, "\r\n\r\n");
    http_server_drain(f.server, 10000, on_drained, &f);
    fixture_wait(&f, 10001);
    CHECK_INT(seen.drained, 1);
    CHECK_INT(seen.gone, 2);
    client_hear(&a, NULL);
    client_done(&a);
    client_done(&b);
    fixture_end(&f);
}
