/*
 * yaml.c - libfyaml's events to our tree.
 *
 * Events, not its documents: those leak when a document turns out to be broken halfway. Anchors are
 * ours then: each names a finished subtree, and an alias is a copy of it, counted like the rest.
 */
#include "codec/yaml.h"

#include "base/map.h"

#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

struct anchor {
    struct map_node node;
    struct json *json;
};

enum { KEYS_COMPARED_MAX = 64 };

struct builder {
    struct arena *arena;
    struct err *err;
    struct json *all; /* Finished documents. */
    struct json *open[JSON_DEPTH_MAX];
    str_t open_anchor[JSON_DEPTH_MAX];
    unsigned depth;
    str_t key; /* Of the innermost mapping: its value comes next. */
    bool has_key;
    size_t nodes;
    struct map anchors;
};

static int line_of(struct fy_event *event)
{
    const struct fy_mark *mark = fy_event_start_mark(event);
    return mark == NULL ? 0 : mark->line + 1;
}

static bool one_of(str_t text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (str_eq(text, str_from_z(*words)))
            return true;
    return false;
}

/* A JSON number as it stands: no leading zeros or plus sign, as the core schema allows too. */
static bool is_number(str_t text)
{
    size_t i = text.len > 0 && text.at[0] == '-' ? 1 : 0, from = i;
    while (i < text.len && text.at[i] >= '0' && text.at[i] <= '9')
        i++;
    if (i == from || (text.at[from] == '0' && i - from > 1))
        return false;
    if (i < text.len && text.at[i] == '.') {
        from = ++i;
        while (i < text.len && text.at[i] >= '0' && text.at[i] <= '9')
            i++;
        if (i == from)
            return false;
    }
    if (i < text.len && (text.at[i] | 32) == 'e') {
        i++;
        if (i < text.len && (text.at[i] == '+' || text.at[i] == '-'))
            i++;
        from = i;
        while (i < text.len && text.at[i] >= '0' && text.at[i] <= '9')
            i++;
        if (i == from)
            return false;
    }
    return i == text.len;
}

static struct json *plain_scalar(str_t text, struct arena *arena)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    if (one_of(text, nulls))
        return json_null(arena);
    if (one_of(text, trues))
        return json_bool(arena, true);
    if (one_of(text, falses))
        return json_bool(arena, false);
    struct json *json = json_string(arena, arena_str(arena, text));
    if (is_number(text))
        json->type = JSON_NUMBER;
    return json;
}

static str_t token_text(struct fy_token *token)
{
    size_t len = 0;
    const char *text = token == NULL ? NULL : fy_token_get_text(token, &len);
    return (str_t){text == NULL ? "" : text, text == NULL ? 0 : len};
}

static size_t count_nodes(const struct json *json)
{
    size_t n = 1;
    if (json->type == JSON_OBJECT || json->type == JSON_ARRAY)
        JSON_EACH(json, child)
    n += count_nodes(child);
    return n;
}

static unsigned height(const struct json *json)
{
    unsigned most = 0;
    if (json->type != JSON_OBJECT && json->type != JSON_ARRAY)
        return 0;
    JSON_EACH(json, child)
    {
        unsigned of_child = height(child);
        most = of_child > most ? of_child : most;
    }
    return most + 1;
}

static int too_large(struct builder *b)
{
    return err_set(b->err, ERR_INVALID, "yaml: the document is too large or too deep");
}

/* From now on `*name` means this subtree. */
static void remember(struct builder *b, str_t name, struct json *json)
{
    if (name.len == 0)
        return;
    struct map_node *same = map_find(&b->anchors, name);
    if (same != NULL)
        map_remove(&b->anchors, same);
    struct anchor *anchor = arena_new(b->arena, struct anchor);
    anchor->json = json;
    map_add(&b->anchors, name, &anchor->node);
}

