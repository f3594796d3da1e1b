/*
 * websocket.c - frames over the tunnel that http_upgrade() makes.
 *
 * Pieces that come from the tunnel are given back when all their frames have been handled; while
 * the handler pauses they wait in `held`, and nothing more comes.
 */
#include "codec/base64.h"
#include "http/h1_parse.h"
#include "http/websocket_priv.h"
#include "net/loop.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    MESSAGE_BYTES_MAX = 1 << 20,
    PING_MS = 30000,
    CLOSE_MS = 5000, /* For the peer to answer our close. */
    KEY_BYTES = 16,
    COPY_BYTES_MAX = 4096, /* A message so small is sent with its head as one piece. */
};

enum ws_state {
    WS_OPEN,
    WS_CLOSING, /* Our close is out, theirs is awaited. */
    WS_OVER,    /* closed() has been called. */
};

struct websocket { /* In the exchange's arena. */
    struct exchange *x;
    struct ws_handler handler;
    enum ws_state state;
    struct ws_reader reader;
    struct timer timer;
    struct buf held;   /* Not yet read. */
    size_t unconsumed; /* Given to us by the exchange. */
    struct timer resume;
    bool paused;
    bool heard;  /* Something came since the timer was set. */
    bool pinged; /* And nothing has come since. */
};

/* --- the handshake --- */

bool ws_offers(const struct exchange *x, str_t subprotocol)
{
    for (size_t i = 0; i < x->n_fields; i++)
        if (http_name_eq(x->fields[i].name, STR("Sec-WebSocket-Protocol")) &&
            http_list_has(x->fields[i].value, subprotocol))
            return true;
    return false;
}

str_t ws_accept_key(str_t key, struct arena *arena)
{
    char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    str_t both = arena_printf(arena, STR_F "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", STR_A(key));
    MUST(EVP_Digest(both.at, both.len, (unsigned char *)digest, &n, EVP_sha1(), NULL) == 1);
    return base64_encode((str_t){digest, n}, arena);
}

static struct websocket *refuse(struct exchange *x, int status, const char *why)
{
    struct http_field fields[] = {{STR("Content-Type"), STR("text/plain; charset=utf-8")},
                                  {STR("Upgrade"), STR("websocket")},
                                  {STR("Sec-WebSocket-Version"), STR("13")}};
    http_answer(x, status, fields, ARRAY_LEN(fields),
                (struct http_bytes){.bytes = str_from_z(why)});
    return NULL;
}

static bool is_key(struct exchange *x, str_t key)
{
    str_t bytes;
    struct err err;
    return base64_decode(key, x->arena, &bytes, &err) == 0 && bytes.len == KEY_BYTES;
}

/* --- sending --- */

/* Clients mask what they send, with bytes nobody can guess (RFC 6455, 5.3). */
static struct ws_head head_of(const struct websocket *ws, enum ws_opcode opcode, size_t len)
{
    struct ws_head head = {.fin = true, .opcode = opcode, .len = len};
    head.masked = !ws->reader.from_client;
    if (head.masked)
        MUST(getrandom(head.mask, sizeof(head.mask), 0) == (ssize_t)sizeof(head.mask));
    return head;
}

static void write_frame(struct websocket *ws, enum ws_opcode opcode, str_t payload)
{
    struct ws_head head = head_of(ws, opcode, payload.len);
    char *frame = malloc(WS_HEAD_BYTES_MAX + payload.len);
    MUST(frame != NULL);
    size_t n = ws_head_write(frame, &head);
    if (payload.len > 0)
        memcpy(frame + n, payload.at, payload.len);
    if (head.masked)
        ws_mask(frame + n, payload.len, head.mask, 0);
    http_write(ws->x, (struct http_bytes){{frame, n + payload.len}, free, frame});
}

void ws_send_copy(struct websocket *ws, bool text, str_t bytes)
{
    if (ws->state == WS_OPEN)
        write_frame(ws, text ? WS_TEXT : WS_BINARY, bytes);
}

