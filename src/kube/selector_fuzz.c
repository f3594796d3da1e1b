/* selector_fuzz.c - any text as a label selector. */
#include "kube/selector.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    struct selector *selector;
    struct err err;
    if (label_selector_parse((str_t){(const char *)bytes, n}, &arena, &selector, &err) == 0)
        (void)selector_matches(selector, NULL, json_object(&arena));
    return 0;
}
