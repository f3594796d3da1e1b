/* jsonschema_check.c - values against their schema, in the words of Kubernetes' validator. */
#include "base/map.h"
#include "kube/jsonschema_priv.h"
#include "kube/meta.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct check {
    struct field_errors *errors;
    struct arena *arena;
    size_t *work; /* Steps taken, of JSONSCHEMA_WORK_MAX. */
};

static void check_value(const struct check *c, const struct json *schema, const struct json *value,
                        str_t path, unsigned depth);

static str_t shown(const struct json *value, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    if (value->type == JSON_OBJECT)
        return STR("\"object\"");
    if (value->type == JSON_ARRAY)
        return STR("\"array\"");
    if (value->type == JSON_NULL)
        return STR("\"null\"");
    json_write(value, &out);
    if (out.len > 256)
        out.len = 256;
    return arena_str(arena, buf_str(&out));
}

static const char *type_word(const struct json *value)
{
    int64_t whole;
    static const char *const words[] = {"null", "boolean", "number", "string", "array", "object"};
    return value->type == JSON_NUMBER && json_to_i64(value, &whole) ? "integer"
                                                                    : words[value->type];
}

static double number_of(const struct json *value)
{
    char text[64] = {0};
    if (value == NULL || value->type != JSON_NUMBER || value->text.len >= sizeof(text))
        return NAN;
    memcpy(text, value->text.at, value->text.len);
    return strtod(text, NULL);
}

static bool has_type(str_t type, const struct json *value)
{
    double number;
    if (str_eq(type, STR("integer"))) {
        number = number_of(value);
        return value->type == JSON_NUMBER && number == floor(number);
    }
    if (str_eq(type, STR("number")))
        return value->type == JSON_NUMBER;
    return str_eq(type, str_from_z(type_word(value)));
}

/* False: it is of another type, and that was said. */
static bool check_type(const struct check *c, const struct json *schema, const struct json *value,
                       str_t path)
{
    str_t type = jsonschema_type(schema);
    if (value->type == JSON_NULL && jsonschema_is(schema, "nullable"))
        return false; /* All there is to say. */
    if (jsonschema_is(schema, "x-kubernetes-int-or-string")) {
        if (value->type == JSON_STRING || has_type(STR("integer"), value))
            return true;
        type = STR("integer,string");
    } else if (type.len == 0 || has_type(type, value)) {
        return true;
    }
    field_error(c->errors, FIELD_INVALID, path,
                "Invalid value: \"%s\": " STR_F " in body must be of type " STR_F ": \"%s\"",
                type_word(value), STR_A(path), STR_A(type), type_word(value));
    return false;
}

static void check_enum(const struct check *c, const struct json *schema, const struct json *value,
                       str_t path)
{
    const struct json *allowed = json_get(schema, STR("enum"));
    if (allowed == NULL)
        return;
    AUTO(buf_done) struct buf list = {0};
    JSON_EACH(allowed, each)
    {
        if (json_eq(each, value))
            return;
        if (list.len > 0)
            buf_add(&list, STR(", "));
        json_write(each, &list);
    }
    field_error(c->errors, FIELD_NOT_SUPPORTED, path,
                "Unsupported value: " STR_F ": supported values: " STR_F,
                STR_A(shown(value, c->arena)), STR_A(buf_str(&list)));
}

static void should(const struct check *c, const struct json *value, str_t path, const char *what,
                   const struct json *limit)
{
    field_error(c->errors, FIELD_INVALID, path,
                "Invalid value: " STR_F ": " STR_F " in body should be %s " STR_F,
                STR_A(shown(value, c->arena)), STR_A(path), what, STR_A(limit->text));
}

static void check_number(const struct check *c, const struct json *schema, const struct json *value,
                         str_t path)
{
    const struct json *least = json_get(schema, STR("minimum")),
                      *most = json_get(schema, STR("maximum")),
                      *step = json_get(schema, STR("multipleOf"));
    double number = number_of(value);
    bool above = jsonschema_is(schema, "exclusiveMinimum"),
         below = jsonschema_is(schema, "exclusiveMaximum");
    if (least != NULL && (number < number_of(least) || (above && number == number_of(least))))
        should(c, value, path, above ? "greater than" : "greater than or equal to", least);
    if (most != NULL && (number > number_of(most) || (below && number == number_of(most))))
        should(c, value, path, below ? "less than" : "less than or equal to", most);
    if (step != NULL && number_of(step) > 0 &&
        fabs(remainder(number, number_of(step))) > 1e-9 * fabs(number_of(step)))
        should(c, value, path, "a multiple of", step);
}

