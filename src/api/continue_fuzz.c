/* continue_fuzz.c - any text as a continue token. */
#include "api/api_priv.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    struct continue_token token;
    struct err err;
    (void)continue_decode((str_t){(const char *)bytes, n}, &arena, &token, &err);
    return 0;
}