/* A value is there: into the innermost container, or as a document. */
static int put(struct builder *b, struct fy_event *event, struct json *json)
{
    struct json *parent = b->depth == 0 ? b->all : b->open[b->depth - 1];
    if (++b->nodes > YAML_NODES_MAX)
        return too_large(b);
    if (parent->type == JSON_ARRAY) {
        if (b->depth > 0 || json->type != JSON_NULL) /* Empty documents are left out. */
            json_add(parent, STR(""), json);
        return 0;
    }
    if (b->has_key) {
        b->has_key = false;
        json_add(parent, b->key, json);
        return 0;
    }
    if (json->type == JSON_OBJECT || json->type == JSON_ARRAY)
        return err_set(b->err, ERR_INVALID, "yaml: line %d: a key must be a plain value",
                       line_of(event));
    return err_set(b->err, ERR_INTERNAL, "yaml: a value where a key was expected");
}

/* The first mistake of a person has its line; container_end() finds what is further on. */
static bool is_set(const struct json *mapping, str_t name)
{
    size_t i = 0;
    for (const struct json *child = mapping->first; child != NULL && i < KEYS_COMPARED_MAX;
         child = child->next, i++)
        if (str_eq(child->key, name))
            return true;
    return false;
}

static int put_key(struct builder *b, struct fy_event *event, str_t text)
{
    str_t name = arena_str(b->arena, text);
    if (str_eq(name, STR("<<")))
        return err_set(b->err, ERR_INVALID, "yaml: line %d: merge keys are not supported",
                       line_of(event));
    if (is_set(b->open[b->depth - 1], name))
        return err_set(b->err, ERR_INVALID, "yaml: line %d: key \"" STR_F "\" already set in map",
                       line_of(event), STR_A(name));
    b->key = name;
    b->has_key = true;
    return 0;
}

static bool wants_key(const struct builder *b)
{
    return b->depth > 0 && b->open[b->depth - 1]->type == JSON_OBJECT && !b->has_key;
}

static int scalar(struct builder *b, struct fy_event *event)
{
    struct fy_token *token = event->scalar.value;
    str_t text = token_text(token);
    if (wants_key(b))
        return put_key(b, event, text);
    bool plain = token == NULL || fy_token_scalar_style(token) == FYSS_PLAIN;
    struct json *json =
        plain ? plain_scalar(text, b->arena) : json_string(b->arena, arena_str(b->arena, text));
    remember(b, arena_str(b->arena, token_text(event->scalar.anchor)), json);
    return put(b, event, json);
}

static int alias(struct builder *b, struct fy_event *event)
{
    str_t name = token_text(event->alias.anchor);
    struct map_node *node = map_find(&b->anchors, name);
    if (node == NULL)
        return err_set(b->err, ERR_INVALID, "yaml: line %d: unknown anchor \"" STR_F "\"",
                       line_of(event), STR_A(name));
    struct json *json = CONTAINER_OF(node, struct anchor, node)->json;
    if (wants_key(b))
        return json->type == JSON_STRING
                   ? put_key(b, event, json->text)
                   : err_set(b->err, ERR_INVALID, "yaml: line %d: a key must be a plain value",
                             line_of(event));
    b->nodes += count_nodes(json);
    if (b->nodes > YAML_NODES_MAX || b->depth + height(json) > JSON_DEPTH_MAX)
        return too_large(b);
    return put(b, event, json_clone(json, b->arena));
}

static int container_start(struct builder *b, struct fy_event *event, struct json *json,
                           struct fy_token *anchor)
{
    if (b->depth == JSON_DEPTH_MAX)
        return too_large(b);
    int r = put(b, event, json);
    if (r < 0)
        return r;
    b->open_anchor[b->depth] = arena_str(b->arena, token_text(anchor));
    b->open[b->depth++] = json;
    return 0;
}

