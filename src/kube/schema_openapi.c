/* schema_openapi.c - a table as an OpenAPI v3 schema object, for kubectl explain. */
#include "kube/schema.h"

#include <string.h>

/* "core.v1.ConfigMap" -> "io.k8s.api.core.v1.ConfigMap"; meta.v1 lives in apimachinery. */
str_t schema_openapi_name(const struct schema *schema, struct arena *arena)
{
    bool meta = strncmp(schema->name, "meta.", 5) == 0;
    return arena_printf(arena, "%s%s", meta ? "io.k8s.apimachinery.pkg.apis." : "io.k8s.api.",
                        schema->name);
}

static struct json *text(struct arena *arena, const char *z)
{
    return json_string(arena, str_from_z(z));
}

static struct json *plain(enum field_type type, struct arena *arena)
{
    static const struct {
        const char *type, *format;
    } rows[] = {
        [FIELD_INT] = {"integer", "int32"},     [FIELD_LONG] = {"integer", "int64"},
        [FIELD_NUMBER] = {"number", "double"},  [FIELD_BOOL] = {"boolean", NULL},
        [FIELD_STRING] = {"string", NULL},      [FIELD_BYTES] = {"string", "byte"},
        [FIELD_TIME] = {"string", "date-time"}, [FIELD_MICRO_TIME] = {"string", "date-time"},
        [FIELD_QUANTITY] = {"string", NULL},    [FIELD_INT_OR_STRING] = {"string", "int-or-string"},
        [FIELD_RAW] = {"object", NULL},         [FIELD_OBJECT] = {"object", NULL},
        [FIELD_LIST] = {"array", NULL},         [FIELD_MAP] = {"object", NULL},
    };
    struct json *out = json_object(arena);
    json_add(out, STR("type"), text(arena, rows[type].type));
    if (rows[type].format != NULL)
        json_add(out, STR("format"), text(arena, rows[type].format));
    return out;
}

static struct json *reference(const struct schema *schema, struct arena *arena)
{
    str_t name = schema_openapi_name(schema, arena);
    struct json *ref = json_object(arena);
    json_add(ref, STR("$ref"),
             json_string(arena, arena_printf(arena, "#/components/schemas/" STR_F, STR_A(name))));
    return ref;
}

/* A reference that also carries a description must stand in allOf. */
static struct json *described_reference(const struct schema *schema, struct arena *arena)
{
    struct json *out = json_object(arena), *all = json_array(arena);
    json_add(all, STR(""), reference(schema, arena));
    json_add(out, STR("allOf"), all);
    json_add(out, STR("default"), json_object(arena));
    return out;
}

static struct json *property(const struct field *field, struct arena *arena)
{
    struct json *out;
    if (field->type == FIELD_OBJECT) {
        out = described_reference(field->of, arena);
    } else {
        out = plain(field->type, arena);
        struct json *item =
            field->of != NULL ? reference(field->of, arena) : plain(field->item, arena);
        if (field->type == FIELD_LIST)
            json_add(out, STR("items"), item);
        else if (field->type == FIELD_MAP)
            json_add(out, STR("additionalProperties"), item);
    }
    if (field->doc != NULL)
        json_add(out, STR("description"), text(arena, field->doc));
    if (field->no_effect)
        json_add(out, STR("x-davy-no-effect"), json_bool(arena, true));
    if (field->merge_key != NULL) {
        json_add(out, STR("x-kubernetes-patch-merge-key"), text(arena, field->merge_key));
        json_add(out, STR("x-kubernetes-patch-strategy"), text(arena, "merge"));
    }
    return out;
}

struct json *schema_openapi(const struct schema *schema, struct arena *arena)
{
    struct json *out = json_object(arena), *properties = json_object(arena);
    struct json *required = json_array(arena);
    if (schema->doc != NULL)
        json_add(out, STR("description"), text(arena, schema->doc));
    json_add(out, STR("type"), text(arena, "object"));
    for (const struct field *field = schema->fields; field->name != NULL; field++) {
        json_add(properties, str_from_z(field->name), property(field, arena));
        if (field->required)
            json_add(required, STR(""), text(arena, field->name));
    }
    if (required->first != NULL)
        json_add(out, STR("required"), required);
    json_add(out, STR("properties"), properties);
    return out;
}
