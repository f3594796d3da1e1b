/* api_table.c - the other shapes of an object: a row of a Table, or its metadata alone. */
#include "api/api_priv.h"

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

struct json *partial_of(const struct json *object, struct arena *arena)
{
    struct json *partial = json_object(arena);
    json_add(partial, STR("kind"), json_string(arena, STR("PartialObjectMetadata")));
    json_add(partial, STR("apiVersion"), json_string(arena, STR("meta.k8s.io/v1")));
    json_add(partial, STR("metadata"), json_clone(json_get(object, STR("metadata")), arena));
    return partial;
}

static struct json *columns_of(const struct kind *kind, struct arena *arena)
{
    struct json *columns = json_array(arena);
    for (const struct column *column = kind->columns; column->title != NULL; column++) {
        struct json *definition = json_object(arena);
        json_add(definition, STR("name"), json_string(arena, str_from_z(column->title)));
        json_add(definition, STR("type"), json_string(arena, str_from_z(column->type)));
        json_add(definition, STR("format"), json_string(arena, str_from_z(column->format)));
        json_add(definition, STR("description"), json_string(arena, str_from_z(column->doc)));
        json_add(definition, STR("priority"), json_int(arena, column->priority));
        json_add(columns, STR(""), definition);
    }
    return columns;
}

/* Clients sort by a number as a number. */
static struct json *cell_of(const struct column *column, const struct json *object, msec_t wall_ms,
                            struct arena *arena)
{
    int64_t number;
    str_t text = column->text(object, wall_ms, arena);
    if (str_eq(str_from_z(column->type), STR("integer")) && str_to_i64(text, &number))
        return json_int(arena, number);
    return json_string(arena, text);
}

static struct json *row_of(const struct kind *kind, struct json *object, msec_t wall_ms,
                           str_t include, struct arena *arena)
{
    struct json *row = json_object(arena), *cells = json_array(arena);
    for (const struct column *column = kind->columns; column->title != NULL; column++)
        json_add(cells, STR(""), cell_of(column, object, wall_ms, arena));
    json_add(row, STR("cells"), cells);
    if (str_eq(include, STR("None")))
        return row;
    bool whole = str_eq(include, STR("Object"));
    json_add(row, STR("object"), whole ? object : partial_of(object, arena));
    return row;
}

struct json *table_of(const struct kind *kind, struct json *const *objects, size_t n,
                      msec_t wall_ms, bool with_columns, str_t include, struct arena *arena)
{
    struct json *table = json_object(arena), *rows = json_array(arena);
    json_add(table, STR("kind"), json_string(arena, STR("Table")));
    json_add(table, STR("apiVersion"), json_string(arena, STR("meta.k8s.io/v1")));
    json_add(table, STR("metadata"), json_object(arena));
    json_add(table, STR("columnDefinitions"),
             with_columns ? columns_of(kind, arena) : json_null(arena));
    for (size_t i = 0; i < n; i++)
        json_add(rows, STR(""), row_of(kind, objects[i], wall_ms, include, arena));
    json_add(table, STR("rows"), rows);
    return table;
}
