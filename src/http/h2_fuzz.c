/* h2_fuzz.c - any frames behind the preface of HTTP/2, to a server that answers every request. */
#include "http/server.h"
#include "net/sockets.h"
#include "net/stream.h"
#include "testkit/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURNS = 12 };

static void answer(struct exchange *x, str_t body)
{
    http_answer_text(x, 200, STR("text/plain"), arena_str(x->arena, body));
}

static void handle(void *self, struct exchange *x)
{
    (void)self;
    MUST(x->n_fields <= HTTP_FIELDS_MAX && x->path.len > 0);
    http_collect(x, 4096, answer);
}

static struct house {
    struct fake_clock clock;
    struct loop *loop;
    struct http_server *server;
    char path[64];
} house;

static void house_start(void)
{
    struct err err;
    struct http_handler handler = {NULL, handle};
    net_init();
    fake_clock_init(&house.clock, 0);
    MUST(loop_new(&house.clock.clock, &house.loop, &err) == 0);
    MUST(http_server_new(house.loop, &handler, NULL, &house.server, &err) == 0);
    (void)snprintf(house.path, sizeof(house.path), "/tmp/davy-h2-fuzz-%d.sock", (int)getpid());
    int fd = socket_listen_unix(house.path, 0600, &err);
    MUST(fd >= 0 && http_server_listen(house.server, fd, NULL, &err) == 0);
}

static void turns(int n)
{
    struct err err;
    while (n-- > 0)
        MUST(loop_turn(house.loop, 0, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    struct err err;
    char sink[4096];
    if (house.loop == NULL)
        house_start();
    int fd = socket_dial_unix(house.path, &err);
    MUST(fd >= 0);
    (void)!write(fd, preface, sizeof(preface) - 1);
    turns(2);
    (void)!write(fd, bytes, n);
    for (int i = 0; i < TURNS; i++) {
        turns(1);
        while (recv(fd, sink, sizeof(sink), MSG_DONTWAIT) > 0) {
        }
    }
    fake_clock_advance(&house.clock, 40000); /* Deadlines pass while it is open. */
    turns(2);
    close(fd);
    turns(3);
    return 0;
}