/* Only a finished subtree can be named: so none contains itself. */
static int container_end(struct builder *b, struct fy_event *event)
{
    MUST(b->depth > 0);
    struct json *json = b->open[--b->depth];
    if (json->type == JSON_OBJECT && json_drop_duplicates(json, b->arena) > 0)
        return err_set(b->err, ERR_INVALID,
                       "yaml: line %d: a key is set twice in the mapping that ends here",
                       line_of(event));
    remember(b, b->open_anchor[b->depth], json);
    return 0;
}

static int take(struct builder *b, struct fy_event *event)
{
    switch (event->type) {
    case FYET_SCALAR:
        return scalar(b, event);
    case FYET_ALIAS:
        return alias(b, event);
    case FYET_MAPPING_START:
        return container_start(b, event, json_object(b->arena), event->mapping_start.anchor);
    case FYET_SEQUENCE_START:
        return container_start(b, event, json_array(b->arena), event->sequence_start.anchor);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        return container_end(b, event);
    case FYET_DOCUMENT_START:
        map_done(&b->anchors);
        return 0;
    case FYET_NONE:
    case FYET_STREAM_START:
    case FYET_STREAM_END:
    case FYET_DOCUMENT_END:
        return 0;
    }
    return 0;
}

static int parse_failed(struct fy_diag *diag, struct err *err)
{
    void *at = NULL;
    struct fy_diag_error *first = fy_diag_errors_iterate(diag, &at);
    if (first == NULL)
        return err_set(err, ERR_INVALID, "yaml: the document is not valid");
    return err_set(err, ERR_INVALID, "yaml: line %d: %s", first->line, first->msg);
}

/*
 * What YAML does not allow anyway, and what libfyaml 0.7.12 does not survive: bytes that are no
 * UTF-8, control characters, and directives, on some of which it never ends.
 */
static int check_text(str_t text, struct err *err)
{
    int line = 1;
    bool fresh = true;
    for (size_t i = 0, n; i < text.len; i += n) {
        str_t rest = {text.at + i, text.len - i};
        unsigned char c = (unsigned char)rest.at[0];
        n = str_utf8_len(rest);
        if (n == 0 || (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
            return err_set(err, ERR_INVALID, "yaml: line %d: control characters are not allowed",
                           line);
        if (fresh && c == '%')
            return err_set(err, ERR_INVALID, "yaml: line %d: directives are not supported", line);
        fresh = c == '\n' || c == '\r';
        line += c == '\n';
    }
    return 0;
}

static int parse_events(struct builder *b, struct fy_parser *parser, struct fy_diag *diag)
{
    struct fy_event *event;
    int r = 0;
    while (r == 0 && (event = fy_parser_parse(parser)) != NULL) {
        r = take(b, event);
        fy_parser_event_free(parser, event);
    }
    if (r == 0 && (fy_parser_get_stream_error(parser) || fy_diag_got_error(diag)))
        r = parse_failed(diag, b->err);
    return r;
}

int yaml_parse_all(str_t text, struct arena *arena, struct json **out, struct err *err)
{
    int r = check_text(text, err);
    if (r < 0)
        return r;
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    diag_cfg.colorize = false;
    struct fy_diag *diag = fy_diag_create(&diag_cfg);
    MUST(diag != NULL);
    fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET, .diag = diag};
    struct fy_parser *parser = fy_parser_create(&cfg);
    MUST(parser != NULL);
    str_t copy = arena_str(arena, text);
    struct builder b = {.arena = arena, .err = err, .all = json_array(arena)};
    if (fy_parser_set_string(parser, copy.at, copy.len) == 0)
        r = parse_events(&b, parser, diag);
    else
        r = err_set(err, ERR_INTERNAL, "yaml: the parser cannot start");
    map_done(&b.anchors);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    if (r == 0)
        *out = b.all;
    return r;
}

int yaml_parse(str_t text, struct arena *arena, struct json **out, struct err *err)
{
    struct json *all = NULL;
    int r = yaml_parse_all(text, arena, &all, err);
    if (r < 0)
        return r;
    MUST(all != NULL);
    *out = all->first != NULL ? all->first : json_null(arena);
    return 0;
}
