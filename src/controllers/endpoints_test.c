/* endpoints_test.c - who is behind a Service, and in which slice. */
#include "base/buf.h"
#include "controllers/endpoints_index.h"
#include "controllers/endpoints_plan.h"
#include "testkit/test.h"

#include <stdio.h>
#include <string.h>

static struct json *parsed(const char *text, struct arena *arena)
{
    struct json *json = NULL;
    struct err err;
    int r = json_parse(arena_str(arena, str_from_z(text)), arena, &json, &err);
    if (r < 0)
        printf("%s: %s\n", err.text, text);
    MUST(r == 0);
    return json;
}

static bool is_text(const struct json *json, const char *text)
{
    AUTO(buf_done) struct buf out = {0};
    if (json != NULL)
        json_write(json, &out);
    bool same = str_eq(buf_str(&out), str_from_z(text));
    if (!same)
        printf("got  " STR_F "\nwant %s\n", STR_A(buf_str(&out)), text);
    return same;
}

/* --- the index --- */

struct told {
    struct buf names;
};

static void tell(void *self, str_t name)
{
    struct told *told = self;
    buf_printf(&told->names, STR_F " ", STR_A(name));
}

static bool told_is(struct told *told, const char *names)
{
    bool same = str_eq(buf_str(&told->names), str_from_z(names));
    if (!same)
        printf("told \"" STR_F "\", not \"%s\"\n", STR_A(buf_str(&told->names)), names);
    buf_done(&told->names);
    told->names = (struct buf){0};
    return same;
}

TEST(a_pod_finds_its_services_and_tells_them_only_news)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(endpoints_index_done) struct endpoints_index index = {0};
    struct told told = {0};
    const struct json *web = parsed("{\"app\":\"web\",\"tier\":\"a\"}", &arena);
    const struct json *both = parsed("{\"tier\":\"a\",\"app\":\"web\",\"more\":\"x\"}", &arena);
    index.self = &told;
    index.tell = tell;
    CHECK(endpoints_index_pod(&index, STR("n/p"), web) == NULL); /* There are no Services. */
    endpoints_index_service(&index, STR("n/web"), parsed("{\"app\":\"web\"}", &arena));
    endpoints_index_service(&index, STR("n/a"), parsed("{\"tier\":\"a\",\"app\":\"web\"}", &arena));
    endpoints_index_service(&index, STR("m/web"), parsed("{\"app\":\"web\"}", &arena));
    endpoints_index_service(&index, STR("n/all"), parsed("{}", &arena));
    CHECK(endpoints_index_find(&index, STR("n/all")) == NULL);
    CHECK(list_in(&endpoints_index_find(&index, STR("n/web"))->unseen));
    endpoints_index_seen(&index, STR("n"));
    CHECK(!list_in(&endpoints_index_find(&index, STR("n/web"))->unseen));
    CHECK(list_in(&endpoints_index_find(&index, STR("m/web"))->unseen));

    struct endpoints_pod *pod = endpoints_index_pod(&index, STR("n/p"), web);
    CHECK(pod != NULL && told_is(&told, "n/web n/a "));
    endpoints_pod_brief(&index, pod, STR("{}"));
    CHECK(told_is(&told, "n/web n/a "));
    endpoints_pod_brief(&index, pod, STR("{}"));
    CHECK(endpoints_index_pod(&index, STR("n/p"), both) == pod);
    CHECK(told_is(&told, "")); /* Nothing that matters has changed. */
    CHECK(endpoints_index_pod(&index, STR("n/p"), parsed("{\"app\":\"web\"}", &arena)) == pod);
    CHECK(told_is(&told, "n/a "));
    CHECK_INT((int64_t)endpoints_index_find(&index, STR("n/web"))->n_members, 1);
    CHECK_INT((int64_t)endpoints_index_find(&index, STR("n/a"))->n_members, 0);
    CHECK(endpoints_index_pod(&index, STR("n/p"), NULL) == NULL);
    CHECK(told_is(&told, "n/web "));
    CHECK_INT((int64_t)index.pods.n, 0);

    CHECK(endpoints_index_pod(&index, STR("n/p"), both) != NULL);
    CHECK(told_is(&told, "n/a n/web ")); /* In the order of its labels. */
    endpoints_index_service(&index, STR("n/web"), parsed("{\"app\":\"other\"}", &arena));
    CHECK(list_in(&endpoints_index_find(&index, STR("n/web"))->unseen));
    endpoints_index_service(&index, STR("n/a"), NULL);
    CHECK_INT((int64_t)index.pods.n, 0); /* Nobody selects it any more. */
}

