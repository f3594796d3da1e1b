/* ws_frame.c - see ws_frame.h. */
#include "http/ws_frame.h"

#include <string.h>

static bool is_control(enum ws_opcode opcode)
{
    return opcode >= WS_CLOSE;
}

static bool is_known(unsigned opcode)
{
    return opcode <= WS_BINARY || (opcode >= WS_CLOSE && opcode <= WS_PONG);
}

static uint64_t big_endian(const char *at, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

int ws_head_read(str_t bytes, struct ws_head *out)
{
    if (bytes.len < 2)
        return 0;
    unsigned first = (unsigned char)bytes.at[0], second = (unsigned char)bytes.at[1];
    if ((first & 0x70) || !is_known(first & 0x0f))
        return -WS_PROTOCOL_ERROR;
    out->fin = first & 0x80;
    out->opcode = first & 0x0f;
    out->masked = second & 0x80;
    out->len = second & 0x7f;
    if (is_control(out->opcode) && (!out->fin || out->len > WS_CONTROL_BYTES_MAX))
        return -WS_PROTOCOL_ERROR;
    size_t len_bytes = out->len == 126 ? 2 : out->len == 127 ? 8 : 0;
    size_t whole = 2 + len_bytes + (out->masked ? 4 : 0);
    if (bytes.len < whole)
        return 0;
    if (len_bytes > 0) {
        out->len = big_endian(bytes.at + 2, len_bytes);
        if (out->len <= (len_bytes == 2 ? 125 : UINT16_MAX) || out->len > INT64_MAX)
            return -WS_PROTOCOL_ERROR;
    }
    if (out->masked)
        memcpy(out->mask, bytes.at + 2 + len_bytes, 4);
    return (int)whole;
}

size_t ws_head_write(char *to, const struct ws_head *head)
{
    size_t len_bytes = head->len <= 125 ? 0 : head->len <= UINT16_MAX ? 2 : 8;
    unsigned len = len_bytes == 0 ? (unsigned)head->len : len_bytes == 2 ? 126 : 127;
    to[0] = (char)((head->fin ? 0x80 : 0) | head->opcode);
    to[1] = (char)((head->masked ? 0x80 : 0) | len);
    for (size_t i = 0; i < len_bytes; i++)
        to[2 + i] = (char)(head->len >> (8 * (len_bytes - 1 - i)));
    if (head->masked)
        memcpy(to + 2 + len_bytes, head->mask, 4);
    return 2 + len_bytes + (head->masked ? 4 : 0);
}

void ws_mask(char *bytes, size_t n, const uint8_t mask[4], uint64_t at)
{
    uint8_t turned[8];
    uint64_t wide;
    for (size_t i = 0; i < sizeof(turned); i++)
        turned[i] = mask[(at + i) % 4];
    memcpy(&wide, turned, sizeof(wide));
    size_t i = 0;
    for (; i + sizeof(wide) <= n; i += sizeof(wide)) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof(word));
        word ^= wide;
        memcpy(bytes + i, &word, sizeof(word));
    }
    for (; i < n; i++)
        bytes[i] = (char)(bytes[i] ^ turned[i % 4]);
}

/* Bytes of the sequence that begins here, or 0 (RFC 3629: no surrogates, no overlong forms). */
static size_t utf8_len(const unsigned char *at, size_t n)
{
    unsigned c = at[0];
    if (c < 0x80)
        return 1;
    size_t len = c >= 0xc2 && c <= 0xdf   ? 2
                 : (c & 0xf0) == 0xe0     ? 3
                 : c >= 0xf0 && c <= 0xf4 ? 4
                                          : 0;
    if (len == 0 || len > n)
        return 0;
    unsigned low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

bool ws_is_utf8(str_t text)
{
    for (size_t i = 0; i < text.len;) {
        size_t len = utf8_len((const unsigned char *)text.at + i, text.len - i);
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

/* --- the reader --- */

/* A head is here: may it come now? */
static int begin_frame(struct ws_reader *r)
{
    const struct ws_head *head = &r->head;
    if (head->masked != r->from_client)
        return -WS_PROTOCOL_ERROR;
    r->in_frame = true;
    r->at = 0;
    if (is_control(head->opcode))
        return 0;
    if ((head->opcode == WS_CONTINUATION) != (r->message != WS_CONTINUATION))
        return -WS_PROTOCOL_ERROR;
    if (head->opcode != WS_CONTINUATION) {
        r->message = head->opcode;
        r->bytes.len = 0;
    }
    return head->len > r->bytes_max - r->bytes.len ? -WS_TOO_BIG : 0;
}

static void take_payload(struct ws_reader *r, str_t bytes)
{
    char *to = is_control(r->head.opcode) ? r->control + r->at : buf_room(&r->bytes, bytes.len);
    memcpy(to, bytes.at, bytes.len);
    if (r->head.masked)
        ws_mask(to, bytes.len, r->head.mask, r->at);
    if (!is_control(r->head.opcode))
        r->bytes.len += bytes.len;
    r->at += bytes.len;
}

static bool is_close_code(int code)
{
    return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) ||
           (code >= 3000 && code <= 4999);
}

static int end_close(struct ws_reader *r, struct ws_event *event)
{
    event->code = WS_NO_CODE;
    if (r->at == 0)
        return 0;
    if (r->at == 1)
        return -WS_PROTOCOL_ERROR;
    event->code = (int)big_endian(r->control, 2);
    event->bytes = (str_t){r->control + 2, (size_t)r->at - 2};
    if (!is_close_code(event->code))
        return -WS_PROTOCOL_ERROR;
    return ws_is_utf8(event->bytes) ? 0 : -WS_NOT_UTF8;
}

static int end_frame(struct ws_reader *r, struct ws_event *event)
{
    enum ws_opcode opcode = r->head.opcode;
    r->in_frame = false;
    if (is_control(opcode)) {
        event->opcode = opcode;
        event->bytes = (str_t){r->control, (size_t)r->at};
        return opcode == WS_CLOSE ? end_close(r, event) : 0;
    }
    if (!r->head.fin)
        return 0;
    event->opcode = r->message;
    event->bytes = buf_str(&r->bytes);
    r->message = WS_CONTINUATION;
    return event->opcode == WS_TEXT && !ws_is_utf8(event->bytes) ? -WS_NOT_UTF8 : 0;
}

ssize_t ws_read(struct ws_reader *r, str_t bytes, struct ws_event *event)
{
    *event = (struct ws_event){0};
    size_t used = 0;
    if (!r->in_frame) {
        int n = ws_head_read(bytes, &r->head);
        if (n <= 0)
            return n;
        used = (size_t)n;
        n = begin_frame(r);
        if (n < 0)
            return n;
    }
    uint64_t left = r->head.len - r->at;
    str_t payload = {bytes.at + used, bytes.len - used < left ? bytes.len - used : (size_t)left};
    if (payload.len > 0)
        take_payload(r, payload);
    if (r->at == r->head.len) {
        int code = end_frame(r, event);
        if (code < 0)
            return code;
    }
    return (ssize_t)(used + payload.len);
}

void ws_reader_done(struct ws_reader *r)
{
    if (r != NULL)
        buf_done(&r->bytes);
}
