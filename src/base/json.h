/*
 * json.h - JSON (RFC 8259): a tree in an arena, and text made from it.
 *
 * Numbers keep the text they were written with and objects the order of their keys, so reading and
 * writing gives the same document back. A tree that came from json_parse() points into the text it
 * was parsed from wherever a string needed no unescaping: the text must live as long as the tree.
 *
 * A tree is read-only once it has been handed on. To change one that is shared, json_clone() it.
 * base/json_reader.h reads a document without building a tree.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

enum { JSON_DEPTH_MAX = 128 };

struct json {
    enum json_type type;
    bool boolean;
    str_t key; /* Set when the parent is an object. */
    union {
        str_t text; /* A string's decoded bytes, or a number as it was written. */
        struct {
            struct json *first; /* Array or object: its children, in order. */
            struct json *last;
        };
    };
    struct json *next;
};

/*
 * Reads exactly one document. Strict: no comments, no trailing commas, valid UTF-8 only, no more
 * than JSON_DEPTH_MAX levels. A key that is there twice keeps its last value. ERR_INVALID says
 * what was expected, with line and column. Size limits are the caller's: `text` is all there is.
 */
int json_parse(str_t text, struct arena *arena, struct json **out, struct err *err);
/*
 * As json_parse(), and adds the paths of keys that are there twice ("spec.ports[0].name") to the
 * array, at most JSON_TWICE_MAX of them.
 */
enum { JSON_TWICE_MAX = 32 };
int json_parse_told(str_t text, struct arena *arena, struct json *twice, struct json **out,
                    struct err *err);
/* One member of the outermost object, NULL if absent; reads no further than its end. */
int json_pick(str_t text, str_t key, struct arena *arena, struct json **out, struct err *err);

/* As JSON text, without white space; or indented by two spaces a level. */
void json_write(const struct json *json, struct buf *out);
void json_write_pretty(const struct json *json, struct buf *out);
void json_write_string(str_t text, struct buf *out); /* Quoted and escaped. */

struct json *json_null(struct arena *a);
struct json *json_bool(struct arena *a, bool value);
struct json *json_object(struct arena *a);
struct json *json_array(struct arena *a);
struct json *json_int(struct arena *a, int64_t value);
struct json *json_string(struct arena *a, str_t value); /* Keeps the view, does not copy. */
struct json *json_clone(const struct json *json, struct arena *a); /* Deep; strings copied too. */

/* Appends, and returns `parent` so that literals can be nested. `key` is kept as a view. */
struct json *json_add(struct json *parent, str_t key, struct json *child);
/* Replace the member's value in its place, or append it. */
void json_set(struct json *object, str_t key, struct json *value);
bool json_remove(struct json *object, str_t key); /* Was it there? */

/* All of these take NULL or another type and then find nothing. */
struct json *json_get(const struct json *object, str_t key);              /* NULL if absent */
struct json *json_at(const struct json *object, const char *dotted_path); /* "metadata.name" */
str_t json_text(const struct json *json, str_t otherwise);                /* Of a string. */
str_t json_get_text(const struct json *object, str_t key);                /* "" if absent */
bool json_to_i64(const struct json *json, int64_t *out);                  /* Whole numbers only. */
bool json_is_true(const struct json *json);
bool json_eq(const struct json *a, const struct json *b); /* Order of keys does not matter. */
size_t json_count(const struct json *parent);

/* NULL also for what has no children, as a text. */
static inline struct json *json_first(const struct json *parent)
{
    bool holds = parent != NULL && (parent->type == JSON_ARRAY || parent->type == JSON_OBJECT);
    return holds ? parent->first : NULL;
}

#define JSON_EACH(parent, child)                                                                   \
    for (struct json *child = json_first(parent); child != NULL; child = child->next)

/*
 * Finding members of an object that may be large (a hostile one has a hundred thousand) without
 * looking at them all each time. The object must not change meanwhile.
 */
struct json_index {
    const struct json *object;
    struct json **slots; /* NULL: so few that a look at each is cheaper. */
    size_t mask;
};
void json_index_init(struct json_index *index, const struct json *object, struct arena *arena);
struct json *json_index_get(const struct json_index *index, str_t key);

/* Of keys that are there more than once the first place and the last value stay. How many went. */
size_t json_drop_duplicates(struct json *object, struct arena *arena);
/* The same; each key that goes is told. */
size_t json_drop_told(struct json *object, struct arena *arena, void (*tell)(void *self, str_t key),
                      void *self);
