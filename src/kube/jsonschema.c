/* jsonschema.c - objects by their schema: unknown fields, defaults, tables. */
#include "kube/jsonschema.h"

#include "kube/jsonschema_priv.h"
#include "kube/meta.h"

#include <string.h>

bool jsonschema_is(const struct json *schema, const char *word)
{
    return json_is_true(json_get(schema, str_from_z(word)));
}

str_t jsonschema_type(const struct json *schema)
{
    return json_get_text(schema, STR("type"));
}

static bool is_object(const struct json *json)
{
    return json != NULL && json->type == JSON_OBJECT;
}

/* apiVersion, kind and metadata are every object's, whatever the schema says. */
static bool is_known_anyway(str_t key)
{
    return str_eq(key, STR("apiVersion")) || str_eq(key, STR("kind")) ||
           str_eq(key, STR("metadata"));
}

/* The schema of a member; NULL: there is none. */
static const struct json *of_member(const struct json *schema, str_t key)
{
    const struct json *own = json_get(json_get(schema, STR("properties")), key);
    const struct json *others = json_get(schema, STR("additionalProperties"));
    return own != NULL ? own : is_object(others) ? others : NULL;
}

static bool keeps_unknown(const struct json *schema)
{
    const struct json *others = json_get(schema, STR("additionalProperties"));
    return jsonschema_is(schema, "x-kubernetes-preserve-unknown-fields") || json_is_true(others);
}

static str_t path_of(str_t path, str_t key, struct arena *arena)
{
    return path.len == 0 ? key : arena_printf(arena, STR_F "." STR_F, STR_A(path), STR_A(key));
}

struct unknown {
    bool prune;
    struct json *paths;
    struct arena *arena;
};

static void walk_unknown(const struct unknown *u, const struct json *schema, struct json *value,
                         str_t path, bool root)
{
    size_t i = 0;
    if (value->type == JSON_ARRAY) {
        const struct json *items = json_get(schema, STR("items"));
        if (is_object(items))
            JSON_EACH(value, item)
        walk_unknown(u, items, item, arena_printf(u->arena, STR_F "[%zu]", STR_A(path), i++),
                     false);
        return;
    }
    if (value->type != JSON_OBJECT)
        return;
    bool embedded = root || jsonschema_is(schema, "x-kubernetes-embedded-resource");
    for (struct json *child = value->first, *next; child != NULL; child = next) {
        next = child->next;
        const struct json *own = of_member(schema, child->key);
        if (embedded && is_known_anyway(child->key))
            continue;
        str_t inner = path_of(path, child->key, u->arena);
        if (own != NULL) {
            walk_unknown(u, own, child, inner, false);
            continue;
        }
        if (keeps_unknown(schema))
            continue;
        if (u->paths != NULL)
            json_add(u->paths, STR(""), json_string(u->arena, inner));
        if (u->prune)
            (void)json_remove(value, child->key);
    }
}

void jsonschema_unknown(const struct json *schema, struct json *object, bool prune,
                        struct json *unknown, struct arena *arena)
{
    struct unknown u = {prune, unknown, arena};
    walk_unknown(&u, schema, object, STR(""), true);
}

/* --- defaults --- */

static void default_members(const struct json *schema, struct json *object, struct arena *arena)
{
    JSON_EACH(json_get(schema, STR("properties")), own)
    {
        const struct json *otherwise = json_get(own, STR("default"));
        struct json *is = json_get(object, own->key);
        bool null = is != NULL && is->type == JSON_NULL;
        if (otherwise != NULL && (is == NULL || (null && !jsonschema_is(own, "nullable"))))
            json_set(object, own->key, json_clone(otherwise, arena));
        else if (null && !jsonschema_is(own, "nullable"))
            (void)json_remove(object, own->key);
    }
}

void jsonschema_default(const struct json *schema, struct json *value, struct arena *arena)
{
    if (value->type == JSON_ARRAY) {
        const struct json *items = json_get(schema, STR("items"));
        if (is_object(items))
            JSON_EACH(value, item)
        jsonschema_default(items, item, arena);
        return;
    }
    if (value->type != JSON_OBJECT)
        return;
    default_members(schema, value, arena);
    JSON_EACH(value, child)
    {
        const struct json *own = of_member(schema, child->key);
        if (own != NULL)
            jsonschema_default(own, child, arena);
    }
}

/* --- tables --- */

static const char *zero_ended(str_t text, struct arena *arena)
{
    return arena_printf(arena, STR_F, STR_A(text)).at;
}

static const char *joined(const struct json *words, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    JSON_EACH(words, word)
    buf_printf(&out, "%s" STR_F, out.len > 0 ? "," : "", STR_A(json_text(word, STR(""))));
    return zero_ended(buf_str(&out), arena);
}

static void make_row(struct field *row, const struct json *schema, unsigned depth,
                     struct arena *arena);

static const struct schema *make_table(const struct json *schema, const char *name, bool root,
                                       unsigned depth, struct arena *arena)
{
    const struct json *properties = json_get(schema, STR("properties"));
    struct schema *table = arena_new(arena, struct schema);
    struct field *rows = arena_array(arena, struct field, json_count(properties) + 4), *row = rows;
    table->name = name;
    table->fields = rows;
    table->open = true;
    table->atomic = str_eq(json_get_text(schema, STR("x-kubernetes-map-type")), STR("atomic"));
    if (root) {
        *row++ = (struct field){.name = "apiVersion", .type = FIELD_STRING};
        *row++ = (struct field){.name = "kind", .type = FIELD_STRING};
        *row++ =
            (struct field){.name = "metadata", .type = FIELD_OBJECT, .of = &object_meta_schema};
    }
    JSON_EACH(properties, own)
    {
        if (root && is_known_anyway(own->key))
            continue;
        row->name = zero_ended(own->key, arena);
        make_row(row++, own, depth + 1, arena);
    }
    return table;
}

static void make_row(struct field *row, const struct json *schema, unsigned depth,
                     struct arena *arena)
{
    str_t type = jsonschema_type(schema);
    str_t list_type = json_get_text(schema, STR("x-kubernetes-list-type"));
    const struct json *items = json_get(schema, STR("items"));
    const struct json *others = json_get(schema, STR("additionalProperties"));
    row->type = FIELD_STRING;
    if (str_eq(type, STR("array")) && is_object(items)) {
        row->type = FIELD_LIST;
        row->item = FIELD_STRING;
        row->set = str_eq(list_type, STR("set"));
        if (str_eq(list_type, STR("map")))
            row->list_keys = joined(json_get(schema, STR("x-kubernetes-list-map-keys")), arena);
        if (str_eq(jsonschema_type(items), STR("object")))
            row->of = make_table(items, "item", false, depth + 1, arena);
    } else if (str_eq(type, STR("object")) && is_object(others)) {
        row->type = FIELD_MAP;
        row->item = FIELD_STRING;
        row->atomic = str_eq(json_get_text(schema, STR("x-kubernetes-map-type")), STR("atomic"));
        if (str_eq(jsonschema_type(others), STR("object")))
            row->of = make_table(others, "value", false, depth + 1, arena);
    } else if (str_eq(type, STR("object"))) {
        row->type = FIELD_OBJECT;
        row->of = make_table(schema, row->name, false, depth + 1, arena);
    }
}

const struct schema *jsonschema_table(const struct json *schema, const char *name,
                                      struct arena *arena)
{
    return make_table(schema, name, true, 0, arena);
}
