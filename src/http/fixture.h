/* fixture.h - for tests: a server and its raw clients on one loop, with a clock that is told. */
#pragma once

#include "base/buf.h"
#include "http/server.h"
#include "net/stream.h"

struct fixture {
    struct fake_clock clock;
    struct loop *loop;
    struct http_server *server;
    struct http_server_limits limits; /* Set before fixture_start(). */
    bool tls;                         /* So is this, */
    const char *alpn;                 /* and what TLS clients offer; NULL: http/1.1. */
    struct tls_config *client_tls;
    struct arena arena;
    uint16_t port;
    char path[64]; /* Of a unix socket. */
    void *self;    /* The test's own. */
};

struct client {
    struct stream stream;
    struct fixture *fixture;
    struct buf to_say;
    struct buf heard;
    size_t read_max; /* Bytes a turn. */
    bool reading;
    bool closed; /* By the server. */
};

void fixture_start(struct fixture *f, void (*handle)(void *f, struct exchange *x));
void fixture_end(struct fixture *f);
void fixture_turns(struct fixture *f, int n);
/* Moves the clock and lets everything happen that is due. */
void fixture_wait(struct fixture *f, msec_t ms);

void client_dial(struct client *client, struct fixture *f);
void client_dial_unix(struct client *client, struct fixture *f);
void client_say(struct client *client, str_t text);
void client_finish(struct client *client); /* Half-close. */
/* All there is, as soon as `end` is in it; NULL: until the server has closed. NUL-terminated. */
const char *client_hear(struct client *client, const char *end);
void client_forget(struct client *client); /* What was heard. */
void client_done(struct client *client);

/* One connection: says `text`, waits for `end`, closes. In the arena; "<closed>" is added. */
const char *ask(struct fixture *f, str_t text, const char *end);
