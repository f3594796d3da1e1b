/*
 * client_priv.h - what the two versions of the client share: client.c (HTTP/1.1), h2_client.c.
 */
#pragma once

#include "http/client.h"

struct h2_client;

struct http_client {
    struct loop *loop;
    struct http_client_settings settings;
    struct list idle; /* HTTP/1.1: newest first. */
    struct list busy;
    unsigned n_idle;
    struct h2_client *h2; /* The connection new streams go to, or NULL. */
    struct list h2_all;   /* And those that only finish what they have. */
    bool no_h2;           /* The server has chosen HTTP/1.1. */
};

/* May what this method asks for be asked for twice (RFC 9110, 9.2.2)? */
bool http_may_repeat(str_t method);
int http_client_dial(struct http_client *client, struct err *err); /* A descriptor. */

/* Over a connection of its own: HTTP/2 was not agreed on. */
void h1_client_send(struct http_client *client, struct http_call *call);
/* Calls drained() if what waits has fallen from `before` to `now`, or nothing waited before. */
bool http_call_is_drained(const struct http_call *call, size_t before, size_t now);

void h2_client_send(struct http_client *client, struct http_call *call);
void h2_call_more(struct http_call *call);
void h2_call_cancel(struct http_call *call);
void h2_client_close_all(struct http_client *client);
void h2_call_write(struct http_call *call, struct http_bytes bytes);
void h2_call_end(struct http_call *call);
size_t h2_call_waiting(const struct http_call *call);
