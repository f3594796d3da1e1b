/* build_stages_test.c - Dockerfiles as people write them. */
#include "cli/build_stages.h"
#include "testkit/test.h"

TEST(stages_of_a_dockerfile)
{
    AUTO(arena_done) struct arena arena = {0};
    struct build_stage stages[BUILD_STAGES_MAX];
    size_t n = build_stages(STR("# syntax=docker/dockerfile:1\r\n"
                                "ARG V=18\n"
                                "FROM --platform=linux/amd64 node:18-alpine AS builder\r\n"
                                "RUN echo FROM nowhere \\\n"
                                "# FROM a comment between\n"
                                "  FROM here\n"
                                "  from \\\n   scratch\n"
                                "COPY --from=builder /a /a\n"
                                "FROM builder as last"),
                            &arena, stages);
    MUST(n == 3);
    CHECK_STR(stages[0].name, "builder");
    CHECK_STR(stages[0].base, "node:18-alpine");
    CHECK_STR(stages[1].name, "");
    CHECK_STR(stages[1].base, "scratch");
    CHECK_STR(stages[2].name, "last");
    CHECK_INT(build_stages(STR(""), &arena, stages), 0);
    CHECK_INT(build_stages(STR("FROM"), &arena, stages), 0);
}

TEST(sizes_are_sums_of_layers)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *images, *layers;
    struct err err;
    int64_t bytes;
    MUST(json_parse(STR("[{\"id\":\"i\",\"layer\":\"b\"},{\"id\":\"broken\",\"layer\":\"x\"}]"),
                    &arena, &images, &err) == 0);
    MUST(json_parse(STR("[{\"id\":\"a\",\"diff-size\":100},"
                        "{\"id\":\"b\",\"parent\":\"a\",\"diff-size\":20},"
                        "{\"id\":\"x\",\"parent\":\"x\",\"diff-size\":1}]"),
                    &arena, &layers, &err) == 0);
    CHECK(build_size(images, layers, STR("i"), &bytes));
    CHECK_INT(bytes, 120);
    CHECK(!build_size(images, layers, STR("none"), &bytes));
    CHECK(build_size(images, layers, STR("broken"), &bytes)); /* And ends. */
}
