/* codec_test.c - base64, protobuf and YAML: what is taken, and what is refused with which words. */
#include "codec/base64.h"
#include "codec/proto.h"
#include "codec/yaml.h"
#include "testkit/test.h"

#include <string.h>

TEST(base64_by_the_vectors_of_rfc_4648)
{
    static const struct {
        str_t bytes, text;
    } rows[] = {
        {STR(""), STR("")},
        {STR("f"), STR("Zg==")},
        {STR("fo"), STR("Zm8=")},
        {STR("foo"), STR("Zm9v")},
        {STR("foob"), STR("Zm9vYg==")},
        {STR("fooba"), STR("Zm9vYmE=")},
        {STR("foobar"), STR("Zm9vYmFy")},
    };
    AUTO(arena_done) struct arena arena = {0};
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        str_t back;
        CHECK(str_eq(base64_encode(rows[i].bytes, &arena), rows[i].text));
        CHECK_INT(base64_decode(rows[i].text, &arena, &back, &err), 0);
        CHECK(str_eq(back, rows[i].bytes));
    }
    static const char *const bad[] = {"Zg=", "Zg", "Z", "Zg===", "Zm9!", "=", "Zg==Zg=="};
    str_t back;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK_INT(base64_decode(str_from_z(bad[i]), &arena, &back, &err), ERR_INVALID);
    CHECK_INT(base64_decode(STR("abc!"), &arena, &back, &err), ERR_INVALID);
    CHECK_STR(str_from_z(err.text), "illegal base64 data at input byte 3");
    CHECK_STR(base64url_encode(STR("\xfb\xff"), &arena), "-_8");
}

TEST(proto_fields_come_back_and_cut_ones_are_refused)
{
    AUTO(buf_done) struct buf out = {0};
    proto_put_varint(&out, 1, UINT64_MAX);
    proto_put_bytes(&out, 300, STR("abc"));
    struct proto_reader reader = {buf_str(&out)};
    struct proto_field field;
    struct err err;
    CHECK_INT(proto_next(&reader, &field, &err), 1);
    CHECK(field.number == 1 && field.value == UINT64_MAX);
    CHECK_INT(proto_next(&reader, &field, &err), 1);
    CHECK(field.number == 300);
    CHECK_STR(field.bytes, "abc");
    CHECK_INT(proto_next(&reader, &field, &err), 0);
    for (size_t n = 1; n < out.len; n++) {
        reader = (struct proto_reader){{out.at, n}};
        int r;
        while ((r = proto_next(&reader, &field, &err)) == 1)
            ;
        CHECK(r == ERR_INVALID || n == 11);
    }
}

TEST(yaml_becomes_the_json_that_kubernetes_reads)
{
    static const struct {
        const char *yaml, *json;
    } rows[] = {
        {"a: 1\nb: 'yes'\nc: yes\nd: ~\ne: true\nf: 1.50\ng: 007\n",
         "{\"a\":1,\"b\":\"yes\",\"c\":\"yes\",\"d\":null,\"e\":true,\"f\":1.50,\"g\":\"007\"}"},
        {"- x\n- [1, \"2\"]\n- {k: v}\n", "[\"x\",[1,\"2\"],{\"k\":\"v\"}]"},
        {"a: &x {k: v}\nb: *x\n", "{\"a\":{\"k\":\"v\"},\"b\":{\"k\":\"v\"}}"},
        {"a: |\n  two\n  lines\nb: >-\n  one\n  line\n",
         "{\"a\":\"two\\nlines\\n\",\"b\":\"one line\"}"},
        {"{\"json\": [1, 2, {\"is\": \"yaml\"}]}", "{\"json\":[1,2,{\"is\":\"yaml\"}]}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        AUTO(buf_done) struct buf out = {0};
        struct json *json;
        struct err err;
        if (!CHECK_INT(yaml_parse(str_from_z(rows[i].yaml), &arena, &json, &err), 0))
            continue;
        json_write(json, &out);
        test_check_str(buf_str(&out), str_from_z(rows[i].json), rows[i].yaml, __FILE__, __LINE__);
    }
}

TEST(yaml_errors_name_the_line)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *json;
    struct err err;
    static const char *const rows[] = {"a: 1\nb: [1\nc: 2\n", "a: 1\na: 2\n", "a: 1\n\tb: 2\n",
                                       "a: *nope\n"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_INT(yaml_parse(str_from_z(rows[i]), &arena, &json, &err), ERR_INVALID);
        CHECK(strstr(err.text, "yaml: ") != NULL);
    }
    CHECK_INT(yaml_parse_all(STR("a: 1\n---\n---\nb: 2\n"), &arena, &json, &err), 0);
    CHECK_INT((int64_t)json_count(json), 2);
}
