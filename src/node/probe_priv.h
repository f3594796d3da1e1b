/* probe_priv.h - a probe under way, for the files that know how to ask. */
#pragma once

#include "http/client.h"
#include "node/host.h"
#include "node/probe.h"

struct probe {
    struct probe_target target;
    struct arena arena;
    void (*done)(void *self, bool fine, const char *words); /* NULL: forgotten. */
    void *self;
    struct timer timer;
    struct post end;
    bool ended, fine;
    char words[PROBE_WORDS_MAX];
    /* TCP */
    struct loop_fd watch;
    /* HTTP and gRPC */
    struct http_client *client;
    struct http_call call;
    bool calling;
    int status, grpc_status;
    char body[PROBE_BODY_MAX];
    size_t n_body;
    /* a command */
    struct runtime_run run;
    bool running;
};

/* It is over; told and freed at the end of the turn, or when its command is back. */
void probe_end(struct probe *probe, bool fine, const char *fmt, ...) PRINTF_LIKE(3, 4);
void probe_http(struct probe *probe, const struct json *how, msec_t limit_ms);
void probe_grpc(struct probe *probe, const struct json *how, msec_t limit_ms);
