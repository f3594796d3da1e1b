/* yaml_fuzz.c - any bytes as YAML documents. */
#include "codec/yaml.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *json;
    struct err err;
    (void)yaml_parse_all((str_t){(const char *)bytes, n}, &arena, &json, &err);
    return 0;
}
