/* jwt_fuzz.c - no bytes make a token of ours, and none make us stumble. */
#include "api/jwt.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct arena kept;
    static struct jwt_signer signer;
    AUTO(arena_done) struct arena arena = {0};
    struct err err;
    str_t pem, text = {(const char *)bytes, n};
    struct json *claims;
    if (signer.key == NULL) {
        MUST(sign_key_make(&kept, &pem, &err) == 0);
        MUST(jwt_signer_new(pem, &kept, &signer, &err) == 0);
    }
    MUST(jwt_verify(&signer, text, &arena, &claims, &err) < 0);
    str_t ours = arena_printf(&arena, STR_F "." STR_F, STR_A(signer.header), STR_A(text));
    MUST(jwt_verify(&signer, ours, &arena, &claims, &err) < 0);
    return 0;
}
