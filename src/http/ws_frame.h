/*
 * ws_frame.h - frames of the WebSocket protocol (RFC 6455): bytes to messages and back, no I/O.
 *
 * No extensions: a reserved bit, a length that is not the shortest, text that is not UTF-8 are
 * refused, with the code to close with.
 */
#pragma once

#include "base/buf.h"

#include <sys/types.h>

enum ws_opcode {
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
};

enum ws_code { /* Why a connection was closed (7.4.1). */
               WS_NORMAL = 1000,
               WS_GOING_AWAY = 1001,
               WS_PROTOCOL_ERROR = 1002,
               WS_NO_CODE = 1005,  /* The close frame had none; never sent. */
               WS_ABNORMAL = 1006, /* There was no close frame; never sent. */
               WS_NOT_UTF8 = 1007,
               WS_TOO_BIG = 1009,
               WS_INTERNAL_ERROR = 1011,
               WS_RESTART = 1012,
};

enum { WS_HEAD_BYTES_MAX = 14, WS_CONTROL_BYTES_MAX = 125 };

struct ws_head {
    bool fin;
    bool masked;
    enum ws_opcode opcode;
    uint8_t mask[4];
    uint64_t len;
};

/* > 0: bytes of the head; 0: not all there yet; < 0: the code to close with. */
int ws_head_read(str_t bytes, struct ws_head *out);
size_t ws_head_write(char *to, const struct ws_head *head); /* At most WS_HEAD_BYTES_MAX. */
/* Both ways. `at`: where in the payload `bytes` begin. */
void ws_mask(char *bytes, size_t n, const uint8_t mask[4], uint64_t at);
bool ws_is_utf8(str_t text);

/* What a whole message or control frame was. Views end with the next step. */
struct ws_event {
    enum ws_opcode opcode; /* WS_CONTINUATION: nothing yet. */
    str_t bytes;           /* Of a close: the reason. */
    int code;              /* Of a close. */
};

struct ws_reader {    /* All zero but these two to begin. */
    bool from_client; /* Frames must be masked, else must not be. */
    size_t bytes_max; /* Of a message. */
    bool in_frame;
    struct ws_head head;
    uint64_t at;            /* Bytes of this frame's payload read. */
    enum ws_opcode message; /* What the fragments make, or WS_CONTINUATION. */
    struct buf bytes;       /* Of the message so far. */
    char control[WS_CONTROL_BYTES_MAX];
};

/* One step: bytes used (0: more are needed, if there is no event), or the code to close with. */
ssize_t ws_read(struct ws_reader *reader, str_t bytes, struct ws_event *event);
void ws_reader_done(struct ws_reader *reader);
