/* spdy_test.c - frames of a client, whole and byte by byte, and what goes back. */
#include "base/buf.h"
#include "http/spdy.h"
#include "testkit/test.h"

#include <string.h>

struct heard {
    struct buf sent;  /* By us. */
    struct buf story; /* What the handler was told. */
    struct spdy *spdy;
    struct spdy_stream *last;
    bool refuse;
};

static void on_send(void *self, struct http_bytes bytes)
{
    buf_add(&((struct heard *)self)->sent, bytes.bytes);
    bytes.release(bytes.owner);
}

static bool on_opened(void *self, struct spdy_stream *stream, const struct http_field *fields,
                      size_t n)
{
    struct heard *heard = self;
    buf_printf(&heard->story, "open %u", stream->id);
    for (size_t i = 0; i < n; i++)
        buf_printf(&heard->story, " " STR_F "=" STR_F, STR_A(fields[i].name),
                   STR_A(fields[i].value));
    buf_add(&heard->story, STR("\n"));
    heard->last = stream;
    return !heard->refuse;
}

static void on_data(void *self, struct spdy_stream *stream, str_t bytes)
{
    struct heard *heard = self;
    for (size_t i = 0; i < bytes.len; i++)
        buf_printf(&heard->story, "%u:%c\n", stream->id, bytes.at[i]);
}

static void on_ended(void *self, struct spdy_stream *stream)
{
    buf_printf(&((struct heard *)self)->story, "end %u\n", stream->id);
}

static void begin(struct heard *heard)
{
    *heard = (struct heard){0};
    heard->spdy = spdy_new(&(struct spdy_handler){heard, on_send, on_opened, on_data, on_ended});
}

static void done(struct heard *heard)
{
    spdy_free(heard->spdy);
    buf_done(&heard->sent);
    buf_done(&heard->story);
}

static void frame(struct buf *out, uint32_t first, uint32_t second, str_t payload)
{
    char head[8];
    for (int i = 0; i < 4; i++) {
        head[i] = (char)(first >> (24 - 8 * i));
        head[4 + i] = (char)(second >> (24 - 8 * i));
    }
    buf_add(out, (str_t){head, sizeof(head)});
    buf_add(out, payload);
}

static void syn(struct buf *out, struct spdy_heads *heads, uint32_t id, const char *type,
                unsigned flags)
{
    AUTO(buf_done) struct buf payload = {0};
    struct http_field fields[] = {{STR("streamtype"), str_from_z(type)}, {STR("port"), STR("80")}};
    char before[10] = {0};
    before[3] = (char)id;
    buf_add(&payload, (str_t){before, sizeof(before)});
    spdy_heads_write(heads, fields, ARRAY_LEN(fields), &payload);
    frame(out, 0x80030001, flags << 24 | (uint32_t)payload.len, buf_str(&payload));
}

/* What a client says: two streams, data on one, its end, a ping. */
static void client_words(struct buf *out)
{
    struct spdy_heads *heads = spdy_heads_new();
    syn(out, heads, 1, "error", 1);
    syn(out, heads, 3, "data", 0);
    frame(out, 3, 2, STR("hi"));
    frame(out, 3, 1 << 24, STR(""));
    frame(out, 0x80030006, 4, (str_t){"\0\0\0\7", 4});
    spdy_heads_free(heads);
}

#define STORY                                                                                      \
    "open 1 streamtype=error port=80\nend 1\n"                                                     \
    "open 3 streamtype=data port=80\n3:h\n3:i\nend 3\n"

TEST(a_client_is_understood_in_pieces_of_any_size)
{
    AUTO(buf_done) struct buf words = {0};
    client_words(&words);
    for (size_t step = 1; step <= words.len; step++) {
        struct heard heard;
        struct err err;
        begin(&heard);
        for (size_t at = 0; at < words.len; at += step) {
            size_t n = words.len - at < step ? words.len - at : step;
            CHECK_INT(spdy_read(heard.spdy, (str_t){words.at + at, n}, &err), 0);
        }
        CHECK_STR(buf_str(&heard.story), STORY);
        CHECK(heard.sent.len > 12 &&
              memcmp(heard.sent.at + heard.sent.len - 12, "\x80\3\0\6\0\0\0\4\0\0\0\7", 12) == 0);
        done(&heard);
    }
}

TEST(the_dictionary_is_the_one_of_the_draft)
{
    struct spdy_heads *heads = spdy_heads_new();
    AUTO(buf_done) struct buf block = {0};
    spdy_heads_write(heads, NULL, 0, &block);
    CHECK(block.len > 6 && memcmp(block.at + 2, "\xe3\xc6\xa7\xc2", 4) == 0); /* Its Adler-32. */
    spdy_heads_free(heads);
}

TEST(data_goes_out_in_frames_and_ends_once)
{
    struct heard heard;
    AUTO(buf_done) struct buf words = {0};
    struct err err;
    begin(&heard);
    client_words(&words);
    CHECK_INT(spdy_read(heard.spdy, buf_str(&words), &err), 0);
    buf_done(&heard.sent);
    spdy_write(heard.last, STR("out"));
    spdy_end(heard.last);
    spdy_end(heard.last);
    CHECK(heard.sent.len == 19 &&
          memcmp(heard.sent.at, "\0\0\0\3\0\0\0\3out\0\0\0\3\1\0\0\0", 19) == 0);
    buf_done(&heard.sent);
    spdy_drop(heard.last); /* Both sides are done: no reset. */
    CHECK_INT((int64_t)heard.sent.len, 0);
    struct spdy_stream other = {.spdy = heard.spdy, .id = 1};
    spdy_consumed(&other, 40000);
    CHECK_INT((int64_t)heard.sent.len, 32); /* The stream's window, and the session's. */
    done(&heard);
}

TEST(what_breaks_the_rules_ends_the_connection)
{
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {
        {"\x80\2\0\1\0\0\0\0", 8},                            /* Version 2. */
        {"\x80\3\0\1\0\0\0\4\0\0\0\1", 12},                   /* Too short. */
        {"\x80\3\0\1\0\xff\xff\xff", 8},                      /* Too long. */
        {"\x80\3\0\1\0\0\0\x0e\0\0\0\1\0\0\0\0\0\0nope", 22}, /* Not deflated. */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct heard heard;
        struct err err;
        begin(&heard);
        CHECK_INT(spdy_read(heard.spdy, (str_t){rows[i].bytes, rows[i].n}, &err), ERR_INVALID);
        done(&heard);
    }
}

TEST(a_stream_that_is_refused_is_reset)
{
    struct heard heard;
    AUTO(buf_done) struct buf words = {0};
    struct err err;
    begin(&heard);
    heard.refuse = true;
    client_words(&words);
    CHECK_INT(spdy_read(heard.spdy, buf_str(&words), &err), 0);
    CHECK(memmem(heard.sent.at, heard.sent.len, "\x80\3\0\3\0\0\0\x8\0\0\0\1\0\0\0\3", 16) != NULL);
    done(&heard);
}
