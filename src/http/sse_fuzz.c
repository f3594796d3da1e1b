/* sse_fuzz.c - any bytes as an event stream: whole and byte by byte it means the same. */
#include "http/sse.h"
#include "testkit/fuzz.h"

static void note(void *self, const struct sse_event *event)
{
    buf_add(self, event->type);
    buf_add_char(self, '|');
    buf_add(self, event->data);
    buf_add_char(self, '|');
    buf_add(self, event->id);
    buf_add_char(self, ';');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct err err;
    AUTO(buf_done) struct buf once = {0}, cut = {0};
    AUTO(sse_done)
    struct sse_reader a = {.event = note, .self = &once}, b = {.event = note, .self = &cut};
    MUST(sse_read(&a, (str_t){(const char *)bytes, n}, &err) == 0);
    for (size_t i = 0; i < n; i++)
        MUST(sse_read(&b, (str_t){(const char *)bytes + i, 1}, &err) == 0);
    MUST(str_eq(buf_str(&once), buf_str(&cut)));
    return 0;
}
