/* h1_fuzz.c - any bytes as a request's head, then as chunks. */
#include "http/h1_parse.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    str_t text = {(const char *)bytes, n};
    size_t scanned = 0;
    static struct h1_request request;
    int len = h1_head_len(text, &scanned);
    if (len > 0 && h1_parse_request((str_t){text.at, (size_t)len}, &request) == 0) {
        MUST(request.n_fields <= HTTP_FIELDS_MAX);
        MUST(!(request.chunked && request.content_length >= 0));
    }
    struct h1_chunks chunks = {0};
    for (;;) {
        str_t data;
        ssize_t used = h1_chunk_next(&chunks, text, &data);
        if (used <= 0)
            return 0;
        MUST((size_t)used <= text.len && data.len <= (size_t)used);
        text = (str_t){text.at + used, text.len - (size_t)used};
    }
}
