/* api_continue.c - where a chunked list goes on: a moment and the last key, in base64. */
#include "api/api_priv.h"
#include "codec/base64.h"

enum { TOKEN_BYTES_MAX = 2048 };

str_t continue_encode(const struct continue_token *token, struct arena *arena)
{
    AUTO(buf_done) struct buf text = {0};
    struct json *json = json_object(arena);
    json_add(json, STR("v"), json_int(arena, 1));
    json_add(json, STR("rv"), json_int(arena, (int64_t)token->rv));
    json_add(json, STR("ns"), json_string(arena, token->ns));
    json_add(json, STR("name"), json_string(arena, token->name));
    json_write(json, &text);
    return base64url_encode(buf_str(&text), arena);
}

int continue_decode(str_t text, struct arena *arena, struct continue_token *token, struct err *err)
{
    str_t bytes;
    struct json *json;
    struct err why;
    int64_t rv, version;
    if (text.len > TOKEN_BYTES_MAX || base64url_decode(text, arena, &bytes, &why) < 0 ||
        json_parse(bytes, arena, &json, &why) < 0 ||
        !json_to_i64(json_get(json, STR("v")), &version) || version != 1 ||
        !json_to_i64(json_get(json, STR("rv")), &rv) || rv < 0)
        return err_set(err, ERR_INVALID,
                       "continue key is not valid: it must be what an earlier list gave");
    *token = (struct continue_token){(uint64_t)rv, json_get_text(json, STR("ns")),
                                     json_get_text(json, STR("name"))};
    if (token->name.len == 0)
        return err_set(err, ERR_INVALID, "continue key is not valid: it names no object");
    return 0;
}
