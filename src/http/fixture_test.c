/* fixture_test.c - see fixture.h; no tests of its own. */
#include "http/fixture.h"
#include "net/pki.h"
#include "net/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct tls_config *make_tls(struct fixture *f)
{
    struct err err;
    struct pki_pair ca, pair;
    struct pki_leaf leaf = {.common_name = STR("davy"),
                            .names = "DNS:localhost,IP:127.0.0.1",
                            .server = true,
                            .days = 2};
    MUST(pki_ca("test-ca", 10, &f->arena, &ca, &err) == 0);
    MUST(pki_sign(&ca, &leaf, &f->arena, &pair, &err) == 0);
    struct tls_settings server = {.certificate_pem = pair.certificate_pem,
                                  .key_pem = pair.key_pem,
                                  .alpn = "h2,http/1.1",
                                  .server = true},
                        client = {.server_ca_pem = ca.certificate_pem,
                                  .alpn = f->alpn == NULL ? "http/1.1" : f->alpn};
    struct tls_config *config;
    MUST(tls_config_new(&server, &config, &err) == 0);
    MUST(tls_config_new(&client, &f->client_tls, &err) == 0);
    return config;
}

void fixture_start(struct fixture *f, void (*handle)(void *f, struct exchange *x))
{
    struct err err;
    net_init();
    fake_clock_init(&f->clock, (msec_t)1795521600 * 1000);
    MUST(loop_new(&f->clock.clock, &f->loop, &err) == 0);
    struct http_handler handler = {f, handle};
    MUST(http_server_new(f->loop, &handler, &f->limits, &f->server, &err) == 0);
    int fd = socket_listen_tcp("127.0.0.1", &f->port, &err);
    MUST(fd >= 0);
    MUST(http_server_listen(f->server, fd, f->tls ? make_tls(f) : NULL, &err) == 0);
}

void fixture_end(struct fixture *f)
{
    http_server_free(f->server);
    fixture_turns(f, 2);
    loop_free(f->loop);
    tls_config_unref(f->client_tls);
    arena_done(&f->arena);
    if (f->path[0] != '\0')
        (void)unlink(f->path);
}

void fixture_turns(struct fixture *f, int n)
{
    struct err err;
    for (int i = 0; i < n; i++)
        MUST(loop_turn(f->loop, 1, &err) == 0);
}

void fixture_wait(struct fixture *f, msec_t ms)
{
    fixture_turns(f, 3);
    fake_clock_advance(&f->clock, ms);
    fixture_turns(f, 3);
}

/* --- clients --- */

static void client_turn(struct stream *stream, unsigned events)
{
    struct client *client = CONTAINER_OF(stream, struct client, stream);
    struct err err;
    while (client->to_say.len > 0) {
        struct iovec part = {client->to_say.at, client->to_say.len};
        ssize_t put = stream_write(stream, &part, 1, &err);
        if (put < 0 && put != STREAM_AGAIN)
            client->to_say.len = 0; /* The server has closed: what it said is still to be read. */
        if (put <= 0)
            break;
        buf_take_front(&client->to_say, (size_t)put);
    }
    if ((events & LOOP_READ) && client->reading) {
        ssize_t n = stream_read(stream, buf_room(&client->heard, client->read_max + 1),
                                client->read_max, &err);
        if (n > 0)
            client->heard.len += (size_t)n;
        else if (n != STREAM_AGAIN)
            client->closed = true;
    }
    unsigned read = client->reading && !client->closed ? LOOP_READ : 0;
    stream_want(stream, read | (client->to_say.len > 0 && !client->closed ? LOOP_WRITE : 0));
}

static void client_start(struct client *client, struct fixture *f, int fd, struct tls_config *tls)
{
    struct err err;
    *client = (struct client){.fixture = f, .read_max = 65536, .reading = true};
    MUST(stream_init(&client->stream, f->loop, fd, tls, tls == NULL ? NULL : "localhost",
                     client_turn, &err) == 0);
    stream_want(&client->stream, LOOP_READ);
    buf_room(&client->heard, 1)[0] = '\0';
}

void client_dial(struct client *client, struct fixture *f)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(f->port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
    int on = 1;
    MUST(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
    MUST(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    client_start(client, f, fd, f->client_tls);
}

void client_dial_unix(struct client *client, struct fixture *f)
{
    struct err err;
    if (f->path[0] == '\0') {
        snprintf(f->path, sizeof(f->path), "/tmp/davy-http-test-%d", (int)getpid());
        int fd = socket_listen_unix(f->path, 0600, &err);
        MUST(fd >= 0 && http_server_listen(f->server, fd, NULL, &err) == 0);
    }
    int fd = socket_connect_unix(f->path, &err);
    MUST(fd >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    client_start(client, f, fd, NULL);
}

void client_say(struct client *client, str_t text)
{
    buf_add(&client->to_say, text);
    if (!client->closed)
        client_turn(&client->stream, 0);
}

void client_finish(struct client *client)
{
    stream_finish(&client->stream);
}

const char *client_hear(struct client *client, const char *end)
{
    for (int i = 0; i < 5000 && !client->closed; i++) {
        fixture_turns(client->fixture, 1);
        if (end == NULL)
            continue;
        buf_room(&client->heard, 1)[0] = '\0';
        size_t from = client->heard.len > (1 << 20) ? client->heard.len - (1 << 20) : 0;
        if (client->heard.len > 0 && strstr(client->heard.at + from, end) != NULL)
            break;
    }
    buf_room(&client->heard, 1)[0] = '\0';
    return client->heard.at;
}

void client_forget(struct client *client)
{
    client->heard.len = 0;
    buf_room(&client->heard, 1)[0] = '\0';
}

void client_done(struct client *client)
{
    struct fixture *f = client->fixture;
    if (f == NULL)
        return;
    client->fixture = NULL;
    while (!stream_done(&client->stream))
        fixture_turns(f, 1);
    buf_done(&client->to_say);
    buf_done(&client->heard);
    fixture_turns(f, 1);
}

const char *ask(struct fixture *f, str_t text, const char *end)
{
    struct client client;
    client_dial(&client, f);
    client_say(&client, text);
    client_hear(&client, end);
    if (client.closed)
        buf_add(&client.heard, STR("<closed>"));
    const char *heard =
        arena_printf(&f->arena, STR_F, STR_A(((str_t){client.heard.at, client.heard.len}))).at;
    client_done(&client);
    return heard;
}
