/*
 * schema.h - what a kind's fields are, as a table. Everything else is derived.
 *
 * A kind is a tree of `struct field` rows. From the rows alone we check a manifest, fill in
 * defaults, decode the protobuf bodies that client-go sends, decode the C view that controllers
 * read, find the merge key of a list, and print OpenAPI for kubectl explain. A rule that needs two
 * fields at once goes into the kind's check(); everything that concerns one field is in its row.
 *
 * Objects are kept as JSON, so fields that no controller of ours reads survive a round trip.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

struct schema;

enum field_type {
    FIELD_INT,    /* int32 */
    FIELD_LONG,   /* int64 */
    FIELD_NUMBER, /* float64 */
    FIELD_BOOL,
    FIELD_STRING,
    FIELD_BYTES,      /* Base64 in JSON, bytes in protobuf. */
    FIELD_TIME,       /* RFC 3339, seconds. */
    FIELD_MICRO_TIME, /* RFC 3339 with six digits. */
    FIELD_QUANTITY,
    FIELD_INT_OR_STRING,
    FIELD_RAW, /* Any JSON (FieldsV1, RawExtension). */
    FIELD_OBJECT,
    FIELD_LIST,
    FIELD_MAP, /* Keys are strings; `of` or `item` says what the values are. */
};

enum field_check { CHECK_NOTHING, CHECK_RANGE, CHECK_ONE_OF };

struct field {
    const char *name; /* As in JSON; a row without one ends the table. */
    enum field_type type;
    int proto;               /* Protobuf number, 0 = none. */
    const struct schema *of; /* Of an object, or of each item of a list or map of objects. */
    enum field_type item;    /* Of each item of a list or map of plain values (of == NULL). */
    int proto_in; /* Stands inside the message of this number, which has no JSON field. */
    bool pointer; /* In Go: zero and absent are two things, also in a protobuf body. */
    bool required;
    bool immutable;        /* A change is refused after creation. */
    const char *merge_key; /* Lists in a strategic merge: items with this field equal are one. */
    bool retain_keys;      /* Strategic merge: members a patch does not name go ($retainKeys). */
    bool set;              /* Lists of plain values: each is there once, and merged one by one. */
    const char *list_keys; /* Lists in an apply: "port,protocol"; NULL: the list is one value. */
    bool atomic;           /* Maps and objects in an apply: they are one value. */
    const char *otherwise; /* The default as text; of an object "{}". */
    enum field_check check;
    int64_t least, most;
    const char *const *one_of;
    bool in_view;
    size_t view_at;
    bool no_effect;  /* Accepted and kept; nothing will ever act on it or on what it holds. */
    const char *doc; /* One sentence; kubectl explain shows it. */
};

struct schema {
    const char *name; /* "core.v1.ConfigMap"; OpenAPI writes it as io.k8s.api.core.v1.ConfigMap */
    const struct field *fields;
    const char *doc;
    bool atomic; /* In an apply such an object is one value. */
    bool open;   /* Members the table does not have are kept as they are. */
};

/* clang-format off */
#define RANGE(lo, hi) .check = CHECK_RANGE, .least = (lo), .most = (hi)
#define ONE_OF(...) .check = CHECK_ONE_OF, .one_of = (const char *const[]){__VA_ARGS__, NULL}
#define VIEW(type, member) .in_view = true, .view_at = offsetof(type, member)
/* clang-format on */

enum { SCHEMA_DEPTH_MAX = 24, FIELD_ERRORS_MAX = 32 };

/* The `reason` of a cause in a 422, by Kubernetes' names (FieldValueInvalid ...). */
enum field_reason {
    FIELD_INVALID,
    FIELD_REQUIRED,
    FIELD_NOT_SUPPORTED,
    FIELD_DUPLICATE,
    FIELD_NOT_FOUND,
    FIELD_FORBIDDEN,
    FIELD_TOO_LONG,
    FIELD_TOO_MANY
};

/* Validation reports every fault it finds, as kubectl users expect. */
struct field_errors {
    struct arena *arena;
    size_t n;
    struct field_error {
        enum field_reason reason;
        str_t path; /* "spec.replicas" */
        str_t text; /* `Invalid value: -1: must be greater than or equal to 0` */
    } at[FIELD_ERRORS_MAX];
};

void field_error(struct field_errors *errors, enum field_reason reason, str_t path, const char *fmt,
                 ...) PRINTF_LIKE(4, 5);

/*
 * Types and names, before anything else. A wrong type is ERR_INVALID with Go's words ("json: cannot
 * unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"); fields the
 * table does not have are collected as paths ("spec.foo") in `unknown`, a JSON array of strings.
 */
int schema_decode_check(const struct schema *schema, const struct json *object,
                        struct json *unknown, struct arena *arena, struct err *err);
void schema_prune(const struct schema *schema,
                  struct json *object); /* Drops unknown fields, nulls, empty lists and maps. */
void schema_set_defaults(const struct schema *schema, struct json *object, struct arena *arena);
void schema_check(const struct schema *schema, const struct json *object,
                  struct field_errors *errors);
void schema_check_immutable(const struct schema *schema, const struct json *old,
                            const struct json *object, struct field_errors *errors);

/* `view` points to the struct that the table's VIEW() rows name. */
void schema_view(const struct schema *schema, const struct json *object, void *view);

/* A protobuf message of this schema to the JSON it means. Unknown numbers are skipped. */
int schema_from_protobuf(const struct schema *schema, str_t bytes, struct arena *arena,
                         struct json **out, struct err *err);

/* The OpenAPI v3 schema object of this type, references as #/components/schemas/NAME. */
struct json *schema_openapi(const struct schema *schema, struct arena *arena);
str_t schema_openapi_name(const struct schema *schema, struct arena *arena);