/* --- a Pod in brief --- */

#define POD(status, more)                                                                          \
    "{\"metadata\":{\"name\":\"p\",\"uid\":\"u\"" more "},\"spec\":{\"nodeName\":\"n1\","          \
    "\"initContainers\":[{\"ports\":[{\"name\":\"init\",\"containerPort\":1}]},"                   \
    "{\"restartPolicy\":\"Always\",\"ports\":[{\"name\":\"side\",\"containerPort\":2}]}],"         \
    "\"containers\":[{\"ports\":[{\"name\":\"web\",\"containerPort\":8080,\"protocol\":\"TCP\"},"  \
    "{\"name\":\"web\",\"containerPort\":53,\"protocol\":\"UDP\"},{\"containerPort\":9}]}]},"      \
    "\"status\":{" status "}}"
#define READY "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]"
#define PORTS                                                                                      \
    "\"ports\":[{\"name\":\"web\",\"protocol\":\"TCP\",\"port\":8080},{\"name\":\"web\","          \
    "\"protocol\":\"UDP\",\"port\":53},{\"name\":\"side\",\"protocol\":\"TCP\",\"port\":2}]"

TEST(a_brief_says_what_is_to_be_reached)
{
    static const struct {
        const char *pod, *brief;
    } rows[] = {
        {POD("", ""), ""},
        {POD("\"podIP\":\"\",\"phase\":\"Pending\"", ""), ""},
        {POD("\"podIP\":\"10.0.0.1\",\"phase\":\"Succeeded\"", ""), ""},
        {POD("\"podIP\":\"10.0.0.1\",\"phase\":\"Failed\"", ""), ""},
        {POD("\"podIP\":\"10.0.0.1\"", ""),
         "{\"name\":\"p\",\"uid\":\"u\",\"node\":\"n1\",\"ips\":[\"10.0.0.1\"],\"ready\":false,"
         "\"ending\":false," PORTS "}"},
        {POD("\"podIP\":\"10.0.0.1\",\"podIPs\":[{\"ip\":\"10.0.0.1\"},{\"ip\":\"fd00::1\"}]"
             "," READY,
             ",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\""),
         "{\"name\":\"p\",\"uid\":\"u\",\"node\":\"n1\",\"ips\":[\"10.0.0.1\",\"fd00::1\"],"
         "\"ready\":true,\"ending\":true," PORTS "}"},
    };
    AUTO(arena_done) struct arena arena = {0};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK(is_text(endpoints_brief(parsed(rows[i].pod, &arena), &arena), rows[i].brief));
}

/* --- plans --- */

enum { PODS = 400, SLICES = 64 };

struct world { /* What a cluster would hold, by applying the steps. */
    struct arena arena;
    struct json *service;
    const struct json *briefs[PODS];
    size_t n;
    struct json *slices[SLICES];
    size_t n_slices, created, updated, deleted;
};

static str_t name_of(const struct json *object)
{
    return json_text(json_at(object, "metadata.name"), STR(""));
}

static bool is_taken(void *self, str_t name)
{
    const struct world *w = self;
    for (size_t i = 0; i < w->n_slices; i++)
        if (str_eq(name_of(w->slices[i]), name))
            return true;
    return false;
}

static void world_init(struct world *w, const char *spec)
{
    *w = (struct world){.n = 0};
    w->service =
        parsed(arena_printf(&w->arena,
                            "{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\",\"uid\":\"s\","
                            "\"labels\":{\"a\":\"b\"}},\"spec\":%s}",
                            spec)
                   .at,
               &w->arena);
}

static void add_pod(struct world *w, const char *name, const char *ip, const char *state,
                    int64_t port)
{
    w->briefs[w->n++] =
        parsed(arena_printf(
                   &w->arena,
                   "{\"name\":\"%s\",\"uid\":\"u-%s\",\"ips\":[\"%s\"],\"ready\":%s,\"ending\":%s,"
                   "\"ports\":[{\"name\":\"web\",\"protocol\":\"TCP\",\"port\":%lld}]}",
                   name, name, ip, strchr(state, 'r') ? "true" : "false",
                   strchr(state, 'e') ? "true" : "false", (long long)port)
                   .at,
               &w->arena);
}

static struct endpoints_view view_of(struct world *w)
{
    return (struct endpoints_view){.service = w->service,
                                   .briefs = w->briefs,
                                   .n = w->n,
                                   .slices = w->slices,
                                   .n_slices = w->n_slices,
                                   .self = w,
                                   .taken = is_taken};
}

