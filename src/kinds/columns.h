/* columns.h - columns that many kinds have. */
#pragma once

#include "kube/meta.h"

str_t column_name(const struct json *object, msec_t wall_ms, struct arena *arena);
str_t column_age(const struct json *object, msec_t wall_ms, struct arena *arena);
str_t column_count(size_t n, struct arena *arena);

/* clang-format off */
#define COLUMN_NAME {"Name", "string", "name", "Name, unique in its namespace.", 0, column_name}
#define COLUMN_AGE {"Age", "string", "", "How long ago it was made.", 0, column_age}
/* The rows every kind's table begins with. */
#define META_ROWS                                                                                  \
    {"kind", FIELD_STRING, .doc = "Kind of this object."},                                         \
    {"apiVersion", FIELD_STRING, .doc = "Group and version of the kind."},                         \
    {"metadata", FIELD_OBJECT, 1, .of = &object_meta_schema, .doc = "What every object has."}
/* clang-format on */

/* Keys of ConfigMaps and Secrets, and the limit on all their values together. */
enum { DATA_BYTES_MAX = 1024 * 1024 };
void check_data_keys(const struct json *map, const char *path, struct field_errors *errors);
void check_immutable_data(const struct json *object, const struct json *old,
                          const char *const *fields, struct field_errors *errors);
