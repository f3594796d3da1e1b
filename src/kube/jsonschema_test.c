/* jsonschema_test.c - schemas that are refused, objects that are; paths of printer columns. */
#include "kube/jsonpath.h"
#include "kube/jsonschema.h"
#include "testkit/test.h"

#include <string.h>

static struct json *parse(const char *text, struct arena *arena)
{
    struct json *json;
    struct err err;
    MUST(json_parse(str_from_z(text), arena, &json, &err) == 0);
    return json;
}

/* The first complaint, as "path: text", or "". */
static str_t first(const struct field_errors *errors)
{
    if (errors->n == 0)
        return STR("");
    return arena_printf(errors->arena, STR_F ": " STR_F, STR_A(errors->at[0].path),
                        STR_A(errors->at[0].text));
}

static void same_start(str_t got, const char *wanted, const char *what)
{
    bool ok = wanted[0] == '\0' ? got.len == 0 : str_starts(got, str_from_z(wanted));
    if (!ok)
        test_check_str(got, str_from_z(wanted), what, __FILE__, __LINE__);
}

TEST(schemas_that_are_not_structural_are_refused)
{
    static const struct {
        const char *schema, *complaint;
    } rows[] = {
        {"{\"type\":\"object\"}", ""},
        {"{}", "s.type: Required value: must not be empty at the root"},
        {"{\"type\":\"string\"}", "s.type: Invalid value: \"string\": must be object at the root"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{}}}",
         "s.properties[a].type: Required value: must not be empty for specified object fields"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\"}}}",
         "s.properties[a].items: Required value: must be specified"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\",\"items\":{}}}}",
         "s.properties[a].items.type: Required value: must not be empty for specified array items"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"word\"}}}",
         "s.properties[a].type: Unsupported value: \"word\""},
        {"{\"type\":\"object\",\"anyOf\":\"x\"}", "s.anyOf: Invalid value: it must be a list"},
        {"{\"type\":\"object\",\"properties\":\"x\"}",
         "s.properties: Invalid value: it must be an object"},
        {"{\"type\":\"object\",\"$ref\":\"#/x\"}", "s.$ref: Forbidden: $ref is not supported"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},"
         "\"additionalProperties\":{\"type\":\"string\"}}",
         "s.additionalProperties: Forbidden: additionalProperties and properties are mutual"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"pattern\":\"(\"}}}",
         "s.properties[a].pattern: Invalid value: \"(\": must be a valid regular expression"},
        {"{\"type\":\"object\",\"anyOf\":[{\"type\":\"string\",\"default\":1}]}",
         "s.anyOf[0].type: Forbidden: must be empty to be structural"},
        {"{\"type\":\"object\",\"x-kubernetes-validations\":[{\"rule\":\"true\"}]}",
         "s.x-kubernetes-validations: Forbidden: CEL rules"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\",\"default\":\"x\"}}}",
         "s.properties[a].default: Invalid value: \"string\""},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":"
         "\"object\"},\"x-kubernetes-list-type\":\"map\"}}}",
         "s.properties[a].x-kubernetes-list-map-keys: Required value"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct field_errors errors = {.arena = &arena};
        jsonschema_check_schema(parse(rows[i].schema, &arena), STR("s"), &errors);
        same_start(first(&errors), rows[i].complaint, rows[i].schema);
    }
}

static const char schema_text[] =
    "{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\",\"required\":[\"must\"],"
    "\"properties\":{"
    "\"must\":{\"type\":\"string\"},"
    "\"n\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":10,\"default\":3},"
    "\"f\":{\"type\":\"number\",\"multipleOf\":0.5,\"maximum\":2,\"exclusiveMaximum\":true},"
    "\"e\":{\"type\":\"string\",\"enum\":[\"a\",\"b\"]},"
    "\"p\":{\"type\":\"string\",\"pattern\":\"^a+$\",\"minLength\":2,\"maxLength\":3},"
    "\"t\":{\"type\":\"string\",\"format\":\"date-time\"},"
    "\"z\":{\"type\":\"string\",\"nullable\":true},"
    "\"x\":{\"x-kubernetes-int-or-string\":true},"
    "\"l\":{\"type\":\"array\",\"maxItems\":2,\"items\":{\"type\":\"integer\"}},"
    "\"s\":{\"type\":\"array\",\"x-kubernetes-list-type\":\"set\",\"items\":{\"type\":\"string\"}},"
    "\"m\":{\"type\":\"object\",\"maxProperties\":1,\"additionalProperties\":{\"type\":\"boolean\"}"
    "},"
    "\"o\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true},"
    "\"any\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":"
    "\"integer\"}},\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}"
    "}}}}";

