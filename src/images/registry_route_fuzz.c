/* registry_route_fuzz.c - what comes out of a path is a name that a file or an image may have. */
#include "images/registry_route.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    str_t text = {(const char *)bytes, n};
    struct byte_range range;
    struct registry_route route = registry_route(text);
    MUST(route.thing < REGISTRY_TAGS || repository_is_valid(route.repository));
    MUST(route.thing != REGISTRY_BLOB || digest_is_valid(route.reference));
    if (range_parse(text, 1000, &range) == RANGE_PART)
        MUST(range.from < range.end && range.end <= 1000);
    return 0;
}
