/* json_fuzz.c - any bytes: what parses is written and parses again to the same. */
#include "base/json.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf out = {0};
    struct json *json, *again, *member;
    struct err err;
    str_t text = {(const char *)bytes, n};
    if (json_pick(text, STR("metadata"), &arena, &member, &err) < 0)
        member = NULL;
    if (json_parse(text, &arena, &json, &err) < 0)
        return 0;
    /* The first of them, where the tree keeps the last. */
    MUST((json_get(json, STR("metadata")) == NULL) == (member == NULL));
    json_write(json, &out);
    MUST(json_parse(buf_str(&out), &arena, &again, &err) == 0);
    MUST(json_eq(json, again));
    return 0;
}
