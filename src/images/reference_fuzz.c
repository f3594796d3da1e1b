/* reference_fuzz.c - a name that was taken is taken again, and stays the same. */
#include "images/reference.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    struct reference first, second;
    struct err err;
    if (reference_parse((str_t){(const char *)bytes, n}, &first, &err) < 0)
        return 0;
    str_t name = reference_name(&first, &arena);
    MUST(reference_parse(name, &second, &err) == 0);
    MUST(str_eq(reference_name(&second, &arena), name));
    return 0;
}
