/* configmap.c - ConfigMap: plain values for programs. */
#include "kinds/columns.h"
#include "kinds/kinds.h"

/* clang-format off */
static const struct field configmap_fields[] = {
    META_ROWS,
    {"data", FIELD_MAP, 2, .item = FIELD_STRING, .doc = "Text values by key."},
    {"binaryData", FIELD_MAP, 3, .item = FIELD_BYTES, .doc = "Values that are not UTF-8 text."},
    {"immutable", FIELD_BOOL, 4, .doc = "Whether the values may never change again."},
    {0},
};
/* clang-format on */

static const struct schema configmap_schema = {"core.v1.ConfigMap", configmap_fields,
                                               "Configuration that programs read."};

static void configmap_check(const struct json *object, const struct json *old,
                            struct field_errors *errors)
{
    static const char *const values[] = {"data", "binaryData", NULL};
    const struct json *data = json_get(object, STR("data"));
    const struct json *binary = json_get(object, STR("binaryData"));
    check_data_keys(data, "data", errors);
    check_data_keys(binary, "binaryData", errors);
    check_immutable_data(object, old, values, errors);
    size_t bytes = 0;
    JSON_EACH(data, entry)
    {
        bytes += entry->text.len;
        if (json_get(binary, entry->key) != NULL)
            field_error(errors, FIELD_INVALID,
                        arena_printf(errors->arena, "data[" STR_F "]", STR_A(entry->key)),
                        "Invalid value: \"" STR_F "\": duplicate of key present in binaryData",
                        STR_A(entry->key));
    }
    JSON_EACH(binary, entry)
    bytes += entry->text.len / 4 * 3;
    if (bytes > DATA_BYTES_MAX)
        field_error(errors, FIELD_TOO_LONG, STR(""), "Too long: may not be more than %d bytes",
                    DATA_BYTES_MAX);
}

static str_t column_data(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return column_count(json_count(json_get(object, STR("data"))) +
                            json_count(json_get(object, STR("binaryData"))),
                        arena);
}

/* clang-format off */
static const struct column configmap_columns[] = {
    COLUMN_NAME,
    {"Data", "string", "", "How many values there are.", 0, column_data},
    COLUMN_AGE,
    {0},
};

const struct kind kind_configmap = {
    .group = "", .version = "v1", .name = "ConfigMap", .plural = "configmaps",
    .singular = "configmap", .shortcuts = (const char *const[]){"cm", NULL}, .namespaced = true,
    .schema = &configmap_schema, .check = configmap_check, .columns = configmap_columns,
};
/* clang-format on */
