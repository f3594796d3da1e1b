/* authn_test.c - which tokens are believed, and what a token file may say. */
#include "api/api_priv.h"
#include "api/authn.h"
#include "codec/base64.h"
#include "testkit/test.h"

#include <string.h>

struct bench {
    struct arena arena;
    struct jwt_signer signer;
    str_t token;
};

static struct json *claims_of(struct bench *b, const char *text)
{
    struct json *claims;
    struct err err;
    MUST(json_parse(str_from_z(text), &b->arena, &claims, &err) == 0);
    return claims;
}

static void bench_start(struct bench *b)
{
    struct err err;
    str_t pem;
    *b = (struct bench){0};
    MUST(sign_key_make(&b->arena, &pem, &err) == 0);
    MUST(jwt_signer_new(pem, &b->arena, &b->signer, &err) == 0);
    MUST(jwt_sign(&b->signer, claims_of(b, "{\"sub\":\"x\"}"), &b->arena, &b->token, &err) == 0);
}

static void bench_end(struct bench *b)
{
    jwt_signer_done(&b->signer);
    arena_done(&b->arena);
}

static bool believed(struct bench *b, str_t token)
{
    struct json *claims;
    struct err err;
    return jwt_verify(&b->signer, token, &b->arena, &claims, &err) == 0;
}

/* The same claims and signature behind another header. */
static bool believed_behind(struct bench *b, const char *header)
{
    str_t head, rest;
    str_cut(b->token, '.', &head, &rest);
    return believed(b, arena_printf(&b->arena, STR_F "." STR_F,
                                    STR_A(base64url_encode(str_from_z(header), &b->arena)),
                                    STR_A(rest)));
}

TEST(only_what_we_signed_is_a_token_and_only_as_we_wrote_it)
{
    struct bench b, other;
    bench_start(&b);
    bench_start(&other);
    CHECK(believed(&b, b.token));
    CHECK(!believed(&b, other.token)); /* Another key. */
    CHECK(!believed(&b, STR("")));
    CHECK(!believed(&b, STR("..")));
    CHECK(!believed(&b, arena_printf(&b.arena, STR_F ".", STR_A(b.token))));
    CHECK(!believed(&b, arena_printf(&b.arena, STR_F "A", STR_A(b.token))));
    CHECK(!believed(&b, arena_printf(&b.arena, STR_F "=", STR_A(b.token))));
    CHECK(!believed(&b, arena_printf(&b.arena, STR_F "\n", STR_A(b.token))));
    CHECK(!believed(&b, arena_printf(&b.arena, " " STR_F, STR_A(b.token))));
    CHECK(!believed_behind(&b, "{\"alg\":\"none\"}"));
    CHECK(!believed_behind(&b, "{\"alg\":\"HS256\"}"));
    CHECK(!believed_behind(&b, "{\"alg\":\"ES256\",\"kid\":\"another\"}"));
    CHECK(!believed_behind(
        &b, arena_printf(&b.arena, "{\"alg\":\"ES256\",\"alg\":\"none\",\"kid\":\"" STR_F "\"}",
                         STR_A(b.signer.key_id))
                .at));
    CHECK(believed_behind(&b, arena_printf(&b.arena, "{\"alg\":\"ES256\",\"kid\":\"" STR_F "\"}",
                                           STR_A(b.signer.key_id))
                                  .at));
    bench_end(&other);
    bench_end(&b);
}

TEST(every_changed_byte_of_a_token_ends_it)
{
    struct bench b;
    bench_start(&b);
    for (size_t i = 0; i < b.token.len; i++) {
        str_t copy = arena_str(&b.arena, b.token);
        ((char *)copy.at)[i] = copy.at[i] == 'B' ? 'C' : 'B';
        CHECK(!believed(&b, copy));
    }
    /* The last character carries four bits too many: another spelling of the same bytes. */
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    str_t copy = arena_str(&b.arena, b.token);
    char *last = (char *)copy.at + copy.len - 1;
    *last = letters[(strchr(letters, *last) - letters) ^ 1];
    CHECK(!believed(&b, copy));
    char *huge = arena_bytes(&b.arena, JWT_BYTES_MAX + 1);
    memset(huge, 'A', JWT_BYTES_MAX + 1);
    memcpy(huge, b.token.at, b.token.len);
    CHECK(!believed(&b, (str_t){huge, JWT_BYTES_MAX + 1}));
    bench_end(&b);
}

