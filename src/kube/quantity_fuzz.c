/* quantity_fuzz.c - what can be read can be written and read again, as the same. */
#include "kube/quantity.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    quantity_t once, twice;
    if (!quantity_parse((str_t){(const char *)bytes, n}, &once))
        return 0;
    MUST(quantity_parse(quantity_text(once, &arena), &twice));
    MUST(quantity_cmp(once, twice) == 0);
    return 0;
}
