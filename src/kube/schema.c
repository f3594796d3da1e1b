/* schema.c - walking a table and a tree side by side. */
#include "kube/schema.h"

#include "codec/base64.h"
#include "kube/meta.h"
#include "kube/quantity.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where in the tree we are: "spec.template" or "data[key]". */
struct walk {
    struct arena *arena;
    str_t path;
    unsigned depth;
    const struct schema *owner; /* Of the last field that has a name, */
    str_t field;                /* and the path to that. */
};

static struct walk into(const struct walk *walk, str_t name)
{
    struct walk inner = *walk;
    inner.depth++;
    inner.path = walk->path.len == 0
                     ? name
                     : arena_printf(walk->arena, STR_F "." STR_F, STR_A(walk->path), STR_A(name));
    return inner;
}

static struct walk into_item(const struct walk *walk, size_t i)
{
    struct walk inner = *walk;
    inner.depth++;
    inner.path = arena_printf(walk->arena, STR_F "[%zu]", STR_A(walk->path), i);
    return inner;
}

static const struct field *field_find(const struct schema *schema, str_t name)
{
    for (const struct field *field = schema->fields; field->name != NULL; field++)
        if (str_eq(name, str_from_z(field->name)))
            return field;
    return NULL;
}

static bool is_object(const struct json *json)
{
    return json != NULL && json->type == JSON_OBJECT;
}

/* --- errors --- */

void field_error(struct field_errors *errors, enum field_reason reason, str_t path, const char *fmt,
                 ...)
{
    MUST(fmt != NULL);
    if (errors->n == FIELD_ERRORS_MAX)
        return;
    struct field_error *error = &errors->at[errors->n++];
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    MUST(len >= 0);
    char *text = arena_bytes(errors->arena, (size_t)len + 1);
    (void)vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    *error = (struct field_error){reason, arena_str(errors->arena, path), {text, (size_t)len}};
}

/* --- types --- */

/* "core.v1.PodSpec" is v1.PodSpec in Go. */
static const char *go_struct(const struct schema *schema)
{
    const char *dot = strchr(schema->name, '.');
    return dot == NULL ? schema->name : dot + 1;
}

static const char *go_type(const struct field *field, enum field_type type, struct arena *arena)
{
    enum field_type item = field->of != NULL ? FIELD_OBJECT : field->item;
    switch (type) {
    case FIELD_INT:
        return "int32";
    case FIELD_LONG:
        return "int64";
    case FIELD_NUMBER:
        return "float64";
    case FIELD_BOOL:
        return "bool";
    case FIELD_STRING:
    case FIELD_TIME:
    case FIELD_MICRO_TIME:
        return "string";
    case FIELD_BYTES:
        return "[]uint8";
    case FIELD_QUANTITY:
        return "resource.Quantity";
    case FIELD_INT_OR_STRING:
        return "intstr.IntOrString";
    case FIELD_RAW:
        return "object";
    case FIELD_OBJECT:
        return go_struct(field->of);
    case FIELD_LIST:
        return arena_printf(arena, "[]%s", go_type(field, item, arena)).at;
    case FIELD_MAP:
        return arena_printf(arena, "map[string]%s", go_type(field, item, arena)).at;
    }
    return "";
}

static const char *json_word(const struct json *json)
{
    static const char *const words[] = {"null", "bool", "number", "string", "array", "object"};
    return words[json->type];
}

static bool type_fits(enum field_type type, const struct json *json)
{
    int64_t number;
    switch (type) {
    case FIELD_INT:
        return json_to_i64(json, &number) && number >= INT32_MIN && number <= INT32_MAX;
    case FIELD_LONG:
        return json_to_i64(json, &number);
    case FIELD_NUMBER:
        return json->type == JSON_NUMBER;
    case FIELD_BOOL:
        return json->type == JSON_BOOL;
    case FIELD_STRING:
    case FIELD_BYTES:
    case FIELD_TIME:
    case FIELD_MICRO_TIME:
        return json->type == JSON_STRING;
    case FIELD_QUANTITY:
        return json->type == JSON_STRING || json->type == JSON_NUMBER;
    case FIELD_INT_OR_STRING:
        return json->type == JSON_STRING || type_fits(FIELD_INT, json);
    case FIELD_RAW:
        return true;
    case FIELD_OBJECT:
    case FIELD_MAP:
        return json->type == JSON_OBJECT;
    case FIELD_LIST:
        return json->type == JSON_ARRAY;
    }
    return false;
}

