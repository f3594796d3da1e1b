/* jsonschema_fuzz.c - a schema, a line end, an object: whatever passes the rules can be used. */
#include "kube/jsonpath.h"
#include "kube/jsonschema.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    struct field_errors faults = {.arena = &arena}, errors = {.arena = &arena};
    struct err err;
    struct json *schema, *object;
    str_t first, second;
    str_cut((str_t){(const char *)bytes, n}, '\n', &first, &second);
    if (jsonpath_check(first, &err) == 0 && json_parse(second, &arena, &object, &err) == 0)
        (void)jsonpath_get(object, first);
    if (json_parse(first, &arena, &schema, &err) < 0 || schema->type != JSON_OBJECT)
        return 0;
    jsonschema_check_schema(schema, STR("schema"), &faults);
    if (faults.n > 0 || json_parse(second, &arena, &object, &err) < 0 ||
        object->type != JSON_OBJECT)
        return 0;
    struct json *unknown = json_array(&arena), *left = json_array(&arena);
    jsonschema_unknown(schema, object, true, unknown, &arena);
    jsonschema_unknown(schema, object, false, left, &arena);
    MUST(left->first == NULL); /* What was unknown has gone. */
    jsonschema_default(schema, object, &arena);
    jsonschema_check(schema, object, &errors);
    MUST(jsonschema_table(schema, "x", &arena)->fields != NULL);
    return 0;
}
