/*
 * tables_test.c - bad input for every field of every kind, made from the tables: wrong types,
 * values out of range or of no known word, members that are not there. Each must be refused by its
 * name.
 */
#include "kinds/kinds.h"
#include "kube/meta.h"
#include "testkit/test.h"

#include <stdio.h>
#include <string.h>

enum { STEPS_MAX = 10, SEEN_MAX = 600 };

struct tour {
    const struct kind *kind;
    struct arena *arena; /* Of one try. */
    const struct field *steps[STEPS_MAX];
    size_t n_steps;
    const struct schema *seen[SEEN_MAX];
    size_t n_seen, tries;
};

/* By enum field_type: values that are none of it. */
static const char *const wrong[][6] = {
    [FIELD_INT] = {"\"x\"", "1.5", "true", "[]", "{}", "2147483648"},
    [FIELD_LONG] = {"\"x\"", "1.5", "true", "[]", "{}", "9223372036854775808"},
    [FIELD_NUMBER] = {"\"x\"", "true", "[]", "{}"},
    [FIELD_BOOL] = {"\"true\"", "1", "[]", "{}"},
    [FIELD_STRING] = {"5", "true", "[]", "{}"},
    [FIELD_BYTES] = {"5", "true", "{}", "\"!\""},
    [FIELD_TIME] = {"5", "true", "[]", "{}", "\"yesterday\""},
    [FIELD_MICRO_TIME] = {"5", "true", "[]", "{}", "\"2026-13-01T00:00:00.000000Z\""},
    [FIELD_QUANTITY] = {"true", "[]", "{}", "\"1 GB\""},
    [FIELD_INT_OR_STRING] = {"true", "[]", "{}", "1.5"},
    [FIELD_OBJECT] = {"5", "\"x\"", "true", "[]"},
    [FIELD_LIST] = {"5", "\"x\"", "true", "{}"},
    [FIELD_MAP] = {"5", "\"x\"", "true", "[]"},
};

/* The steps to `value` around it: objects, and lists and maps of one. */
static struct json *around(const struct tour *tour, const char *name, struct json *value)
{
    struct json *object = json_add(json_object(tour->arena), str_from_z(name), value);
    for (size_t i = tour->n_steps; i-- > 0;) {
        const struct field *step = tour->steps[i];
        if (step->type == FIELD_LIST)
            object = json_add(json_array(tour->arena), STR(""), object);
        else if (step->type == FIELD_MAP)
            object = json_add(json_object(tour->arena), STR("k"), object);
        object = json_add(json_object(tour->arena), str_from_z(step->name), object);
    }
    return object;
}

static str_t path_of(const struct tour *tour, const char *name)
{
    AUTO(buf_done) struct buf path = {0};
    for (size_t i = 0; i < tour->n_steps; i++) {
        const struct field *step = tour->steps[i];
        buf_printf(&path, "%s%s.", step->name,
                   step->type == FIELD_LIST  ? "[0]"
                   : step->type == FIELD_MAP ? ".k"
                                             : "");
    }
    buf_add(&path, str_from_z(name));
    return arena_str(tour->arena, buf_str(&path));
}

static void say(const struct tour *tour, const char *name, const char *value, const char *what)
{
    if (!test_check(false, what, __FILE__, __LINE__))
        printf("  %s " STR_F " = %s\n", tour->kind->name, STR_A(path_of(tour, name)), value);
}

static struct json *value_of(const char *text, struct arena *arena)
{
    struct json *value;
    struct err err;
    MUST(json_parse(str_from_z(text), arena, &value, &err) == 0);
    return value;
}

/* The value itself, or as the only item of a list or map of plain values. */
static void try_type(struct tour *tour, const struct field *field, const char *text, bool inside)
{
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    tour->arena = &arena;
    tour->tries++;
    struct json *value = value_of(text, &arena);
    if (inside)
        value = json_add(field->type == FIELD_LIST ? json_array(&arena) : json_object(&arena),
                         field->type == FIELD_LIST ? STR("") : STR("k"), value);
    struct json *object = around(tour, field->name, value);
    struct json *unknown = json_array(&arena);
    int r = kind_decode_check(tour->kind, object, unknown, &arena, &err);
    if (r != ERR_INVALID)
        say(tour, field->name, text, "a wrong type is taken");
    else if (strstr(err.text, field->name) == NULL && strstr(err.text, "quantit") == NULL &&
             strstr(err.text, "parsing time") == NULL && strstr(err.text, "base64") == NULL)
        say(tour, field->name, err.text, "the refusal does not name the field");
    tour->arena = NULL;
}

static void try_types(struct tour *tour, const struct field *field, enum field_type type,
                      bool inside)
{
    for (size_t i = 0; type != FIELD_RAW && i < ARRAY_LEN(wrong[0]); i++)
        if (wrong[type][i] != NULL)
            try_type(tour, field, wrong[type][i], inside);
}

static void try_value(struct tour *tour, const struct field *field, struct json *value)
{
    AUTO(buf_done) struct buf text = {0};
    struct field_errors errors = {.arena = tour->arena};
    tour->tries++;
    json_write(value, &text);
    schema_check(tour->kind->schema, around(tour, field->name, value), &errors);
    for (size_t i = 0; i < errors.n; i++)
        if (str_starts(errors.at[i].text, STR("Invalid value")) ||
            str_starts(errors.at[i].text, STR("Unsupported value")))
            return;
    say(tour, field->name, arena_str(tour->arena, buf_str(&text)).at, "a wrong value is taken");
}

