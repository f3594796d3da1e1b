/*
 * api_openapi.c - OpenAPI v3: which writes check fields, and the schemas for kubectl explain.
 *
 * kubectl asks for the index, then once for each group's document; it keeps them by their hash.
 */
#include "api/api_priv.h"
#include "codec/proto.h"

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

static struct json *operation(const struct kind *kind, const char *action, struct arena *arena)
{
    static const char *const of_writes[] = {"dryRun", "fieldManager", "fieldValidation", NULL};
    static const char *const of_reads[] = {"labelSelector", "fieldSelector",   "limit",
                                           "continue",      "resourceVersion", NULL};
    bool reads = strcmp(action, "get") == 0 || strcmp(action, "list") == 0;
    struct json *out = json_object(arena), *responses = json_object(arena),
                *ok = json_object(arena);
    json_add(out, STR("parameters"), query_parameters(reads ? of_reads : of_writes, arena));
    json_add(ok, STR("description"), text(arena, "OK"));
    json_add(out, STR("responses"), json_add(responses, STR("200"), ok));
    json_add(out, STR("x-kubernetes-action"), text(arena, action));
    json_add(out, STR("x-kubernetes-group-version-kind"), gvk(kind, arena));
    return out;
}

/* Pairs of a method and an action. */
static void add_path(struct json *paths, str_t path, const struct kind *kind,
                     const char *const (*operations)[2], struct arena *arena)
{
    struct json *item = json_object(arena);
    for (; (*operations)[0] != NULL; operations++)
        json_add(item, str_from_z((*operations)[0]), operation(kind, (*operations)[1], arena));
    json_add(paths, path, item);
}

static void add_paths(struct json *paths, const struct kind *kind, struct arena *arena)
{
    static const char *const of_all[][2] = {{"get", "list"}, {NULL, NULL}};
    static const char *const of_list[][2] = {
        {"get", "list"}, {"post", "post"}, {"delete", "deletecollection"}, {NULL, NULL}};
    static const char *const of_one[][2] = {
        {"get", "get"}, {"put", "put"}, {"patch", "patch"}, {"delete", "delete"}, {NULL, NULL},
    };
    static const char *const only_one[][2] = {{"get", "get"}, {NULL, NULL}};
    static const char *const of_status[][2] = {
        {"get", "get"}, {"put", "put"}, {"patch", "patch"}, {NULL, NULL}};
    str_t version = kind_api_version(kind, arena);
    str_t root = arena_printf(arena, "%s" STR_F "/", kind->group[0] == '\0' ? "/api/" : "/apis/",
                              STR_A(version));
    str_t base = arena_printf(arena, STR_F "%s%s", STR_A(root),
                              kind->namespaced ? "namespaces/{namespace}/" : "", kind->plural);
    str_t one = arena_printf(arena, STR_F "/{name}", STR_A(base));
    if (kind->namespaced)
        add_path(paths, arena_printf(arena, STR_F "%s", STR_A(root), kind->plural), kind, of_all,
                 arena);
    add_path(paths, base, kind, kind->only_read ? of_all : of_list, arena);
    add_path(paths, one, kind, kind->only_read ? only_one : of_one, arena);
    if (kind->has_status)
        add_path(paths, arena_printf(arena, STR_F "/status", STR_A(one)), kind, of_status, arena);
}

static void add_schema(struct json *schemas, const struct schema *schema, const struct kind *kind,
                       struct arena *arena);

