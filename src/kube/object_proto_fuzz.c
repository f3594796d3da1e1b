/* object_proto_fuzz.c - any bytes as the protobuf form of an object's metadata. */
#include "kube/meta.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *json;
    struct err err;
    (void)schema_from_protobuf(&object_meta_schema, (str_t){(const char *)bytes, n}, &arena, &json,
                               &err);
    return 0;
}
