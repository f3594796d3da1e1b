/* deletion_test.c - rows: an object, what was asked, what becomes of it. */
#include "api/deletion.h"
#include "kinds/kinds.h"
#include "testkit/test.h"

enum { T0_S = 1700000000 }; /* 2023-11-14T22:13:20Z */

struct row {
    const struct kind *kind;
    const char *object, *options;
    enum deletion_step step;
    const char *metadata; /* Afterwards; NULL: does not matter. */
};

#define NOW "\"deletionTimestamp\":\"2023-11-14T22:13:20Z\",\"deletionGracePeriodSeconds\":0"
#define IN_30 "\"deletionTimestamp\":\"2023-11-14T22:13:50Z\",\"deletionGracePeriodSeconds\":30"
#define ON_NODE "\"spec\":{\"nodeName\":\"n\",\"terminationGracePeriodSeconds\":30}"

static const struct row rows[] = {
    {&kind_configmap, "{\"metadata\":{}}", "{}", DELETION_REMOVE, "{}"},
    {&kind_configmap, "{\"metadata\":{\"finalizers\":[\"a/b\"]}}", "{}", DELETION_MARK,
     "{\"finalizers\":[\"a/b\"]," NOW "}"},
    {&kind_configmap, "{\"metadata\":{\"finalizers\":[\"a/b\"]," NOW "}}", "{}", DELETION_NOTHING,
     NULL},
    {&kind_configmap, "{\"metadata\":{}}", "{\"propagationPolicy\":\"Foreground\"}", DELETION_MARK,
     "{" NOW ",\"finalizers\":[\"foregroundDeletion\"]}"},
    {&kind_configmap, "{\"metadata\":{}}", "{\"orphanDependents\":true}", DELETION_MARK,
     "{" NOW ",\"finalizers\":[\"orphan\"]}"},
    {&kind_configmap, "{\"metadata\":{" NOW ",\"finalizers\":[\"foregroundDeletion\"]}}",
     "{\"propagationPolicy\":\"Orphan\"}", DELETION_MARK, "{" NOW ",\"finalizers\":[\"orphan\"]}"},
    {&kind_configmap, "{\"metadata\":{" NOW ",\"finalizers\":[\"foregroundDeletion\"]}}",
     "{\"propagationPolicy\":\"Background\"}", DELETION_REMOVE, NULL},
    {&kind_deployment, "{\"metadata\":{\"generation\":2,\"finalizers\":[\"a/b\"]}}", "{}",
     DELETION_MARK, "{\"generation\":3,\"finalizers\":[\"a/b\"]," NOW "}"},
    {&kind_event, "{\"metadata\":{}}", "{\"propagationPolicy\":\"Orphan\"}", DELETION_REMOVE, NULL},
    {&kind_job, "{\"metadata\":{}}", "{}", DELETION_MARK, "{\"finalizers\":[\"orphan\"]," NOW "}"},
    {&kind_job, "{\"metadata\":{}}", "{\"propagationPolicy\":\"Background\"}", DELETION_REMOVE,
     NULL},
    {&kind_replicationcontroller, "{\"metadata\":{}}", "{}", DELETION_MARK, NULL},
    {&kind_replicaset, "{\"metadata\":{}}", "{}", DELETION_REMOVE, NULL},
    {&kind_pod, "{\"metadata\":{}," ON_NODE "}", "{}", DELETION_MARK, "{" IN_30 "}"},
    {&kind_pod, "{\"metadata\":{},\"spec\":{\"terminationGracePeriodSeconds\":30}}", "{}",
     DELETION_REMOVE, NULL},
    {&kind_pod, "{\"metadata\":{}," ON_NODE ",\"status\":{\"phase\":\"Failed\"}}", "{}",
     DELETION_REMOVE, NULL},
    {&kind_pod, "{\"metadata\":{}," ON_NODE "}", "{\"gracePeriodSeconds\":0}", DELETION_REMOVE,
     NULL},
    {&kind_pod, "{\"metadata\":{}," ON_NODE "}", "{\"gracePeriodSeconds\":-5}", DELETION_MARK,
     "{\"deletionTimestamp\":\"2023-11-14T22:13:21Z\",\"deletionGracePeriodSeconds\":1}"},
    {&kind_pod, "{\"metadata\":{" IN_30 "}," ON_NODE "}", "{\"gracePeriodSeconds\":40}",
     DELETION_NOTHING, NULL},
    {&kind_pod, "{\"metadata\":{" IN_30 "}," ON_NODE "}", "{}", DELETION_NOTHING, NULL},
    {&kind_pod, "{\"metadata\":{" IN_30 "}," ON_NODE "}", "{\"gracePeriodSeconds\":10}",
     DELETION_MARK,
     "{\"deletionTimestamp\":\"2023-11-14T22:13:30Z\",\"deletionGracePeriodSeconds\":10}"},
    {&kind_pod, "{\"metadata\":{" IN_30 "}," ON_NODE "}", "{\"gracePeriodSeconds\":0}",
     DELETION_REMOVE, NULL},
    {&kind_pod, "{\"metadata\":{" IN_30 ",\"finalizers\":[\"a/b\"]}," ON_NODE "}",
     "{\"gracePeriodSeconds\":0}", DELETION_MARK, "{" NOW ",\"finalizers\":[\"a/b\"]}"},
};

static struct json *parsed(const char *text, struct arena *arena)
{
    struct json *json = NULL;
    struct err err;
    MUST(json_parse(str_from_z(text), arena, &json, &err) == 0);
    return json;
}

TEST(what_deleting_an_object_means)
{
    AUTO(arena_done) struct arena arena = {0};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct json *object = parsed(rows[i].object, &arena);
        struct deletion_wish wish = deletion_wish_of(parsed(rows[i].options, &arena));
        const char *what = arena_printf(&arena, "row %zu: %s", i, rows[i].object).at;
        test_check_int(deletion_next(rows[i].kind, &wish, (msec_t)T0_S * 1000, object, &arena),
                       rows[i].step, what, __FILE__, __LINE__);
        if (rows[i].metadata != NULL)
            test_check(json_eq(json_get(object, STR("metadata")), parsed(rows[i].metadata, &arena)),
                       what, __FILE__, __LINE__);
    }
}

TEST(a_marked_object_is_over_when_nobody_waits_and_its_time_is_up)
{
    static const struct {
        const char *object;
        bool over;
    } ends[] = {
        {"{\"metadata\":{}}", false},
        {"{\"metadata\":{" NOW "}}", true},
        {"{\"metadata\":{" NOW ",\"finalizers\":[\"a/b\"]}}", false},
        {"{\"metadata\":{" NOW "},\"spec\":{\"finalizers\":[\"kubernetes\"]}}", false},
        {"{\"metadata\":{" IN_30 "}}", false},
    };
    AUTO(arena_done) struct arena arena = {0};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        test_check(deletion_is_over(parsed(ends[i].object, &arena)) == ends[i].over, ends[i].object,
                   __FILE__, __LINE__);
}
