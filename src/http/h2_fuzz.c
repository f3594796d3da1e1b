/*
 * h2_fuzz.c - any bytes after the preface of HTTP/2, against the server as it is: sockets, streams,
 * handlers that collect, echo and never answer. Every exchange must come to its end, once.
 */
#include "http/server_priv.h"
#include "testkit/fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

/* With the empty SETTINGS that must follow. */
static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";

static struct {
    struct fake_clock clock;
    struct loop *loop;
    struct http_server *server;
    unsigned begun, ended;
} house;

static void on_gone(struct exchange *x)
{
    (void)x;
    house.ended++;
}

static void echo(struct exchange *x, str_t body)
{
    house.ended++;
    http_answer_text(x, 200, STR("text/plain"), arena_str(x->arena, body));
}

static void on_piece(struct exchange *x, str_t bytes)
{
    http_write(x, (struct http_bytes){.bytes = arena_str(x->arena, bytes)});
    http_consumed(x, bytes.len);
}

static void on_end(struct exchange *x)
{
    struct http_field trailer = {STR("Sum"), STR("12")};
    house.ended++;
    http_end(x, &trailer, 1);
}

static void handle(void *self, struct exchange *x)
{
    (void)self;
    house.begun++;
    MUST(x->n_fields <= HTTP_FIELDS_MAX && x->target.len > 0);
    x->on_gone = on_gone;
    switch (x->path.len % 3) {
    case 0:
        http_begin(x, 200, NULL, 0);
        http_receive(x, on_piece, on_end);
        return;
    case 1:
        http_collect(x, 1000, echo);
        return;
    default:
        return; /* Until the connection is gone. */
    }
}

static void open_house(void)
{
    struct err err;
    struct http_handler handler = {NULL, handle};
    struct http_server_limits limits = {0};
    net_init();
    fake_clock_init(&house.clock, (msec_t)1795521600 * 1000);
    MUST(loop_new(&house.clock.clock, &house.loop, &err) == 0);
    MUST(http_server_new(house.loop, &handler, &limits, &house.server, &err) == 0);
}

static void turn(int fd)
{
    struct err err;
    char heard[16384];
    MUST(loop_turn(house.loop, 0, &err) == 0);
    while (recv(fd, heard, sizeof(heard), MSG_DONTWAIT) > 0) {
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    int ends[2];
    if (house.loop == NULL)
        open_house();
    house.begun = house.ended = 0;
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    h1_connection_new(house.server, &(struct arrival){.fd = ends[0]});
    (void)send(ends[1], preface, sizeof(preface) - 1, MSG_NOSIGNAL);
    for (size_t at = 0; at < n;) {
        ssize_t put = send(ends[1], bytes + at, n - at, MSG_NOSIGNAL);
        at += put > 0 ? (size_t)put : 0;
        turn(ends[1]);
        if (put < 0 && house.server->n_connections == 0)
            break;
    }
    for (int i = 0; i < 4; i++)
        turn(ends[1]);
    fake_clock_advance(&house.clock, 40000); /* Deadlines pass while it is open. */
    for (int i = 0; i < 4; i++)
        turn(ends[1]);
    close(ends[1]);
    for (int i = 0; i < 10 && house.server->n_connections > 0; i++)
        turn(-1);
    MUST(house.server->n_connections == 0);
    MUST(house.begun == house.ended);
    return 0;
}
