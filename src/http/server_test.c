/* server_test.c - raw bytes to a real server on a socket pair's worth of loopback, and what it
 * says. */
#include "base/buf.h"
#include "http/server.h"
#include "net/sockets.h"
#include "net/stream.h"
#include "testkit/test.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
    struct loop *loop;
    struct http_server *server;
    uint16_t port;
    int gone;
    int drained;
    struct exchange *held;
    struct arena arena;
};

static struct fixture *now;

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

static void on_end(struct exchange *x)
{
    http_end(x, NULL, 0);
}

static void on_gone(struct exchange *x)
{
    (void)x;
    now->gone++;
}

static void handle(void *self, struct exchange *x)
{
    struct fixture *f = self;
    if (str_eq(x->path, STR("/stream"))) {
        http_begin(x, 200, NULL, 0);
        http_receive(x, on_piece, on_end);
    } else if (str_eq(x->path, STR("/hold"))) {
        x->on_gone = on_gone;
        f->held = x;
        http_begin(x, 200, NULL, 0);
        http_flush(x);
    } else if (str_eq(x->path, STR("/now"))) {
        http_answer_text(x, 200, STR("text/plain"), STR("early"));
    } else if (str_eq(x->path, STR("/big"))) {
        size_t n = (size_t)8 << 20;
        char *bytes = malloc(n);
        MUST(bytes != NULL);
        memset(bytes, 'b', n);
        http_answer(x, 200, NULL, 0, (struct http_bytes){{bytes, n}, free, bytes});
    } else {
        http_collect(x, 1000, echo);
    }
}

static void fixture_start(struct fixture *f)
{
    *f = (struct fixture){0};
    now = f;
    struct err err;
    net_init();
    MUST(loop_new(system_clock(), &f->loop, &err) == 0);
    struct http_handler handler = {f, handle};
    MUST(http_server_new(f->loop, &handler, NULL, &f->server, &err) == 0);
    int fd = socket_listen_tcp("127.0.0.1", &f->port, &err);
    MUST(fd >= 0 && http_server_listen(f->server, fd, NULL, &err) == 0);
}

static void fixture_end(struct fixture *f)
{
    struct err err;
    http_server_free(f->server);
    MUST(loop_turn(f->loop, 0, &err) == 0);
    loop_free(f->loop);
    arena_done(&f->arena);
}

static int dial(struct fixture *f)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(f->port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
    return fd;
}

/* What comes until `end` is in it, or until the server closes. Closed: "<closed>" at the end. */
static str_t hear(struct fixture *f, int fd, const char *end)
{
    AUTO(buf_done) struct buf heard = {0};
    struct err err;
    for (int i = 0; i < 3000; i++) {
        MUST(loop_turn(f->loop, 1, &err) == 0);
        char *room = buf_room(&heard, 65536);
        ssize_t n = recv(fd, room, 65535, MSG_DONTWAIT);
        if (n == 0) {
            buf_add(&heard, STR("<closed>"));
            break;
        }
        if (n < 0)
            continue;
        heard.len += (size_t)n;
        buf_room(&heard, 1)[0] = '\0';
        if (end != NULL && strstr(heard.at, end) != NULL)
            break;
    }
    return arena_str(&f->arena, buf_str(&heard));
}

