/* stream_test.c - a command that echoes, and a port that echoes, by every way clients have. */
#include "http/fixture.h"
#include "http/forward_session.h"
#include "http/spdy.h"
#include "http/stream_session.h"
#include "http/websocket.h"
#include "testkit/test.h"

#include <string.h>

/* --- the command: echoes, tells sizes on stderr, ends with 3 when its input does --- */

static void cmd_opened(struct stream_session *s)
{
    session_write(s, false, STR("ready\n"));
}

static void cmd_input(struct stream_session *s, str_t bytes)
{
    session_write(s, false, bytes);
    session_consumed(s, bytes.len);
}

static void cmd_ended(struct stream_session *s)
{
    AUTO(arena_done) struct arena arena = {0};
    session_finish(s, session_exit_status(3, &arena));
}

static void cmd_resized(struct stream_session *s, unsigned columns, unsigned rows)
{
    AUTO(arena_done) struct arena arena = {0};
    session_write(s, false, arena_printf(&arena, "%ux%u\n", columns, rows));
}

static void cmd_drained(struct stream_session *s)
{
    (void)s;
}

static void cmd_closed(struct stream_session *s)
{
    ++*(int *)session_self(s);
}

/* --- the port --- */

static void port_opened(struct forward *f, void *self, uint16_t port)
{
    AUTO(arena_done) struct arena arena = {0};
    forward_self_set(f, self);
    if (port == 1)
        forward_end(f, STR("nobody listens"));
    else
        forward_write(f, arena_printf(&arena, "port %u\n", port));
}

static void port_data(struct forward *f, str_t bytes)
{
    forward_write(f, bytes);
    forward_consumed(f, bytes.len);
}

static void port_ended(struct forward *f)
{
    forward_write(f, STR("bye\n"));
    forward_end(f, STR(""));
}

static void port_drained(struct forward *f)
{
    (void)f;
}

static void port_closed(struct forward *f)
{
    ++*(int *)forward_self(f);
}

static void handle(void *self, struct exchange *x)
{
    struct fixture *f = self;
    if (str_eq(x->path, STR("/forward"))) {
        struct forward_handler handler = {f->self,    port_opened,  port_data,
                                          port_ended, port_drained, port_closed};
        (void)forward_accept(x, &handler);
        return;
    }
    struct stream_want want = {true, true, true, str_eq(x->path, STR("/tty"))};
    struct stream_handler handler = {f->self,     cmd_opened,  cmd_input, cmd_ended,
                                     cmd_resized, cmd_drained, cmd_closed};
    (void)session_accept(x, &want, &handler);
}

/* --- a client with a WebSocket: what it hears is told as "channel:bytes" --- */

struct talker {
    struct websocket *ws;
    struct buf told;
    char protocol[64];
};

static void ws_is_open(struct websocket *ws, str_t subprotocol)
{
    struct talker *talker = ws_self(ws);
    talker->ws = ws;
    memcpy(talker->protocol, subprotocol.at, subprotocol.len);
}

static void ws_says(struct websocket *ws, bool text, str_t bytes)
{
    struct talker *talker = ws_self(ws);
    (void)text;
    buf_printf(&talker->told, "%d:", bytes.at[0]);
    buf_add(&talker->told, (str_t){bytes.at + 1, bytes.len - 1});
    buf_add(&talker->told, STR("|"));
}

static void ws_is_closed(struct websocket *ws, int code, str_t reason)
{
    struct talker *talker = ws_self(ws);
    (void)reason;
    buf_printf(&talker->told, "closed %d", code);
    talker->ws = NULL;
}

static void dial(struct fixture *f, struct talker *talker, const char *target,
                 const char *protocols)
{
    struct ws_handler handler = {
        .self = talker, .opened = ws_is_open, .message = ws_says, .closed = ws_is_closed};
    struct ws_dial to = {.address = "127.0.0.1",
                         .port = f->port,
                         .target = str_from_z(target),
                         .subprotocols = protocols};
    struct err err;
    *talker = (struct talker){0};
    MUST(ws_dial(f->loop, &to, &handler, &err) == 0);
    fixture_turns(f, 200);
}

static bool told(const struct talker *talker, const char *text)
{
    bool ok = str_eq(buf_str(&talker->told), str_from_z(text));
    if (!ok)
        (void)CHECK_STR(buf_str(&talker->told), "");
    return ok;
}

