/* ws_test.c - frames as tables and at every cut, then a WebSocket on a real connection. */
#include "http/fixture.h"
#include "http/websocket.h"
#include "testkit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- frames --- */

/* The events of `text` as words, read so many bytes at a time. */
static void tell(str_t text, bool from_client, size_t at_once, struct buf *told)
{
    static const char *const names[] = {[WS_TEXT] = "text",
                                        [WS_BINARY] = "binary",
                                        [WS_CLOSE] = "close",
                                        [WS_PING] = "ping",
                                        [WS_PONG] = "pong"};
    struct ws_reader reader = {.from_client = from_client, .bytes_max = 100};
    for (size_t at = 0, have = 0;;) {
        struct ws_event event;
        ssize_t used = ws_read(&reader, (str_t){text.at + at, have - at}, &event);
        if (used < 0) {
            buf_printf(told, "%d", (int)-used);
            break;
        }
        at += (size_t)used;
        if (event.opcode != WS_CONTINUATION)
            buf_printf(told, "%s(" STR_F ")%.0d ", names[event.opcode], STR_A(event.bytes),
                       event.code);
        if (used == 0 && have == text.len)
            break;
        if (used == 0)
            have = have + at_once < text.len ? have + at_once : text.len;
    }
    ws_reader_done(&reader);
}

