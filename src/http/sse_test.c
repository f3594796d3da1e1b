/* sse_test.c - event streams, whole and cut at every byte. */
#include "http/sse.h"
#include "testkit/test.h"

#include <stdlib.h>
#include <string.h>

static void note(void *self, const struct sse_event *event)
{
    buf_printf(self, STR_F "|" STR_F "|" STR_F ";", STR_A(event->type), STR_A(event->data),
               STR_A(event->id));
}

/* Events as text; the stream comes in pieces of `cut` bytes. */
static void read_as(str_t text, size_t cut, const char *wanted, int line)
{
    struct err err;
    AUTO(buf_done) struct buf heard = {0};
    AUTO(sse_done) struct sse_reader reader = {.event = note, .self = &heard};
    for (size_t at = 0; at < text.len; at += cut) {
        size_t n = text.len - at < cut ? text.len - at : cut;
        MUST(sse_read(&reader, (str_t){text.at + at, n}, &err) == 0);
    }
    test_check_str(buf_str(&heard), str_from_z(wanted), "events", __FILE__, line);
}

TEST(event_streams_are_read_wherever_they_are_cut)
{
    static const struct {
        const char *stream, *events;
        int line;
    } rows[] = {
        {"data: one\n\n", "message|one|;", __LINE__},
        {"data:one\ndata: two\n\n", "message|one\ntwo|;", __LINE__},
        {"event: put\r\nid: 7\r\ndata: {}\r\n\r\ndata: x\r\r", "put|{}|7;message|x|7;", __LINE__},
        {": a comment\n\nevent: nothing\n\ndata\n\n", "message||;", __LINE__},
        {"\xef\xbb\xbf"
         "data: marked\n\n",
         "message|marked|;", __LINE__},
        {"data:  two blanks\nunknown: x\nid\n\n", "message| two blanks|;", __LINE__},
        {"data: never finished\n", "", __LINE__},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t cut = 1; cut < 30; cut++)
            read_as(str_from_z(rows[i].stream), cut, rows[i].events, rows[i].line);
}

TEST(an_event_without_end_is_refused)
{
    struct err err;
    AUTO(buf_done) struct buf heard = {0};
    AUTO(sse_done) struct sse_reader reader = {.event = note, .self = &heard};
    static const char block[] = "data: 0123456789012345678901234567890123456789\n";
    int r = 0, n = 0;
    while (r == 0 && n++ < SSE_EVENT_BYTES_MAX)
        r = sse_read(&reader, str_from_z(block), &err);
    CHECK_INT(r, ERR_INVALID);
    CHECK(reader.data.len <= SSE_EVENT_BYTES_MAX);
}
