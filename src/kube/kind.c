/* kind.c - how kinds are named. */
#include "kube/kind.h"

#include "kube/jsonschema.h"
#include "kube/meta.h"

str_t kind_resource(const struct kind *kind, struct arena *arena)
{
    if (kind->group[0] == '\0')
        return str_from_z(kind->plural);
    return arena_printf(arena, "%s.%s", kind->plural, kind->group);
}

bool kind_is_stored(const struct kind *kind)
{
    return !kind->only_create && !kind->only_read;
}

str_t kind_stored_resource(const struct kind *kind, struct arena *arena)
{
    return kind_resource(kind->stored_as != NULL ? kind->stored_as : kind, arena);
}

str_t kind_api_version(const struct kind *kind, struct arena *arena)
{
    if (kind->group[0] == '\0')
        return str_from_z(kind->version);
    return arena_printf(arena, "%s/%s", kind->group, kind->version);
}

static const char *const change_verbs[] = {"get", "patch", "update", NULL};
static const struct subresource status = {"status", NULL, change_verbs, false};

const struct subresource *kind_subresource_at(const struct kind *kind, size_t i)
{
    size_t n = 0;
    for (const struct subresource *sub = kind->subresources; sub != NULL && sub->name != NULL;
         sub++)
        if (n++ == i)
            return sub;
    if (kind->scale != NULL && n++ == i)
        return &kind->scale->subresource;
    if (kind->has_status && n++ == i)
        return &status;
    return NULL;
}

const struct subresource *kind_subresource(const struct kind *kind, str_t name)
{
    const struct subresource *sub;
    for (size_t i = 0; (sub = kind_subresource_at(kind, i)) != NULL; i++)
        if (str_eq(name, str_from_z(sub->name)))
            return sub;
    return NULL;
}

/* --- by table or by JSON schema --- */

/* What a table says of custom objects, too. */
static const struct field head_fields[] = {
    {"apiVersion", FIELD_STRING},
    {"kind", FIELD_STRING},
    {"metadata", FIELD_OBJECT, .of = &object_meta_schema},
    {0},
};
static const struct schema head = {"meta.v1.Object", head_fields, .open = true};

int kind_decode_check(const struct kind *kind, struct json *object, struct json *unknown,
                      struct arena *arena, struct err *err)
{
    if (kind->custom == NULL)
        return schema_decode_check(kind->schema, object, unknown, arena, err);
    int r = schema_decode_check(&head, object, unknown, arena, err);
    if (r == 0)
        jsonschema_unknown(kind->custom, object, true, unknown, arena);
    return r;
}

void kind_prune(const struct kind *kind, struct json *object)
{
    struct json *meta = json_get(object, STR("metadata"));
    if (kind->custom == NULL)
        schema_prune(kind->schema, object);
    else if (meta != NULL && meta->type == JSON_OBJECT)
        schema_prune(&object_meta_schema, meta);
}

void kind_set_defaults(const struct kind *kind, struct json *object, struct arena *arena)
{
    if (kind->custom != NULL)
        jsonschema_default(kind->custom, object, arena);
    else if (!kind->as_given)
        schema_set_defaults(kind->schema, object, arena);
}

void kind_check_fields(const struct kind *kind, const struct json *object, const struct json *old,
                       struct field_errors *errors)
{
    if (kind->custom != NULL) {
        schema_check(&head, object, errors);
        jsonschema_check(kind->custom, object, errors);
        return;
    }
    schema_check(kind->schema, object, errors);
    if (old != NULL)
        schema_check_immutable(kind->schema, old, object, errors);
}
