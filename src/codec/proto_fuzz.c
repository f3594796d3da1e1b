/* proto_fuzz.c - any bytes as protobuf fields. */
#include "codec/proto.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct proto_reader reader = {{(const char *)bytes, n}};
    struct proto_field field;
    struct err err;
    while (proto_next(&reader, &field, &err) == 1)
        MUST(field.bytes.len <= n);
    return 0;
}