static void try_values(struct tour *tour, const struct field *field)
{
    AUTO(arena_done) struct arena arena = {0};
    tour->arena = &arena;
    if (field->check == CHECK_ONE_OF)
        try_value(tour, field, json_string(&arena, STR("Nonesuch")));
    if (field->check == CHECK_RANGE && field->least > INT64_MIN)
        try_value(tour, field, json_int(&arena, field->least - 1));
    if (field->check == CHECK_RANGE && field->most < INT32_MAX)
        try_value(tour, field, json_int(&arena, field->most + 1));
    tour->arena = NULL;
}

static void try_unknown(struct tour *tour)
{
    AUTO(arena_done) struct arena arena = {0};
    struct err err;
    tour->arena = &arena;
    tour->tries++;
    struct json *object = around(tour, "nonesuch", json_int(&arena, 1));
    struct json *unknown = json_array(&arena);
    str_t path = path_of(tour, "nonesuch");
    int r = kind_decode_check(tour->kind, object, unknown, &arena, &err);
    if (r != 0 || json_count(unknown) != 1 || !str_eq(unknown->first->text, path))
        say(tour, "nonesuch", "1", "an unknown field is not told by its path");
    tour->arena = NULL;
}

static void walk(struct tour *tour, const struct schema *schema)
{
    for (size_t i = 0; i < tour->n_seen; i++)
        if (tour->seen[i] == schema)
            return;
    MUST(tour->n_seen < SEEN_MAX);
    tour->seen[tour->n_seen++] = schema;
    if (!schema->open)
        try_unknown(tour);
    for (const struct field *field = schema->fields; field->name != NULL; field++) {
        try_types(tour, field, field->type, false);
        if (field->of == NULL && (field->type == FIELD_LIST || field->type == FIELD_MAP))
            try_types(tour, field, field->item, true);
        try_values(tour, field);
        if (field->of == NULL || tour->n_steps == STEPS_MAX)
            continue;
        tour->steps[tour->n_steps++] = field;
        walk(tour, field->of);
        tour->n_steps--;
    }
}

TEST(every_field_of_every_kind_refuses_what_it_is_not)
{
    struct kinds *kinds = kinds_new();
    size_t tries = 0;
    for (const struct kind *const *kind = kinds->at; *kind != NULL; kind++) {
        struct tour tour = {.kind = *kind};
        walk(&tour, (*kind)->schema);
        tries += tour.tries;
    }
    CHECK(tries > 10000);
    kinds_free(kinds);
}

/* --- what all objects have: their metadata --- */

static str_t repeated(char letter, size_t n, struct arena *arena)
{
    char *text = arena_bytes(arena, n);
    memset(text, letter, n);
    return (str_t){text, n};
}

static bool meta_is_refused(const struct kind *kind, const char *member, struct json *value,
                            struct arena *arena)
{
    struct json *object = json_object(arena), *meta = json_object(arena);
    struct field_errors errors = {.arena = arena};
    json_add(meta, STR("name"), json_string(arena, STR("a")));
    json_set(meta, str_from_z(member), value);
    json_add(object, STR("metadata"), meta);
    meta_check(kind, object, &errors);
    return errors.n > 0;
}

static struct json *pair(str_t key, str_t value, struct arena *arena)
{
    return json_add(json_object(arena), key, json_string(arena, value));
}

TEST(every_kind_refuses_names_labels_and_annotations_that_are_none)
{
    struct kinds *kinds = kinds_new();
    for (const struct kind *const *at = kinds->at; *at != NULL; at++) {
        AUTO(arena_done) struct arena arena = {0};
        const struct kind *kind = *at;
        const str_t names[] = {STR("a/b"), STR("a%b"), STR(".."), STR("."),
                               repeated('a', 254, &arena)};
        const str_t bad_names[] = {STR("A"), STR("a_b"), STR("-a"), STR("a b"), STR("a\n")};
        bool any_segment = kind->name_rule == NAME_SEGMENT;
        if (kind->only_create)
            continue;
        for (size_t i = 0; i < ARRAY_LEN(names) - (any_segment ? 1 : 0); i++)
            CHECK(meta_is_refused(kind, "name", json_string(&arena, names[i]), &arena));
        for (size_t i = 0; i < ARRAY_LEN(bad_names) && !any_segment; i++)
            CHECK(meta_is_refused(kind, "name", json_string(&arena, bad_names[i]), &arena));
        CHECK(meta_is_refused(kind, "labels", pair(STR("a b"), STR(""), &arena), &arena));
        CHECK(meta_is_refused(kind, "labels", pair(STR("a/b/c"), STR(""), &arena), &arena));
        CHECK(meta_is_refused(kind, "labels", pair(STR("a"), STR("b c"), &arena), &arena));
        CHECK(meta_is_refused(kind, "labels", pair(STR("a"), repeated('b', 64, &arena), &arena),
                              &arena));
        CHECK(meta_is_refused(kind, "annotations", pair(STR("a b"), STR(""), &arena), &arena));
        CHECK(meta_is_refused(kind, "annotations",
                              pair(STR("a"), repeated('b', 300000, &arena), &arena), &arena));
        CHECK(!meta_is_refused(kind, "annotations",
                               pair(STR("a"), repeated('b', 200000, &arena), &arena), &arena));
    }
    kinds_free(kinds);
}
