/* credentials_test.c - Secrets and challenges as they are written, and as they should not be. */
#include "images/challenge.h"
#include "images/credentials.h"
#include "testkit/test.h"

/* "user:password", or "" for none. */
static str_t first(const char *text, const char *image, struct arena *arena)
{
    struct reference reference;
    struct credential *found;
    struct err err;
    size_t n;
    MUST(reference_parse(str_from_z(image), &reference, &err) == 0);
    if (credentials_find(str_from_z(text), &reference, arena, &found, &n, &err) < 0)
        return arena_printf(arena, "%s", err.text);
    return n == 0 ? STR("")
                  : arena_printf(arena, STR_F ":" STR_F, STR_A(found[0].user),
                                 STR_A(found[0].password));
}

#define ENTRY "{\"username\":\"u\",\"password\":\"p\"}"

TEST(credentials_are_of_a_host_a_port_and_a_path)
{
    static const struct {
        const char *key, *image;
        bool fits;
    } cases[] = {
        {"registry.example.com", "registry.example.com/web", true},
        {"https://registry.example.com", "registry.example.com/web", true},
        {"http://registry.example.com/v2/", "registry.example.com/web", true},
        {"registry.example.com", "registry.example.com:5000/web", false},
        {"registry.example.com:5000", "registry.example.com:5000/web", true},
        {"*.example.com", "registry.example.com/web", true},
        {"*.example.com", "a.registry.example.com/web", false},
        {"*.*.example.com", "a.registry.example.com/web", true},
        {"reg*.example.com/team", "registry.example.com/team/web", true},
        {"registry.example.com/team", "registry.example.com/other/web", false},
        {"https://index.docker.io/v1/", "web", true},
        {"docker.io", "web", true},
        {"index.docker.io", "registry.example.com/web", false},
        {"***.example.com", "registry.example.com/web", false},
        {"", "registry.example.com/web", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(arena_done) struct arena arena = {0};
        str_t text = arena_printf(&arena, "{\"auths\":{\"%s\":" ENTRY "}}", cases[i].key);
        CHECK(str_eq(first(text.at, cases[i].image, &arena), cases[i].fits ? STR("u:p") : STR("")));
    }
}

TEST(credentials_are_read_from_auth)
{
    AUTO(arena_done) struct arena arena = {0};
    CHECK_STR(first("{\"a.b\":{\"auth\":\"dXNlcjpwYTpzcw==\"}}", "a.b/web", &arena), "user:pa:ss");
    CHECK_STR(first("{\"a.b\":{\"auth\":\"dXNlcjpwYTpzcw\"}}", "a.b/web", &arena), "user:pa:ss");
    CHECK_STR(first("{\"a.b\":{\"auth\":\"dXNlcg==\"}}", "a.b/web", &arena), "");
    CHECK_STR(first("{\"a.b\":{\"auth\":\"!\"}}", "a.b/web", &arena), "");
    CHECK_STR(first("{\"a.b\":{\"username\":\"u\\n\",\"password\":\"p\"}}", "a.b/web", &arena), "");
    CHECK_STR(first("[]", "a.b/web", &arena), "credentials are no object");
}

TEST(credentials_of_the_longest_path_come_first)
{
    AUTO(arena_done) struct arena arena = {0};
    CHECK_STR(first("{\"a.b\":" ENTRY ",\"a.b/team\":{\"username\":\"t\",\"password\":\"q\"},"
                    "\"*.b\":" ENTRY "}",
                    "a.b/team/web", &arena),
              "t:q");
}

TEST(challenges_are_read)
{
    static const struct {
        const char *field, *realm, *service, *scope;
        enum challenge_kind kind;
    } cases[] = {
        {"Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
         "scope=\"repository:library/web:pull\"",
         "https://auth.docker.io/token", "registry.docker.io", "repository:library/web:pull",
         CHALLENGE_BEARER},
        {"basic realm=\"Registry\\\" Realm\"", "Registry\" Realm", "", "", CHALLENGE_BASIC},
        {"Basic realm=a, Bearer realm=\"b\"", "b", "", "", CHALLENGE_BEARER},
        {"Negotiate, BEARER  Realm = \"b\" , service=s", "b", "s", "", CHALLENGE_BEARER},
        {"Bearer service=\"s\"", "", "", "", CHALLENGE_NONE},
        {"Bearer realm=\"a", "", "", "", CHALLENGE_NONE},
        {"Bearer realm=\"a\nb\"", "", "", "", CHALLENGE_NONE},
        {"", "", "", "", CHALLENGE_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct challenge got;
        challenge_parse(str_from_z(cases[i].field), &arena, &got);
        CHECK_INT(got.kind, cases[i].kind);
        CHECK(str_eq(got.realm, str_from_z(cases[i].realm)));
        CHECK(str_eq(got.service, str_from_z(cases[i].service)));
        CHECK(str_eq(got.scope, str_from_z(cases[i].scope)));
    }
}