TEST(objects_are_checked_by_their_schema_in_kubernetes_words)
{
    static const struct {
        const char *spec, *complaint;
    } rows[] = {
        {"{\"must\":\"x\"}", ""},
        {"{}", "spec.must: Required value"},
        {"{\"must\":1}", "spec.must: Invalid value: \"integer\": spec.must in body must be of type "
                         "string: \"integer\""},
        {"{\"must\":\"\",\"n\":11}",
         "spec.n: Invalid value: 11: spec.n in body should be less than or equal to 10"},
        {"{\"must\":\"\",\"n\":0}",
         "spec.n: Invalid value: 0: spec.n in body should be greater than or equal to 1"},
        {"{\"must\":\"\",\"n\":1.5}", "spec.n: Invalid value: \"number\""},
        {"{\"must\":\"\",\"n\":1e0}", ""},
        {"{\"must\":\"\",\"f\":2}",
         "spec.f: Invalid value: 2: spec.f in body should be less than 2"},
        {"{\"must\":\"\",\"f\":1.25}", "spec.f: Invalid value: 1.25: spec.f in body should be a "
                                       "multiple of 0.5"},
        {"{\"must\":\"\",\"e\":\"c\"}",
         "spec.e: Unsupported value: \"c\": supported values: \"a\", \"b\""},
        {"{\"must\":\"\",\"p\":\"ab\"}",
         "spec.p: Invalid value: \"ab\": spec.p in body should match '^a+$'"},
        {"{\"must\":\"\",\"p\":\"a\"}", "spec.p: Invalid value: \"a\": spec.p in body should be at "
                                        "least 2 chars long"},
        {"{\"must\":\"\",\"p\":\"aaaa\"}", "spec.p: Too long: may not be more than 3 bytes"},
        {"{\"must\":\"\",\"t\":\"now\"}", "spec.t: Invalid value: \"now\": spec.t in body must be "
                                          "of type date-time: \"now\""},
        {"{\"must\":\"\",\"z\":null}", ""},
        {"{\"must\":null}", "spec.must: Invalid value: \"null\""},
        {"{\"must\":\"\",\"x\":\"5%\"}", ""},
        {"{\"must\":\"\",\"x\":true}", "spec.x: Invalid value: \"boolean\""},
        {"{\"must\":\"\",\"l\":[1,2,3]}", "spec.l: Too many: 3: must have at most 2 items"},
        {"{\"must\":\"\",\"l\":[1,\"2\"]}", "spec.l[1]: Invalid value: \"string\""},
        {"{\"must\":\"\",\"s\":[\"a\",\"a\"]}", "spec.s[1]: Duplicate value: \"a\""},
        {"{\"must\":\"\",\"m\":{\"a\":true,\"b\":true}}", "spec.m: Too many: 2"},
        {"{\"must\":\"\",\"m\":{\"a\":1}}", "spec.m.a: Invalid value: \"integer\""},
        {"{\"must\":\"\",\"any\":{\"a\":1}}", ""},
        {"{\"must\":\"\",\"any\":{}}", "spec.any: Invalid value: \"\": \"spec.any\" must validate "
                                       "one and only one schema (oneOf). Found none valid"},
        {"{\"must\":\"\",\"any\":{\"a\":1,\"b\":1}}", "spec.any: Invalid value"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct field_errors errors = {.arena = &arena};
        struct json *object = json_object(&arena);
        json_add(object, STR("spec"), parse(rows[i].spec, &arena));
        jsonschema_check(parse(schema_text, &arena), object, &errors);
        same_start(first(&errors), rows[i].complaint, rows[i].spec);
    }
}

TEST(what_a_schema_does_not_have_is_told_and_goes_and_defaults_come)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf out = {0};
    struct json *schema = parse(schema_text, &arena), *unknown = json_array(&arena);
    struct json *object = parse("{\"kind\":\"X\",\"metadata\":{\"any\":1},\"top\":1,\"spec\":{"
                                "\"must\":\"\",\"gone\":1,\"o\":{\"kept\":1},\"m\":{\"k\":true}}}",
                                &arena);
    jsonschema_unknown(schema, object, true, unknown, &arena);
    jsonschema_default(schema, object, &arena);
    json_write(unknown, &out);
    json_write(object, &out);
    CHECK_STR(buf_str(&out), "[\"top\",\"spec.gone\"]{\"kind\":\"X\",\"metadata\":{\"any\":1},"
                             "\"spec\":{\"must\":\"\",\"o\":{\"kept\":1},\"m\":{\"k\":true},\"n\":"
                             "3}}");
}

TEST(a_pattern_that_would_take_forever_does_not_match)
{
    AUTO(arena_done) struct arena arena = {0};
    struct field_errors errors = {.arena = &arena};
    struct json *schema = parse("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\","
                                "\"pattern\":\"^(a+)+$\"}}}",
                                &arena);
    jsonschema_check(schema,
                     parse("{\"a\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"}", &arena),
                     &errors);
    CHECK_INT((int64_t)errors.n, 1);
}

TEST(paths_of_columns_find_their_values)
{
    static const char object[] =
        "{\"spec\":{\"a\":1,\"list\":[{\"x\":\"p\"},{\"x\":\"q\"}]},\"metadata\":{\"labels\":{\"a.b"
        "/c\":\"v\"}},\"status\":{\"conditions\":[{\"type\":\"A\",\"status\":\"no\"},{\"type\":"
        "\"Ready\",\"status\":\"yes\"}]}}";
    static const struct {
        const char *path, *value; /* NULL: broken; "": nothing. */
    } rows[] = {
        {".spec.a", "1"},
        {".spec.list[1].x", "\"q\""},
        {".spec.list[-1].x", "\"q\""},
        {".spec.list[*].x", "\"p\""},
        {".spec.b", ""},
        {".spec.a.b", ""},
        {".metadata.labels['a.b/c']", "\"v\""},
        {".metadata.labels.a\\.b/c", "\"v\""},
        {".status.conditions[?(@.type==\"Ready\")].status", "\"yes\""},
        {".status.conditions[?(@.type=='No')].status", ""},
        {"spec", NULL},
        {".spec[", NULL},
        {".spec[?(@.a)]", NULL},
        {"..a", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        AUTO(buf_done) struct buf out = {0};
        struct err err;
        str_t path = str_from_z(rows[i].path);
        int r = jsonpath_check(path, &err);
        CHECK_INT(r, rows[i].value == NULL ? ERR_INVALID : 0);
        const struct json *value = r < 0 ? NULL : jsonpath_get(parse(object, &arena), path);
        if (value != NULL)
            json_write(value, &out);
        if (rows[i].value != NULL)
            same_start(buf_str(&out), rows[i].value, rows[i].path);
    }
}
