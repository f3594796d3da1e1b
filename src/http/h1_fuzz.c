/* h1_fuzz.c - any bytes as the head of a request and of a response, then as chunks. */
#include "http/h1_parse.h"
#include "testkit/fuzz.h"

static void heads(str_t text)
{
    static struct h1_request request;
    static struct h1_response response;
    size_t scanned = 0;
    int len = h1_head_len(text, &scanned);
    if (len <= 0)
        return;
    MUST((size_t)len <= text.len && len <= HTTP_HEAD_BYTES_MAX);
    str_t head = {text.at, (size_t)len};
    if (h1_parse_request(head, &request) == 0) {
        MUST(request.head.n_fields <= HTTP_FIELDS_MAX);
        MUST(!(request.head.chunked && request.head.content_length >= 0));
        MUST(request.target.len > 0 && http_is_target(request.target));
        MUST(request.head.version == 10 || http_is_host(request.host));
    }
    if (h1_parse_response(head, len % 2 == 1, &response) == 0) {
        MUST(response.status >= 100 && response.status <= 599);
        MUST(!(response.head.chunked && response.head.content_length >= 0));
        MUST(response.body != H1_UNTIL_CLOSE || response.head.close);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    str_t text = {(const char *)bytes, n};
    heads(text);
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
