/* namespace.c - Namespace: what names are unique in, and what goes together when it is deleted. */
#include "kinds/columns.h"
#include "kinds/kinds.h"

/* clang-format off */
static const struct field condition_fields[] = {
    {"type", FIELD_STRING, 1, .required = true, .doc = "What the condition is about."},
    {"status", FIELD_STRING, 2, .required = true, .doc = "True, False or Unknown."},
    {"lastTransitionTime", FIELD_TIME, 4, .doc = "When status last changed."},
    {"reason", FIELD_STRING, 5, .doc = "One word why."},
    {"message", FIELD_STRING, 6, .doc = "A sentence why."},
    {0},
};
static const struct schema condition_schema = {"core.v1.NamespaceCondition", condition_fields,
                                               "One fact about a namespace."};

static const struct field spec_fields[] = {
    {"finalizers", FIELD_LIST, 1, .item = FIELD_STRING,
     .doc = "Who must agree before the namespace is removed."},
    {0},
};
static const struct schema spec_schema = {"core.v1.NamespaceSpec", spec_fields, "What is wanted."};

static const struct field status_fields[] = {
    {"phase", FIELD_STRING, 1, .doc = "Active or Terminating."},
    {"conditions", FIELD_LIST, 2, .of = &condition_schema, .merge_key = "type",
     .doc = "What stands in the way of its end."},
    {0},
};
static const struct schema status_schema = {"core.v1.NamespaceStatus", status_fields, "What is."};

static const struct field namespace_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &spec_schema, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &status_schema, .doc = "What is."},
    {0},
};
/* clang-format on */

static const struct schema namespace_schema = {"core.v1.Namespace", namespace_fields,
                                               "A scope for names."};

static struct json *member(struct json *object, str_t name, struct arena *arena)
{
    struct json *there = json_get(object, name);
    if (there != NULL && there->type == JSON_OBJECT)
        return there;
    struct json *made = json_object(arena);
    json_set(object, name, made);
    return made;
}

static void namespace_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    struct json *meta = member(object, STR("metadata"), arena);
    struct json *labels = member(meta, STR("labels"), arena);
    json_set(labels, STR("kubernetes.io/metadata.name"),
             json_string(arena, json_get_text(meta, STR("name"))));
    if (old != NULL) { /* Its end is decided through `finalize`, not here. */
        const struct json *kept = json_get(old, STR("spec"));
        json_set(object, STR("spec"), kept != NULL ? json_clone(kept, arena) : json_object(arena));
        return;
    }
    struct json *spec = member(object, STR("spec"), arena);
    if (json_count(json_get(spec, STR("finalizers"))) == 0)
        json_set(spec, STR("finalizers"),
                 json_add(json_array(arena), STR(""), json_string(arena, STR("kubernetes"))));
    struct json *status = json_object(arena);
    json_add(status, STR("phase"), json_string(arena, STR("Active")));
    json_set(object, STR("status"), status);
}

static str_t column_status(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    (void)arena;
    return json_text(json_at(object, "status.phase"), STR(""));
}

/* clang-format off */
static const struct column namespace_columns[] = {
    COLUMN_NAME,
    {"Status", "string", "", "Active, or Terminating while it is emptied.", 0, column_status},
    COLUMN_AGE,
    {0},
};

static const char *const finalize_verbs[] = {"update", NULL};
static const struct subresource namespace_subresources[] = {{"finalize", NULL, finalize_verbs},
                                                            {0}};

static const struct field_selector namespace_selectors[] = {{"status.phase", NULL}, {0}};

const struct kind kind_namespace = {
    .group = "", .version = "v1", .name = "Namespace", .plural = "namespaces",
    .singular = "namespace", .shortcuts = (const char *const[]){"ns", NULL}, .has_status = true,
    .name_rule = NAME_LABEL, .schema = &namespace_schema, .prepare = namespace_prepare,
    .columns = namespace_columns, .selectors = namespace_selectors,
    .subresources = namespace_subresources,
};
/* clang-format on */
