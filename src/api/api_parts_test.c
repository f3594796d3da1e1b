/* api_parts_test.c - the pure parts: tokens, content negotiation, strategic merge. */
#include "api/api_priv.h"
#include "kube/patch.h"
#include "testkit/test.h"

TEST(continue_tokens_come_back_and_others_are_refused)
{
    AUTO(arena_done) struct arena arena = {0};
    struct err err;
    struct continue_token token = {42, STR("ns"), STR("a\"b")}, back;
    CHECK_INT(continue_decode(continue_encode(&token, &arena), &arena, &back, &err), 0);
    CHECK_INT((int64_t)back.rv, 42);
    CHECK_STR(back.ns, "ns");
    CHECK_STR(back.name, "a\"b");
    static const char *const bad[] = {"", "x", "e30", "eyJ2IjoxfQ", "eyJ2IjoxLCJydiI6MX0", "!!!!"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK_INT(continue_decode(str_from_z(bad[i]), &arena, &back, &err), ERR_INVALID);
}

TEST(the_first_shape_a_client_names_is_the_one_it_gets)
{
    static const struct {
        const char *accept;
        enum api_format format;
        bool json;
    } rows[] = {
        {"", FORMAT_OBJECT, true},
        {"*/*", FORMAT_OBJECT, true},
        {"application/json", FORMAT_OBJECT, true},
        {"application/json;as=Table;v=v1;g=meta.k8s.io,application/json", FORMAT_TABLE, true},
        {"application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", FORMAT_OBJECT, true},
        {"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", FORMAT_PARTIAL, true},
        {"application/vnd.kubernetes.protobuf,application/json", FORMAT_OBJECT, true},
        {"application/vnd.kubernetes.protobuf", FORMAT_OBJECT, false},
        {"text/html", FORMAT_OBJECT, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        test_check_int(accept_format(str_from_z(rows[i].accept)), rows[i].format, rows[i].accept,
                       __FILE__, __LINE__);
        test_check_int(accept_allows_json(str_from_z(rows[i].accept)), rows[i].json, rows[i].accept,
                       __FILE__, __LINE__);
    }
}

TEST(strategic_merge_knows_sets_and_items)
{
    static const char *const rows[][3] = {
        {"{\"data\":{\"a\":\"1\",\"b\":\"2\"}}", "{\"data\":{\"a\":null,\"c\":\"3\"}}",
         "{\"data\":{\"b\":\"2\",\"c\":\"3\"}}"},
        {"{\"metadata\":{\"finalizers\":[\"x/a\"]}}",
         "{\"metadata\":{\"finalizers\":[\"x/b\",\"x/a\"]}}",
         "{\"metadata\":{\"finalizers\":[\"x/a\",\"x/b\"]}}"},
        {"{\"metadata\":{\"finalizers\":[\"x/a\",\"x/b\"]}}",
         "{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"x/a\"]}}",
         "{\"metadata\":{\"finalizers\":[\"x/b\"]}}"},
        {"{\"metadata\":{\"ownerReferences\":[{\"uid\":\"1\",\"name\":\"a\"},{\"uid\":\"2\"}]}}",
         "{\"metadata\":{\"$setElementOrder/ownerReferences\":[{\"uid\":\"1\"}],"
         "\"ownerReferences\":[{\"uid\":\"1\",\"kind\":\"K\"},{\"uid\":\"2\",\"$patch\":\"delete\"}"
         "]}}",
         "{\"metadata\":{\"ownerReferences\":[{\"uid\":\"1\",\"name\":\"a\",\"kind\":\"K\"}]}}"},
        /* The client's order counts; x/c, which is not its own, stays before x/b. */
        {"{\"metadata\":{\"finalizers\":[\"x/a\",\"x/c\",\"x/b\"]}}",
         "{\"metadata\":{\"$setElementOrder/finalizers\":[\"x/d\",\"x/b\",\"x/a\"],"
         "\"finalizers\":[\"x/d\"]}}",
         "{\"metadata\":{\"finalizers\":[\"x/d\",\"x/c\",\"x/b\",\"x/a\"]}}"},
        {"{\"metadata\":{\"ownerReferences\":[{\"uid\":\"1\"}]}}",
         "{\"metadata\":{\"ownerReferences\":[\"x\"],\"$deleteFromPrimitiveList/labels\":\"y\"}}",
         "{\"metadata\":{\"ownerReferences\":[{\"uid\":\"1\"},\"x\"]}}"},
        {"{\"data\":{\"a\":\"1\"}}", "{\"data\":{\"$patch\":\"replace\",\"b\":\"2\"}}",
         "{\"data\":{\"b\":\"2\"}}"},
        {"{\"data\":{\"a\":\"1\",\"b\":\"2\"}}", "{\"data\":{\"$retainKeys\":[\"b\"],\"b\":\"3\"}}",
         "{\"data\":{\"b\":\"3\"}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        AUTO(buf_done) struct buf out = {0};
        struct json *object, *patch;
        struct err err;
        MUST(json_parse(str_from_z(rows[i][0]), &arena, &object, &err) == 0);
        MUST(json_parse(str_from_z(rows[i][1]), &arena, &patch, &err) == 0);
        json_write(patch_strategic(kind_configmap.schema, object, patch, &arena), &out);
        test_check_str(buf_str(&out), str_from_z(rows[i][2]), rows[i][1], __FILE__, __LINE__);
    }
}

/* A merge patch of 60,000 new keys once held everybody up for 38 s. */
TEST(a_patch_of_very_many_keys_or_items_is_refused_before_it_is_slow)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *list = json_array(&arena), *data = json_object(&arena);
    for (int i = 0; i < PATCH_ITEMS_MAX; i++)
        json_add(list, STR(""), json_int(&arena, i));
    CHECK(patch_fits(json_object(&arena), list));
    json_add(list, STR(""), json_int(&arena, 0));
    CHECK(!patch_fits(json_object(&arena), list));
    for (int i = 0; i < 5000; i++)
        json_add(data, arena_printf(&arena, "k%d", i), json_int(&arena, i));
    CHECK(patch_fits(data, data));
    for (int i = 5000; i < 60000; i++)
        json_add(data, arena_printf(&arena, "k%d", i), json_int(&arena, i));
    CHECK(!patch_fits(json_object(&arena), data));
}