/* How many steps that took. */
static size_t sync(struct world *w)
{
    struct endpoints_view view = view_of(w);
    struct slice_step *steps;
    size_t n = slices_plan(&view, &steps, &w->arena);
    w->created = w->updated = w->deleted = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;
        while (at < w->n_slices && !str_eq(name_of(w->slices[at]), name_of(steps[i].slice)))
            at++;
        if (!CHECK((at == w->n_slices) == (steps[i].verb == SLICE_CREATE)))
            return n;
        switch (steps[i].verb) {
        case SLICE_CREATE:
            MUST(w->n_slices < SLICES);
            w->slices[w->n_slices++] = steps[i].slice;
            w->created++;
            break;
        case SLICE_UPDATE:
            w->slices[at] = steps[i].slice;
            w->updated++;
            break;
        case SLICE_DELETE:
            w->slices[at] = w->slices[--w->n_slices];
            w->deleted++;
            break;
        }
    }
    return n;
}

#define NAMED                                                                                      \
    "{\"selector\":{\"a\":\"b\"},\"clusterIP\":\"10.96.0.9\",\"ports\":[{\"name\":\"http\","       \
    "\"port\":80,\"protocol\":\"TCP\",\"targetPort\":\"web\"}]}"

TEST(a_slice_is_written_as_kubernetes_does)
{
    struct world w;
    world_init(&w, NAMED);
    CHECK_INT((int64_t)sync(&w), 1); /* Nobody is there yet: an empty one says so. */
    CHECK(json_get(w.slices[0], STR("endpoints")) == NULL);
    CHECK_INT((int64_t)sync(&w), 0);
    str_t name = name_of(w.slices[0]);
    CHECK(str_starts(name, STR("web-")) && name.len == 9);
    add_pod(&w, "p", "10.0.0.1", "r", 8080);
    CHECK_INT((int64_t)sync(&w), 1);
    CHECK_INT((int64_t)w.updated, 1); /* The empty one is used. */
    CHECK(
        is_text(json_at(w.slices[0], "metadata.labels"),
                "{\"a\":\"b\",\"kubernetes.io/service-name\":\"web\","
                "\"endpointslice.kubernetes.io/managed-by\":\"endpointslice-controller.k8s.io\"}"));
    CHECK(is_text(json_at(w.slices[0], "metadata.ownerReferences"),
                  "[{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"name\":\"web\",\"uid\":\"s\","
                  "\"controller\":true,\"blockOwnerDeletion\":true}]"));
    CHECK(is_text(json_get(w.slices[0], STR("ports")),
                  "[{\"name\":\"http\",\"protocol\":\"TCP\",\"port\":8080}]"));
    CHECK(is_text(json_get(w.slices[0], STR("endpoints")),
                  "[{\"addresses\":[\"10.0.0.1\"],\"conditions\":{\"ready\":true,\"serving\":true,"
                  "\"terminating\":false},\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"ns\","
                  "\"name\":\"p\",\"uid\":\"u-p\"}}]"));
    CHECK_STR(json_get_text(w.slices[0], STR("addressType")), "IPv4");
    arena_done(&w.arena);
}