struct decode {
    struct json *unknown;
    struct err *err;
};

static int decode_object(const struct decode *decode, const struct walk *walk,
                         const struct schema *schema, const struct json *object);

static str_t short_name(const struct schema *schema)
{
    const char *dot = strrchr(schema->name, '.');
    return str_from_z(dot == NULL ? schema->name : dot + 1);
}

/* Letters that are a suffix of none, and everything else, have two messages, as in Kubernetes. */
static int decode_quantity(str_t text, struct err *err)
{
    static const char suffix[] = "eEinumkKMGTP";
    quantity_t quantity;
    size_t i = text.len > 0 && (text.at[0] == '+' || text.at[0] == '-') ? 1 : 0, digits = i;
    if (quantity_parse(text, &quantity))
        return 0;
    while (i < text.len && ((text.at[i] >= '0' && text.at[i] <= '9') || text.at[i] == '.'))
        i++;
    bool number = i > digits;
    while (i < text.len && strchr(suffix, text.at[i]) != NULL)
        i++;
    if (number && i == text.len)
        return err_set(err, ERR_INVALID, "unable to parse quantity's suffix");
    return err_set(err, ERR_INVALID,
                   "quantities must match the regular expression "
                   "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}

/* Go counts no items: "spec.containers.name". */
static str_t without_indexes(str_t path, struct arena *arena)
{
    char *out = arena_bytes(arena, path.len);
    size_t n = 0;
    bool inside = false;
    for (size_t i = 0; i < path.len; i++) {
        inside = inside || path.at[i] == '[';
        if (!inside)
            out[n++] = path.at[i];
        inside = inside && path.at[i] != ']';
    }
    return (str_t){out, n};
}

static int decode_plain(const struct decode *decode, const struct walk *walk,
                        const struct field *field, enum field_type type, const struct json *json)
{
    if (json->type == JSON_NULL)
        return 0;
    if (!type_fits(type, json))
        return err_set(
            decode->err, ERR_INVALID,
            "json: cannot unmarshal %s into Go struct field " STR_F "." STR_F " of type %s",
            json_word(json), STR_A(short_name(walk->owner)),
            STR_A(without_indexes(walk->field, walk->arena)), go_type(field, type, walk->arena));
    str_t bytes;
    msec_t ms;
    if (type == FIELD_BYTES)
        return base64_decode(json->text, walk->arena, &bytes, decode->err);
    if (type == FIELD_QUANTITY)
        return decode_quantity(json->text, decode->err);
    if ((type == FIELD_TIME || type == FIELD_MICRO_TIME) && !time_parse(json->text, &ms))
        return err_set(decode->err, ERR_INVALID,
                       "parsing time \"" STR_F "\" as \"2006-01-02T15:04:05Z07:00\": "
                       "cannot parse \"" STR_F "\" as \"2006\"",
                       STR_A(json->text), STR_A(json->text));
    return 0;
}

static int decode_value(const struct decode *decode, const struct walk *walk,
                        const struct field *field, enum field_type type, const struct json *json)
{
    if (walk->depth > SCHEMA_DEPTH_MAX)
        return err_set(decode->err, ERR_INVALID, "the object is nested too deeply");
    int r = decode_plain(decode, walk, field, type, json);
    if (r < 0 || json->type == JSON_NULL)
        return r;
    if (type == FIELD_OBJECT)
        return decode_object(decode, walk, field->of, json);
    if (type != FIELD_LIST && type != FIELD_MAP)
        return 0;
    enum field_type item = field->of != NULL ? FIELD_OBJECT : field->item;
    size_t i = 0;
    for (struct json *child = json->first; r == 0 && child != NULL; child = child->next) {
        struct walk inner = type == FIELD_LIST ? into_item(walk, i++) : into(walk, child->key);
        r = decode_value(decode, &inner, field, item, child);
    }
    return r;
}

static int decode_object(const struct decode *decode, const struct walk *walk,
                         const struct schema *schema, const struct json *object)
{
    MUST(schema != NULL);
    for (struct json *child = object->first; child != NULL; child = child->next) {
        const struct field *field = field_find(schema, child->key);
        if (field == NULL && schema->open)
            continue;
        if (field == NULL) {
            struct walk unknown = into(walk, child->key);
            json_add(decode->unknown, STR(""), json_string(walk->arena, unknown.path));
            continue;
        }
        /* Only strings and small words need no path of their own. */
        if (type_fits(field->type, child) && field->type == FIELD_STRING)
            continue;
        struct walk inner = into(walk, child->key);
        inner.owner = schema;
        inner.field = inner.path;
        int r = decode_value(decode, &inner, field, field->type, child);
        if (r < 0)
            return r;
    }
    return 0;
}

int schema_decode_check(const struct schema *schema, const struct json *object,
                        struct json *unknown, struct arena *arena, struct err *err)
{
    struct decode decode = {unknown, err};
    struct walk walk = {.arena = arena};
    if (!is_object(object))
        return err_set(err, ERR_INVALID, "json: cannot unmarshal %s into Go value of type " STR_F,
                       json_word(object), STR_A(short_name(schema)));
    return decode_object(&decode, &walk, schema, object);
}

/* --- pruning, defaults --- */

/* Calls `visit` for the object itself and for every object within it that has a schema. */
static void each_object(const struct schema *schema, struct json *object, unsigned depth,
                        void (*visit)(const struct schema *, struct json *, void *), void *self)
{
    if (!is_object(object) || depth > SCHEMA_DEPTH_MAX)
        return;
    visit(schema, object, self);
    JSON_EACH(object, child)
    {
        const struct field *field = field_find(schema, child->key);
        if (field == NULL || field->of == NULL)
            continue;
        if (field->type == FIELD_OBJECT)
            each_object(field->of, child, depth + 1, visit, self);
        else if (child->type == JSON_ARRAY || child->type == JSON_OBJECT)
            JSON_EACH(child, item)
        each_object(field->of, item, depth + 1, visit, self);
    }
}

/* Go leaves empty lists and maps out of what it writes, and clients compare with that. */
static bool says_nothing(const struct field *field, const struct json *json)
{
    return json->type == JSON_NULL ||
           ((field->type == FIELD_MAP || field->type == FIELD_LIST) && json->first == NULL &&
            (json->type == JSON_OBJECT || json->type == JSON_ARRAY));
}

static void prune_one(const struct schema *schema, struct json *object, void *self)
{
    (void)self;
    struct json **at = &object->first;
    object->last = NULL;
    while (*at != NULL) {
        const struct field *field = field_find(schema, (*at)->key);
        if (field == NULL ? !schema->open : says_nothing(field, *at)) {
            *at = (*at)->next;
            continue;
        }
        object->last = *at;
        at = &(*at)->next;
    }
}

void schema_prune(const struct schema *schema, struct json *object)
{
    each_object(schema, object, 0, prune_one, NULL);
}

static void default_one(const struct schema *schema, struct json *object, void *self)
{
    struct arena *arena = self;
    for (const struct field *field = schema->fields; field->name != NULL; field++) {
        if (field->otherwise == NULL || json_get(object, str_from_z(field->name)) != NULL)
            continue;
        struct json *value = json_string(arena, str_from_z(field->otherwise));
        int64_t number;
        if (field->type == FIELD_INT || field->type == FIELD_LONG || field->type == FIELD_NUMBER ||
            (field->type == FIELD_INT_OR_STRING && str_to_i64(value->text, &number)))
            value->type = JSON_NUMBER;
        else if (field->type == FIELD_OBJECT)
            value = json_object(arena);
        else if (field->type == FIELD_BOOL)
            value = json_bool(arena, strcmp(field->otherwise, "true") == 0);
        json_add(object, str_from_z(field->name), value);
    }
}

void schema_set_defaults(const struct schema *schema, struct json *object, struct arena *arena)
{
    each_object(schema, object, 0, default_one, arena);
}

/* --- rules of one field --- */

static void check_one_of(const struct field *field, str_t path, str_t value,
                         struct field_errors *errors)
{
    AUTO(buf_done) struct buf known = {0};
    for (const char *const *word = field->one_of; *word != NULL; word++) {
        if (str_eq(value, str_from_z(*word)))
            return;
        buf_printf(&known, "%s\"%s\"", known.len > 0 ? ", " : "", *word);
    }
    field_error(errors, FIELD_NOT_SUPPORTED, path,
                "Unsupported value: \"" STR_F "\": supported values: " STR_F, STR_A(value),
                STR_A(buf_str(&known)));
}

static void check_range(const struct field *field, str_t path, const struct json *json,
                        struct field_errors *errors)
{
    int64_t value;
    if (!json_to_i64(json, &value) || (value >= field->least && value <= field->most))
        return;
    if (value < field->least && field->most >= INT32_MAX)
        field_error(errors, FIELD_INVALID, path,
                    "Invalid value: %lld: must be greater than or equal to %lld", (long long)value,
                    (long long)field->least);
    else
        field_error(errors, FIELD_INVALID, path,
                    "Invalid value: %lld: must be between %lld and %lld, inclusive",
                    (long long)value, (long long)field->least, (long long)field->most);
}

static void check_object(const struct walk *walk, const struct schema *schema,
                         const struct json *object, struct field_errors *errors);

static void check_children(const struct walk *walk, const struct field *field,
                           const struct json *json, struct field_errors *errors)
{
    if (field->of == NULL)
        return;
    if (field->type == FIELD_OBJECT) {
        check_object(walk, field->of, json, errors);
        return;
    }
    size_t i = 0;
    JSON_EACH(json, item)
    {
        struct walk inner =
            field->type == FIELD_LIST ? into_item(walk, i++) : into(walk, item->key);
        check_object(&inner, field->of, item, errors);
    }
}

static void check_object(const struct walk *walk, const struct schema *schema,
                         const struct json *object, struct field_errors *errors)
{
    if (!is_object(object) || walk->depth > SCHEMA_DEPTH_MAX)
        return;
    for (const struct field *field = schema->fields; field->name != NULL; field++) {
        const struct json *json = json_get(object, str_from_z(field->name));
        bool empty = json == NULL || json->type == JSON_NULL ||
                     (json->type == JSON_STRING && json->text.len == 0);
        if (empty && !field->required)
            continue;
        struct walk inner = into(walk, str_from_z(field->name));
        if (empty)
            field_error(errors, FIELD_REQUIRED, inner.path, "Required value");
        else if (field->check == CHECK_ONE_OF)
            check_one_of(field, inner.path, json_text(json, STR("")), errors);
        else if (field->check == CHECK_RANGE)
            check_range(field, inner.path, json, errors);
        else
            check_children(&inner, field, json, errors);
    }
}

void schema_check(const struct schema *schema, const struct json *object,
                  struct field_errors *errors)
{
    struct walk walk = {.arena = errors->arena};
    check_object(&walk, schema, object, errors);
}

static int by_key(const void *a, const void *b)
{
    return str_cmp((*(const struct json *const *)a)->key, (*(const struct json *const *)b)->key);
}

/* As Go prints it with %#v: a label selector, which people meet; others as JSON. */
static void print_go(const struct field *field, const struct json *value, struct arena *arena,
                     struct buf *out)
{
    if (field->of == NULL || strcmp(field->of->name, "meta.v1.LabelSelector") != 0) {
        json_write(value, out);
        return;
    }
    const struct json *labels = json_get(value, STR("matchLabels"));
    size_t n = 0;
    const struct json **sorted = arena_array(arena, const struct json *, json_count(labels) + 1);
    JSON_EACH(labels, label)
    sorted[n++] = label;
    qsort(sorted, n, sizeof(struct json *), by_key);
    buf_add(out, STR("v1.LabelSelector{MatchLabels:map[string]string"));
    buf_add(out, n == 0 ? STR("(nil)") : STR("{"));
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s\"" STR_F "\":\"" STR_F "\"%s", i > 0 ? ", " : "", STR_A(sorted[i]->key),
                   STR_A(json_text(sorted[i], STR(""))), i + 1 == n ? "}" : "");
    buf_add(out, STR(", MatchExpressions:[]v1.LabelSelectorRequirement"));
    const struct json *expressions = json_get(value, STR("matchExpressions"));
    if (json_count(expressions) == 0)
        buf_add(out, STR("(nil)"));
    else
        json_write(expressions, out);
    buf_add_char(out, '}');
}

static void check_immutable(const struct walk *walk, const struct schema *schema,
                            const struct json *old, const struct json *object,
                            struct field_errors *errors)
{
    for (const struct field *field = schema->fields; field->name != NULL; field++) {
        str_t name = str_from_z(field->name);
        const struct json *was = json_get(old, name), *is = json_get(object, name);
        struct walk inner = into(walk, name);
        if (field->type == FIELD_OBJECT && !field->immutable && is_object(was) && is_object(is) &&
            walk->depth < SCHEMA_DEPTH_MAX) {
            check_immutable(&inner, field->of, was, is, errors);
            continue;
        }
        if (!field->immutable || json_eq(was, is))
            continue;
        AUTO(buf_done) struct buf text = {0};
        if (is != NULL)
            print_go(field, is, errors->arena, &text);
        field_error(errors, FIELD_INVALID, inner.path,
                    "Invalid value: " STR_F ": field is immutable",
                    STR_A(is != NULL ? buf_str(&text) : STR("\"\"")));
    }
}

void schema_check_immutable(const struct schema *schema, const struct json *old,
                            const struct json *object, struct field_errors *errors)
{
    struct walk walk = {.arena = errors->arena};
    check_immutable(&walk, schema, old, object, errors);
}

/* --- views --- */

static void view_field(const struct field *field, const struct json *json, char *at)
{
    int64_t number;
    switch (field->type) {
    case FIELD_INT:
    case FIELD_LONG:
        if (json_to_i64(json, &number))
            memcpy(at, &number, sizeof(number)); /* Members of views are int64_t. */
        return;
    case FIELD_BOOL:
        *(bool *)at = json_is_true(json);
        return;
    case FIELD_OBJECT:
    case FIELD_LIST:
    case FIELD_MAP:
    case FIELD_RAW:
        *(const struct json **)at = json;
        return;
    case FIELD_STRING:
    case FIELD_BYTES:
    case FIELD_TIME:
    case FIELD_MICRO_TIME:
    case FIELD_QUANTITY:
    case FIELD_NUMBER:
    case FIELD_INT_OR_STRING:
        if (json->type == JSON_STRING || json->type == JSON_NUMBER)
            memcpy(at, &json->text, sizeof(str_t));
        return;
    }
}

void schema_view(const struct schema *schema, const struct json *object, void *view)
{
    for (const struct field *field = schema->fields; field->name != NULL; field++) {
        const struct json *json = json_get(object, str_from_z(field->name));
        if (json == NULL)
            continue;
        if (field->in_view)
            view_field(field, json, (char *)view + field->view_at);
        else if (field->type == FIELD_OBJECT && field->of != NULL)
            schema_view(field->of, json, view);
    }
}
