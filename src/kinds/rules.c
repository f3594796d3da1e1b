/* rules.c - rules that several kinds share. */
#include "kinds/rules.h"

#include "base/map.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How Go shows a number of pods that is a text. */
#define GO_TEXT_COUNT "intstr.IntOrString{Type:1, IntVal:0, StrVal:\"" STR_F "\"}"

enum { PORT_NAME_MAX = 15, PORT_MAX = 65535, IP_TEXT_MAX = 46 };

str_t place_text(const struct place *place, struct arena *arena)
{
    if (place == NULL)
        return STR("");
    str_t up = place_text(place->up, arena); /* As deep as our calls are. */
    const char *dot = up.len > 0 ? "." : "";
    if (place->item < 0)
        return arena_printf(arena, STR_F "%s%s", STR_A(up), dot, place->name);
    return arena_printf(arena, STR_F "%s%s[%ld]", STR_A(up), dot, place->name, place->item);
}

void rule_error(struct field_errors *errors, enum field_reason reason, const struct place *at,
                const char *fmt, ...)
{
    va_list args;
    if (errors->n == FIELD_ERRORS_MAX)
        return;
    va_start(args, fmt);
    char *text = NULL;
    int len = vasprintf(&text, fmt, args);
    va_end(args);
    MUST(len >= 0 && text != NULL);
    field_error(errors, reason, place_text(at, errors->arena), "%s", text);
    free(text);
}

void rule_name(enum name_rule rule, str_t value, bool required, const struct place *at,
               struct field_errors *errors)
{
    if (value.len > 0)
        check_name(rule, value, place_text(at, errors->arena), errors);
    else if (required)
        rule_error(errors, FIELD_REQUIRED, at, "Required value");
}

/* --- selectors --- */

static void check_expression(const struct json *expression, const struct place *at,
                             struct field_errors *errors)
{
    str_t op = json_get_text(expression, STR("operator"));
    size_t values = json_count(json_get(expression, STR("values")));
    bool list = str_eq(op, STR("In")) || str_eq(op, STR("NotIn"));
    bool none = str_eq(op, STR("Exists")) || str_eq(op, STR("DoesNotExist"));
    if (list && values == 0)
        rule_error(errors, FIELD_REQUIRED, IN(at, "values"),
                   "Required value: must be specified when `operator` is 'In' or 'NotIn'");
    if (none && values > 0)
        rule_error(errors, FIELD_FORBIDDEN, IN(at, "values"),
                   "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    if (!list && !none && op.len > 0)
        rule_error(errors, FIELD_INVALID, IN(at, "operator"),
                   "Invalid value: \"" STR_F "\": not a valid selector operator", STR_A(op));
    str_t key = json_get_text(expression, STR("key"));
    if (key.len > 0)
        check_key(key, place_text(IN(at, "key"), errors->arena), errors);
}

void rule_label_selector(const struct json *selector, const struct place *at,
                         struct field_errors *errors)
{
    const struct json *labels = json_get(selector, STR("matchLabels"));
    if (labels != NULL)
        check_labels(labels, place_text(IN(at, "matchLabels"), errors->arena), errors);
    long i = 0;
    JSON_EACH(json_get(selector, STR("matchExpressions")), expression)
    check_expression(expression, ITEM(at, "matchExpressions", i++), errors);
}

static bool has_value(const struct json *values, str_t value)
{
    JSON_EACH(values, each)
    if (str_eq(json_text(each, STR("")), value))
        return true;
    return false;
}

static bool expression_selects(const struct json *expression, const struct json *labels)
{
    str_t op = json_get_text(expression, STR("operator"));
    const struct json *label = json_get(labels, json_get_text(expression, STR("key")));
    const struct json *values = json_get(expression, STR("values"));
    if (str_eq(op, STR("In")))
        return label != NULL && has_value(values, json_text(label, STR("")));
    if (str_eq(op, STR("NotIn")))
        return label == NULL || !has_value(values, json_text(label, STR("")));
    if (str_eq(op, STR("Exists")))
        return label != NULL;
    return str_eq(op, STR("DoesNotExist")) && label == NULL;
}

bool selects(const struct json *selector, const struct json *labels)
{
    if (selector == NULL)
        return false;
    JSON_EACH(json_get(selector, STR("matchLabels")), wanted)
    if (!json_eq(json_get(labels, wanted->key), wanted))
        return false;
    JSON_EACH(json_get(selector, STR("matchExpressions")), expression)
    if (!expression_selects(expression, labels))
        return false;
    return true;
}

static void add_pairs(struct buf *out, const struct json *map)
{
    JSON_EACH(map, pair)
    buf_printf(out, "%s" STR_F "=" STR_F, out->len > 0 ? "," : "", STR_A(pair->key),
               STR_A(json_text(pair, STR(""))));
}

static void add_expression(struct buf *out, const struct json *expression)
{
    str_t op = json_get_text(expression, STR("operator"));
    str_t key = json_get_text(expression, STR("key"));
    bool in = str_eq(op, STR("In")), not_in = str_eq(op, STR("NotIn"));
    if (out->len > 0)
        buf_add_char(out, ',');
    if (str_eq(op, STR("DoesNotExist")))
        buf_add_char(out, '!');
    buf_add(out, key);
    if (!in && !not_in)
        return;
    buf_add(out, in ? STR(" in (") : STR(" notin ("));
    const struct json *values = json_get(expression, STR("values"));
    JSON_EACH(values, value)
    buf_printf(out, "%s" STR_F, value == values->first ? "" : ",",
               STR_A(json_text(value, STR(""))));
    buf_add_char(out, ')');
}

str_t selector_column(const struct json *selector, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    const struct json *labels = json_get(selector, STR("matchLabels"));
    const struct json *expressions = json_get(selector, STR("matchExpressions"));
    bool map = selector != NULL && selector->first != NULL && labels == NULL && expressions == NULL;
    add_pairs(&out, map ? selector : labels);
    JSON_EACH(expressions, expression)
    add_expression(&out, expression);
    return out.len > 0 ? arena_str(arena, buf_str(&out)) : STR("<none>");
}

/* --- numbers and ports --- */

static bool percent_of(str_t text, int64_t *value)
{
    return text.len > 1 && text.at[text.len - 1] == '%' &&
           str_to_i64((str_t){text.at, text.len - 1}, value) && *value >= 0;
}

bool is_zero_count(const struct json *value)
{
    int64_t number = -1;
    if (value == NULL)
        return false;
    if (value->type == JSON_STRING)
        return percent_of(value->text, &number) && number == 0;
    return json_to_i64(value, &number) && number == 0;
}

void rule_count_or_percent(const struct json *value, const struct place *at,
                           struct field_errors *errors)
{
    int64_t number;
    if (value == NULL)
        return;
    if (value->type == JSON_STRING && !percent_of(value->text, &number))
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: " GO_TEXT_COUNT
                   ": a valid percent string must be a numeric string followed by an ending '%%' "
                   "(e.g. '1%%',  or '93%%', regex used for validation is '[0-9]+%%')",
                   STR_A(value->text));
    else if (json_to_i64(value, &number) && number < 0)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: %lld: must be greater than or equal to 0", (long long)number);
}