#define EXIT_3                                                                                     \
    "3:{\"metadata\":{},\"status\":\"Failure\",\"message\":\"command terminated with non-zero "    \
    "exit code: exit status 3\",\"reason\":\"NonZeroExitCode\",\"details\":{\"causes\":[{"         \
    "\"reason\":\"ExitCode\",\"message\":\"3\"}]}}|"

TEST(channels_carry_a_command_and_v5_ends_its_input)
{
    struct fixture f = {0};
    struct talker talker;
    int closed = 0;
    f.self = &closed;
    fixture_start(&f, handle);
    dial(&f, &talker, "/exec", "v5.channel.k8s.io, v4.channel.k8s.io");
    CHECK_STR(str_from_z(talker.protocol), "v5.channel.k8s.io");
    ws_send_copy(talker.ws, false, (str_t){"\0hello", 6});
    ws_send_copy(talker.ws, false,
                 (str_t){"\4{\"Width\":80,\"Height\":24}", 25}); /* No terminal. */
    ws_send_copy(talker.ws, false, (str_t){"\xff\0", 2});
    fixture_turns(&f, 200);
    CHECK(told(&talker, "1:|1:ready\n|1:hello|" EXIT_3 "closed 1000"));
    CHECK_INT(closed, 0);
    buf_done(&talker.told);

    dial(&f, &talker, "/tty", "v4.channel.k8s.io");
    ws_send_copy(talker.ws, false, (str_t){"\4{\"Width\":80,\"Height\":24}", 25});
    ws_send_copy(talker.ws, false, (str_t){"\xff\0", 2}); /* v4 has no such thing. */
    fixture_turns(&f, 200);
    CHECK(told(&talker, "1:|1:ready\n|1:80x24\n|"));
    ws_close(talker.ws, WS_NORMAL, STR(""));
    fixture_turns(&f, 200);
    CHECK_INT(closed, 1);
    buf_done(&talker.told);
    fixture_end(&f);
}

TEST(channels_forward_ports)
{
    struct fixture f = {0};
    struct talker talker;
    int closed = 0;
    f.self = &closed;
    fixture_start(&f, handle);
    dial(&f, &talker, "/forward?ports=65&ports=1", "v4.channel.k8s.io");
    CHECK_INT((int64_t)talker.told.len, 48);
    CHECK(memmem(talker.told.at, talker.told.len, "0:A\0|1:A\0|2:\1\0|3:\1\0|", 20) != NULL);
    CHECK(memmem(talker.told.at, talker.told.len, "|0:port 65\n|3:nobody listens|", 29) != NULL);
    buf_done(&talker.told);
    ws_send_copy(talker.ws, false, (str_t){"\0hello", 6});
    fixture_turns(&f, 200);
    CHECK(told(&talker, "0:hello|"));
    ws_close(talker.ws, WS_NORMAL, STR(""));
    fixture_turns(&f, 200);
    CHECK_INT(closed, 1);
    buf_done(&talker.told);
    fixture_end(&f);
}

/* --- a client with SPDY --- */

