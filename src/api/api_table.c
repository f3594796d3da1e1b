/*
 * api_table.c - a stored object as a client wants to see it: in the version of its kind that was
 * asked for, whole, as a row of a Table, or its metadata alone.
 *
 * Lists of thousands are written object by object: a tree is made for what columns look at and
 * forgotten again, metadata goes out as the text it is.
 */
#include "api/api_priv.h"
#include "base/json_reader.h"
#include "kube/jsonpath.h"

str_t str_trim(str_t text)
{
    while (text.len > 0 && text.at[0] == ' ')
        text = (str_t){text.at + 1, text.len - 1};
    while (text.len > 0 && text.at[text.len - 1] == ' ')
        text.len--;
    return text;
}

/* The first media range we can serve decides: clients put what they like best first. */
enum api_format accept_format(str_t accept)
{
    str_t range, type, params, param;
    while (accept.len > 0) {
        str_cut(accept, ',', &range, &accept);
        str_cut(range, ';', &type, &params);
        if (!str_eq(str_trim(type), STR("application/json")))
            continue;
        enum api_format format = FORMAT_OBJECT;
        bool v1 = true;
        while (params.len > 0) {
            str_cut(params, ';', &param, &params);
            param = str_trim(param);
            if (str_eq(param, STR("as=Table")))
                format = FORMAT_TABLE;
            else if (str_starts(param, STR("as=PartialObjectMetadata")))
                format = FORMAT_PARTIAL;
            else if (str_starts(param, STR("v=")))
                v1 = str_eq(param, STR("v=v1"));
        }
        if (format == FORMAT_OBJECT || v1)
            return format;
    }
    return FORMAT_OBJECT;
}

bool accept_allows_json(str_t accept)
{
    if (accept.len == 0)
        return true;
    str_t range, type, params;
    while (accept.len > 0) {
        str_cut(accept, ',', &range, &accept);
        str_cut(range, ';', &type, &params);
        type = str_trim(type);
        if (str_eq(type, STR("*/*")) || str_eq(type, STR("application/*")) ||
            str_eq(type, STR("application/json")))
            return true;
    }
    return false;
}

struct json *object_tree(const struct object *object, struct arena *arena)
{
    struct json *tree;
    struct err err;
    int r = json_parse(object->json, arena, &tree, &err);
    MUST(r == 0); /* We wrote it. */
    return tree;
}

/* --- versions --- */

static bool is_stored_form(const struct kind *kind)
{
    return kind->stored_as == NULL && !kind->mixed;
}

static void to_version(const struct kind *kind, struct json *tree, struct arena *arena)
{
    if (is_stored_form(kind))
        return;
    if (kind->from_stored != NULL)
        kind->from_stored(tree, arena);
    json_set(tree, STR("kind"), json_string(arena, str_from_z(kind->name)));
    json_set(tree, STR("apiVersion"), json_string(arena, kind_api_version(kind, arena)));
}

struct json *object_tree_as(const struct kind *kind, const struct object *object,
                            struct arena *arena)
{
    struct json *tree = object_tree(object, arena);
    to_version(kind, tree, arena);
    return tree;
}

void object_write_as(const struct kind *kind, const struct object *object, struct buf *out)
{
    if (is_stored_form(kind)) {
        buf_add(out, object->json);
        return;
    }
    AUTO(arena_done) struct arena arena = {0};
    json_write(object_tree_as(kind, object, &arena), out);
}

/* --- rows and metadata --- */

/* The tree of metadata, but for managedFields, which no column shows and which is large. */
static struct json *metadata_of(struct json_reader *reader, struct arena *arena)
{
    struct json *metadata = json_object(arena), *child;
    struct json_item item;
    int r;
    while ((r = json_next(reader, &item)) == 0 && item.event != JSON_CLOSE) {
        str_t key = item.key; /* Building what is in it goes on with the item. */
        if (item.event == JSON_OPEN && str_eq(key, STR("managedFields")))
            r = json_skip(reader);
        else if ((r = json_build(reader, &item, arena, &child)) == 0)
            json_add(metadata, key, child);
        MUST(r == 0);
    }
    MUST(r == 0);
    return metadata;
}

/* What columns look at; and where metadata's text is. */
static struct json *tree_for_columns(const struct object *object, struct arena *arena,
                                     str_t *metadata)
{
    struct json *tree = json_object(arena), *child;
    struct json_reader reader;
    struct json_item item;
    struct err err;
    json_reader_init(&reader, object->json, arena, &err);
    int r = json_next(&reader, &item);
    while (r == 0 && (r = json_next(&reader, &item)) == 0 && item.event != JSON_CLOSE) {
        str_t key = item.key;
        if (item.event == JSON_OPEN && str_eq(key, STR("metadata"))) {
            const char *begin = reader.at - 1;
            child = metadata_of(&reader, arena);
            *metadata = (str_t){begin, (size_t)(reader.at - begin)};
        } else {
            r = json_build(&reader, &item, arena, &child);
        }
        if (r == 0)
            json_add(tree, key, child);
    }
    MUST(r == 0); /* We wrote it. */
    return tree;
}

static void partial_write(str_t metadata, struct buf *out)
{
    buf_add(out, STR("{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\","
                     "\"metadata\":"));
    buf_add(out, metadata);
    buf_add_char(out, '}');
}

