/* custom.c - a definition's versions as kinds, in one arena. */
#include "kinds/custom.h"

#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kube/jsonschema.h"

#include <stdlib.h>
#include <string.h>

static const char *zero_ended(struct custom *custom, str_t text)
{
    return arena_printf(&custom->arena, STR_F, STR_A(text)).at;
}

static const char *const *words_of(struct custom *custom, const struct json *list)
{
    if (json_count(list) == 0)
        return NULL;
    const char **words = arena_array(&custom->arena, const char *, json_count(list) + 1);
    size_t n = 0;
    JSON_EACH(list, word)
    words[n++] = zero_ended(custom, json_text(word, STR("")));
    return words;
}

static const struct column *columns_of(struct custom *custom, const struct json *version)
{
    static const struct column usual[] = {COLUMN_NAME, COLUMN_AGE, {0}};
    const struct json *list = json_get(version, STR("additionalPrinterColumns"));
    if (json_count(list) == 0)
        return usual;
    struct column *columns = arena_array(&custom->arena, struct column, json_count(list) + 2);
    size_t n = 0;
    columns[n++] = usual[0];
    JSON_EACH(list, column)
    {
        int64_t priority = 0;
        (void)json_to_i64(json_get(column, STR("priority")), &priority);
        columns[n++] =
            (struct column){.title = zero_ended(custom, json_get_text(column, STR("name"))),
                            .type = zero_ended(custom, json_get_text(column, STR("type"))),
                            .format = zero_ended(custom, json_get_text(column, STR("format"))),
                            .doc = zero_ended(custom, json_get_text(column, STR("description"))),
                            .priority = (int)priority,
                            .path = zero_ended(custom, json_get_text(column, STR("jsonPath")))};
    }
    return columns;
}

/* ".spec.replicas" is "spec.replicas" to us. */
static const char *dotted(struct custom *custom, const struct json *scale, const char *name)
{
    str_t path = json_get_text(scale, str_from_z(name));
    if (path.len == 0)
        return NULL;
    return zero_ended(custom, path.at[0] == '.' ? (str_t){path.at + 1, path.len - 1} : path);
}

static const struct scale_paths *scale_of(struct custom *custom, const struct json *version)
{
    const struct json *scale = json_at(version, "subresources.scale");
    if (scale == NULL || scale->type != JSON_OBJECT)
        return NULL;
    struct scale_paths *paths = arena_new(&custom->arena, struct scale_paths);
    paths->subresource = scale_by_selector.subresource;
    paths->replicas = dotted(custom, scale, "specReplicasPath");
    paths->status_replicas = dotted(custom, scale, "statusReplicasPath");
    paths->selector = dotted(custom, scale, "labelSelectorPath");
    return paths;
}

static const struct field_selector *selectors_of(struct custom *custom, const struct json *version)
{
    const struct json *list = json_get(version, STR("selectableFields"));
    if (json_count(list) == 0)
        return NULL;
    struct field_selector *selectors =
        arena_array(&custom->arena, struct field_selector, json_count(list) + 1);
    size_t n = 0;
    JSON_EACH(list, field)
    selectors[n++].path = dotted(custom, field, "jsonPath");
    return selectors;
}

/* "com.example.stable.v1.CronTab" */
static const char *type_name(struct custom *custom, str_t group, str_t version, str_t kind)
{
    AUTO(buf_done) struct buf out = {0};
    while (group.len > 0) {
        size_t n = 0;
        while (n < group.len && group.at[group.len - 1 - n] != '.')
            n++;
        buf_printf(&out, "%.*s.", (int)n, group.at + group.len - n);
        group.len -= n < group.len ? n + 1 : n;
    }
    buf_printf(&out, STR_F "." STR_F, STR_A(version), STR_A(kind));
    return zero_ended(custom, buf_str(&out));
}

static void make_kind(struct custom *custom, struct kind *kind, const struct json *spec,
                      const struct json *version)
{
    const struct json *names = json_get(spec, STR("names"));
    const struct json *schema = json_at(version, "schema.openAPIV3Schema");
    str_t group = json_get_text(spec, STR("group")), name = json_get_text(names, STR("kind"));
    str_t number = json_get_text(version, STR("name"));
    *kind = (struct kind){
        .group = zero_ended(custom, group),
        .version = zero_ended(custom, number),
        .name = zero_ended(custom, name),
        .plural = zero_ended(custom, json_get_text(names, STR("plural"))),
        .singular = zero_ended(custom, json_get_text(names, STR("singular"))),
        .shortcuts = words_of(custom, json_get(names, STR("shortNames"))),
        .categories = words_of(custom, json_get(names, STR("categories"))),
        .namespaced = str_eq(json_get_text(spec, STR("scope")), STR("Namespaced")),
        .custom = schema,
        .has_status = json_at(version, "subresources.status") != NULL,
        .has_spec_generation = true,
        .columns = columns_of(custom, version),
        .selectors = selectors_of(custom, version),
        .scale = scale_of(custom, version),
        .schema = jsonschema_table(schema, type_name(custom, group, number, name), &custom->arena)};
}

struct custom *custom_new(const struct json *crd)
{
    struct custom *custom = calloc(1, sizeof(*custom));
    MUST(custom != NULL);
    struct json *copy = json_clone(crd, &custom->arena);
    const struct json *spec = json_get(copy, STR("spec"));
    const struct kind *stored = NULL;
    custom->name = json_text(json_at(copy, "metadata.name"), STR(""));
    JSON_EACH(json_get(spec, STR("versions")), version)
    {
        if (custom->n == CUSTOM_VERSIONS_MAX)
            break;
        struct kind *kind = &custom->kinds[custom->n];
        make_kind(custom, kind, spec, version);
        if (json_is_true(json_get(version, STR("storage"))))
            stored = kind;
        custom->served[custom->n++] = json_is_true(json_get(version, STR("served")));
    }
    bool mixed = json_count(json_at(copy, "status.storedVersions")) > 1;
    for (size_t i = 0; i < custom->n; i++) {
        custom->kinds[i].mixed = mixed;
        if (&custom->kinds[i] != stored)
            custom->kinds[i].stored_as = stored;
    }
    return custom;
}

void custom_free(struct custom *custom)
{
    if (custom == NULL)
        return;
    arena_done(&custom->arena);
    free(custom);
}
