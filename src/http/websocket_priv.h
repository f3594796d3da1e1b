/* websocket_priv.h - what the two ends of a WebSocket share: websocket.c, ws_client.c. */
#pragma once

#include "http/websocket.h"

/* A WebSocket on an exchange that has become a tunnel; lives in the exchange's arena. */
struct websocket *ws_begin(struct exchange *x, const struct ws_handler *handler, bool from_client);
str_t ws_accept_key(str_t key, struct arena *arena); /* RFC 6455, 4.2.2 */
