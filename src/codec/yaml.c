/* yaml.c - libfyaml's node tree to ours. */
#include "codec/yaml.h"

#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

struct converter {
    struct arena *arena;
    size_t nodes;
    struct err *err;
};

static int convert(struct converter *c, struct fy_node *node, unsigned depth, struct json **out);

static int line_of(struct fy_node *node)
{
    struct fy_token *token =
        fy_node_get_type(node) == FYNT_SCALAR ? fy_node_get_scalar_token(node) : NULL;
    const struct fy_mark *mark = token == NULL ? NULL : fy_token_start_mark(token);
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

static int mapping(struct converter *c, struct fy_node *node, unsigned depth, struct json *object)
{
    struct fy_node_pair *pair;
    void *at = NULL;
    while ((pair = fy_node_mapping_iterate(node, &at)) != NULL) {
        struct fy_node *key = fy_node_pair_key(pair);
        size_t len = 0;
        const char *text = key == NULL ? NULL : fy_node_get_scalar(key, &len);
        if (text == NULL)
            return err_set(c->err, ERR_INVALID, "yaml: a key must be a plain value");
        str_t name = arena_str(c->arena, (str_t){text, len});
        if (str_eq(name, STR("<<")))
            return err_set(c->err, ERR_INVALID, "yaml: line %d: merge keys are not supported",
                           line_of(key));
        struct json *child;
        int r = convert(c, fy_node_pair_value(pair), depth + 1, &child);
        if (r < 0)
            return r;
        if (json_get(object, name) != NULL)
            return err_set(c->err, ERR_INVALID,
                           "yaml: line %d: key \"" STR_F "\" already set in map", line_of(key),
                           STR_A(name));
        json_add(object, name, child);
    }
    return 0;
}

static int convert(struct converter *c, struct fy_node *node, unsigned depth, struct json **out)
{
    if (++c->nodes > YAML_NODES_MAX || depth >= JSON_DEPTH_MAX)
        return err_set(c->err, ERR_INVALID, "yaml: the document is too large or too deep");
    if (node == NULL) {
        *out = json_null(c->arena);
        return 0;
    }
    if (fy_node_is_alias(node)) {
        struct fy_node *target = fy_node_resolve_alias(node);
        if (target == NULL)
            return err_set(c->err, ERR_INVALID, "yaml: line %d: unknown anchor", line_of(node));
        return convert(c, target, depth + 1, out);
    }
    if (fy_node_get_type(node) == FYNT_SCALAR) {
        size_t len = 0;
        const char *text = fy_node_get_scalar(node, &len);
        str_t view = {text == NULL ? "" : text, len};
        enum fy_node_style style = fy_node_get_style(node);
        bool plain = style == FYNS_PLAIN || style == FYNS_ANY;
        *out =
            plain ? plain_scalar(view, c->arena) : json_string(c->arena, arena_str(c->arena, view));
        return 0;
    }
    if (fy_node_get_type(node) == FYNT_MAPPING) {
        *out = json_object(c->arena);
        return mapping(c, node, depth, *out);
    }
    *out = json_array(c->arena);
    void *at = NULL;
    struct fy_node *item;
    while ((item = fy_node_sequence_iterate(node, &at)) != NULL) {
        struct json *child;
        int r = convert(c, item, depth + 1, &child);
        if (r < 0)
            return r;
        json_add(*out, STR(""), child);
    }
    return 0;
}

static int parse_failed(struct fy_diag *diag, struct err *err)
{
    struct fy_diag_error *first;
    void *at = NULL;
    first = fy_diag_errors_iterate(diag, &at);
    if (first == NULL)
        return err_set(err, ERR_INVALID, "yaml: the document is not valid");
    return err_set(err, ERR_INVALID, "yaml: line %d: %s", first->line, first->msg);
}

int yaml_parse_all(str_t text, struct arena *arena, struct json **out, struct err *err)
{
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
    int r = fy_parser_set_string(parser, copy.at, copy.len) == 0
                ? 0
                : err_set(err, ERR_INTERNAL, "yaml: the parser cannot start");
    struct json *all = json_array(arena);
    struct fy_document *document;
    struct converter c = {.arena = arena, .err = err};
    while (r == 0 && (document = fy_parse_load_document(parser)) != NULL) {
        struct json *json;
        struct fy_node *root = fy_document_root(document);
        if (root != NULL) {
            r = convert(&c, root, 0, &json);
            if (r == 0 && json->type != JSON_NULL)
                json_add(all, STR(""), json);
        }
        fy_parse_document_destroy(parser, document);
    }
    if (r == 0 && (fy_parser_get_stream_error(parser) || fy_diag_got_error(diag)))
        r = parse_failed(diag, err);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    if (r == 0)
        *out = all;
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