TEST(claims_hold_for_an_audience_and_a_time)
{
    struct bench b;
    bench_start(&b);
    static const str_t us[] = {STR("us")};
    struct err err;
    const struct {
        const char *claims;
        const char *fault; /* NULL: they hold. */
    } rows[] = {
        {"{\"iss\":\"i\",\"aud\":[\"they\",\"us\"],\"nbf\":100,\"exp\":101}", NULL},
        {"{\"iss\":\"i\",\"aud\":\"us\",\"nbf\":100,\"exp\":101}", NULL},
        {"{\"iss\":\"j\",\"aud\":\"us\",\"nbf\":100,\"exp\":101}", "issuer"},
        {"{\"iss\":\"i\",\"aud\":\"they\",\"nbf\":100,\"exp\":101}", "audiences"},
        {"{\"iss\":\"i\",\"nbf\":100,\"exp\":101}", "audiences"},
        {"{\"iss\":\"i\",\"aud\":\"us\",\"nbf\":99,\"exp\":100}", "expired"},
        {"{\"iss\":\"i\",\"aud\":\"us\",\"nbf\":99}", "expired"},
        {"{\"iss\":\"i\",\"aud\":\"us\",\"nbf\":101,\"exp\":200}", "not valid yet"},
        {"{\"iss\":\"i\",\"aud\":\"us\",\"exp\":200}", "not valid yet"},
        {"{\"iss\":\"i\",\"aud\":\"us\",\"nbf\":1,\"exp\":\"200\"}", "expired"},
    };
    struct jwt_wanted wanted = {STR("i"), us, 1, 100};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int r = jwt_check(claims_of(&b, rows[i].claims), &wanted, &err);
        if (rows[i].fault == NULL)
            CHECK_INT(r, 0);
        else
            CHECK(r == ERR_INVALID && strstr(err.text, rows[i].fault) != NULL);
    }
    bench_end(&b);
}

TEST(a_token_file_is_csv_and_its_faults_have_lines)
{
    struct token_file *file;
    struct user user;
    struct err err;
    static const str_t text = STR("# who may\nt1,alice,1,\"dev,ops\"\r\n\n\"t\"\"2\",bob,2\n");
    MUST(token_file_read(text, &file, &err) == 0);
    CHECK(token_file_user(file, STR("t1"), &user));
    CHECK_STR(user.name, "alice");
    CHECK_STR(user.uid, "1");
    CHECK(user.n_groups == 2 && user_in(&user, STR("dev")) && user_in(&user, STR("ops")));
    CHECK(token_file_user(file, STR("t\"2"), &user) && user.n_groups == 0);
    CHECK(!token_file_user(file, STR("t"), &user));
    CHECK(!token_file_user(file, STR(""), &user));
    token_file_free(file);
    static const struct {
        const char *text, *fault;
    } bad[] = {
        {"t,u\n", "line 1 of the token file must have at least 3 columns"},
        {"t,u,1\nx,\"y,2\n", "line 2 of the token file has a stray quote"},
        {"t,u\"v,1\n", "line 1 of the token file has a stray quote"},
        {"t,u,1,g,h\n", "line 1 of the token file has more than 4 columns"},
        {",u,1\n", "line 1 of the token file has no token"},
        {"t,,1\n", "line 1 of the token file has no user name"},
        {"t,u,1\n\nt,v,2\n", "line 3 of the token file has a token again"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CHECK(token_file_read(str_from_z(bad[i].text), &file, &err) == ERR_INVALID);
        CHECK(strncmp(err.text, bad[i].fault, strlen(bad[i].fault)) == 0);
    }
}
