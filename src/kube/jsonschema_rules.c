/*
 * jsonschema_rules.c - is a schema structural, and one we can evaluate?
 *
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
 * (Specifying a structural schema). What Kubernetes forbids is refused in its words; what it allows
 * and we do not evaluate is refused as unsupported, by its name.
 */
#include "kube/jsonschema_priv.h"

struct rules {
    struct field_errors *errors;
    struct arena *arena;
    size_t nodes;
    bool told; /* That it is too large. */
};

static void check_node(struct rules *r, const struct json *schema, str_t path, bool junctor,
                       unsigned depth);

static str_t in(const struct rules *r, str_t path, const char *name)
{
    return arena_printf(r->arena, STR_F ".%s", STR_A(path), name);
}

static void forbid(const struct rules *r, const struct json *schema, str_t path, const char *name,
                   const char *why)
{
    const struct json *value = json_get(schema, str_from_z(name));
    if (value != NULL && value->type != JSON_NULL &&
        !(value->type == JSON_BOOL && !json_is_true(value)))
        field_error(r->errors, FIELD_FORBIDDEN, in(r, path, name), "Forbidden: %s", why);
}

static void check_words(const struct rules *r, const struct json *schema, str_t path)
{
    static const struct {
        const char *name, *why;
    } rows[] = {
        {"$ref", "$ref is not supported"},
        {"definitions", "definitions is not supported"},
        {"dependencies", "dependencies is not supported"},
        {"patternProperties", "patternProperties is not supported"},
        {"additionalItems", "additionalItems is not supported"},
        {"uniqueItems",
         "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"},
        {"x-kubernetes-validations", "CEL rules (x-kubernetes-validations) are not supported by "
                                     "this server: remove them to use this definition"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        forbid(r, schema, path, rows[i].name, rows[i].why);
}

/* A word with a value of another type is no word of a schema. */
static void check_shapes(const struct rules *r, const struct json *schema, str_t path)
{
    static const struct {
        const char *name;
        enum json_type type;
        const char *word;
    } rows[] = {
        {"properties", JSON_OBJECT, "an object"},
        {"required", JSON_ARRAY, "a list"},
        {"enum", JSON_ARRAY, "a list"},
        {"allOf", JSON_ARRAY, "a list"},
        {"anyOf", JSON_ARRAY, "a list"},
        {"oneOf", JSON_ARRAY, "a list"},
        {"not", JSON_OBJECT, "an object"},
        {"type", JSON_STRING, "a text"},
        {"pattern", JSON_STRING, "a text"},
        {"format", JSON_STRING, "a text"},
        {"minimum", JSON_NUMBER, "a number"},
        {"maximum", JSON_NUMBER, "a number"},
        {"multipleOf", JSON_NUMBER, "a number"},
        {"minLength", JSON_NUMBER, "a number"},
        {"maxLength", JSON_NUMBER, "a number"},
        {"minItems", JSON_NUMBER, "a number"},
        {"maxItems", JSON_NUMBER, "a number"},
        {"minProperties", JSON_NUMBER, "a number"},
        {"maxProperties", JSON_NUMBER, "a number"},
        {"x-kubernetes-list-map-keys", JSON_ARRAY, "a list"},
        {"x-kubernetes-list-type", JSON_STRING, "a text"},
        {"x-kubernetes-map-type", JSON_STRING, "a text"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct json *value = json_get(schema, str_from_z(rows[i].name));
        if (value != NULL && value->type != JSON_NULL && value->type != rows[i].type)
            field_error(r->errors, FIELD_INVALID, in(r, path, rows[i].name),
                        "Invalid value: it must be %s", rows[i].word);
    }
    JSON_EACH(json_get(schema, STR("required")), name)
    if (name->type != JSON_STRING)
        field_error(r->errors, FIELD_INVALID, in(r, path, "required"),
                    "Invalid value: it must be a list of texts");
}

static void check_pattern(const struct rules *r, const struct json *schema, str_t path)
{
    str_t pattern = json_get_text(schema, STR("pattern"));
    const char *fault = pattern.len == 0 ? NULL : pattern_fault(pattern, r->arena);
    if (fault != NULL)
        field_error(r->errors, FIELD_INVALID, in(r, path, "pattern"),
                    "Invalid value: \"" STR_F "\": must be a valid regular expression, but isn't: "
                    "%s",
                    STR_A(pattern), fault);
}

static bool is_type(str_t type)
{
    static const str_t known[] = {STR("string"),  STR("number"), STR("integer"),
                                  STR("boolean"), STR("object"), STR("array")};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq(type, known[i]))
            return true;
    return false;
}

static void check_type_of(const struct rules *r, const struct json *schema, str_t path,
                          const char *of)
{
    str_t type = jsonschema_type(schema);
    if (type.len == 0 && !jsonschema_is(schema, "x-kubernetes-int-or-string") &&
        !jsonschema_is(schema, "x-kubernetes-preserve-unknown-fields"))
        field_error(r->errors, FIELD_REQUIRED, in(r, path, "type"),
                    "Required value: must not be empty for %s", of);
    else if (type.len > 0 && !is_type(type))
        field_error(r->errors, FIELD_NOT_SUPPORTED, in(r, path, "type"),
                    "Unsupported value: \"" STR_F "\": supported values: \"array\", \"boolean\", "
                    "\"integer\", \"number\", \"object\", \"string\"",
                    STR_A(type));
}

static void check_list_type(const struct rules *r, const struct json *schema, str_t path)
{
    str_t list = json_get_text(schema, STR("x-kubernetes-list-type"));
    const struct json *keys = json_get(schema, STR("x-kubernetes-list-map-keys"));
    if (list.len > 0 && !str_eq(list, STR("atomic")) && !str_eq(list, STR("set")) &&
        !str_eq(list, STR("map")))
        field_error(r->errors, FIELD_NOT_SUPPORTED, in(r, path, "x-kubernetes-list-type"),
                    "Unsupported value: \"" STR_F
                    "\": supported values: \"atomic\", \"map\", \"set\"",
                    STR_A(list));
    bool map = str_eq(list, STR("map"));
    if (map && json_count(keys) == 0)
        field_error(r->errors, FIELD_REQUIRED, in(r, path, "x-kubernetes-list-map-keys"),
                    "Required value: must not be empty if x-kubernetes-list-type is map");
    if (!map && json_count(keys) > 0)
        field_error(r->errors, FIELD_INVALID, in(r, path, "x-kubernetes-list-type"),
                    "Invalid value: \"" STR_F
                    "\": must be map if x-kubernetes-list-map-keys is non-empty",
                    STR_A(list));
}

static void check_default(const struct rules *r, const struct json *schema, str_t path)
{
    const struct json *otherwise = json_get(schema, STR("default"));
    if (otherwise == NULL)
        return;
    struct field_errors *faults = arena_new(r->arena, struct field_errors);
    faults->arena = r->arena;
    jsonschema_check(schema, otherwise, faults);
    for (size_t i = 0; i < faults->n; i++)
        field_error(r->errors, faults->at[i].reason,
                    arena_printf(r->arena, STR_F ".default%s" STR_F, STR_A(path),
                                 faults->at[i].path.len > 0 ? "." : "", STR_A(faults->at[i].path)),
                    STR_F, STR_A(faults->at[i].text));
}

/* In allOf, anyOf, oneOf and not a schema may only narrow. */
static void check_junctor_words(const struct rules *r, const struct json *schema, str_t path)
{
    static const char *const words[] = {"description",
                                        "type",
                                        "default",
                                        "additionalProperties",
                                        "nullable",
                                        "x-kubernetes-preserve-unknown-fields",
                                        "x-kubernetes-embedded-resource"};
    bool int_or_string = jsonschema_type(schema).len > 0 && json_count(schema) == 1;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (!int_or_string)
            forbid(r, schema, path, words[i], "must be empty to be structural");
}

static void check_children(struct rules *r, const struct json *schema, str_t path, bool junctor,
                           unsigned depth)
{
    const struct json *own = json_get(schema, STR("properties"));
    const struct json *others = json_get(schema, STR("additionalProperties"));
    const struct json *items = json_get(schema, STR("items"));
    static const char *const lists[] = {"allOf", "anyOf", "oneOf"};
    if (json_count(own) > 0 && others != NULL && others->type == JSON_OBJECT && !junctor)
        field_error(r->errors, FIELD_FORBIDDEN, in(r, path, "additionalProperties"),
                    "Forbidden: additionalProperties and properties are mutual exclusive");
    JSON_EACH(own, child)
    {
        str_t at =
            arena_printf(r->arena, STR_F ".properties[" STR_F "]", STR_A(path), STR_A(child->key));
        if (!junctor && child->type == JSON_OBJECT)
            check_type_of(r, child, at, "specified object fields");
        check_node(r, child, at, junctor, depth + 1);
    }
    if (others != NULL && others->type == JSON_OBJECT) {
        if (!junctor)
            check_type_of(r, others, in(r, path, "additionalProperties"),
                          "specified object fields");
        check_node(r, others, in(r, path, "additionalProperties"), junctor, depth + 1);
    }
    if (items != NULL && items->type == JSON_ARRAY)
        field_error(r->errors, FIELD_FORBIDDEN, in(r, path, "items"),
                    "Forbidden: items must be a schema object and not an array");
    else if (items != NULL && items->type == JSON_OBJECT && !junctor)
        check_type_of(r, items, in(r, path, "items"), "specified array items");
    if (items != NULL && items->type != JSON_ARRAY)
        check_node(r, items, in(r, path, "items"), junctor, depth + 1);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        size_t n = 0;
        JSON_EACH(json_get(schema, str_from_z(lists[i])), each)
        check_node(r, each, arena_printf(r->arena, STR_F ".%s[%zu]", STR_A(path), lists[i], n++),
                   true, depth + 1);
    }
    const struct json *not = json_get(schema, STR("not"));
    if (not != NULL)
        check_node(r, not, in(r, path, "not"), true, depth + 1);
}

static void check_node(struct rules *r, const struct json *schema, str_t path, bool junctor,
                       unsigned depth)
{
    if (++r->nodes > JSONSCHEMA_NODES_MAX || depth > JSONSCHEMA_DEPTH_MAX) {
        if (!r->told)
            field_error(r->errors, FIELD_INVALID, path,
                        "Invalid value: the schema has more than %d parts or %d levels",
                        (int)JSONSCHEMA_NODES_MAX, (int)JSONSCHEMA_DEPTH_MAX);
        r->told = true;
        return;
    }
    if (schema->type != JSON_OBJECT) {
        field_error(r->errors, FIELD_INVALID, path, "Invalid value: a schema must be an object");
        return;
    }
    bool list = str_eq(jsonschema_type(schema), STR("array"));
    check_words(r, schema, path);
    check_shapes(r, schema, path);
    check_pattern(r, schema, path);
    check_list_type(r, schema, path);
    if (junctor)
        check_junctor_words(r, schema, path);
    else if (list && json_get(schema, STR("items")) == NULL)
        field_error(r->errors, FIELD_REQUIRED, in(r, path, "items"),
                    "Required value: must be specified");
    check_children(r, schema, path, junctor, depth);
    if (!r->told && r->errors->n == 0)
        check_default(r, schema, path);
}

void jsonschema_check_schema(const struct json *schema, str_t path, struct field_errors *errors)
{
    struct rules r = {errors, errors->arena, 0, false};
    str_t type = jsonschema_type(schema);
    if (type.len == 0)
        field_error(errors, FIELD_REQUIRED, in(&r, path, "type"),
                    "Required value: must not be empty at the root");
    else if (!str_eq(type, STR("object")))
        field_error(errors, FIELD_INVALID, in(&r, path, "type"),
                    "Invalid value: \"" STR_F "\": must be object at the root", STR_A(type));
    check_node(&r, schema, path, false, 0);
}