TEST(conditions_follow_the_pod_and_what_the_service_publishes)
{
    static const struct {
        const char *state;
        bool all;
        const char *conditions, *subset;
    } rows[] = {
        {"r", false, "{\"ready\":true,\"serving\":true,\"terminating\":false}", "addresses"},
        {"", false, "{\"ready\":false,\"serving\":false,\"terminating\":false}",
         "notReadyAddresses"},
        {"re", false, "{\"ready\":false,\"serving\":true,\"terminating\":true}", NULL},
        {"e", false, "{\"ready\":false,\"serving\":false,\"terminating\":true}", NULL},
        {"", true, "{\"ready\":true,\"serving\":false,\"terminating\":false}", "addresses"},
        {"re", true, "{\"ready\":true,\"serving\":true,\"terminating\":true}", "addresses"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world w;
        bool cut;
        world_init(&w, NAMED);
        json_set(json_get(w.service, STR("spec")), STR("publishNotReadyAddresses"),
                 json_bool(&w.arena, rows[i].all));
        add_pod(&w, "p", "10.0.0.1", rows[i].state, 8080);
        (void)sync(&w);
        CHECK(is_text(
            json_get(json_first(json_get(w.slices[0], STR("endpoints"))), STR("conditions")),
            rows[i].conditions));
        struct endpoints_view view = view_of(&w);
        const struct json *subset = json_first(endpoints_subsets(&view, &cut, &w.arena));
        CHECK((subset == NULL) == (rows[i].subset == NULL) && !cut);
        if (subset != NULL && rows[i].subset != NULL)
            CHECK_INT((int64_t)json_count(json_get(subset, str_from_z(rows[i].subset))), 1);
        arena_done(&w.arena);
    }
}

TEST(pods_whose_ports_differ_do_not_share)
{
    struct world w;
    bool cut;
    world_init(&w, NAMED);
    add_pod(&w, "a", "10.0.0.2", "r", 8080);
    add_pod(&w, "b", "10.0.0.1", "", 8080);
    add_pod(&w, "c", "10.0.0.3", "r", 9090);
    w.briefs[w.n++] = parsed("{\"name\":\"d\",\"uid\":\"u-d\",\"ips\":[\"10.0.0.4\"],\"ports\":[]}",
                             &w.arena); /* No such port. */
    CHECK_INT((int64_t)sync(&w), 2);
    struct endpoints_view view = view_of(&w);
    struct json *subsets = endpoints_subsets(&view, &cut, &w.arena);
    CHECK(is_text(subsets,
                  "[{\"addresses\":[{\"ip\":\"10.0.0.2\",\"targetRef\":{\"kind\":\"Pod\","
                  "\"namespace\":\"ns\",\"name\":\"a\",\"uid\":\"u-a\"}}],\"notReadyAddresses\":"
                  "[{\"ip\":\"10.0.0.1\",\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"ns\","
                  "\"name\":\"b\",\"uid\":\"u-b\"}}],\"ports\":[{\"name\":\"http\",\"protocol\":"
                  "\"TCP\",\"port\":8080}]},{\"addresses\":[{\"ip\":\"10.0.0.3\",\"targetRef\":"
                  "{\"kind\":\"Pod\",\"namespace\":\"ns\",\"name\":\"c\",\"uid\":\"u-c\"}}],"
                  "\"ports\":[{\"name\":\"http\",\"protocol\":\"TCP\",\"port\":9090}]}]"));
    arena_done(&w.arena);
}

TEST(a_headless_service_without_ports_shows_addresses_alone)
{
    struct world w;
    bool cut;
    world_init(&w, "{\"selector\":{\"a\":\"b\"},\"clusterIP\":\"None\",\"ipFamilies\":[\"IPv6\","
                   "\"IPv4\"]}");
    w.briefs[w.n++] = parsed("{\"name\":\"p\",\"uid\":\"u\",\"node\":\"n\",\"hostname\":\"h\","
                             "\"subdomain\":\"web\",\"ips\":[\"10.0.0.1\",\"fd00::1\"],\"ready\":"
                             "true,\"ports\":[]}",
                             &w.arena);
    CHECK_INT((int64_t)sync(&w), 2); /* A slice for each family. */
    for (size_t i = 0; i < 2; i++) {
        const struct json *labels = json_at(w.slices[i], "metadata.labels");
        CHECK(json_get(labels, STR(HEADLESS)) != NULL);
        CHECK_STR(
            json_get_text(json_first(json_get(w.slices[i], STR("endpoints"))), STR("hostname")),
            "h");
    }
    struct endpoints_view view = view_of(&w);
    CHECK(is_text(endpoints_subsets(&view, &cut, &w.arena),
                  "[{\"addresses\":[{\"ip\":\"fd00::1\",\"hostname\":\"h\",\"nodeName\":\"n\","
                  "\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"ns\",\"name\":\"p\",\"uid\":"
                  "\"u\"}}]}]"));
    arena_done(&w.arena);
}

TEST(who_is_left_alone)
{
    AUTO(arena_done) struct arena arena = {0};
    CHECK(endpoints_are_ours(parsed("{\"spec\":{\"selector\":{\"a\":\"b\"}}}", &arena)));
    CHECK(!endpoints_are_ours(parsed("{\"spec\":{}}", &arena)));
    CHECK(!endpoints_are_ours(parsed("{\"spec\":{\"selector\":{}}}", &arena)));
    CHECK(!endpoints_are_ours(
        parsed("{\"spec\":{\"type\":\"ExternalName\",\"selector\":{\"a\":\"b\"}}}", &arena)));
}

/* Each Pod once, in a slice of its ports, and no slice too long. */
static bool is_right(const struct world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n_slices; i++) {
        const struct json *endpoints = json_get(w->slices[i], STR("endpoints"));
        n += json_count(endpoints);
        if (!CHECK(json_count(endpoints) <= SLICE_ENDPOINTS_MAX) ||
            !CHECK(json_count(endpoints) > 0 || w->n_slices == 1))
            return false;
    }
    for (size_t i = 0; i < w->n; i++) {
        int found = 0;
        str_t uid = json_get_text(w->briefs[i], STR("uid"));
        int64_t port = 0, served = 0;
        (void)json_to_i64(json_get(json_first(json_get(w->briefs[i], STR("ports"))), STR("port")),
                          &port);
        for (size_t j = 0; j < w->n_slices; j++)
            JSON_EACH(json_get(w->slices[j], STR("endpoints")), endpoint)
        if (str_eq(json_text(json_at(endpoint, "targetRef.uid"), STR("")), uid)) {
            found++;
            (void)json_to_i64(
                json_get(json_first(json_get(w->slices[j], STR("ports"))), STR("port")), &served);
        }
        if (!CHECK_INT(found, 1) || !CHECK_INT(served, port))
            return false;
    }
    return CHECK_INT((int64_t)n, (int64_t)w->n);
}

