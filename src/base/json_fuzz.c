/* json_fuzz.c - any bytes: what parses is written and parses again to the same. */
#include "base/json.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf out = {0};
    struct json *json, *again;
    struct err err;
    if (json_parse((str_t){(const char *)bytes, n}, &arena, &json, &err) < 0)
        return 0;
    json_write(json, &out);
    MUST(json_parse(buf_str(&out), &arena, &again, &err) == 0);
    MUST(json_eq(json, again));
    return 0;
}