void ws_send(struct websocket *ws, bool text, struct http_bytes bytes)
{
    bool copy = bytes.bytes.len <= COPY_BYTES_MAX || !ws->reader.from_client;
    if (ws->state == WS_OPEN && !copy) {
        struct ws_head head = {
            .fin = true, .opcode = text ? WS_TEXT : WS_BINARY, .len = bytes.bytes.len};
        char *frame = malloc(WS_HEAD_BYTES_MAX);
        MUST(frame != NULL);
        size_t n = ws_head_write(frame, &head);
        http_write(ws->x, (struct http_bytes){{frame, n}, free, frame});
        http_write(ws->x, bytes);
        return;
    }
    ws_send_copy(ws, text, bytes.bytes);
    if (bytes.release != NULL)
        bytes.release(bytes.owner);
}

static void write_close(struct websocket *ws, int code, str_t reason)
{
    char payload[WS_CONTROL_BYTES_MAX];
    size_t n = 0;
    if (code != WS_NO_CODE) {
        payload[n++] = (char)(code >> 8);
        payload[n++] = (char)code;
        size_t room = sizeof(payload) - n;
        str_t said = {reason.at, reason.len < room ? reason.len : room};
        while (!ws_is_utf8(said))
            said.len--; /* Cut in the middle of a letter. */
        if (said.len > 0)
            memcpy(payload + n, said.at, said.len);
        n += said.len;
    }
    write_frame(ws, WS_CLOSE, (str_t){payload, n});
}

/* --- the end --- */

/* Tells the handler. The exchange is finished, if it still lives, and takes `ws` with it. */
static void over(struct websocket *ws, int code, str_t reason, bool exchange_lives)
{
    if (ws->state == WS_OVER)
        return;
    ws->state = WS_OVER;
    timer_stop(&ws->timer);
    timer_stop(&ws->resume);
    struct exchange *x = ws->x;
    x->on_drain = NULL;
    x->on_gone = NULL;
    if (ws->handler.closed != NULL)
        ws->handler.closed(ws, code, reason);
    ws_reader_done(&ws->reader);
    buf_done(&ws->held);
    if (exchange_lives)
        http_end(x, NULL, 0);
}

static void on_gone(struct exchange *x)
{
    over(x->self, WS_ABNORMAL, STR(""), false);
}

static void on_timer(struct timer *timer)
{
    struct websocket *ws = CONTAINER_OF(timer, struct websocket, timer);
    if (ws->state == WS_CLOSING) {
        over(ws, WS_ABNORMAL, STR("no answer to our close"), true);
        return;
    }
    if (ws->pinged && !ws->heard && !ws->paused) {
        struct exchange *x = ws->x;
        over(ws, WS_ABNORMAL, STR("no answer to our ping"), false);
        http_abort(x);
        return;
    }
    ws->pinged = !ws->heard;
    ws->heard = false;
    if (ws->pinged)
        write_frame(ws, WS_PING, STR(""));
    timer_set(ws->x->loop, timer, ws->handler.ping_ms, on_timer);
}

void ws_close(struct websocket *ws, int code, str_t reason)
{
    if (ws->state != WS_OPEN)
        return;
    write_close(ws, code, reason);
    ws->state = WS_CLOSING;
    timer_set(ws->x->loop, &ws->timer, CLOSE_MS, on_timer);
    ws_resume(ws); /* Their answer has to be read. */
}

/* --- reading --- */

/* False: the socket is over, and `ws` may be gone. */
static bool on_event(struct websocket *ws, const struct ws_event *event)
{
    switch (event->opcode) {
    case WS_CONTINUATION:
    case WS_PONG:
        return true;
    case WS_TEXT:
    case WS_BINARY:
        if (ws->state == WS_OPEN)
            ws->handler.message(ws, event->opcode == WS_TEXT, event->bytes);
        return true;
    case WS_PING:
        if (ws->state == WS_OPEN)
            write_frame(ws, WS_PONG, event->bytes);
        return true;
    case WS_CLOSE:
        if (ws->state == WS_OPEN)
            write_close(ws, event->code, STR(""));
        over(ws, event->code, event->bytes, true);
        return false;
    }
    return true;
}

/* As on_event(). *bytes becomes what could not be read yet. */
static bool read_frames(struct websocket *ws, str_t *bytes)
{
    while (!ws->paused && bytes->len > 0) {
        struct ws_event event;
        ssize_t used = ws_read(&ws->reader, *bytes, &event);
        if (used < 0) {
            if (ws->state == WS_OPEN)
                write_close(ws, (int)-used, STR(""));
            over(ws, (int)-used, STR("broken frame"), true);
            return false;
        }
        if (used == 0)
            return true; /* The beginning of a head. */
        *bytes = (str_t){bytes->at + used, bytes->len - (size_t)used};
        if (!on_event(ws, &event))
            return false;
    }
    return true;
}