static bool churn(uint64_t seed)
{
    struct world w;
    struct dice dice = {seed};
    bool ok = true;
    world_init(&w, NAMED);
    for (int round = 0, next = 0; round < 40 && ok; round++) {
        size_t kept = 0;
        uint32_t lose = 1 + dice_roll(&dice, 6);
        for (size_t i = 0; i < w.n; i++)
            if (dice_roll(&dice, lose) != 0)
                w.briefs[kept++] = w.briefs[i];
        w.n = kept;
        for (uint32_t more = dice_roll(&dice, 150); more > 0 && w.n < PODS; more--) {
            str_t name = arena_printf(&w.arena, "p%d", next++);
            add_pod(&w, name.at, "10.0.0.1", "r", dice_roll(&dice, 10) == 0 ? 9090 : 8080);
        }
        (void)sync(&w);
        ok = is_right(&w) && CHECK_INT((int64_t)sync(&w), 0);
    }
    arena_done(&w.arena);
    return ok;
}

TEST(whatever_comes_and_goes_each_pod_is_in_one_slice)
{
    for (uint64_t seed = 1; seed <= 8; seed++)
        if (!churn(seed))
            printf("seed %llu\n", (unsigned long long)seed);
}

TEST(one_pod_that_changes_is_one_write)
{
    struct world w;
    world_init(&w, NAMED);
    for (int i = 0; i < 250; i++)
        add_pod(&w, arena_printf(&w.arena, "p%d", i).at, "10.0.0.1", "r", 8080);
    CHECK_INT((int64_t)sync(&w), 3);
    w.n--;
    add_pod(&w, "p249", "10.0.0.1", "", 8080);
    CHECK_INT((int64_t)sync(&w), 1);
    CHECK_INT((int64_t)w.updated, 1);
    w.briefs[7] = w.briefs[--w.n]; /* One goes. */
    CHECK(sync(&w) <= 2 && is_right(&w));
    arena_done(&w.arena);
}

TEST(more_addresses_than_fit_are_cut_and_ready_ones_go_first)
{
    AUTO(arena_done) struct arena arena = {0};
    enum { N = ENDPOINTS_ADDRESSES_MAX + 50 };
    const struct json **briefs = arena_array(&arena, const struct json *, N);
    struct endpoints_view view = {.briefs = briefs, .n = N};
    bool cut;
    view.service = parsed("{\"spec\":" NAMED "}", &arena);
    for (int i = 0; i < N; i++)
        briefs[i] = parsed(
            arena_printf(&arena,
                         "{\"name\":\"p%d\",\"uid\":\"%d\",\"ips\":[\"10.0.%d.%d\"],\"ready\":%s,"
                         "\"ports\":[{\"name\":\"web\",\"protocol\":\"TCP\",\"port\":1}]}",
                         i, i, i / 250, i % 250, i < 100 ? "false" : "true")
                .at,
            &arena);
    const struct json *subset = json_first(endpoints_subsets(&view, &cut, &arena));
    CHECK(cut);
    CHECK_INT((int64_t)json_count(json_get(subset, STR("addresses"))), N - 100);
    CHECK_INT((int64_t)json_count(json_get(subset, STR("notReadyAddresses"))),
              ENDPOINTS_ADDRESSES_MAX - (N - 100));
}
