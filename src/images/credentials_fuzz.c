/* credentials_fuzz.c - whatever a Secret says, what comes out of it fits into one header field. */
#include "images/credentials.h"
#include "testkit/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    struct reference reference;
    struct credential *found;
    struct err err;
    size_t n_found;
    MUST(reference_parse(STR("registry.example.com:5000/team/web"), &reference, &err) == 0);
    if (credentials_find((str_t){(const char *)bytes, n}, &reference, &arena, &found, &n_found,
                         &err) < 0)
        return 0;
    MUST(n_found <= CREDENTIALS_MAX);
    for (size_t i = 0; i < n_found; i++)
        MUST(memchr(found[i].password.at, '\n', found[i].password.len) == NULL);
    return 0;
}