TEST(frames_are_read_the_same_however_they_arrive)
{
    /* clang-format off */
    static const struct {
        str_t text;
        bool from_client;
        str_t told;
    } rows[] = {
        /* RFC 6455, 5.7. */
        {STR("\x81\x05Hello"), false, STR("text(Hello) ")},
        {STR("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), true, STR("text(Hello) ")},
        {STR("\x01\x03Hel\x89\x02!!\x80\x02lo"), false, STR("ping(!!) text(Hello) ")},
        {STR("\x82\x00\x8a\x00\x88\x00"), false, STR("binary() pong() close()1005 ")},
        {STR("\x88\x06\x03\xe8" "done"), false, STR("close(done)1000 ")},
        {STR("\x01\x01\xc3\x80\x01\xa4"), false, STR("text(\xc3\xa4) ")},
        {STR("\x81\x05Hello"), true, STR("1002")},                     /* Not masked. */
        {STR("\x81\x80" "abcd"), false, STR("1002")},                  /* Masked. */
        {STR("\xc1\x00"), false, STR("1002")},                         /* A reserved bit. */
        {STR("\x83\x00"), false, STR("1002")},                         /* No such opcode. */
        {STR("\x8b\x00"), false, STR("1002")},
        {STR("\x80\x00"), false, STR("1002")},                         /* Continues nothing. */
        {STR("\x01\x00\x81\x00"), false, STR("1002")},                 /* Not continued. */
        {STR("\x09\x00"), false, STR("1002")},                         /* A ping in pieces. */
        {STR("\x89\x7e\x00\x7e"), false, STR("1002")},                 /* A long ping. */
        {STR("\x82\x7e\x00\x7d"), false, STR("1002")},                 /* Not the shortest. */
        {STR("\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff"), false, STR("1002")},
        {STR("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00"), false, STR("1002")},
        {STR("\x82\x7e\x01\x00"), false, STR("1009")},
        {STR("\x02\x7e\x00\x65"), false, STR("1002")},
        {STR("\x81\x01\xff"), false, STR("1007")},
        {STR("\x81\x03\xed\xa0\x80"), false, STR("1007")},             /* A surrogate. */
        {STR("\x81\x02\xc0\x80"), false, STR("1007")},                 /* Overlong. */
        {STR("\x88\x01\x03"), false, STR("1002")},
        {STR("\x88\x02\x03\xed"), false, STR("1002")},                 /* 1005 is never sent. */
        {STR("\x88\x03\x03\xe8\xff"), false, STR("1007")},
    };
    /* clang-format on */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t at_once = 1; at_once <= rows[i].text.len; at_once++) {
            AUTO(buf_done) struct buf told = {0};
            tell(rows[i].text, rows[i].from_client, at_once, &told);
            if (!test_check_str(buf_str(&told), rows[i].told, "told", __FILE__, __LINE__))
                printf("row %zu, %zu at once\n", i, at_once);
        }
}

TEST(heads_and_masks_are_written_as_they_are_read)
{
    static const uint64_t lens[] = {0, 125, 126, 65535, 65536, (uint64_t)1 << 40};
    for (size_t i = 0; i < ARRAY_LEN(lens) * 2; i++) {
        struct ws_head head = {.fin = i % 3 > 0,
                               .masked = i % 2 == 1,
                               .opcode = WS_BINARY,
                               .mask = {1, 2, 3, (uint8_t)i},
                               .len = lens[i / 2]},
                       again = {0};
        char text[WS_HEAD_BYTES_MAX];
        size_t n = ws_head_write(text, &head);
        CHECK_INT(ws_head_read((str_t){text, n - 1}, &again), 0);
        CHECK_INT(ws_head_read((str_t){text, n}, &again), (int64_t)n);
        CHECK(again.len == head.len && again.fin == head.fin && again.masked == head.masked);
        CHECK(!head.masked || memcmp(head.mask, again.mask, 4) == 0);
    }
    static const uint8_t mask[4] = {7, 77, 177, 250};
    char whole[40] = "whatever is masked is masked by position", parts[40];
    memcpy(parts, whole, sizeof(parts));
    ws_mask(whole, sizeof(whole), mask, 0);
    for (size_t at = 0, n = 0; at < sizeof(parts); at += n) {
        n = at % 11 + 1 < sizeof(parts) - at ? at % 11 + 1 : sizeof(parts) - at;
        ws_mask(parts + at, n, mask, at);
    }
    CHECK(memcmp(whole, parts, sizeof(whole)) == 0);
}

/* --- a server of them --- */

static struct {
    struct websocket *ws;
    int closed, code, messages, drained;
    struct buf reason;
    bool pause;
    int released;
} seen;

static void on_release(void *owner)
{
    seen.released++;
    free(owner);
}

static void on_message(struct websocket *ws, bool text, str_t bytes)
{
    seen.messages++;
    if (seen.pause)
        ws_pause(ws);
    if (str_eq(bytes, STR("big"))) {
        char *big = calloc(1, 100000);
        MUST(big != NULL);
        ws_send(ws, false, (struct http_bytes){{big, 100000}, on_release, big});
    } else if (str_eq(bytes, STR("leave"))) {
        ws_close(ws, WS_GOING_AWAY, STR("bye"));
        ws_send_copy(ws, true, STR("never"));
    } else {
        ws_send_copy(ws, text, bytes);
    }
}

static void on_closed(struct websocket *ws, int code, str_t reason)
{
    (void)ws;
    seen.closed++;
    seen.code = code;
    buf_add(&seen.reason, reason);
}

static void on_drained(struct websocket *ws)
{
    (void)ws;
    seen.drained++;
}

static void handle(void *self, struct exchange *x)
{
    struct ws_handler handler = {.self = self,
                                 .message_bytes_max = 1000,
                                 .message = on_message,
                                 .drained = on_drained,
                                 .closed = on_closed};
    str_t protocol = ws_offers(x, STR("v2")) ? STR("v2") : STR("");
    seen.ws = ws_accept(x, protocol, &handler);
    CHECK(seen.ws == NULL || ws_self(seen.ws) == self);
}

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define HELLO                                                                                      \
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n"                 \
    "Sec-WebSocket-Version: 13\r\n" KEY

static void say(struct client *client, enum ws_opcode opcode, bool fin, str_t payload)
{
    char text[2000];
    struct ws_head head = {
        .fin = fin, .masked = true, .opcode = opcode, .mask = {1, 2, 3, 4}, .len = payload.len};
    size_t n = ws_head_write(text, &head);
    MUST(n + payload.len <= sizeof(text));
    memcpy(text + n, payload.at, payload.len);
    ws_mask(text + n, payload.len, head.mask, 0);
    client_say(client, (str_t){text, n + payload.len});
}

static void connect_ws(struct fixture *f, struct client *client)
{
    buf_done(&seen.reason);
    memset(&seen, 0, sizeof(seen));
    client_dial(client, f);
    client_say(client, STR(HELLO "Sec-WebSocket-Protocol: v1\r\nSec-WebSocket-Protocol: x, v2\r\n"
                                 "\r\n"));
    const char *heard = client_hear(client, "\r\n\r\n");
    CHECK(strstr(heard, "HTTP/1.1 101 ") == heard);
    CHECK(strstr(heard, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != NULL);
    CHECK(strstr(heard, "Sec-WebSocket-Protocol: v2\r\n") != NULL);
    client_forget(client);
}

static void disconnect_ws(struct client *client, int code)
{
    fixture_turns(client->fixture, 10);
    CHECK_INT(seen.closed, 1);
    CHECK_INT(seen.code, code);
    client_done(client);
    buf_done(&seen.reason);
}

TEST(a_websocket_talks_and_closes_with_manners)
{
    for (int tls = 0; tls < 2; tls++) {
        struct fixture f = {.tls = tls == 1};
        fixture_start(&f, handle);
        struct client client;
        connect_ws(&f, &client);
        say(&client, WS_TEXT, true, STR("hello"));
        CHECK(strcmp(client_hear(&client, "hello"), "\x81\x05hello") == 0);
        client_forget(&client);
        say(&client, WS_TEXT, false, STR("in "));
        say(&client, WS_PING, true, STR("there?"));
        say(&client, WS_CONTINUATION, true, STR("pieces"));
        CHECK(strcmp(client_hear(&client, "pieces"), "\x8a\x06there?\x81\x09in pieces") == 0);
        client_forget(&client);
        say(&client, WS_BINARY, true, STR("big"));
        for (int i = 0; i < 500 && client.heard.len < 100010; i++)
            fixture_turns(&f, 1);
        CHECK_INT((int64_t)client.heard.len, 100010);
        CHECK_INT(seen.released, 1);
        client_forget(&client);
        say(&client, WS_CLOSE, true,
            STR("\x03\xe8"
                "enough"));
        client_hear(&client, NULL);
        CHECK(client.heard.len == 4 && memcmp(client.heard.at, "\x88\x02\x03\xe8", 4) == 0);
        CHECK_STR(buf_str(&seen.reason), "enough");
        disconnect_ws(&client, WS_NORMAL);

        connect_ws(&f, &client);
        say(&client, WS_TEXT, true, STR("leave"));
        CHECK(strcmp(client_hear(&client, "bye"), "\x88\x05\x03\xe9"
                                                  "bye") == 0);
        CHECK_INT(seen.closed, 0);
        say(&client, WS_TEXT, true, STR("too late"));
        say(&client, WS_CLOSE, true, STR("\x03\xe9"));
        client_hear(&client, NULL);
        CHECK_INT(seen.messages, 1);
        disconnect_ws(&client, WS_GOING_AWAY);
        fixture_end(&f);
    }
}

TEST(handshakes_that_are_none_are_refused)
{
    struct fixture f = {0};
    fixture_start(&f, handle);
    const char *heard = ask(&f, STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "here\n");
    CHECK(strstr(heard, "426 Upgrade Required") != NULL);
    CHECK(strstr(heard, "Upgrade: websocket\r\n") != NULL);
    heard = ask(&f,
                STR("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n" KEY
                    "Sec-WebSocket-Version: 8\r\n\r\n"),
                "here\n");
    CHECK(strstr(heard, "Sec-WebSocket-Version: 13\r\n") != NULL);
    heard = ask(&f,
                STR("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2hvcnQ=\r\n\r\n"),
                "base64\n");
    CHECK(strstr(heard, "400 Bad Request") != NULL);
    fixture_end(&f);
}

TEST(who_breaks_the_rules_is_told_which)
{
    struct fixture f = {0};
    struct client client;
    fixture_start(&f, handle);
    connect_ws(&f, &client);
    client_say(&client, STR("\x81\x02"
                            "no"));
    client_hear(&client, NULL);
    CHECK(memcmp(client.heard.at, "\x88\x02\x03\xea", 4) == 0);
    disconnect_ws(&client, WS_PROTOCOL_ERROR);

    connect_ws(&f, &client);
    AUTO(buf_done) struct buf large = {0};
    while (large.len < 600)
        buf_add_char(&large, 'x');
    say(&client, WS_TEXT, false, buf_str(&large));
    say(&client, WS_CONTINUATION, true, buf_str(&large));
    client_hear(&client, NULL);
    CHECK(memcmp(client.heard.at, "\x88\x02\x03\xf1", 4) == 0);
    disconnect_ws(&client, WS_TOO_BIG);
    fixture_end(&f);
}

TEST(who_goes_without_a_word_or_falls_silent_is_noticed)
{
    struct fixture f = {0};
    struct client client;
    fixture_start(&f, handle);
    connect_ws(&f, &client);
    client_finish(&client);
    client_hear(&client, NULL);
    disconnect_ws(&client, WS_ABNORMAL);

    connect_ws(&f, &client);
    for (int i = 0; i < 4; i++) {
        fixture_wait(&f, 30001);
        CHECK(strcmp(client_hear(&client, "\x89"), "\x89") == 0);
        client_forget(&client);
        say(&client, WS_PONG, true, STR(""));
        fixture_wait(&f, 30001); /* It was heard: no ping this time. */
        CHECK_INT((int64_t)client.heard.len, 0);
    }
    CHECK_INT(seen.closed, 0);
    fixture_wait(&f, 30001);
    fixture_wait(&f, 30001);
    client_hear(&client, NULL);
    disconnect_ws(&client, WS_ABNORMAL);

    connect_ws(&f, &client);
    say(&client, WS_TEXT, true, STR("leave"));
    client_hear(&client, "bye");
    fixture_wait(&f, 5001); /* They do not answer our close. */
    client_hear(&client, NULL);
    disconnect_ws(&client, WS_ABNORMAL);
    fixture_end(&f);
}

TEST(a_pause_holds_the_messages_back)
{
    struct fixture f = {0};
    struct client client;
    fixture_start(&f, handle);
    connect_ws(&f, &client);
    seen.pause = true;
    for (int i = 0; i < 200; i++)
        say(&client, WS_TEXT, true, STR("one of many"));
    fixture_turns(&f, 20);
    CHECK_INT(seen.messages, 1);
    ws_resume(seen.ws);
    fixture_turns(&f, 20);
    CHECK_INT(seen.messages, 2);
    seen.pause = false;
    ws_resume(seen.ws);
    fixture_turns(&f, 20);
    CHECK_INT(seen.messages, 200);
    seen.pause = true;
    say(&client, WS_TEXT, true, STR("leave"));
    say(&client, WS_CLOSE, true, STR(""));
    client_hear(&client, NULL);
    disconnect_ws(&client, WS_NO_CODE);
    fixture_end(&f);
}
