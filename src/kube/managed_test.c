/* managed_test.c - sets of fields and their laws; appliers that agree, quarrel and leave. */
#include "kube/managed.h"
#include "testkit/test.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct field port_fields[] = {
    {"port", FIELD_INT, 1}, {"protocol", FIELD_STRING, 2, .otherwise = "TCP"},
    {"name", FIELD_STRING, 3}, {0},
};
static const struct schema port_schema = {"t.Port", port_fields};
static const struct field item_fields[] = {
    {"name", FIELD_STRING, 1}, {"image", FIELD_STRING, 2},
    {"ports", FIELD_LIST, 3, .of = &port_schema, .list_keys = "port,protocol"}, {0},
};
static const struct schema item_schema = {"t.Item", item_fields};
static const struct field whole_fields[] = {{"a", FIELD_INT, 1}, {"b", FIELD_INT, 2}, {0}};
static const struct schema whole_schema = {"t.Whole", whole_fields, .atomic = true};
static const struct field spec_fields[] = {
    {"replicas", FIELD_INT, 1}, {"items", FIELD_LIST, 2, .of = &item_schema, .list_keys = "name"},
    {"words", FIELD_LIST, 3, .item = FIELD_STRING, .set = true},
    {"list", FIELD_LIST, 4, .item = FIELD_STRING}, {"whole", FIELD_OBJECT, 5, .of = &whole_schema},
    {"labels", FIELD_MAP, 6, .item = FIELD_STRING}, {0},
};
static const struct schema spec_schema = {"t.Spec", spec_fields};
static const struct field meta_fields[] = {
    {"name", FIELD_STRING, 1}, {"labels", FIELD_MAP, 2, .item = FIELD_STRING},
    {"managedFields", FIELD_LIST, 3, .item = FIELD_RAW}, {0},
};
static const struct schema meta_schema = {"t.Meta", meta_fields};
static const struct field thing_fields[] = {
    {"metadata", FIELD_OBJECT, 1, .of = &meta_schema},
    {"spec", FIELD_OBJECT, 2, .of = &spec_schema}, {0},
};
static const struct schema thing_schema = {"t.Thing", thing_fields};
/* clang-format on */

static struct json *parse(const char *text, struct arena *arena)
{
    struct json *json;
    struct err err;
    MUST(json_parse(str_from_z(text), arena, &json, &err) == 0);
    return json;
}

static str_t text_of(const struct json *json, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    if (json == NULL)
        return STR("none");
    json_write(json, &out);
    return arena_str(arena, buf_str(&out));
}

