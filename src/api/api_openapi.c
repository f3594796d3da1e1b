/*
 * api_openapi.c - OpenAPI v3: which writes check fields, and the schemas for kubectl explain.
 *
 * kubectl asks for the index, then once for each group's document; it keeps them by their hash.
 */
#include "api/api_priv.h"

#include <stdio.h>
#include <string.h>

static struct json *text(struct arena *arena, const char *z)
{
    return json_string(arena, str_from_z(z));
}

static struct json *gvk(const struct kind *kind, struct arena *arena)
{
    struct json *out = json_object(arena);
    json_add(out, STR("group"), text(arena, kind->group));
    json_add(out, STR("version"), text(arena, kind->version));
    json_add(out, STR("kind"), text(arena, kind->name));
    return out;
}

static struct json *query_parameters(const char *const *names, struct arena *arena)
{
    struct json *list = json_array(arena);
    for (; *names != NULL; names++) {
        struct json *parameter = json_object(arena), *schema = json_object(arena);
        json_add(parameter, STR("name"), text(arena, *names));
        json_add(parameter, STR("in"), text(arena, "query"));
        json_add(schema, STR("type"), text(arena, "string"));
        json_add(parameter, STR("schema"), schema);
        json_add(list, STR(""), parameter);
    }
    return list;
}

static struct json *operation(const struct kind *kind, const char *action, bool writes,
                              struct arena *arena)
{
    static const char *const of_writes[] = {"dryRun", "fieldManager", "fieldValidation", NULL};
    static const char *const of_reads[] = {"labelSelector", "fieldSelector",   "limit",
                                           "continue",      "resourceVersion", NULL};
    struct json *out = json_object(arena), *responses = json_object(arena),
                *ok = json_object(arena);
    json_add(out, STR("parameters"), query_parameters(writes ? of_writes : of_reads, arena));
    json_add(ok, STR("description"), text(arena, "OK"));
    json_add(out, STR("responses"), json_add(responses, STR("200"), ok));
    json_add(out, STR("x-kubernetes-action"), text(arena, action));
    json_add(out, STR("x-kubernetes-group-version-kind"), gvk(kind, arena));
    return out;
}

static void add_paths(struct json *paths, const struct kind *kind, struct arena *arena)
{
    str_t version = kind_api_version(kind, arena);
    str_t base = arena_printf(arena, "%s" STR_F "/%s%s",
                              kind->group[0] == '\0' ? "/api/" : "/apis/", STR_A(version),
                              kind->namespaced ? "namespaces/{namespace}/" : "", kind->plural);
    struct json *collection = json_object(arena), *one = json_object(arena);
    json_add(collection, STR("get"), operation(kind, "list", false, arena));
    json_add(collection, STR("post"), operation(kind, "post", true, arena));
    json_add(one, STR("get"), operation(kind, "get", false, arena));
    json_add(one, STR("put"), operation(kind, "put", true, arena));
    json_add(one, STR("patch"), operation(kind, "patch", true, arena));
    json_add(one, STR("delete"), operation(kind, "delete", true, arena));
    json_add(paths, base, collection);
    json_add(paths, arena_printf(arena, STR_F "/{name}", STR_A(base)), one);
}

static void add_schema(struct json *schemas, const struct schema *schema, const struct kind *kind,
                       struct arena *arena)
{
    str_t name = schema_openapi_name(schema, arena);
    if (json_get(schemas, name) != NULL)
        return;
    struct json *out = schema_openapi(schema, arena);
    if (kind != NULL)
        json_add(out, STR("x-kubernetes-group-version-kind"),
                 json_add(json_array(arena), STR(""), gvk(kind, arena)));
    json_add(schemas, name, out);
    for (const struct field *field = schema->fields; field->name != NULL; field++)
        if (field->of != NULL)
            add_schema(schemas, field->of, NULL, arena);
}

static struct json *document_of(str_t group_version, struct arena *arena)
{
    struct json *document = json_object(arena), *info = json_object(arena);
    struct json *paths = json_object(arena), *components = json_object(arena);
    struct json *schemas = json_object(arena);
    for (const struct kind *const *kind = kinds_all; *kind != NULL; kind++) {
        if (!str_eq(kind_api_version(*kind, arena), group_version))
            continue;
        add_paths(paths, *kind, arena);
        add_schema(schemas, (*kind)->schema, *kind, arena);
    }
    if (paths->first == NULL)
        return NULL;
    json_add(document, STR("openapi"), text(arena, "3.0.0"));
    json_add(info, STR("title"), text(arena, "Davy"));
    json_add(info, STR("version"), text(arena, DAVY_VERSION));
    json_add(document, STR("info"), info);
    json_add(document, STR("paths"), paths);
    json_add(components, STR("schemas"), schemas);
    json_add(document, STR("components"), components);
    return document;
}

static void answer_index(struct call *call)
{
    struct arena *arena = call->arena;
    struct json *index = json_object(arena), *paths = json_object(arena);
    for (const struct kind *const *kind = kinds_all; *kind != NULL; kind++) {
        str_t version = kind_api_version(*kind, arena);
        str_t key = arena_printf(arena, "%s" STR_F, (*kind)->group[0] == '\0' ? "api/" : "apis/",
                                 STR_A(version));
        struct json *entry = json_object(arena);
        /* The tables are compiled in: a version of Davy has one form of each document. */
        json_add(entry, STR("serverRelativeURL"),
                 json_string(arena, arena_printf(arena, "/openapi/v3/" STR_F "?hash=" DAVY_VERSION,
                                                 STR_A(key))));
        json_set(paths, key, entry);
    }
    json_add(index, STR("paths"), paths);
    answer_json(call, 200, index);
}

bool openapi_answer(struct call *call)
{
    str_t path = call->x->path;
    if (str_eq(path, STR("/openapi/v3"))) {
        answer_index(call);
        return true;
    }
    static const str_t prefixes[] = {STR("/openapi/v3/apis/"), STR("/openapi/v3/api/")};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (!str_starts(path, prefixes[i]))
            continue;
        str_t version = {path.at + prefixes[i].len, path.len - prefixes[i].len};
        struct json *document = document_of(version, call->arena);
        if (document == NULL)
            return false;
        answer_json(call, 200, document);
        return true;
    }
    return false;
}
