/* patch_test.c - JSON patches, row by row; the cases are those of RFC 6902's appendix and ours. */
#include "kube/patch.h"
#include "testkit/test.h"

#include <string.h>

static struct json *parse(const char *text, struct arena *arena)
{
    struct json *json;
    struct err err;
    MUST(json_parse(str_from_z(text), arena, &json, &err) == 0);
    return json;
}

TEST(json_patches_do_what_rfc_6902_says)
{
    static const struct {
        const char *object, *patch, *wanted; /* `wanted` without a brace: a part of the error. */
    } rows[] = {
        {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
         "{\"foo\":\"bar\",\"baz\":\"qux\"}"},
        {"{\"foo\":[\"bar\",\"baz\"]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
         "{\"foo\":[\"bar\",\"qux\",\"baz\"]}"},
        {"{\"foo\":[1]}", "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":2}]", "{\"foo\":[1,2]}"},
        {"{\"foo\":[1]}", "[{\"op\":\"add\",\"path\":\"/foo/2\",\"value\":2}]", "no index"},
        {"{\"foo\":[1,2]}", "[{\"op\":\"add\",\"path\":\"/foo/01\",\"value\":2}]", "no index"},
        {"{\"a\":1,\"b\":2}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", "{\"b\":2}"},
        {"{\"a\":[1,2,3]}", "[{\"op\":\"remove\",\"path\":\"/a/1\"}]", "{\"a\":[1,3]}"},
        {"{\"a\":[1,2,3]}", "[{\"op\":\"remove\",\"path\":\"/a/3\"}]", "does not exist"},
        {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/b\"}]", "does not exist"},
        {"{\"a\":1,\"b\":2}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":3}]",
         "{\"a\":3,\"b\":2}"},
        {"{\"b\":2}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":3}]", "does not exist"},
        {"{\"a\":{\"b\":1},\"c\":{}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/c/d\"}]",
         "{\"a\":{},\"c\":{\"d\":1}}"},
        {"{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]",
         "into itself"},
        {"{\"a\":[1]}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}]",
         "{\"a\":[1],\"b\":[1]}"},
        {"{\"a\":\"x\"}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":\"x\"}]", "{\"a\":\"x\"}"},
        {"{\"a\":\"x\"}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":\"y\"}]", "test failed"},
        {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/b\",\"value\":null}]", "{\"a\":1}"},
        {"{\"a/b\":1,\"m~n\":2}",
         "[{\"op\":\"remove\",\"path\":\"/a~1b\"},{\"op\":\"remove\",\"path\":\"/m~0n\"}]", "{}"},
        {"{\"\":1}", "[{\"op\":\"remove\",\"path\":\"/\"}]", "{}"},
        {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":{\"b\":2}}]", "{\"b\":2}"},
        {"{\"a\":1}", "[{\"op\":\"jump\",\"path\":\"/a\"}]", "unexpected kind: jump"},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\"}]", "needs a value"},
        {"{\"a\":1}", "[{\"op\":\"copy\",\"path\":\"/a\"}]", "needs \"from\""},
        {"{\"a\":1}", "[{\"op\":\"add\"}]", "needs a path"},
        {"{\"a\":1}", "[3]", "needs a path"},
        {"{\"a\":1}", "{}", "list of operations"},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a/b\",\"value\":1}]", "does not exist"},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"a\",\"value\":1}]", "does not exist"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        AUTO(buf_done) struct buf out = {0};
        struct json *object = parse(rows[i].object, &arena), *patched;
        struct err err;
        int r = patch_json(object, parse(rows[i].patch, &arena), &arena, &patched, &err);
        if (r == 0)
            json_write(patched, &out);
        else
            buf_printf(&out, "%s", err.text);
        bool ok = rows[i].wanted[0] == '{'
                      ? r == 0 && str_eq(buf_str(&out), str_from_z(rows[i].wanted))
                      : r < 0 && strstr(err.text, rows[i].wanted) != NULL;
        if (!ok)
            test_check_str(buf_str(&out), str_from_z(rows[i].wanted), rows[i].patch, __FILE__,
                           __LINE__);
        out.len = 0;
        json_write(object, &out); /* As it was, whatever happened. */
        CHECK(str_eq(buf_str(&out), str_from_z(rows[i].object)));
    }
}

TEST(a_json_patch_that_doubles_a_document_again_and_again_is_stopped)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf text = {0};
    struct json *patched;
    struct err err;
    buf_add_char(&text, '[');
    for (int i = 0; i < 60; i++)
        buf_printf(&text, "%s{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/x%d\"}",
                   i > 0 ? "," : "", i);
    buf_add_char(&text, ']');
    struct json *patch = NULL;
    MUST(json_parse(buf_str(&text), &arena, &patch, &err) == 0);
    CHECK_INT(patch_json(parse("{\"a\":{}}", &arena), patch, &arena, &patched, &err), ERR_INVALID);
    CHECK(strstr(err.text, "copies too much") != NULL);
}
