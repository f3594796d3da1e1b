/* spdy_fuzz.c - any bytes as a client's: in pieces and at once, the same must be understood. */
#include "base/buf.h"
#include "http/spdy.h"
#include "testkit/fuzz.h"

struct sum {
    uint64_t words;
    size_t sent;
    int r;
};

static void on_send(void *self, struct http_bytes bytes)
{
    ((struct sum *)self)->sent += bytes.bytes.len;
    bytes.release(bytes.owner);
}

static void add(struct sum *sum, uint64_t word)
{
    sum->words = sum->words * 31 + word;
}

static bool on_opened(void *self, struct spdy_stream *stream, const struct http_field *fields,
                      size_t n)
{
    struct sum *sum = self;
    add(sum, stream->id);
    for (size_t i = 0; i < n; i++)
        add(sum, fields[i].name.len * 7 + fields[i].value.len);
    return stream->id % 5 != 0;
}

static void on_data(void *self, struct spdy_stream *stream, str_t bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        add(self, (unsigned char)bytes.at[i]);
    spdy_consumed(stream, bytes.len);
}

static void on_ended(void *self, struct spdy_stream *stream)
{
    add(self, stream->id + 1000);
    spdy_end(stream);
    spdy_drop(stream);
}

static struct sum run(str_t text, size_t step)
{
    struct sum sum = {0};
    struct err err;
    struct spdy *spdy =
        spdy_new(&(struct spdy_handler){&sum, on_send, on_opened, on_data, on_ended});
    for (size_t at = 0; at < text.len && sum.r == 0; at += step) {
        size_t n = text.len - at < step ? text.len - at : step;
        sum.r = spdy_read(spdy, (str_t){text.at + at, n}, &err);
    }
    spdy_free(spdy);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    str_t text = {(const char *)bytes, n};
    if (n == 0)
        return 0;
    struct sum whole = run(text, n), parts = run(text, 1);
    MUST(whole.words == parts.words && whole.r == parts.r && whole.sent == parts.sent);
    return 0;
}