static void number(struct buf *out, uint32_t n)
{
    char bytes[4] = {(char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n};
    buf_add(out, (str_t){bytes, sizeof(bytes)});
}

static void syn(struct buf *out, struct spdy_heads *heads, uint32_t id, const char *type,
                const char *port)
{
    AUTO(buf_done) struct buf payload = {0};
    struct http_field fields[] = {{STR("Streamtype"), str_from_z(type)},
                                  {STR("Port"), str_from_z(port)},
                                  {STR("Requestid"), STR("0")}};
    number(&payload, id);
    number(&payload, 0);
    buf_add(&payload, (str_t){"\0\0", 2});
    spdy_heads_write(heads, fields, ARRAY_LEN(fields), &payload);
    number(out, 0x80030001);
    number(out, (uint32_t)payload.len);
    buf_add(out, buf_str(&payload));
}

static void data(struct buf *out, uint32_t id, const char *text, bool fin)
{
    number(out, id);
    number(out, (fin ? 1U << 24 : 0) | (uint32_t)strlen(text));
    buf_add(out, str_from_z(text));
}

/* All data frames that came for the stream. */
static str_t heard_on(const struct client *client, uint32_t id, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    const char *end = client->heard.at == NULL
                          ? NULL
                          : memmem(client->heard.at, client->heard.len, "\r\n\r\n", 4);
    for (const unsigned char *at = (const unsigned char *)end + 4;
         end != NULL && (const char *)at + 8 <= client->heard.at + client->heard.len;) {
        size_t n = (size_t)at[5] << 16 | (size_t)at[6] << 8 | at[7];
        if (at[0] == 0 && at[3] == id)
            buf_add(&out, (str_t){(const char *)at + 8, n});
        if (at[0] == 0 && at[3] == id && at[4] == 1)
            buf_add(&out, STR("<end>"));
        at += 8 + n;
    }
    return arena_str(arena, buf_str(&out));
}

TEST(spdy_carries_a_command)
{
    struct fixture f = {0};
    struct client client;
    struct spdy_heads *heads = spdy_heads_new();
    AUTO(buf_done) struct buf say = {0};
    int closed = 0;
    f.self = &closed;
    fixture_start(&f, handle);
    client_dial(&client, &f);
    client_say(&client, STR("POST /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: "
                            "SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n"
                            "X-Stream-Protocol-Version: v3.channel.k8s.io\r\nContent-Length: "
                            "0\r\n\r\n"));
    CHECK(strstr(client_hear(&client, "\r\n\r\n"), "101 Switching") != NULL);
    static const char *const types[] = {"error", "stdin", "stdout", "stderr"};
    for (uint32_t i = 0; i < 4; i++)
        syn(&say, heads, 1 + 2 * i, types[i], "");
    data(&say, 3, "hello", false);
    data(&say, 3, "", true);
    client_say(&client, buf_str(&say));
    fixture_turns(&f, 200);
    CHECK_STR(heard_on(&client, 5, &f.arena), "ready\nhello<end>");
    str_t status = heard_on(&client, 1, &f.arena);
    CHECK(memmem(status.at, status.len, "\"message\":\"3\"", 13) != NULL);
    CHECK(client.closed);
    CHECK_INT(closed, 0);
    client_done(&client);
    spdy_heads_free(heads);
    fixture_end(&f);
}

TEST(spdy_forwards_connections)
{
    struct fixture f = {0};
    struct client client;
    struct spdy_heads *heads = spdy_heads_new();
    AUTO(buf_done) struct buf say = {0};
    int closed = 0;
    f.self = &closed;
    fixture_start(&f, handle);
    client_dial(&client, &f);
    client_say(&client, STR("POST /forward HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: "
                            "SPDY/3.1\r\nX-Stream-Protocol-Version: portforward.k8s.io\r\n"
                            "Content-Length: 0\r\n\r\n"));
    (void)client_hear(&client, "\r\n\r\n");
    syn(&say, heads, 1, "error", "80");
    data(&say, 1, "", true);
    syn(&say, heads, 3, "data", "80");
    data(&say, 3, "hello\n", false);
    data(&say, 3, "", true);
    syn(&say, heads, 5, "error", "1");
    syn(&say, heads, 7, "data", "1");
    syn(&say, heads, 9, "error", "81");
    syn(&say, heads, 11, "data", "81");
    client_say(&client, buf_str(&say));
    fixture_turns(&f, 200);
    CHECK_STR(heard_on(&client, 3, &f.arena), "port 80\nhello\nbye\n<end>");
    CHECK_STR(heard_on(&client, 1, &f.arena), "<end>");
    CHECK_STR(heard_on(&client, 5, &f.arena), "nobody listens<end>");
    CHECK_STR(heard_on(&client, 11, &f.arena), "port 81\n");
    client_done(&client);
    fixture_turns(&f, 200);
    CHECK_INT(closed, 1); /* The last, that had no end of its own. */
    spdy_heads_free(heads);
    fixture_end(&f);
}

TEST(who_offers_nothing_of_it_is_told)
{
    struct fixture f = {0};
    fixture_start(&f, handle);
    CHECK(
        strstr(ask(&f, STR("POST /exec HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), "io\n"),
               "400 Bad Request") != NULL);
    CHECK(strstr(ask(&f,
                     STR("POST /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: "
                         "SPDY/3.1\r\nContent-Length: 0\r\n\r\n"),
                     "io\n"),
                 "403 Forbidden") != NULL);
    fixture_end(&f);
}
