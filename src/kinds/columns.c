/* columns.c - what ConfigMaps, Secrets and others share. */
#include "kinds/columns.h"

#include "kinds/pod_spec.h"

const char *const category_all[] = {"all", NULL};

str_t column_name(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    (void)arena;
    return json_text(json_at(object, "metadata.name"), STR(""));
}

str_t column_age(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    return age_text(json_text(json_at(object, "metadata.creationTimestamp"), STR("")), wall_ms,
                    arena);
}

str_t column_created(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    (void)arena;
    return json_text(json_at(object, "metadata.creationTimestamp"), STR(""));
}

str_t column_count(size_t n, struct arena *arena)
{
    return arena_printf(arena, "%zu", n);
}

str_t path_text(const struct json *object, const char *path, const char *otherwise)
{
    const struct json *json = json_at(object, path);
    if (json == NULL || json->type == JSON_NULL ||
        (json->type == JSON_STRING && json->text.len == 0))
        return str_from_z(otherwise);
    if (json->type == JSON_BOOL)
        return json->boolean ? STR("true") : STR("false");
    return json->type == JSON_STRING || json->type == JSON_NUMBER ? json->text
                                                                  : str_from_z(otherwise);
}

int64_t path_int(const struct json *object, const char *path, int64_t otherwise)
{
    int64_t value = otherwise;
    (void)json_to_i64(json_at(object, path), &value);
    return value;
}

str_t column_containers(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return containers_column(json_at(object, "spec.template.spec"), arena);
}

str_t column_images(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return images_column(json_at(object, "spec.template.spec"), arena);
}

str_t column_selector(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return selector_column(json_at(object, "spec.selector"), arena);
}

static bool is_config_key(str_t key)
{
    for (size_t i = 0; i < key.len; i++) {
        char c = key.at[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
        if (!ok)
            return false;
    }
    return key.len > 0 && key.len <= NAME_LEN_MAX && !str_eq(key, STR(".")) &&
           !str_starts(key, STR(".."));
}

void check_data_keys(const struct json *map, const char *path, struct field_errors *errors)
{
    if (map == NULL)
        return;
    JSON_EACH(map, entry)
    {
        if (is_config_key(entry->key))
            continue;
        str_t at = arena_printf(errors->arena, "%s[" STR_F "]", path, STR_A(entry->key));
        field_error(errors, FIELD_INVALID, at,
                    "Invalid value: \"" STR_F "\": a valid config key must consist of alphanumeric "
                    "characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', "
                    "regex used for validation is '[-._a-zA-Z0-9]+')",
                    STR_A(entry->key));
    }
}

void check_immutable_data(const struct json *object, const struct json *old,
                          const char *const *fields, struct field_errors *errors)
{
    if (old == NULL || !json_is_true(json_get(old, STR("immutable"))))
        return;
    if (!json_is_true(json_get(object, STR("immutable"))))
        field_error(errors, FIELD_FORBIDDEN, STR("immutable"),
                    "Forbidden: field is immutable when `immutable` is set");
    for (; *fields != NULL; fields++) {
        str_t name = str_from_z(*fields);
        const struct json *was = json_get(old, name), *is = json_get(object, name);
        if (json_count(was) + json_count(is) > 0 && !json_eq(was, is))
            field_error(errors, FIELD_FORBIDDEN, name,
                        "Forbidden: field is immutable when `immutable` is set");
    }
}