static str_t ask(struct fixture *f, const char *text, const char *end)
{
    int fd = dial(f);
    MUST(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
    str_t heard = hear(f, fd, end);
    close(fd);
    struct err err;
    MUST(loop_turn(f->loop, 1, &err) == 0);
    return heard;
}

static bool has(str_t text, const char *part)
{
    return text.len > 0 && strstr(text.at, part) != NULL;
}

TEST(requests_are_answered_in_order_on_one_connection)
{
    struct fixture f;
    fixture_start(&f);
    str_t heard = ask(&f,
                      "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n"
                      "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
                      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nA: b\r\n\r\n"
                      "HEAD /d HTTP/1.1\r\nHost: x\r\n\r\n"
                      "GET /e HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                      "<closed>");
    const char *at = heard.at;
    const char *const wanted[] = {"GET /a []", "POST /b [hello]", "POST /c [abcde]",
                                  "Content-Length: 9", "GET /e []<closed>"};
    for (size_t i = 0; i < ARRAY_LEN(wanted) && at != NULL; i++)
        CHECK((at = strstr(at, wanted[i])) != NULL);
    CHECK(!has(heard, "HEAD /d []"));
    fixture_end(&f);
}

TEST(what_could_be_read_two_ways_is_refused_and_the_connection_closed)
{
    static const struct {
        const char *request;
        const char *status;
    } rows[] = {
        {"GET / HTTP/1.1\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400"},
        {"GET / HTTP/1.1\nHost: a\n\n", "400"},
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400"},
        {"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
        {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505"},
        {"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "405"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "400"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx", "400"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx", "400"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: "
         "chunked\r\n\r\n0\r\n\r\n",
         "400"},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n", "400"},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", "400"},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n", "400"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n", "413"},
    };
    struct fixture f;
    fixture_start(&f);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        str_t both =
            arena_printf(&arena, "%sGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", rows[i].request);
        str_t heard = ask(&f, both.at, "<closed>");
        str_t wanted = arena_printf(&arena, "HTTP/1.1 %s", rows[i].status);
        if (!CHECK(has(heard, "<closed>") && str_starts(heard, wanted) && !has(heard, "/smuggled")))
            test_check_str(heard, wanted, rows[i].request, __FILE__, __LINE__);
    }
    fixture_end(&f);
}

TEST(heads_have_limits)
{
    struct fixture f;
    fixture_start(&f);
    AUTO(buf_done) struct buf text = {0};
    buf_add(&text, STR("GET /"));
    for (int i = 0; i < 8000; i++)
        buf_add_char(&text, 'a');
    size_t line = text.len;
    buf_add(&text, STR(" HTTP/1.1\r\nHost: a\r\n\r\n\0"));
    CHECK(has(ask(&f, text.at, "[]"), "200 OK"));
    text.len = line;
    for (int i = 0; i < 9000; i++)
        buf_add_char(&text, 'a');
    buf_add_char(&text, '\0');
    CHECK(has(ask(&f, text.at, "<closed>"), "HTTP/1.1 414"));
    text.len = 0;
    buf_add(&text, STR("GET / HTTP/1.1\r\nHost: a\r\n"));
    for (int i = 0; i < HTTP_FIELDS_MAX; i++)
        buf_printf(&text, "X-%d: y\r\n", i);
    buf_add(&text, STR("\r\n\0"));
    CHECK(has(ask(&f, text.at, "<closed>"), "HTTP/1.1 431"));
    fixture_end(&f);
}

TEST(a_streamed_body_comes_back_in_chunks_and_100_continue_is_sent_when_asked)
{
    struct fixture f;
    fixture_start(&f);
    str_t heard =
        ask(&f, "POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "0\r\n\r\n");
    CHECK(has(heard, "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));
    int fd = dial(&f);
    const char *text =
        "POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    MUST(send(fd, text, strlen(text), 0) == (ssize_t)strlen(text));
    CHECK(has(hear(&f, fd, "\r\n\r\n"), "HTTP/1.1 100 Continue"));
    MUST(send(fd, "ok", 2, 0) == 2);
    CHECK(has(hear(&f, fd, "[ok]"), "POST /x [ok]"));
    close(fd);
    CHECK(has(ask(&f,
                  "POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbodyGET / "
                  "HTTP/1.1\r\nHost: a\r\n\r\n",
                  "GET / []"),
              "early"));
    fixture_end(&f);
}

TEST(a_large_answer_waits_for_a_slow_reader_and_a_lost_peer_is_told)
{
    struct fixture f;
    fixture_start(&f);
    int fd = dial(&f);
    const char *text = "GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    MUST(send(fd, text, strlen(text), 0) == (ssize_t)strlen(text));
    struct err err;
    for (int i = 0; i < 5; i++)
        MUST(loop_turn(f.loop, 5, &err) == 0);
    str_t heard = hear(&f, fd, "<closed>");
    CHECK(heard.len > ((size_t)8 << 20) && has((str_t){heard.at + heard.len - 9, 9}, "b<closed>"));
    close(fd);

    fd = dial(&f);
    text = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n";
    MUST(send(fd, text, strlen(text), 0) == (ssize_t)strlen(text));
    CHECK(has(hear(&f, fd, "\r\n\r\n"), "200 OK")); /* The head came before any body. */
    close(fd);
    for (int i = 0; i < 50 && f.gone == 0; i++)
        MUST(loop_turn(f.loop, 5, &err) == 0);
    CHECK_INT(f.gone, 1);
    fixture_end(&f);
}

static void on_drained(void *self)
{
    ((struct fixture *)self)->drained++;
}

TEST(a_drain_closes_the_idle_and_lets_the_working_finish)
{
    struct fixture f;
    fixture_start(&f);
    int idle = dial(&f), working = dial(&f);
    const char *text = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
               *hold = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n";
    MUST(send(idle, text, strlen(text), 0) > 0 && send(working, hold, strlen(hold), 0) > 0);
    CHECK(has(hear(&f, idle, "[]"), "GET /a []"));
    CHECK(has(hear(&f, working, "\r\n\r\n"), "200 OK"));
    http_server_drain(f.server, 10000, on_drained, &f);
    CHECK(has(hear(&f, idle, NULL), "<closed>"));
    close(idle);
    CHECK_INT(f.drained, 0);
    http_write(f.held, (struct http_bytes){.bytes = STR("last")});
    http_end(f.held, NULL, 0);
    CHECK(has(hear(&f, working, NULL), "4\r\nlast\r\n0\r\n\r\n<closed>"));
    close(working);
    struct err err;
    for (int i = 0; i < 50 && f.drained == 0; i++)
        MUST(loop_turn(f.loop, 5, &err) == 0);
    CHECK_INT(f.drained, 1);
    fixture_end(&f);
}