static void read_held(struct websocket *ws, str_t more)
{
    struct buf held = ws->held;
    ws->held = (struct buf){0};
    str_t bytes = more;
    if (held.len > 0) {
        buf_add(&held, more);
        bytes = buf_str(&held);
    }
    if (read_frames(ws, &bytes)) {
        size_t n = ws->unconsumed;
        buf_add(&ws->held, bytes);
        if (!ws->paused && n > 0) {
            ws->unconsumed = 0;
            http_consumed(ws->x, n);
        }
    }
    buf_done(&held);
}

static void on_piece(struct exchange *x, str_t bytes)
{
    struct websocket *ws = x->self;
    if (ws->state == WS_OVER)
        return;
    ws->unconsumed += bytes.len;
    ws->heard = true;
    read_held(ws, bytes);
}

static void on_end(struct exchange *x)
{
    struct websocket *ws = x->self;
    if (ws->state != WS_OVER)
        over(ws, WS_ABNORMAL, STR(""), true);
}

static void on_drain(struct exchange *x)
{
    struct websocket *ws = x->self;
    if (ws->state == WS_OPEN)
        ws->handler.drained(ws);
}

static void on_resume(struct timer *timer)
{
    read_held(CONTAINER_OF(timer, struct websocket, resume), STR(""));
}

void ws_pause(struct websocket *ws)
{
    if (ws->state == WS_OPEN)
        ws->paused = true;
}

/* Not at once: whoever resumes may be the one that is told next, or closed. */
void ws_resume(struct websocket *ws)
{
    if (!ws->paused)
        return;
    ws->paused = false;
    timer_set(ws->x->loop, &ws->resume, 0, on_resume);
}

struct websocket *ws_begin(struct exchange *x, const struct ws_handler *handler, bool from_client)
{
    struct websocket *ws = arena_new(x->arena, struct websocket);
    ws->x = x;
    ws->handler = *handler;
    if (ws->handler.ping_ms == 0)
        ws->handler.ping_ms = PING_MS;
    size_t bytes_max = handler->message_bytes_max;
    ws->reader = (struct ws_reader){.from_client = from_client,
                                    .bytes_max = bytes_max == 0 ? MESSAGE_BYTES_MAX : bytes_max};
    x->self = ws;
    x->on_gone = on_gone;
    x->on_drain = handler->drained == NULL ? NULL : on_drain;
    timer_set(x->loop, &ws->timer, ws->handler.ping_ms, on_timer);
    http_receive(x, on_piece, on_end);
    return ws;
}

struct websocket *ws_accept(struct exchange *x, str_t subprotocol, const struct ws_handler *handler)
{
    str_t key = http_get(x, STR("Sec-WebSocket-Key"));
    if (x->method != HTTP_GET || !http_list_has(x->offer, STR("websocket")))
        return refuse(x, 426, "a WebSocket is expected here\n");
    if (!str_eq(http_get(x, STR("Sec-WebSocket-Version")), STR("13")))
        return refuse(x, 426, "only version 13 of WebSocket is spoken here\n");
    if (x->version < 20 && !is_key(x, key))
        return refuse(x, 400, "Sec-WebSocket-Key must be 16 bytes in base64\n");

    struct http_field fields[2];
    size_t n = 0;
    if (x->version < 20)
        fields[n++] =
            (struct http_field){STR("Sec-WebSocket-Accept"), ws_accept_key(key, x->arena)};
    if (subprotocol.len > 0)
        fields[n++] = (struct http_field){STR("Sec-WebSocket-Protocol"), subprotocol};
    if (!http_upgrade(x, STR("websocket"), fields, n))
        return NULL;
    return ws_begin(x, handler, true);
}

void *ws_self(const struct websocket *ws)
{
    return ws->handler.self;
}

struct exchange *ws_exchange(const struct websocket *ws)
{
    return ws->x;
}

size_t ws_waiting(const struct websocket *ws)
{
    return http_waiting(ws->x);
}
