/* challenge_fuzz.c - what is taken of a challenge has no control bytes in it: it goes into URLs. */
#include "images/challenge.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    struct challenge challenge;
    challenge_parse((str_t){(const char *)bytes, n}, &arena, &challenge);
    MUST(challenge.kind != CHALLENGE_BEARER || challenge.realm.len > 0);
    for (size_t i = 0; i < challenge.realm.len; i++)
        MUST((unsigned char)challenge.realm.at[i] >= 0x20);
    return 0;
}