static size_t letters(str_t text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.at[i] & 0xc0) != 0x80;
    return n;
}

static bool limit_of(const struct json *schema, const char *word, int64_t *out)
{
    return json_to_i64(json_get(schema, str_from_z(word)), out);
}

static bool fits_format(str_t format, str_t text)
{
    msec_t when;
    if (str_eq(format, STR("date-time")))
        return time_parse(text, &when);
    if (str_eq(format, STR("date")))
        return text.len == 10 && text.at[4] == '-' && text.at[7] == '-';
    if (str_eq(format, STR("uuid")))
        return pattern_matches(STR("^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}"
                                   "-?[0-9a-fA-F]{12}$"),
                               text);
    if (str_eq(format, STR("byte")))
        return pattern_matches(STR("^[A-Za-z0-9+/]*={0,2}$"), text);
    if (str_eq(format, STR("email")))
        return pattern_matches(STR("^[^@\\s]+@[^@\\s]+$"), text);
    if (str_eq(format, STR("hostname")))
        return is_dns_subdomain(text);
    return true; /* Kubernetes ignores formats it does not know, too. */
}

static void check_string(const struct check *c, const struct json *schema, const struct json *value,
                         str_t path)
{
    int64_t limit;
    str_t pattern = json_get_text(schema, STR("pattern"));
    str_t format = json_get_text(schema, STR("format"));
    str_t text = shown(value, c->arena);
    if (limit_of(schema, "maxLength", &limit) && (int64_t)letters(value->text) > limit)
        field_error(c->errors, FIELD_TOO_LONG, path, "Too long: may not be more than %lld bytes",
                    (long long)limit);
    if (limit_of(schema, "minLength", &limit) && (int64_t)letters(value->text) < limit)
        field_error(c->errors, FIELD_INVALID, path,
                    "Invalid value: " STR_F ": " STR_F
                    " in body should be at least %lld chars long",
                    STR_A(text), STR_A(path), (long long)limit);
    if (pattern.len > 0 && !pattern_matches(pattern, value->text))
        field_error(c->errors, FIELD_INVALID, path,
                    "Invalid value: " STR_F ": " STR_F " in body should match '" STR_F "'",
                    STR_A(text), STR_A(path), STR_A(pattern));
    if (format.len > 0 && !fits_format(format, value->text))
        field_error(c->errors, FIELD_INVALID, path,
                    "Invalid value: " STR_F ": " STR_F " in body must be of type " STR_F ": " STR_F,
                    STR_A(text), STR_A(path), STR_A(format), STR_A(text));
}

static void check_counts(const struct check *c, const struct json *schema, const struct json *value,
                         str_t path, bool list)
{
    int64_t limit, n = (int64_t)json_count(value);
    if (limit_of(schema, list ? "maxItems" : "maxProperties", &limit) && n > limit)
        field_error(c->errors, FIELD_TOO_MANY, path, "Too many: %lld: must have at most %lld items",
                    (long long)n, (long long)limit);
    if (limit_of(schema, list ? "minItems" : "minProperties", &limit) && n < limit)
        field_error(c->errors, FIELD_INVALID, path,
                    "Invalid value: %lld: " STR_F " in body should have at least %lld %s",
                    (long long)n, STR_A(path), (long long)limit, list ? "items" : "properties");
}

/* Items of a set, and keys of a map, are there once. */
static void check_twice(const struct check *c, const struct json *schema, const struct json *list,
                        str_t path)
{
    str_t type = json_get_text(schema, STR("x-kubernetes-list-type"));
    bool map = str_eq(type, STR("map"));
    if (!map && !str_eq(type, STR("set")))
        return;
    AUTO(map_done) struct map seen = {0};
    size_t i = 0;
    JSON_EACH(list, item)
    {
        AUTO(buf_done) struct buf key = {0};
        if (map)
            JSON_EACH(json_get(schema, STR("x-kubernetes-list-map-keys")), name)
            {
                const struct json *value = json_get(item, json_text(name, STR("")));
                buf_printf(&key, "%s" STR_F "=", key.len > 0 ? "," : "",
                           STR_A(json_text(name, STR(""))));
                if (value != NULL)
                    json_write(value, &key);
            }
        else
            json_write(item, &key);
        str_t text = arena_str(c->arena, buf_str(&key));
        if (map_find(&seen, text) != NULL)
            field_error(c->errors, FIELD_DUPLICATE,
                        arena_printf(c->arena, STR_F "[%zu]", STR_A(path), i),
                        "Duplicate value: " STR_F, STR_A(text));
        else
            map_add(&seen, text, arena_new(c->arena, struct map_node));
        i++;
    }
}