void rule_at_most_all(const struct json *value, const struct place *at, struct field_errors *errors)
{
    int64_t number;
    if (value != NULL && value->type == JSON_STRING && percent_of(value->text, &number) &&
        number > 100)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: " GO_TEXT_COUNT ": must not be greater than 100%%",
                   STR_A(value->text));
}

void rule_port(const struct json *port, const struct place *at, struct field_errors *errors)
{
    int64_t number = 0;
    (void)json_to_i64(port, &number);
    if (number < 1 || number > PORT_MAX)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: %lld: must be between 1 and 65535, inclusive",
                   (long long)number);
}

bool is_port_name(str_t name)
{
    bool letter = false;
    if (name.len == 0 || name.len > PORT_NAME_MAX || name.at[0] == '-' ||
        name.at[name.len - 1] == '-')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool alpha = c >= 'a' && c <= 'z';
        letter = letter || alpha;
        if (!alpha && !(c >= '0' && c <= '9') && !(c == '-' && name.at[i - 1] != '-'))
            return false;
    }
    return letter;
}

void rule_port_or_name(const struct json *port, const struct place *at, struct field_errors *errors)
{
    if (port == NULL || port->type != JSON_STRING)
        rule_port(port, at, errors);
    else if (!is_port_name(port->text))
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"" STR_F "\": must contain at least one letter (a-z), only "
                   "a-z, 0-9 and single '-' inside, and be no more than 15 characters",
                   STR_A(port->text));
}

bool is_ip(str_t text)
{
    char z[IP_TEXT_MAX];
    unsigned char bytes[16];
    if (text.len == 0 || text.len >= sizeof(z))
        return false;
    memcpy(z, text.at, text.len);
    z[text.len] = '\0';
    return inet_pton(AF_INET, z, bytes) == 1 || inet_pton(AF_INET6, z, bytes) == 1;
}

bool is_cidr(str_t text)
{
    str_t ip, bits;
    int64_t n;
    bool ok = str_cut(text, '/', &ip, &bits) && is_ip(ip) && str_to_i64(bits, &n) && n >= 0;
    return ok && n <= (memchr(ip.at, ':', ip.len) != NULL ? 128 : 32);
}

void rule_cidr(str_t text, const struct place *at, struct field_errors *errors)
{
    if (!is_cidr(text))
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"" STR_F
                   "\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
                   STR_A(text));
}

/* --- lists and changes --- */

void rule_unique(const struct json *list, const char *key, const struct place *up, const char *name,
                 struct field_errors *errors)
{
    AUTO(map_done) struct map seen = {0};
    long i = 0;
    JSON_EACH(list, item)
    {
        str_t value = json_get_text(item, str_from_z(key));
        long at = i++;
        if (value.len == 0)
            continue;
        if (map_find(&seen, value) == NULL)
            map_add(&seen, value, arena_new(errors->arena, struct map_node));
        else
            rule_error(errors, FIELD_DUPLICATE, IN(ITEM(up, name, at), key),
                       "Duplicate value: \"" STR_F "\"", STR_A(value));
    }
}

void rule_unchanged(const struct json *was, const struct json *is, const struct place *at,
                    struct field_errors *errors)
{
    if (json_eq(was, is))
        return;
    AUTO(buf_done) struct buf text = {0};
    if (is != NULL)
        json_write(is, &text);
    rule_error(errors, FIELD_INVALID, at, "Invalid value: " STR_F ": field is immutable",
               STR_A(is != NULL ? buf_str(&text) : STR("\"\"")));
}

/* --- defaults --- */

struct json *rule_member(struct json *object, str_t name, struct arena *arena)
{
    struct json *there = json_get(object, name);
    if (there != NULL && there->type == JSON_OBJECT)
        return there;
    struct json *made = json_object(arena);
    json_set(object, name, made);
    return made;
}

void rule_default_text(struct json *object, const char *name, const char *text, struct arena *arena)
{
    if (json_get(object, str_from_z(name)) == NULL)
        json_add(object, str_from_z(name), json_string(arena, str_from_z(text)));
}

void rule_default_int(struct json *object, const char *name, int64_t value, struct arena *arena)
{
    if (json_get(object, str_from_z(name)) == NULL)
        json_add(object, str_from_z(name), json_int(arena, value));
}
