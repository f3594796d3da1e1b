/* patch_fuzz.c - an object, a zero byte or line end, a patch: strategic merge and its directives.
 */
#include "kinds/kinds.h"
#include "kube/patch.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf out = {0};
    struct err err;
    struct json *object, *patch, *again;
    str_t first, second;
    str_cut((str_t){(const char *)bytes, n}, '\n', &first, &second);
    if (json_parse(first, &arena, &object, &err) < 0 ||
        json_parse(second, &arena, &patch, &err) < 0 || object->type != JSON_OBJECT ||
        patch->type != JSON_OBJECT)
        return 0;
    if (!patch_fits(object, patch))
        return 0;
    struct json *merged = patch_strategic(kind_deployment.schema, object, patch, &arena);
    json_write(merged, &out);
    MUST(json_parse(buf_str(&out), &arena, &again, &err) ==
         0); /* It is a tree, whatever it says. */
    MUST(json_eq(merged, again));
    return 0;
}