static void check_list(const struct check *c, const struct json *schema, const struct json *value,
                       str_t path, unsigned depth)
{
    const struct json *items = json_get(schema, STR("items"));
    size_t i = 0;
    check_counts(c, schema, value, path, true);
    check_twice(c, schema, value, path);
    if (items != NULL && items->type == JSON_OBJECT)
        JSON_EACH(value, item)
    check_value(c, items, item, arena_printf(c->arena, STR_F "[%zu]", STR_A(path), i++), depth + 1);
}

static void check_members(const struct check *c, const struct json *schema,
                          const struct json *value, str_t path, unsigned depth)
{
    const struct json *own = json_get(schema, STR("properties"));
    const struct json *others = json_get(schema, STR("additionalProperties"));
    const char *dot = path.len > 0 ? "." : "";
    check_counts(c, schema, value, path, false);
    JSON_EACH(json_get(schema, STR("required")), name)
    if (json_get(value, json_text(name, STR(""))) == NULL)
        field_error(c->errors, FIELD_REQUIRED,
                    arena_printf(c->arena, STR_F "%s" STR_F, STR_A(path), dot,
                                 STR_A(json_text(name, STR("")))),
                    "Required value");
    JSON_EACH(value, child)
    {
        const struct json *inner = json_get(own, child->key);
        if (inner == NULL && others != NULL && others->type == JSON_OBJECT)
            inner = others;
        if (inner != NULL)
            check_value(
                c, inner, child,
                arena_printf(c->arena, STR_F "%s" STR_F, STR_A(path), dot, STR_A(child->key)),
                depth + 1);
    }
}

/* Does it fit, whatever would be said? */
static bool fits(const struct check *c, const struct json *schema, const struct json *value,
                 str_t path, unsigned depth)
{
    struct field_errors *quiet = arena_new(c->arena, struct field_errors);
    quiet->arena = c->arena;
    struct check inner = {quiet, c->arena, c->work};
    check_value(&inner, schema, value, path, depth + 1);
    return quiet->n == 0;
}

static void must(const struct check *c, str_t path, const char *what)
{
    field_error(c->errors, FIELD_INVALID, path, "Invalid value: \"\": \"" STR_F "\" must %s",
                STR_A(path), what);
}

static void check_junctors(const struct check *c, const struct json *schema,
                           const struct json *value, str_t path, unsigned depth)
{
    const struct json *any = json_get(schema, STR("anyOf")), *one = json_get(schema, STR("oneOf")),
                      *not = json_get(schema, STR("not"));
    size_t n = 0;
    JSON_EACH(json_get(schema, STR("allOf")), each)
    check_value(c, each, value, path, depth + 1);
    if (any != NULL) {
        JSON_EACH(any, each)
        n += n == 0 && fits(c, each, value, path, depth);
        if (n == 0)
            must(c, path, "validate at least one schema (anyOf)");
    }
    if (one != NULL) {
        n = 0;
        JSON_EACH(one, each)
        n += fits(c, each, value, path, depth);
        if (n != 1)
            must(c, path,
                 n == 0 ? "validate one and only one schema (oneOf). Found none valid"
                        : "validate one and only one schema (oneOf). Found more than one valid");
    }
    if (not != NULL && fits(c, not, value, path, depth))
        must(c, path, "not validate the schema (not)");
}

static void check_value(const struct check *c, const struct json *schema, const struct json *value,
                        str_t path, unsigned depth)
{
    if (++*c->work > JSONSCHEMA_WORK_MAX || depth > JSONSCHEMA_DEPTH_MAX + JSON_DEPTH_MAX) {
        if (c->errors->n == 0)
            field_error(c->errors, FIELD_INVALID, path,
                        "Invalid value: the object is too large to be checked by its schema");
        return;
    }
    if (!check_type(c, schema, value, path))
        return;
    check_enum(c, schema, value, path);
    if (value->type == JSON_NUMBER)
        check_number(c, schema, value, path);
    else if (value->type == JSON_STRING)
        check_string(c, schema, value, path);
    else if (value->type == JSON_ARRAY)
        check_list(c, schema, value, path, depth);
    else if (value->type == JSON_OBJECT)
        check_members(c, schema, value, path, depth);
    check_junctors(c, schema, value, path, depth);
}

void jsonschema_check(const struct json *schema, const struct json *object,
                      struct field_errors *errors)
{
    size_t work = 0;
    struct check c = {errors, errors->arena, &work};
    check_value(&c, schema, object, STR(""), 0);
}
