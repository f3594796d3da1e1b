/* ws_client_test.c - both ends of a WebSocket are ours. */
#include "http/fixture.h"
#include "http/websocket.h"
#include "testkit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE_BYTES = 300000 };

static struct {
    struct websocket *client;
    struct buf heard; /* By the client. */
    size_t large;
    int opened, closed, code, server_closed;
    bool subprotocol;
    char why[80];
} seen;

static void server_message(struct websocket *ws, bool text, str_t bytes)
{
    if (str_eq(bytes, STR("close me")))
        ws_close(ws, WS_GOING_AWAY, STR("as asked"));
    else
        ws_send_copy(ws, text, bytes);
}

static void server_closed(struct websocket *ws, int code, str_t reason)
{
    (void)ws;
    (void)code;
    (void)reason;
    seen.server_closed++;
}

static void handle(void *self, struct exchange *x)
{
    (void)self;
    static const struct ws_handler handler = {.message = server_message, .closed = server_closed};
    if (str_eq(x->path, STR("/ws")))
        (void)ws_accept(x, ws_offers(x, STR("b")) ? STR("b") : STR(""), &handler);
    else
        http_answer_text(x, 404, STR("text/plain"), STR("no\n"));
}

static void opened(struct websocket *ws, str_t subprotocol)
{
    seen.client = ws;
    seen.opened++;
    seen.subprotocol = str_eq(subprotocol, STR("b"));
    ws_send_copy(ws, true, STR("first"));
}

static void message(struct websocket *ws, bool text, str_t bytes)
{
    (void)ws;
    if (text)
        buf_printf(&seen.heard, STR_F ";", STR_A(bytes));
    else
        seen.large = bytes.len;
}

static void closed(struct websocket *ws, int code, str_t reason)
{
    (void)ws;
    seen.closed++;
    seen.code = code;
    (void)snprintf(seen.why, sizeof(seen.why), STR_F, STR_A(reason));
}

static void dial(struct fixture *f, const char *target, bool tls)
{
    static const struct ws_handler handler = {
        .opened = opened, .message = message, .closed = closed};
    struct err err;
    struct ws_dial how = {.address = "127.0.0.1",
                          .port = f->port,
                          .tls = tls ? f->client_tls : NULL,
                          .server_name = tls ? "localhost" : NULL,
                          .target = str_from_z(target),
                          .subprotocols = "a, b"};
    buf_done(&seen.heard);
    memset(&seen, 0, sizeof(seen));
    MUST(ws_dial(f->loop, &how, &handler, &err) == 0);
}

static void turns(struct fixture *f, const int *until)
{
    for (int i = 0; i < 20000 && *until == 0; i++)
        fixture_turns(f, 1);
}

TEST(a_client_talks_and_either_side_ends_it)
{
    for (int tls = 0; tls < 2; tls++) {
        struct fixture f = {.tls = tls};
        fixture_start(&f, handle);
        dial(&f, "/ws", tls);
        turns(&f, &seen.opened);
        CHECK(seen.opened == 1 && seen.subprotocol);
        char *large = calloc(1, LARGE_BYTES);
        ws_send(seen.client, false, (struct http_bytes){{large, LARGE_BYTES}, free, large});
        ws_send_copy(seen.client, true, STR("last"));
        for (int i = 0; i < 20000 && seen.heard.len < 11; i++)
            fixture_turns(&f, 1);
        CHECK_STR(buf_str(&seen.heard), "first;last;");
        CHECK_INT((int64_t)seen.large, LARGE_BYTES);
        ws_close(seen.client, WS_NORMAL, STR("done"));
        turns(&f, &seen.closed);
        CHECK(seen.closed == 1 && seen.code == WS_NORMAL && seen.server_closed == 1);

        dial(&f, "/ws", tls);
        turns(&f, &seen.opened);
        ws_send_copy(seen.client, true, STR("close me"));
        turns(&f, &seen.closed);
        CHECK(seen.code == WS_GOING_AWAY);
        CHECK_STR(str_from_z(seen.why), "as asked");
        fixture_turns(&f, 20);
        buf_done(&seen.heard);
        seen.heard = (struct buf){0};
        fixture_end(&f);
    }
}

TEST(where_there_is_no_websocket_the_client_is_told_why)
{
    struct fixture f = {0};
    fixture_start(&f, handle);
    dial(&f, "/other", false);
    turns(&f, &seen.closed);
    CHECK(seen.opened == 0 && seen.closed == 1 && seen.code == WS_ABNORMAL);
    CHECK_STR(str_from_z(seen.why), "the server answered 404 instead");
    fixture_turns(&f, 5);
    fixture_end(&f);
}
