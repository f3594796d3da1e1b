/* columns.h - columns that many kinds have. */
#pragma once

#include "kube/meta.h"

str_t column_name(const struct json *object, msec_t wall_ms, struct arena *arena);
str_t column_age(const struct json *object, msec_t wall_ms, struct arena *arena);
str_t column_created(const struct json *object, msec_t wall_ms, struct arena *arena);
str_t column_count(size_t n, struct arena *arena);
/* A text, number or bool at a dotted path; `otherwise` when it is not there. */
str_t path_text(const struct json *object, const char *path, const char *otherwise);
int64_t path_int(const struct json *object, const char *path, int64_t otherwise);
/* Columns of what a workload's template has; the selector of any workload. */
str_t column_containers(const struct json *object, msec_t wall_ms, struct arena *arena);
str_t column_images(const struct json *object, msec_t wall_ms, struct arena *arena);
str_t column_selector(const struct json *object, msec_t wall_ms, struct arena *arena);

/* A column that shows what stands at a path. */
#define PATH_COLUMN(function, path, otherwise)                                                     \
    static str_t function(const struct json *object, msec_t wall_ms, struct arena *arena)          \
    {                                                                                              \
        (void)wall_ms;                                                                             \
        (void)arena;                                                                               \
        return path_text(object, path, otherwise);                                                 \
    }

extern const char *const category_all[]; /* `kubectl get all` */

/* clang-format off */
#define COLUMN_NAME {"Name", "string", "name", "Name, unique in its namespace.", 0, column_name}
#define COLUMN_AGE {"Age", "string", "", "How long ago it was made.", 0, column_age}
#define COLUMN_CONTAINERS                                                                          \
    {"Containers", "string", "", "Names of the containers.", 1, column_containers}
#define COLUMN_IMAGES {"Images", "string", "", "Images of the containers.", 1, column_images}
#define COLUMN_SELECTOR {"Selector", "string", "", "Which pods are meant.", 1, column_selector}
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