TEST(a_set_has_the_leaves_of_an_object_and_the_items_of_its_lists)
{
    static const struct {
        const char *object, *set;
    } rows[] = {
        {"{\"spec\":{\"replicas\":3}}", "{\"f:spec\":{\"f:replicas\":{}}}"},
        {"{\"spec\":{\"labels\":{\"b\":\"1\",\"a\":\"2\"}}}",
         "{\"f:spec\":{\"f:labels\":{\"f:a\":{},\"f:b\":{}}}}"},
        {"{\"spec\":{\"items\":[{\"name\":\"x\",\"image\":\"i\"}]}}",
         "{\"f:spec\":{\"f:items\":{\"k:{\\\"name\\\":\\\"x\\\"}\":{\".\":{},\"f:image\":{},"
         "\"f:name\":{}}}}}"},
        {"{\"spec\":{\"items\":[{\"name\":\"x\",\"ports\":[{\"port\":80}]}]}}",
         "{\"f:spec\":{\"f:items\":{\"k:{\\\"name\\\":\\\"x\\\"}\":{\".\":{},\"f:name\":{},"
         "\"f:ports\":{\"k:{\\\"port\\\":80,\\\"protocol\\\":\\\"TCP\\\"}\":{\".\":{},\"f:port\":{"
         "}}}}}}}"},
        {"{\"spec\":{\"words\":[\"b\",\"a\"]}}",
         "{\"f:spec\":{\"f:words\":{\"v:\\\"a\\\"\":{},\"v:\\\"b\\\"\":{}}}}"},
        {"{\"spec\":{\"list\":[\"b\",\"a\"],\"whole\":{\"a\":1}}}",
         "{\"f:spec\":{\"f:list\":{},\"f:whole\":{}}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct err err;
        struct fields *set = fields_of(&thing_schema, parse(rows[i].object, &arena), &arena), *back;
        struct json *json = fields_json(set, &arena);
        test_check_str(text_of(json, &arena), str_from_z(rows[i].set), rows[i].object, __FILE__,
                       __LINE__);
        CHECK(fields_read(json, &arena, &back, &err) == 0 && fields_eq(set, back));
    }
}

/* Some object of the test's kind; every bit of the dice chooses something. */
static struct json *some_object(unsigned dice, struct arena *arena)
{
    AUTO(buf_done) struct buf text = {0};
    buf_printf(&text, "{\"spec\":{\"replicas\":%u,\"labels\":{\"k%u\":\"v\",\"l%u\":\"%u\"}",
               dice & 3, dice >> 2 & 3, dice >> 4 & 1, dice >> 5 & 1);
    if (dice >> 6 & 1)
        buf_printf(&text, ",\"items\":[{\"name\":\"a\",\"image\":\"%u\"},{\"name\":\"%s\"}]",
                   dice >> 7 & 1, dice >> 8 & 1 ? "b" : "c");
    if (dice >> 9 & 1)
        buf_printf(&text, ",\"words\":[\"x\",\"w%u\"]", dice >> 10 & 3);
    if (dice >> 12 & 1)
        buf_printf(&text, ",\"whole\":{\"a\":%u}", dice >> 13 & 1);
    buf_add(&text, STR("}}"));
    struct json *json;
    struct err err;
    MUST(json_parse(arena_str(arena, buf_str(&text)), arena, &json, &err) == 0);
    return json;
}

TEST(sets_obey_the_laws_of_sets)
{
    unsigned state = 7;
    for (int round = 0; round < 3000; round++) {
        AUTO(arena_done) struct arena arena = {0};
        struct fields *sets[2];
        for (int i = 0; i < 2; i++) {
            state = state * 1664525 + 1013904223;
            sets[i] = fields_of(&thing_schema, some_object(state >> 12, &arena), &arena);
        }
        struct fields *a = sets[0], *b = sets[1], *both = fields_both(a, b, &arena);
        struct fields *all = fields_union(a, b, &arena), *only = fields_without(a, b, &arena);
        CHECK(fields_eq(all, fields_union(b, a, &arena)));
        CHECK(fields_eq(both, fields_both(b, a, &arena)));
        CHECK(fields_eq(fields_union(only, both, &arena), a));
        CHECK(fields_are_none(fields_both(only, b, &arena)));
        CHECK(fields_eq(fields_without(all, b, &arena), only));
        CHECK(fields_are_none(fields_without(a, a, &arena)));
    }
}

/* One applier or writer after the other, each with its word; the object and who owns what. */
struct world {
    struct arena arena;
    struct json *object;
    struct json *managed;
    const struct fields *yielded;
};

static const char *apply(struct world *w, const char *who, const char *config, bool force)
{
    struct managed managed;
    struct err err;
    struct manager_who manager = {str_from_z(who), STR("v1"), STR(""), STR("t")};
    if (w->object == NULL)
        w->object = json_object(&w->arena);
    MUST(managed_read(w->managed, &w->arena, &managed, &err) == 0);
    struct apply how = {.live = w->object,
                        .config = parse(config, &w->arena),
                        .who = &manager,
                        .force = force,
                        .yielded = w->yielded};
    int r = managed_apply(&managed, &thing_schema, &how, &err);
    if (r == ERR_CONFLICT)
        return arena_printf(&w->arena, STR_F " " STR_F, STR_A(how.conflicts->manager),
                            STR_A(how.conflicts->path))
            .at;
    if (r < 0)
        return arena_printf(&w->arena, "%s", err.text).at;
    w->object = how.object;
    w->managed = managed_json(&managed);
    return "";
}

static void update(struct world *w, const char *who, const char *object)
{
    struct managed managed;
    struct err err;
    struct json *is = parse(object, &w->arena);
    struct manager_who manager = {str_from_z(who), STR("v1"), STR(""), STR("t")};
    MUST(managed_read(w->managed, &w->arena, &managed, &err) == 0);
    managed_update(&managed, &thing_schema, w->object, is, &manager);
    w->managed = managed_json(&managed);
    w->object = is;
}

#define IS(w, wanted) CHECK_STR(text_of((w)->object, &(w)->arena), wanted)

TEST(appliers_share_what_they_agree_on_and_quarrel_about_the_rest)
{
    struct world w = {0};
    CHECK_STR(
        str_from_z(apply(&w, "one", "{\"spec\":{\"replicas\":1,\"labels\":{\"a\":\"1\"}}}", false)),
        "");
    CHECK_STR(str_from_z(apply(&w, "two", "{\"spec\":{\"replicas\":1}}", false)), "");
    CHECK_STR(str_from_z(apply(&w, "two", "{\"spec\":{\"replicas\":2}}", false)),
              "\"one\" .spec.replicas");
    IS(&w, "{\"spec\":{\"replicas\":1,\"labels\":{\"a\":\"1\"}}}");
    CHECK_STR(str_from_z(apply(&w, "two", "{\"spec\":{\"replicas\":2}}", true)), "");
    IS(&w, "{\"spec\":{\"replicas\":2,\"labels\":{\"a\":\"1\"}}}");
    /* The first no longer owns it, so leaving it out changes nothing; its label goes. */
    CHECK_STR(str_from_z(apply(&w, "one", "{\"spec\":{}}", false)), "");
    IS(&w, "{\"spec\":{\"replicas\":2}}");
    arena_done(&w.arena);
}

TEST(what_an_applier_leaves_out_goes_unless_another_owns_it)
{
    struct world w = {0};
    static const char both[] = "{\"spec\":{\"items\":[{\"name\":\"a\",\"image\":\"1\"},{\"name\":"
                               "\"b\",\"image\":\"1\"}],\"words\":[\"x\",\"y\"]}}";
    CHECK_STR(str_from_z(apply(&w, "one", both, false)), "");
    CHECK_STR(str_from_z(apply(&w, "two",
                               "{\"spec\":{\"items\":[{\"name\":\"b\",\"image\":\"1\"}]"
                               "}}",
                               false)),
              "");
    CHECK_STR(str_from_z(apply(&w, "one", "{\"spec\":{\"words\":[\"y\"]}}", false)), "");
    IS(&w, "{\"spec\":{\"items\":[{\"name\":\"b\",\"image\":\"1\"}],\"words\":[\"y\"]}}");
    CHECK_STR(str_from_z(apply(&w, "two", "{\"spec\":{}}", false)), "");
    IS(&w, "{\"spec\":{\"words\":[\"y\"]}}");
    arena_done(&w.arena);
}

TEST(a_plain_writer_owns_what_it_changes)
{
    struct world w = {0};
    CHECK_STR(str_from_z(apply(&w, "one", "{\"spec\":{\"replicas\":1,\"list\":[\"a\"]}}", false)),
              "");
    update(&w, "edit", "{\"spec\":{\"replicas\":5,\"list\":[\"a\"]}}");
    CHECK_STR(text_of(w.managed, &w.arena),
              "[{\"manager\":\"one\",\"operation\":\"Apply\",\"apiVersion\":\"v1\",\"time\":\"t\","
              "\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:spec\":{\"f:list\":{}}}},{\"manager\":"
              "\"edit\",\"operation\":\"Update\",\"apiVersion\":\"v1\",\"time\":\"t\","
              "\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:spec\":{\"f:replicas\":{}}}}]");
    CHECK_STR(str_from_z(apply(&w, "one", "{\"spec\":{\"replicas\":1,\"list\":[\"a\"]}}", false)),
              "\"edit\" using v1 .spec.replicas");
    update(&w, "edit", "{\"spec\":{\"list\":[\"a\"]}}");
    CHECK_STR(str_from_z(apply(&w, "one", "{\"spec\":{\"replicas\":1,\"list\":[\"a\"]}}", false)),
              "");
    arena_done(&w.arena);
}

TEST(who_yields_is_no_conflict_but_where_the_object_has_changed_since)
{
    struct world w = {0};
    struct json *last = parse("{\"spec\":{\"replicas\":1,\"labels\":{\"a\":\"1\"}}}", &w.arena);
    update(&w, "client", "{\"spec\":{\"replicas\":1,\"labels\":{\"a\":\"1\"}}}");
    const char *wish = "{\"spec\":{\"replicas\":2,\"labels\":{\"a\":\"2\"}}}";
    CHECK_STR(str_from_z(apply(&w, "kubectl", "{\"spec\":{\"replicas\":2}}", false)),
              "\"client\" using v1 .spec.replicas");
    update(&w, "other", "{\"spec\":{\"replicas\":1,\"labels\":{\"a\":\"3\"}}}");
    w.yielded = managed_yielded(&thing_schema, last, w.object, &w.arena);
    CHECK_STR(str_from_z(apply(&w, "kubectl", wish, false)), "\"other\" using v1 .spec.labels.a");
    update(&w, "other", "{\"spec\":{\"replicas\":1,\"labels\":{\"a\":\"1\"}}}");
    w.yielded = managed_yielded(&thing_schema, last, w.object, &w.arena);
    CHECK_STR(str_from_z(apply(&w, "kubectl", wish, false)), "");
    CHECK(str_eq(text_of(w.object, &w.arena), str_from_z(wish)));
    arena_done(&w.arena);
}

TEST(items_without_their_keys_or_twice_are_refused)
{
    struct world w = {0};
    CHECK(strstr(apply(&w, "one", "{\"spec\":{\"items\":[{\"image\":\"x\"}]}}", false),
                 "omits key field") != NULL);
    CHECK(strstr(
              apply(&w, "one", "{\"spec\":{\"items\":[{\"name\":\"x\"},{\"name\":\"x\"}]}}", false),
              "duplicate entries for key") != NULL);
    arena_done(&w.arena);
}

TEST(plain_writers_past_ten_become_one)
{
    struct world w = {0};
    for (int i = 0; i < 15; i++) {
        const char *who = arena_printf(&w.arena, "w%d", i).at;
        struct json *labels = json_at(w.object, "spec.labels");
        if (labels == NULL) {
            update(&w, who, "{\"spec\":{\"labels\":{\"k0\":\"v\"}}}");
            continue;
        }
        struct json *next = json_clone(w.object, &w.arena);
        json_add(json_at(next, "spec.labels"), arena_printf(&w.arena, "k%d", i),
                 json_string(&w.arena, STR("v")));
        update(&w, who, text_of(next, &w.arena).at);
    }
    CHECK_INT((int64_t)json_count(w.managed), MANAGED_UPDATES_MAX);
    CHECK(strstr(text_of(w.managed, &w.arena).at, "ancient-changes") != NULL);
    arena_done(&w.arena);
}

/* Whoever applies the same once more changes nothing, whatever the others did before. */
TEST(applying_twice_is_applying_once)
{
    unsigned state = 3;
    for (int round = 0; round < 1000; round++) {
        struct world w = {0};
        static const char *const names[] = {"one", "two", "three"};
        for (int i = 0; i < 6; i++) {
            state = state * 1664525 + 1013904223;
            const char *who = names[state >> 28 & 1];
            const char *config = text_of(some_object(state >> 12, &w.arena), &w.arena).at;
            CHECK_STR(str_from_z(apply(&w, who, config, true)), "");
            str_t once = text_of(w.object, &w.arena), owners = text_of(w.managed, &w.arena);
            CHECK_STR(str_from_z(apply(&w, who, config, false)), "");
            CHECK(str_eq(text_of(w.object, &w.arena), once));
            CHECK(str_eq(text_of(w.managed, &w.arena), owners));
        }
        arena_done(&w.arena);
    }
}
