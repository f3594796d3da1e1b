/* jwt.c - the header's bytes, then the signature, and only then the claims are read. */
#include "api/jwt.h"

#include "codec/base64.h"

int jwt_signer_new(str_t key_pem, struct arena *arena, struct jwt_signer *out, struct err *err)
{
    *out = (struct jwt_signer){0};
    int r = sign_key_load(key_pem, &out->key, err);
    if (r < 0)
        return r;
    const struct sign_public *public = sign_key_public(out->key);
    out->key_id = base64url_encode((str_t){(const char *)public->id, sizeof(public->id)}, arena);
    out->header = base64url_encode(
        arena_printf(arena, "{\"alg\":\"ES256\",\"kid\":\"" STR_F "\"}", STR_A(out->key_id)),
        arena);
    return 0;
}

void jwt_signer_done(struct jwt_signer *signer)
{
    sign_key_free(signer->key);
    *signer = (struct jwt_signer){0};
}

struct json *jwt_key_set(const struct jwt_signer *signer, struct arena *arena)
{
    const struct sign_public *public = sign_key_public(signer->key);
    const struct {
        str_t name, value;
    } rows[] = {
        {STR("use"), STR("sig")},
        {STR("kty"), STR("EC")},
        {STR("kid"), signer->key_id},
        {STR("crv"), STR("P-256")},
        {STR("alg"), STR("ES256")},
        {STR("x"), base64url_encode((str_t){(const char *)public->x, sizeof(public->x)}, arena)},
        {STR("y"), base64url_encode((str_t){(const char *)public->y, sizeof(public->y)}, arena)},
    };
    struct json *set = json_object(arena), *keys = json_array(arena), *key = json_object(arena);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        json_add(key, rows[i].name, json_string(arena, rows[i].value));
    return json_add(set, STR("keys"), json_add(keys, STR(""), key));
}

int jwt_sign(const struct jwt_signer *signer, const struct json *claims, struct arena *arena,
             str_t *token, struct err *err)
{
    AUTO(buf_done) struct buf text = {0};
    json_write(claims, &text);
    str_t body = arena_printf(arena, STR_F "." STR_F, STR_A(signer->header),
                              STR_A(base64url_encode(buf_str(&text), arena)));
    unsigned char signature[SIGNATURE_BYTES];
    int r = sign_bytes(signer->key, body, signature, err);
    if (r < 0)
        return r;
    *token = arena_printf(
        arena, STR_F "." STR_F, STR_A(body),
        STR_A(base64url_encode((str_t){(const char *)signature, sizeof(signature)}, arena)));
    return 0;
}

/* Decoded, if that is how we would write it. */
static bool decode(str_t text, struct arena *arena, str_t *bytes)
{
    struct err ignored;
    return base64url_decode(text, arena, bytes, &ignored) == 0 &&
           str_eq(base64url_encode(*bytes, arena), text);
}

int jwt_verify(const struct jwt_signer *signer, str_t token, struct arena *arena,
               struct json **claims, struct err *err)
{
    str_t header, rest, payload, signature, bytes;
    if (token.len > JWT_BYTES_MAX)
        return err_set(err, ERR_INVALID, "the token is too long");
    str_cut(token, '.', &header, &rest);
    if (!str_eq(header, signer->header))
        return err_set(err, ERR_INVALID, "the token is not signed by this cluster's key");
    str_cut(rest, '.', &payload, &signature);
    str_t body = {token.at, header.len + 1 + payload.len};
    if (!decode(signature, arena, &bytes) || !sign_is_valid(signer->key, body, bytes))
        return err_set(err, ERR_INVALID, "the token's signature is not valid");
    if (!decode(payload, arena, &bytes))
        return err_set(err, ERR_INVALID, "the token's claims cannot be read");
    return json_parse(bytes, arena, claims, err);
}

/* "aud" is one text or a list of them. */
static bool is_for(const struct json *claims, const struct jwt_wanted *wanted)
{
    const struct json *aud = json_get(claims, STR("aud"));
    for (size_t i = 0; i < wanted->n; i++) {
        if (aud != NULL && aud->type == JSON_STRING && str_eq(aud->text, wanted->audiences[i]))
            return true;
        if (aud == NULL || aud->type != JSON_ARRAY)
            continue;
        JSON_EACH(aud, each)
        if (str_eq(json_text(each, STR("")), wanted->audiences[i]))
            return true;
    }
    return false;
}

int jwt_check(const struct json *claims, const struct jwt_wanted *wanted, struct err *err)
{
    int64_t until = 0, from = 0;
    if (!str_eq(json_get_text(claims, STR("iss")), wanted->issuer))
        return err_set(err, ERR_INVALID, "the token is from another issuer");
    if (!json_to_i64(json_get(claims, STR("exp")), &until) || wanted->now_s >= until)
        return err_set(err, ERR_INVALID, "service account token has expired");
    if (!json_to_i64(json_get(claims, STR("nbf")), &from) || wanted->now_s < from)
        return err_set(err, ERR_INVALID, "service account token is not valid yet");
    if (!is_for(claims, wanted))
        return err_set(err, ERR_INVALID, "token audiences are not among those that are wanted");
    return 0;
}