/* Its JSON schema, with what every object has. */
static void add_custom(struct json *schemas, const struct kind *kind, struct arena *arena)
{
    struct json *out = json_clone(kind->custom, arena), *own = json_get(out, STR("properties"));
    if (own == NULL || own->type != JSON_OBJECT)
        json_set(out, STR("properties"), own = json_object(arena));
    static const char *const words[] = {"apiVersion", "kind"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        json_set(own, str_from_z(words[i]),
                 json_add(json_object(arena), STR("type"), text(arena, "string")));
    struct json *meta = json_object(arena);
    json_add(
        meta, STR("$ref"),
        json_string(arena, arena_printf(arena, "#/components/schemas/" STR_F,
                                        STR_A(schema_openapi_name(&object_meta_schema, arena)))));
    json_set(own, STR("metadata"), meta);
    json_add(out, STR("x-kubernetes-group-version-kind"),
             json_add(json_array(arena), STR(""), gvk(kind, arena)));
    json_add(schemas, schema_openapi_name(kind->schema, arena), out);
    add_schema(schemas, &object_meta_schema, NULL, arena);
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

static struct json *document_of(const struct api *api, str_t group_version, struct arena *arena)
{
    struct json *document = json_object(arena), *info = json_object(arena);
    struct json *paths = json_object(arena), *components = json_object(arena);
    struct json *schemas = json_object(arena);
    for (const struct kind *const *kind = api->kinds->at; *kind != NULL; kind++) {
        if (!str_eq(kind_api_version(*kind, arena), group_version))
            continue;
        add_paths(paths, *kind, arena);
        if ((*kind)->custom != NULL)
            add_custom(schemas, *kind, arena);
        else
            add_schema(schemas, (*kind)->schema, *kind, arena);
    }
    json_add(document, STR("openapi"), text(arena, "3.0.0"));
    json_add(info, STR("title"), text(arena, "Davy"));
    json_add(info, STR("version"), text(arena, DAVY_VERSION));
    json_add(document, STR("info"), info);
    json_add(document, STR("paths"), paths);
    json_add(components, STR("schemas"), schemas);
    json_add(document, STR("components"), components);
    return document;
}

/*
 * Version 2, which kubectl still asks for when it is given a List: it would check the items by
 * itself. A document that describes nothing leaves that to us, where every item is checked as it
 * is written. The media type that clients ask for is not one that they can read, for its "@", so
 * the answer has another. In protobuf: `swagger` is field 1, `info` field 2 with `title` 1 and
 * `version` 2.
 */
static void make_v2(struct api *api, struct arena *arena)
{
    AUTO(buf_done) struct buf info = {0}, body = {0};
    struct json *document = json_object(arena), *about = json_object(arena);
    str_t path = STR("/openapi/v2");
    str_t asked = STR("application/com.github.proto-openapi.spec.v2@v1.0+protobuf");
    str_t protobuf = STR("application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
    json_add(document, STR("swagger"), text(arena, "2.0"));
    json_add(about, STR("title"), text(arena, "Davy"));
    json_add(about, STR("version"), text(arena, DAVY_VERSION));
    json_add(document, STR("info"), about);
    json_add(document, STR("paths"), json_object(arena));
    document_add(api, path, STR(""), STR("application/json"), document);
    proto_put_bytes(&info, 1, STR("Davy"));
    proto_put_bytes(&info, 2, STR(DAVY_VERSION));
    proto_put_bytes(&body, 1, STR("2.0"));
    proto_put_bytes(&body, 2, buf_str(&info));
    document_add_bytes(api, path, asked, protobuf, buf_str(&body));
    document_add_bytes(api, path, protobuf, protobuf, buf_str(&body));
}

/* The index names each document with its hash, so that clients may keep it until it changes. */
void openapi_make(struct api *api)
{
    struct arena *arena = documents_scratch(api);
    struct json *index = json_object(arena), *paths = json_object(arena);
    for (const struct kind *const *kind = api->kinds->at; *kind != NULL; kind++) {
        str_t version = kind_api_version(*kind, arena);
        str_t key = arena_printf(arena, "%s" STR_F, (*kind)->group[0] == '\0' ? "api/" : "apis/",
                                 STR_A(version));
        if (json_get(paths, key) != NULL)
            continue;
        str_t path = arena_printf(arena, "/openapi/v3/" STR_F, STR_A(key));
        str_t etag = document_add(api, path, STR(""), STR("application/json"),
                                  document_of(api, version, arena));
        str_t hash = {etag.at + 1, etag.len - 2}; /* Without its quotes. */
        struct json *entry = json_object(arena);
        json_add(entry, STR("serverRelativeURL"),
                 json_string(arena,
                             arena_printf(arena, STR_F "?hash=" STR_F, STR_A(path), STR_A(hash))));
        json_add(paths, key, entry);
    }
    json_add(index, STR("paths"), paths);
    document_add(api, STR("/openapi/v3"), STR(""), STR("application/json"), index);
    make_v2(api, arena);
}