static void columns_write(const struct kind *kind, struct buf *out)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *columns = json_array(&arena);
    for (const struct column *column = kind->columns; column->title != NULL; column++) {
        struct json *definition = json_object(&arena);
        json_add(definition, STR("name"), json_string(&arena, str_from_z(column->title)));
        json_add(definition, STR("type"), json_string(&arena, str_from_z(column->type)));
        json_add(definition, STR("format"), json_string(&arena, str_from_z(column->format)));
        json_add(definition, STR("description"), json_string(&arena, str_from_z(column->doc)));
        json_add(definition, STR("priority"), json_int(&arena, column->priority));
        json_add(columns, STR(""), definition);
    }
    json_write(columns, out);
}

/* A column of a CustomResourceDefinition: the value as it is, or how long ago it was. */
static void path_cell_write(const struct column *column, const struct json *tree, msec_t wall_ms,
                            struct arena *arena, struct buf *out)
{
    const struct json *value = jsonpath_get(tree, str_from_z(column->path));
    bool date = str_eq(str_from_z(column->type), STR("date"));
    bool text = str_eq(str_from_z(column->type), STR("string"));
    if (value == NULL || value->type == JSON_NULL) {
        buf_add(out, STR("null"));
    } else if (date) {
        json_write_string(age_text(json_text(value, STR("")), wall_ms, arena), out);
    } else if (text && value->type != JSON_STRING) {
        AUTO(buf_done) struct buf shown = {0};
        json_write(value, &shown);
        json_write_string(buf_str(&shown), out);
    } else {
        json_write(value, out);
    }
}

/* Clients sort by a number as a number. */
static void cell_write(const struct column *column, const struct json *tree, msec_t wall_ms,
                       struct arena *arena, struct buf *out)
{
    int64_t number;
    if (column->path != NULL) {
        path_cell_write(column, tree, wall_ms, arena, out);
        return;
    }
    str_t text = column->text(tree, wall_ms, arena);
    if (str_eq(str_from_z(column->type), STR("integer")) && str_to_i64(text, &number))
        buf_add(out, text);
    else
        json_write_string(text, out);
}

void shape_begin(const struct shape *shape, str_t metadata, struct buf *out)
{
    if (shape->format == FORMAT_TABLE) {
        buf_add(out, STR("{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":"));
        buf_add(out, metadata);
        buf_add(out, STR(",\"columnDefinitions\":"));
        if (shape->without_columns)
            buf_add(out, STR("null"));
        else
            columns_write(shape->kind, out);
        buf_add(out, STR(",\"rows\":["));
        return;
    }
    AUTO(arena_done) struct arena arena = {0};
    if (shape->format == FORMAT_PARTIAL)
        buf_add(out, STR("{\"kind\":\"PartialObjectMetadataList\","
                         "\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":"));
    else
        buf_printf(out, "{\"kind\":\"%sList\",\"apiVersion\":\"" STR_F "\",\"metadata\":",
                   shape->kind->name, STR_A(kind_api_version(shape->kind, &arena)));
    buf_add(out, metadata);
    buf_add(out, STR(",\"items\":["));
}

static void row_write(const struct shape *shape, const struct object *object, struct arena *arena,
                      struct buf *out)
{
    str_t metadata = STR("{}");
    struct json *tree = tree_for_columns(object, arena, &metadata);
    to_version(shape->kind, tree, arena);
    buf_add(out, STR("{\"cells\":["));
    for (const struct column *column = shape->kind->columns; column->title != NULL; column++) {
        if (column != shape->kind->columns)
            buf_add_char(out, ',');
        cell_write(column, tree, shape->wall_ms, arena, out);
    }
    buf_add_char(out, ']');
    if (!str_eq(shape->include, STR("None"))) {
        buf_add(out, STR(",\"object\":"));
        if (str_eq(shape->include, STR("Object")))
            object_write_as(shape->kind, object, out);
        else
            partial_write(metadata, out);
    }
    buf_add_char(out, '}');
}

void shape_add(const struct shape *shape, const struct object *object, struct arena *scratch,
               struct buf *out)
{
    str_t metadata = STR("{}");
    switch (shape->format) {
    case FORMAT_OBJECT:
        object_write_as(shape->kind, object, out);
        return;
    case FORMAT_PARTIAL:
        (void)tree_for_columns(object, scratch, &metadata);
        partial_write(metadata, out);
        break;
    case FORMAT_TABLE:
        row_write(shape, object, scratch, out);
        break;
    }
    arena_reset(scratch);
}

void shape_end(struct buf *out)
{
    buf_add(out, STR("]}\n"));
}

void shape_one(const struct shape *shape, const struct object *object, struct buf *out)
{
    AUTO(arena_done) struct arena arena = {0};
    if (shape->format != FORMAT_TABLE) {
        shape_add(shape, object, &arena, out);
        return;
    }
    str_t meta =
        arena_printf(&arena, "{\"resourceVersion\":\"%llu\"}", (unsigned long long)object->rv);
    AUTO(arena_done) struct arena scratch = {0};
    shape_begin(shape, meta, out);
    shape_add(shape, object, &scratch, out);
    buf_add(out, STR("]}"));
}

struct shape call_shape(const struct call *call)
{
    return (struct shape){.kind = call->kind,
                          .format = call->format,
                          .include = call_query(call, STR("includeObject")),
                          .wall_ms = loop_wall_ms(call->api->loop)};
}
