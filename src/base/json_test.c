/* json_test.c - what is JSON and what is not, and that it comes back as it went in. */
#include "base/json_reader.h"
#include "testkit/test.h"

#include <string.h>

TEST(json_round_trips_numbers_and_order)
{
    static const str_t rows[] = {
        STR("{\"b\":1.50,\"a\":-0.0e+10,\"c\":[1e400,123456789012345678901234567890]}"),
        STR("[]"),
        STR("{}"),
        STR("\"\""),
        STR("[null,true,false,{\"x\":{\"y\":[[]]}}]"),
        STR("\"gr\xc3\xbc\xc3\x9f\x65 \xf0\x9f\x98\x80\""),
        STR("\"a\\\"b\\\\c\\n\\t\\u0001\""),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        AUTO(buf_done) struct buf out = {0};
        struct json *json;
        struct err err;
        if (!CHECK_INT(json_parse(rows[i], &arena, &json, &err), 0))
            continue;
        json_write(json, &out);
        CHECK(str_eq(buf_str(&out), rows[i]));
        AUTO(buf_done) struct buf again = {0};
        json_write(json_clone(json, &arena), &again);
        CHECK(str_eq(buf_str(&again), rows[i]));
    }
}

TEST(json_refuses_what_is_not_json)
{
    static const char *const rows[] = {
        "",
        " ",
        "{",
        "}",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\"}",
        "{a:1}",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "-",
        "\"\n\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"abc",
        "nul",
        "True",
        "[1 2]",
        "1 2",
        "\"\xff\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "'a'",
        "[\"a\\",
        "{\"a\":}",
        "[,1]",
        "/**/1",
        "NaN",
        "\"\\",
        "\xef\xbb\xbf{}",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct json *json = NULL;
        struct err err;
        CHECK_INT(json_parse(str_from_z(rows[i]), &arena, &json, &err), ERR_INVALID);
        CHECK(json == NULL);
    }
}

TEST(json_says_where_it_is_wrong)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *json;
    struct err err;
    CHECK_INT(json_parse(STR("{\n  \"a\": 1,\n  b\n}"), &arena, &json, &err), ERR_INVALID);
    CHECK_STR(str_from_z(err.text), "invalid JSON, line 3 column 3: a key in quotes");
}

TEST(json_depth_has_a_limit)
{
    AUTO(arena_done) struct arena arena = {0};
    char deep[2 * JSON_DEPTH_MAX + 4];
    struct json *json;
    struct err err;
    memset(deep, '[', JSON_DEPTH_MAX);
    memset(deep + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    CHECK_INT(json_parse((str_t){deep, (size_t)2 * JSON_DEPTH_MAX}, &arena, &json, &err), 0);
    memset(deep, '[', sizeof(deep));
    CHECK_INT(json_parse((str_t){deep, sizeof(deep)}, &arena, &json, &err), ERR_INVALID);
}

TEST(json_keeps_the_last_of_a_key_that_comes_twice)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf out = {0}, text = {0};
    struct json *json;
    struct err err;
    CHECK_INT(json_parse(STR("{\"a\":1,\"b\":2,\"a\":3}"), &arena, &json, &err), 0);
    json_write(json, &out);
    CHECK_STR(buf_str(&out), "{\"a\":3,\"b\":2}");

    buf_add_char(&text, '{');
    for (int i = 0; i < 400; i++)
        buf_printf(&text, "%s\"k%d\":%d", i > 0 ? "," : "", i % 200, i);
    buf_add_char(&text, '}');
    CHECK_INT(json_parse(buf_str(&text), &arena, &json, &err), 0);
    CHECK_INT((int64_t)json_count(json), 200);
    int64_t n;
    CHECK(json_to_i64(json_get(json, STR("k7")), &n) && n == 207);
    CHECK(str_eq(json->last->key, STR("k199")));
}

TEST(json_unescapes)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *json;
    struct err err;
    CHECK_INT(json_parse(STR("\"\\u00fc\\ud83d\\ude00\\ud800x\\/\""), &arena, &json, &err), 0);
    CHECK_STR(json->text, "\xc3\xbc\xf0\x9f\x98\x80\xef\xbf\xbdx/");
}

TEST(json_tree_can_be_changed)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf out = {0};
    struct json *object = json_object(&arena);
    json_add(object, STR("a"), json_int(&arena, -5));
    json_set(object, STR("b"), json_string(&arena, STR("x")));
    json_set(object, STR("a"), json_bool(&arena, true));
    CHECK(json_remove(object, STR("b")));
    CHECK(!json_remove(object, STR("b")));
    json_set(object, STR("c"), json_null(&arena));
    json_write(object, &out);
    CHECK_STR(buf_str(&out), "{\"a\":true,\"c\":null}");
    CHECK(json_at(object, "a.b.c") == NULL);
    CHECK(json_is_true(json_at(object, "a")));
}

TEST(json_reader_tells_what_it_passes)
{
    static const struct {
        enum json_event event;
        str_t key, text;
    } rows[] = {
        {JSON_OPEN, STR(""), STR("")},       {JSON_VALUE, STR("a"), STR("1")},
        {JSON_OPEN, STR("b"), STR("")},      {JSON_VALUE, STR(""), STR("x\n")},
        {JSON_OPEN, STR(""), STR("")},       {JSON_CLOSE, STR(""), STR("")},
        {JSON_VALUE, STR(""), STR("-2.50")}, {JSON_CLOSE, STR(""), STR("")},
        {JSON_CLOSE, STR(""), STR("")},      {JSON_END, STR(""), STR("")},
    };
    AUTO(arena_done) struct arena arena = {0};
    struct json_reader reader;
    struct json_item item;
    struct err err;
    json_reader_init(&reader, STR(" {\"a\":1, \"b\":[\"x\\n\",{},-2.50 ]} "), &arena, &err);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!CHECK_INT(json_next(&reader, &item), 0))
            return;
        CHECK_INT(item.event, rows[i].event);
        if (item.event == JSON_VALUE || item.event == JSON_OPEN)
            CHECK(str_eq(item.key, rows[i].key));
        if (item.event == JSON_VALUE)
            CHECK(str_eq(item.text, rows[i].text));
    }
}

TEST(json_pick_reads_one_member_and_no_further)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *json;
    struct err err;
    CHECK_INT(
        json_pick(STR("{\"spec\":{\"m\":[{}]},\"m\":{\"n\":[2]},!"), STR("m"), &arena, &json, &err),
        0);
    CHECK(json != NULL && json_count(json) == 1);
    CHECK_INT(json_pick(STR("{\"spec\":{\"m\":1}}"), STR("m"), &arena, &json, &err), 0);
    CHECK(json == NULL);
    CHECK_INT(json_pick(STR("[1]"), STR("m"), &arena, &json, &err), 0);
    CHECK(json == NULL);
    CHECK_INT(json_pick(STR("{\"spec\":tru"), STR("m"), &arena, &json, &err), ERR_INVALID);
}
