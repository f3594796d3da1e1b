/* ws_fuzz.c - any bytes as frames of either side, at once and in pieces: the same must come out. */
#include "http/ws_frame.h"
#include "testkit/fuzz.h"

enum { BYTES_MAX = 1000 };

struct sum {
    unsigned events;
    uint64_t bytes;
    ssize_t code;
};

static struct sum run(str_t text, bool from_client, size_t at_once)
{
    struct ws_reader reader = {.from_client = from_client, .bytes_max = BYTES_MAX};
    struct sum sum = {0};
    size_t at = 0, have = at_once < text.len ? at_once : text.len;
    for (;;) {
        struct ws_event event;
        ssize_t used = ws_read(&reader, (str_t){text.at + at, have - at}, &event);
        sum.code = used < 0 ? used : 0;
        if (used < 0)
            break;
        MUST((size_t)used <= have - at);
        at += (size_t)used;
        if (event.opcode != WS_CONTINUATION) {
            MUST(event.bytes.len <= BYTES_MAX);
            MUST(event.opcode != WS_TEXT || ws_is_utf8(event.bytes));
            sum.events++;
            sum.bytes = sum.bytes * 31 + event.bytes.len;
            for (size_t i = 0; i < event.bytes.len; i++)
                sum.bytes = sum.bytes * 31 + (unsigned char)event.bytes.at[i];
        }
        if (used == 0 && have == text.len)
            break;
        if (used == 0 || at == have)
            have = have + at_once < text.len ? have + at_once : text.len;
    }
    ws_reader_done(&reader);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    str_t text = {(const char *)bytes, n};
    for (int from_client = 0; from_client < 2; from_client++) {
        struct sum whole = run(text, from_client, n), parts = run(text, from_client, 1);
        MUST(whole.events == parts.events && whole.bytes == parts.bytes);
        MUST(whole.code == parts.code);
    }
    return 0;
}
