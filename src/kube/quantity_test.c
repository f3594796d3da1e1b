/* quantity_test.c - in and out, and sums. */
#include "kube/quantity.h"
#include "testkit/test.h"

static str_t again(const char *text, struct arena *arena)
{
    quantity_t q;
    return quantity_parse(str_from_z(text), &q) ? quantity_text(q, arena) : STR("none");
}

TEST(quantities_are_written_as_kubernetes_writes_them)
{
    static const char *const rows[][2] = {
        {"0", "0"},         {"1", "1"},
        {"500m", "500m"},   {"0.5", "500m"},
        {"1000m", "1"},     {"1.5", "1500m"},
        {"1k", "1k"},       {"1000", "1k"},
        {"1024", "1024"},   {"1Ki", "1Ki"},
        {"1024Ki", "1Mi"},  {"1.5Gi", "1536Mi"},
        {"100Mi", "100Mi"}, {"1e3", "1k"},
        {"2E2", "200"},     {"1e-3", "1m"},
        {"-1", "-1"},       {"+3", "3"},
        {"0.1m", "100u"},   {"1n", "1n"},
        {"0.5n", "1n"},     {"4Ei", "4Ei"},
        {"1G", "1G"},       {".5", "500m"},
        {"5.", "5"},        {"100Ki", "100Ki"},
        {"", "none"},       {"x", "none"},
        {"1x", "none"},     {"1.2.3", "none"},
        {"1ki", "none"},    {"--1", "none"},
        {"1e99", "none"},   {"8Ei", "none"},
        {".", "none"},      {"m", "none"},
        {"1 Gi", "none"},   {"-.84Ei", "-968454063869751459840m"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        str_t got = again(rows[i][0], &arena);
        test_check_str(got, str_from_z(rows[i][1]), rows[i][0], __FILE__, __LINE__);
    }
}

TEST(sums_are_exact)
{
    AUTO(arena_done) struct arena arena = {0};
    quantity_t sum = quantity_of(0), step;
    CHECK(quantity_parse(STR("0.1"), &step));
    for (int i = 0; i < 10; i++)
        sum = quantity_add(sum, step);
    CHECK_INT(quantity_cmp(sum, quantity_of(1)), 0);
    CHECK(quantity_parse(STR("64Mi"), &step));
    sum = quantity_add(quantity_of(0), step);
    CHECK_STR(quantity_text(quantity_add(sum, sum), &arena), "128Mi");
    CHECK(quantity_cmp(quantity_subtract(sum, step), quantity_of(0)) == 0);
    CHECK(quantity_cmp(step, quantity_of(1)) > 0 && quantity_cmp(quantity_of(1), step) < 0);
}
