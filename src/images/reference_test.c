/* reference_test.c - names as the world writes them, and such as it may not. */
#include "images/reference.h"
#include "testkit/test.h"

#include <string.h>

static const struct {
    const char *text, *name;
} good[] = {
    {"web", "docker.io/library/web:latest"},
    {"web:v1", "docker.io/library/web:v1"},
    {"me/web:v1", "docker.io/me/web:v1"},
    {"index.docker.io/web", "docker.io/library/web:latest"},
    {"localhost/web", "localhost/web:latest"},
    {"localhost:5000/a/b__c:V.1-x", "localhost:5000/a/b__c:V.1-x"},
    {"Host/web", "Host/web:latest"},
    {"registry.example.com/team/app@sha256:"
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
     "registry.example.com/team/app@sha256:"
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
    {"a--b.c:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
     "docker.io/library/a--b.c@sha256:"
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
};

TEST(references_are_made_whole)
{
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct reference reference;
        struct err err;
        CHECK_INT(reference_parse(str_from_z(good[i].text), &reference, &err), 0);
        CHECK(str_eq(reference_name(&reference, &arena), str_from_z(good[i].name)));
    }
}

TEST(references_that_are_none)
{
    static const char *const bad[] = {
        "",          ":tag",     "web:",   "web:.v",     "web@sha256:00",
        "a//b",      "/web",     "web/",   "a..b",       "a___b",
        "-web",      "web-",     "h:/web", "h:x1/web",   "web@sha512:00",
        "..:5000/a", "a/b:c/d:", "we b",   "w\303\251b", "a.b/../etc",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct reference reference;
        struct err err;
        CHECK_INT(reference_parse(str_from_z(bad[i]), &reference, &err), ERR_INVALID);
    }
    struct reference reference;
    struct err err;
    CHECK_INT(reference_parse(STR("me/Web"), &reference, &err), ERR_INVALID);
    CHECK(strcmp(err.text,
                 "invalid reference format: repository name (me/Web) must be lowercase") == 0);
}
