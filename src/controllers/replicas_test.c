/* replicas_test.c - how many, and which first. */
#include "controllers/pods.h"
#include "controllers/replicas_plan.h"
#include "testkit/test.h"

TEST(so_many_are_made_or_removed)
{
    static const struct {
        int64_t wanted;
        size_t active, being_made, make, remove;
    } rows[] = {
        {3, 0, 0, 3, 0}, {3, 0, 3, 0, 0}, {3, 1, 1, 1, 0},      {3, 5, 0, 0, 2},
        {0, 5, 0, 0, 5}, {1, 1, 4, 0, 1}, {9000, 0, 0, 500, 0}, {0, 9000, 0, 0, 500},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct replicas_step step =
            replicas_next(rows[i].wanted, rows[i].active, rows[i].being_made);
        CHECK_INT((int64_t)step.make, (int64_t)rows[i].make);
        CHECK_INT((int64_t)step.remove, (int64_t)rows[i].remove);
    }
}

#define META(name, more) "{\"metadata\":{\"name\":\"" name "\"" more "}"
#define READY(since)                                                                               \
    ",\"spec\":{\"nodeName\":\"n\"},\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":"  \
    "\"Ready\",\"status\":\"True\",\"lastTransitionTime\":\"2026-01-01T00:00:" since "Z\"}]"

TEST(pods_go_in_kubernetes_order)
{
    /* In the order in which they go. */
    static const char *const pods[] = {
        META("unassigned", "") "}",
        META("pending", "") ",\"spec\":{\"nodeName\":\"m\"},\"status\":{\"phase\":\"Pending\"}}",
        META("unready", "") ",\"spec\":{\"nodeName\":\"m\"},\"status\":{\"phase\":\"Running\"}}",
        META("cheap", ",\"annotations\":{\"controller.kubernetes.io/pod-deletion-cost\":\"-5\"}")
            READY("01") "}}",
        META("late", "") READY("30") "}}",
        META("restarted", "") READY("10") ",\"containerStatuses\":[{\"restartCount\":4}]}}",
        META("young", ",\"creationTimestamp\":\"2026-01-01T00:00:00Z\"") READY("10") "}}",
        META("old", ",\"creationTimestamp\":\"2025-01-01T00:00:00Z\"") READY("10") "}}",
    };
    enum { N = ARRAY_LEN(pods) };
    AUTO(arena_done) struct arena arena = {0};
    struct json *all[N];
    struct err err;
    for (size_t i = 0; i < N; i++)
        MUST(json_parse(str_from_z(pods[i]), &arena, &all[N - 1 - i], &err) == 0);
    replicas_sort(all, N, &arena);
    for (size_t i = 0; i < N; i++) {
        struct json *wanted;
        MUST(json_parse(str_from_z(pods[i]), &arena, &wanted, &err) == 0);
        CHECK(json_eq(all[i], wanted));
    }
}

TEST(what_is_expected_is_remembered_until_it_is_seen)
{
    AUTO(expectations_done) struct expectations e = {0};
    expectations_add(&e, STR("ns/a-1"), STR("ns/a"));
    expectations_add(&e, STR("ns/a-1"), STR("ns/a"));
    expectations_add(&e, STR("ns/a-2"), STR("ns/a"));
    CHECK_INT((int64_t)expectations_of(&e, STR("ns/a")), 2);
    expectations_met(&e, STR("ns/a-1"));
    expectations_met(&e, STR("ns/other"));
    CHECK_INT((int64_t)expectations_of(&e, STR("ns/a")), 1);
    CHECK(!expectations_has(&e, STR("ns/a-1")) && expectations_has(&e, STR("ns/a-2")));
    expectations_clear(&e);
    CHECK_INT((int64_t)expectations_of(&e, STR("ns/a")), 0);
}
