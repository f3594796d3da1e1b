/* patch_json_fuzz.c - a document, a line end, a JSON patch: a tree comes out, or words. */
#include "kube/patch.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf out = {0};
    struct err err;
    struct json *object, *patch, *patched, *again;
    str_t first, second;
    str_cut((str_t){(const char *)bytes, n}, '\n', &first, &second);
    if (json_parse(first, &arena, &object, &err) < 0 ||
        json_parse(second, &arena, &patch, &err) < 0 ||
        patch_json(object, patch, &arena, &patched, &err) < 0)
        return 0;
    json_write(patched, &out);
    if (json_parse(buf_str(&out), &arena, &again, &err) == 0) /* It may be nested too deeply. */
        MUST(json_eq(patched, again));
    return 0;
}
