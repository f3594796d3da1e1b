/* secret.c - Secret: values that are encrypted at rest. */
#include "codec/base64.h"
#include "kinds/columns.h"
#include "kinds/kinds.h"

/* clang-format off */
static const struct field secret_fields[] = {
    META_ROWS,
    {"data", FIELD_MAP, 2, .item = FIELD_BYTES, .doc = "Values by key, in base64."},
    {"type", FIELD_STRING, 3, .immutable = true, .otherwise = "Opaque",
     .doc = "What the values are for; some types want certain keys."},
    {"stringData", FIELD_MAP, 4, .item = FIELD_STRING,
     .doc = "Values as plain text; written only, moved to data."},
    {"immutable", FIELD_BOOL, 5, .doc = "Whether the values may never change again."},
    {0},
};
/* clang-format on */

static const struct schema secret_schema = {"core.v1.Secret", secret_fields,
                                            "Small values to keep to oneself."};

static void secret_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    (void)old;
    const struct json *plain = json_get(object, STR("stringData"));
    if (plain == NULL)
        return;
    struct json *data = json_get(object, STR("data"));
    if (data == NULL && plain->first != NULL) {
        data = json_object(arena);
        json_add(object, STR("data"), data);
    }
    JSON_EACH(plain, entry)
    json_set(data, entry->key, json_string(arena, base64_encode(entry->text, arena)));
    (void)json_remove(object, STR("stringData"));
}

/* Types that want keys. A second key means that one of the two is enough. */
static const struct {
    const char *type, *key, *or_key, *and_key;
    bool json; /* The value of `key` is. */
} wanted_keys[] = {
    {"kubernetes.io/tls", "tls.crt", NULL, "tls.key"},
    {"kubernetes.io/dockerconfigjson", ".dockerconfigjson", NULL, NULL, .json = true},
    {"kubernetes.io/dockercfg", ".dockercfg", NULL, NULL, .json = true},
    {"kubernetes.io/basic-auth", "username", "password", NULL},
    {"kubernetes.io/ssh-auth", "ssh-privatekey", NULL, NULL},
};

static void check_data_key(const struct json *data, const char *key, const char *or_key,
                           struct field_errors *errors)
{
    if (key == NULL || json_get(data, str_from_z(key)) != NULL ||
        (or_key != NULL && json_get(data, str_from_z(or_key)) != NULL))
        return;
    field_error(errors, FIELD_REQUIRED, arena_printf(errors->arena, "data[%s]", key),
                "Required value");
}

static const char *go_name(enum json_type type)
{
    if (type == JSON_STRING)
        return "string";
    if (type == JSON_ARRAY)
        return "array";
    return type == JSON_NUMBER ? "number" : "bool";
}

/* Credentials of image registries are JSON. Words about them must not show them. */
static void check_json_value(const struct json *data, const char *key, struct field_errors *errors)
{
    const struct json *value = json_get(data, str_from_z(key));
    struct json *parsed;
    str_t bytes;
    struct err err;
    if (value == NULL)
        return;
    str_t path = arena_printf(errors->arena, "data[%s]", key);
    if (base64_decode(json_text(value, STR("")), errors->arena, &bytes, &err) < 0)
        return; /* Said where types are checked. */
    if (json_parse(bytes, errors->arena, &parsed, &err) < 0)
        field_error(errors, FIELD_INVALID, path,
                    "Invalid value: \"<secret contents redacted>\": %s", err.text);
    else if (parsed->type != JSON_OBJECT && parsed->type != JSON_NULL)
        field_error(errors, FIELD_INVALID, path,
                    "Invalid value: \"<secret contents redacted>\": json: cannot unmarshal %s into "
                    "Go value of type map[string]interface {}",
                    go_name(parsed->type));
}

static void secret_check(const struct json *object, const struct json *old,
                         struct field_errors *errors)
{
    static const char *const values[] = {"data", NULL};
    const struct json *data = json_get(object, STR("data"));
    str_t type = json_get_text(object, STR("type"));
    check_data_keys(data, "data", errors);
    check_immutable_data(object, old, values, errors);
    for (size_t i = 0; i < ARRAY_LEN(wanted_keys); i++) {
        if (!str_eq(type, str_from_z(wanted_keys[i].type)))
            continue;
        check_data_key(data, wanted_keys[i].key, wanted_keys[i].or_key, errors);
        check_data_key(data, wanted_keys[i].and_key, NULL, errors);
        if (wanted_keys[i].json)
            check_json_value(data, wanted_keys[i].key, errors);
    }
    static const str_t account = STR("kubernetes.io/service-account.name");
    if (str_eq(type, STR("kubernetes.io/service-account-token")) &&
        json_get_text(json_at(object, "metadata.annotations"), account).len == 0)
        field_error(errors, FIELD_REQUIRED,
                    arena_printf(errors->arena, "metadata.annotations[" STR_F "]", STR_A(account)),
                    "Required value");
    size_t bytes = 0;
    JSON_EACH(data, entry)
    bytes += entry->text.len / 4 * 3;
    if (bytes > DATA_BYTES_MAX)
        field_error(errors, FIELD_TOO_LONG, STR("data"), "Too long: may not be more than %d bytes",
                    DATA_BYTES_MAX);
}

static str_t column_type(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    (void)arena;
    return json_get_text(object, STR("type"));
}

static str_t column_data(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return column_count(json_count(json_get(object, STR("data"))), arena);
}

/* clang-format off */
static const struct column secret_columns[] = {
    COLUMN_NAME,
    {"Type", "string", "", "What the values are for.", 0, column_type},
    {"Data", "string", "", "How many values there are.", 0, column_data},
    COLUMN_AGE,
    {0},
};

static const struct field_selector secret_selectors[] = {{"type", NULL}, {0}};

const struct kind kind_secret = {
    .group = "", .version = "v1", .name = "Secret", .plural = "secrets", .singular = "secret",
    .namespaced = true, .secret = true, .schema = &secret_schema, .prepare = secret_prepare,
    .check = secret_check, .columns = secret_columns, .selectors = secret_selectors,
};
/* clang-format on */
