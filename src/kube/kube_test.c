/* kube_test.c - tables at work: names, times, selectors, patches, protobuf, strictness. */
#include "codec/proto.h"
#include "kube/meta.h"
#include "kube/patch.h"
#include "kube/selector.h"
#include "testkit/test.h"

#include <string.h>

static struct json *parse(const char *text, struct arena *arena)
{
    struct json *json;
    struct err err;
    MUST(json_parse(str_from_z(text), arena, &json, &err) == 0);
    return json;
}

static str_t written(const struct json *json, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    json_write(json, &out);
    return arena_str(arena, buf_str(&out));
}

TEST(names_are_dns_names)
{
    static const struct {
        str_t name;
        bool label, subdomain;
    } rows[] = {
        {STR("a"), true, true},     {STR("a-1"), true, true},    {STR("a.b"), false, true},
        {STR(""), false, false},    {STR("-a"), false, false},   {STR("a-"), false, false},
        {STR("A"), false, false},   {STR("a..b"), false, false}, {STR("a.-b"), false, false},
        {STR("a_b"), false, false}, {STR("a."), false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_INT(is_dns_label(rows[i].name), rows[i].label);
        CHECK_INT(is_dns_subdomain(rows[i].name), rows[i].subdomain);
    }
}

TEST(times_go_both_ways_and_ages_read_like_kubectl)
{
    AUTO(arena_done) struct arena arena = {0};
    msec_t ms = 0;
    CHECK(time_parse(STR("2026-01-31T12:00:00Z"), &ms));
    CHECK_STR(time_text(ms, &arena), "2026-01-31T12:00:00Z");
    CHECK_STR(micro_time_text(ms + 123, &arena), "2026-01-31T12:00:00.123000Z");
    msec_t other = 0;
    CHECK(time_parse(STR("2026-01-31T14:30:00.5+02:30"), &other) && other == ms + 500);
    CHECK(!time_parse(STR("2026-13-31T12:00:00Z"), &ms));
    CHECK(!time_parse(STR("yesterday"), &ms));
    static const struct {
        msec_t s;
        str_t age;
    } rows[] = {
        {5, STR("5s")},
        {119, STR("119s")},
        {130, STR("2m10s")},
        {600, STR("10m")},
        {10800, STR("3h")},
        {11100, STR("3h5m")},
        {86400, STR("24h")},
        {172800, STR("2d")},
        {183600, STR("2d3h")},
        {34560000, STR("400d")},
        {800 * 86400LL, STR("2y70d")},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK(str_eq(age_text(time_text(0, &arena), rows[i].s * 1000, &arena), rows[i].age));
    CHECK_STR(age_text(STR(""), 0, &arena), "<unknown>");
}

TEST(label_selectors_select)
{
    static const struct {
        const char *selector;
        bool matches;
    } rows[] = {
        {"", true},     {"a=1", true},         {"a==1,b=2", true},     {"a!=1", false},
        {"c!=1", true}, {"a in (0, 1)", true}, {"a notin (1)", false}, {"c notin (1)", true},
        {"a", true},    {"!a", false},         {"!c", true},           {"a in (2),b", false},
        {"e=", true},   {"x.y/z=w", true},
    };
    AUTO(arena_done) struct arena arena = {0};
    const struct json *object = parse(
        "{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"2\",\"e\":\"\",\"x.y/z\":\"w\"}}}", &arena);
    struct selector *selector;
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_INT(label_selector_parse(str_from_z(rows[i].selector), &arena, &selector, &err), 0);
        test_check_int(selector_matches(selector, NULL, object), rows[i].matches, rows[i].selector,
                       __FILE__, __LINE__);
    }
    static const char *const bad[] = {"a=1,",  "=1",      "a in 1", "a in (1",
                                      "a ~ b", "a=1 b=2", ",",      "!"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK_INT(label_selector_parse(str_from_z(bad[i]), &arena, &selector, &err), ERR_INVALID);
}

/* The examples of RFC 7386, appendix A. */
TEST(merge_patch_by_the_examples_of_the_rfc)
{
    static const char *const rows[][3] = {
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
        {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
        {"{\"a\":\"foo\"}", "null", "null"},
        {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    };
    AUTO(arena_done) struct arena arena = {0};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct json *patched =
            patch_merge(parse(rows[i][0], &arena), parse(rows[i][1], &arena), &arena);
        test_check_str(written(patched, &arena), str_from_z(rows[i][2]), rows[i][1], __FILE__,
                       __LINE__);
    }
}

static const struct field thing_fields[] = {
    {"metadata", FIELD_OBJECT, 1, .of = &object_meta_schema},
    {"size", FIELD_INT, 2, RANGE(0, 10), .otherwise = "3"},
    {"mode", FIELD_STRING, 3, ONE_OF("Fast", "Slow"), .otherwise = "Fast"},
    {"data", FIELD_MAP, 4, .item = FIELD_BYTES},
    {"names", FIELD_LIST, 5, .item = FIELD_STRING},
    {0},
};
static const struct schema thing = {"test.v1.Thing", thing_fields, "A thing."};

TEST(a_table_refuses_wrong_types_collects_unknown_fields_and_sets_defaults)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *unknown = json_array(&arena);
    struct err err;
    struct json *object = parse("{\"size\":1,\"sise\":2,\"metadata\":{\"nme\":\"x\"}}", &arena);
    CHECK_INT(schema_decode_check(&thing, object, unknown, &arena, &err), 0);
    CHECK_STR(written(unknown, &arena), "[\"sise\",\"metadata.nme\"]");
    schema_prune(&thing, object);
    schema_set_defaults(&thing, object, &arena);
    CHECK_STR(written(object, &arena), "{\"size\":1,\"metadata\":{},\"mode\":\"Fast\"}");
    CHECK_INT(schema_decode_check(&thing, parse("{\"size\":\"x\"}", &arena), unknown, &arena, &err),
              ERR_INVALID);
    CHECK_STR(str_from_z(err.text),
              "json: cannot unmarshal string into Go struct field Thing.size of type int32");
    CHECK_INT(schema_decode_check(&thing, parse("{\"data\":{\"k\":\"abc!\"}}", &arena), unknown,
                                  &arena, &err),
              ERR_INVALID);
    CHECK_STR(str_from_z(err.text), "illegal base64 data at input byte 3");
    struct field_errors errors = {.arena = &arena};
    schema_check(&thing, parse("{\"size\":11,\"mode\":\"Odd\"}", &arena), &errors);
    CHECK_INT((int64_t)errors.n, 2);
    CHECK_STR(errors.at[0].text, "Invalid value: 11: must be between 0 and 10, inclusive");
    CHECK_STR(errors.at[1].text,
              "Unsupported value: \"Odd\": supported values: \"Fast\", \"Slow\"");
}

TEST(what_has_no_effect_is_marked_in_openapi_and_nothing_else_is)
{
    static const struct field rows[] = {
        {"size", FIELD_INT, 1},
        {"disk", FIELD_OBJECT, 2, .of = &thing, .no_effect = true},
        {"link", FIELD_STRING, 3, .doc = "Old.", .no_effect = true},
        {0},
    };
    static const struct schema holder = {"test.v1.Holder", rows};
    AUTO(arena_done) struct arena arena = {0};
    const struct json *all = json_get(schema_openapi(&holder, &arena), STR("properties"));
    CHECK_STR(written(json_get(all, STR("size")), &arena),
              "{\"type\":\"integer\",\"format\":\"int32\"}");
    CHECK_STR(written(json_get(all, STR("disk")), &arena),
              "{\"allOf\":[{\"$ref\":\"#/components/schemas/io.k8s.api.test.v1.Thing\"}],"
              "\"default\":{},\"x-davy-no-effect\":true}");
    CHECK_STR(written(json_get(all, STR("link")), &arena),
              "{\"type\":\"string\",\"description\":\"Old.\",\"x-davy-no-effect\":true}");
}

TEST(protobuf_bodies_become_the_same_json)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf body = {0}, meta = {0}, label = {0}, entry = {0}, time = {0};
    proto_put_bytes(&label, 1, STR("k"));
    proto_put_bytes(&label, 2, STR("v"));
    proto_put_varint(&time, 1, 1769860800);
    proto_put_bytes(&meta, 1, STR("web"));
    proto_put_bytes(&meta, 2, STR(""));
    proto_put_bytes(&meta, 8, buf_str(&time));
    proto_put_bytes(&meta, 11, buf_str(&label));
    proto_put_bytes(&entry, 1, STR("pass"));
    proto_put_bytes(&entry, 2, STR("foo"));
    proto_put_bytes(&body, 1, buf_str(&meta));
    proto_put_varint(&body, 2, 7);
    proto_put_bytes(&body, 4, buf_str(&entry));
    proto_put_bytes(&body, 5, STR("n1"));
    proto_put_bytes(&body, 5, STR("n2"));
    proto_put_varint(&body, 99, 1);
    struct json *json;
    struct err err;
    CHECK_INT(schema_from_protobuf(&thing, buf_str(&body), &arena, &json, &err), 0);
    CHECK_STR(written(json, &arena),
              "{\"metadata\":{\"name\":\"web\",\"creationTimestamp\":\"2026-01-31T12:00:00Z\","
              "\"labels\":{\"k\":\"v\"}},\"size\":7,\"data\":{\"pass\":\"Zm9v\"},"
              "\"names\":[\"n1\",\"n2\"]}");
    for (size_t n = 0; n < body.len; n++)
        (void)schema_from_protobuf(&thing, (str_t){body.at, n}, &arena, &json, &err);
}
