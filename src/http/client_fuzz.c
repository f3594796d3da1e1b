/*
 * client_fuzz.c - any bytes as what a server says to our client, over HTTP/1.1 and HTTP/2: two
 * calls, one of which uploads, come to their ends once, and nothing they gave is kept.
 */
#include "http/client.h"
#include "net/sockets.h"
#include "net/stream.h"
#include "testkit/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 4, TURNS = 10, PIECE_BYTES = 100, PIECES_MAX = 40 };

struct probe {
    struct http_call call;
    int done;
    unsigned pieces;
    bool pauses;
};

static struct {
    struct fake_clock clock;
    struct loop *loop;
    int listening;
    char path[64];
    int peers[CONNECTIONS_MAX];
    int n_peers;
    int made, released;
} house;

static void on_head(struct http_call *call, const struct http_answer_head *head)
{
    MUST(call->done != NULL && head->n_fields <= HTTP_FIELDS_MAX);
    MUST(head->status >= 100 && head->status <= 999);
}

static bool on_piece(struct http_call *call, str_t bytes)
{
    struct probe *probe = CONTAINER_OF(call, struct probe, call);
    MUST(bytes.len > 0 && probe->done == 0);
    return !probe->pauses;
}

static void on_trailers(struct http_call *call, const struct http_field *fields, size_t n_fields)
{
    (void)fields;
    MUST(call->done != NULL && n_fields <= HTTP_FIELDS_MAX);
}

static void on_done(struct http_call *call, int r, const struct err *err)
{
    struct probe *probe = CONTAINER_OF(call, struct probe, call);
    MUST(++probe->done == 1 && (r < 0) == (err != NULL));
}

static void on_release(void *owner)
{
    house.released++;
    free(owner);
}

static void on_drained(struct http_call *call)
{
    struct probe *probe = CONTAINER_OF(call, struct probe, call);
    char *bytes = calloc(1, PIECE_BYTES);
    MUST(bytes != NULL && probe->done == 0);
    house.made++;
    http_call_write(call, (struct http_bytes){{bytes, PIECE_BYTES}, on_release, bytes});
    if (++probe->pieces == PIECES_MAX)
        http_call_end(call);
}

static void leave(void)
{
    (void)unlink(house.path);
}

static void open_house(void)
{
    struct err err;
    MUST(atexit(leave) == 0);
    net_init();
    fake_clock_init(&house.clock, 0);
    MUST(loop_new(&house.clock.clock, &house.loop, &err) == 0);
    (void)snprintf(house.path, sizeof(house.path), "/tmp/davy-client-fuzz-%d", (int)getpid());
    house.listening = socket_listen_unix(house.path, 0600, &err);
    MUST(house.listening >= 0);
}

/* Takes whoever has dialled, says all to each, and throws away what they say. */
static void turns(str_t bytes, int n)
{
    struct err err;
    char sink[4096];
    while (n-- > 0) {
        int fd = house.n_peers < CONNECTIONS_MAX ? socket_accept(house.listening, &err) : -1;
        if (fd >= 0) {
            house.peers[house.n_peers++] = fd;
            (void)send(fd, bytes.at, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        MUST(loop_turn(house.loop, 0, &err) == 0);
        for (int i = 0; i < house.n_peers; i++)
            while (recv(house.peers[i], sink, sizeof(sink), MSG_DONTWAIT) > 0) {
            }
    }
}

static void run(str_t bytes, bool http2)
{
    struct http_client_settings settings = {
        .unix_path = house.path, .http2 = http2, .gap_ms = 20000};
    struct http_client *client;
    struct err err;
    struct probe get = {.call = {.method = STR("GET"), .target = STR("/a")}, .pauses = true},
                 post = {.call = {.method = STR("POST"), .target = STR("/b"), .streams = true}};
    struct probe *probes[] = {&get, &post};
    MUST(http_client_new(house.loop, &settings, &client, &err) == 0);
    house.n_peers = house.made = house.released = 0;
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        struct http_call *call = &probes[i]->call;
        call->head = on_head;
        call->piece = on_piece;
        call->trailers = on_trailers;
        call->drained = on_drained;
        call->done = on_done;
        http_client_send(client, call);
    }
    turns(bytes, TURNS);
    get.pauses = false;
    if (get.done == 0)
        http_call_more(&get.call);
    turns(bytes, TURNS);
    for (int i = 0; i < house.n_peers; i++)
        (void)shutdown(house.peers[i], SHUT_WR);
    turns(bytes, 3);
    fake_clock_advance(&house.clock, 70000);
    turns(bytes, 3);
    http_client_free(client);
    for (int i = 0; i < house.n_peers; i++)
        close(house.peers[i]);
    house.n_peers = 0;
    turns(bytes, 3);
    for (int i = 0; i < house.n_peers; i++)
        close(house.peers[i]);
    MUST(house.made == house.released);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (house.loop == NULL)
        open_house();
    run((str_t){(const char *)bytes, n}, false);
    run((str_t){(const char *)bytes, n}, true);
    return 0;
}
