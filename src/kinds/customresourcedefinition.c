/* customresourcedefinition.c - CustomResourceDefinition: kinds that users add. */
#include "kinds/columns.h"
#include "kinds/custom.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"
#include "kube/jsonpath.h"
#include "kube/jsonschema.h"

#include <string.h>

#define CLEANUP "customresourcecleanup.apiextensions.k8s.io"

static str_t lower(str_t text, struct arena *arena)
{
    char *out = arena_bytes(arena, text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        out[i] = (char)(text.at[i] | (text.at[i] >= 'A' && text.at[i] <= 'Z' ? 32 : 0));
    return (str_t){out, text.len};
}

static void crd_prepare_defaults(struct json *object, const struct json *old, struct arena *arena)
{
    (void)old;
    struct json *spec = json_get(object, STR("spec")), *names = json_get(spec, STR("names"));
    str_t kind = json_get_text(names, STR("kind"));
    if (names == NULL || names->type != JSON_OBJECT)
        return;
    if (json_get_text(names, STR("singular")).len == 0)
        json_set(names, STR("singular"), json_string(arena, lower(kind, arena)));
    if (json_get_text(names, STR("listKind")).len == 0 && kind.len > 0)
        json_set(names, STR("listKind"),
                 json_string(arena, arena_printf(arena, STR_F "List", STR_A(kind))));
    struct json *conversion = rule_member(spec, STR("conversion"), arena);
    rule_default_text(conversion, "strategy", "None", arena);
    if (old != NULL)
        return;
    struct json *meta = rule_member(object, STR("metadata"), arena);
    struct json *finalizers = json_get(meta, STR("finalizers"));
    if (finalizers == NULL || finalizers->type != JSON_ARRAY)
        json_set(meta, STR("finalizers"), finalizers = json_array(arena));
    JSON_EACH(finalizers, finalizer)
    if (str_eq(json_text(finalizer, STR("")), STR(CLEANUP)))
        return;
    json_add(finalizers, STR(""), json_string(arena, STR(CLEANUP)));
}

/* --- rules --- */

static void check_names(const struct json *names, const struct place *at,
                        struct field_errors *errors)
{
    static const char *const labels[] = {"plural", "singular"};
    static const char *const kinds[] = {"kind", "listKind"};
    for (size_t i = 0; i < ARRAY_LEN(labels); i++)
        rule_name(NAME_LABEL_1035, json_get_text(names, str_from_z(labels[i])), true,
                  IN(at, labels[i]), errors);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        str_t kind = json_get_text(names, str_from_z(kinds[i]));
        if (kind.len == 0)
            rule_error(errors, FIELD_REQUIRED, IN(at, kinds[i]), "Required value");
        else
            rule_name(NAME_LABEL_1035, lower(kind, errors->arena), true, IN(at, kinds[i]), errors);
    }
    size_t i = 0;
    JSON_EACH(json_get(names, STR("shortNames")), name)
    rule_name(NAME_LABEL_1035, json_text(name, STR("")), true, ITEM(at, "shortNames", i++), errors);
}

static void check_columns(const struct json *version, const struct place *at,
                          struct field_errors *errors)
{
    size_t i = 0;
    JSON_EACH(json_get(version, STR("additionalPrinterColumns")), column)
    {
        const struct place *here = ITEM(at, "additionalPrinterColumns", i++);
        str_t path = json_get_text(column, STR("jsonPath"));
        str_t type = json_get_text(column, STR("type"));
        struct err err;
        if (json_get_text(column, STR("name")).len == 0)
            rule_error(errors, FIELD_REQUIRED, IN(here, "name"), "Required value");
        if (path.len == 0)
            rule_error(errors, FIELD_REQUIRED, IN(here, "jsonPath"), "Required value");
        else if (jsonpath_check(path, &err) < 0)
            rule_error(errors, FIELD_INVALID, IN(here, "jsonPath"),
                       "Invalid value: \"" STR_F "\": %s", STR_A(path), err.text);
        bool known = str_eq(type, STR("integer")) || str_eq(type, STR("number")) ||
                     str_eq(type, STR("string")) || str_eq(type, STR("boolean")) ||
                     str_eq(type, STR("date"));
        if (!known)
            rule_error(errors, FIELD_NOT_SUPPORTED, IN(here, "type"),
                       "Unsupported value: \"" STR_F "\": supported values: \"boolean\", \"date\", "
                       "\"integer\", \"number\", \"string\"",
                       STR_A(type));
    }
}

static void check_simple_path(const struct json *scale, const char *name, bool required,
                              const char *root, const struct place *at, struct field_errors *errors)
{
    str_t path = json_get_text(scale, str_from_z(name));
    if (path.len == 0 && required)
        rule_error(errors, FIELD_REQUIRED, IN(at, name), "Required value");
    else if (path.len > 0 && !str_starts(path, str_from_z(root)))
        rule_error(errors, FIELD_INVALID, IN(at, name),
                   "Invalid value: \"" STR_F "\": should be a json path under %s", STR_A(path),
                   root);
}

static void check_subresources(const struct json *version, const struct place *at,
                               struct field_errors *errors)
{
    const struct json *scale = json_at(version, "subresources.scale");
    if (scale == NULL)
        return;
    const struct place *here = IN(IN(at, "subresources"), "scale");
    check_simple_path(scale, "specReplicasPath", true, ".spec", here, errors);
    check_simple_path(scale, "statusReplicasPath", true, ".status", here, errors);
    str_t selector = json_get_text(scale, STR("labelSelectorPath"));
    if (selector.len > 0 && selector.at[0] != '.')
        rule_error(errors, FIELD_INVALID, IN(here, "labelSelectorPath"),
                   "Invalid value: \"" STR_F "\": should be a json path under either .spec or "
                   ".status",
                   STR_A(selector));
}

static void check_version(const struct json *version, const struct place *at,
                          struct field_errors *errors)
{
    const struct json *schema = json_at(version, "schema.openAPIV3Schema");
    const struct place *here = IN(IN(at, "schema"), "openAPIV3Schema");
    rule_name(NAME_LABEL_1035, json_get_text(version, STR("name")), true, IN(at, "name"), errors);
    if (schema == NULL || schema->type != JSON_OBJECT)
        rule_error(errors, FIELD_REQUIRED, here, "Required value: schemas are required");
    else
        jsonschema_check_schema(schema, place_text(here, errors->arena), errors);
    check_columns(version, at, errors);
    check_subresources(version, at, errors);
    size_t i = 0;
    JSON_EACH(json_get(version, STR("selectableFields")), field)
    {
        struct err err;
        str_t path = json_get_text(field, STR("jsonPath"));
        if (path.len == 0 || path.at[0] != '.' || jsonpath_check(path, &err) < 0)
            rule_error(errors, FIELD_INVALID, IN(ITEM(at, "selectableFields", i), "jsonPath"),
                       "Invalid value: \"" STR_F "\": must be a simple json path", STR_A(path));
        i++;
    }
}

static void check_versions(const struct json *versions, const struct place *at,
                           struct field_errors *errors)
{
    size_t i = 0, stored = 0;
    if (json_count(versions) > CUSTOM_VERSIONS_MAX) {
        rule_error(errors, FIELD_TOO_MANY, IN(at, "versions"),
                   "Too many: %zu: must have at most %d items", json_count(versions),
                   (int)CUSTOM_VERSIONS_MAX);
        return;
    }
    JSON_EACH(versions, version)
    {
        check_version(version, ITEM(at, "versions", i++), errors);
        stored += json_is_true(json_get(version, STR("storage")));
    }
    if (stored != 1)
        rule_error(errors, FIELD_INVALID, IN(at, "versions"),
                   "Invalid value: must have exactly one version marked as storage version");
    rule_unique(versions, "name", at, "versions", errors);
}

static void crd_check(const struct json *object, const struct json *old,
                      struct field_errors *errors)
{
    const struct json *spec = json_get(object, STR("spec")), *names = json_get(spec, STR("names"));
    const struct place *at = IN(NULL, "spec");
    str_t group = json_get_text(spec, STR("group")), scope = json_get_text(spec, STR("scope"));
    str_t name = json_text(json_at(object, "metadata.name"), STR(""));
    str_t wanted = arena_printf(errors->arena, STR_F "." STR_F,
                                STR_A(json_get_text(names, STR("plural"))), STR_A(group));
    if (!str_eq(name, wanted))
        rule_error(errors, FIELD_INVALID, IN(IN(NULL, "metadata"), "name"),
                   "Invalid value: \"" STR_F "\": must be spec.names.plural+\".\"+spec.group",
                   STR_A(name));
    rule_name(NAME_SUBDOMAIN, group, true, IN(at, "group"), errors);
    if (group.len > 0 && memchr(group.at, '.', group.len) == NULL)
        rule_error(errors, FIELD_INVALID, IN(at, "group"),
                   "Invalid value: \"" STR_F "\": should be a domain with at least one dot",
                   STR_A(group));
    if (!str_eq(scope, STR("Cluster")) && !str_eq(scope, STR("Namespaced")))
        rule_error(errors, FIELD_NOT_SUPPORTED, IN(at, "scope"),
                   "Unsupported value: \"" STR_F
                   "\": supported values: \"Cluster\", \"Namespaced\"",
                   STR_A(scope));
    check_names(names, IN(at, "names"), errors);
    check_versions(json_get(spec, STR("versions")), at, errors);
    str_t strategy = json_text(json_at(spec, "conversion.strategy"), STR("None"));
    if (!str_eq(strategy, STR("None")))
        rule_error(errors, FIELD_NOT_SUPPORTED, IN(IN(at, "conversion"), "strategy"),
                   "Unsupported value: \"" STR_F "\": supported values: \"None\"", STR_A(strategy));
    if (json_is_true(json_get(spec, STR("preserveUnknownFields"))))
        rule_error(errors, FIELD_INVALID, IN(at, "preserveUnknownFields"),
                   "Invalid value: true: cannot set to true, set "
                   "x-kubernetes-preserve-unknown-fields to true in "
                   "spec.versions[*].schema instead");
    if (old == NULL)
        return;
    const struct json *was = json_get(old, STR("spec"));
    static const char *const fixed[] = {"group", "scope"};
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        rule_unchanged(json_get(was, str_from_z(fixed[i])), json_get(spec, str_from_z(fixed[i])),
                       IN(at, fixed[i]), errors);
    rule_unchanged(json_at(was, "names.plural"), json_at(spec, "names.plural"),
                   IN(IN(at, "names"), "plural"), errors);
    rule_unchanged(json_at(was, "names.kind"), json_at(spec, "names.kind"),
                   IN(IN(at, "names"), "kind"), errors);
}

/* clang-format off */
static const struct column crd_columns[] = {
    COLUMN_NAME,
    {"Created At", "date", "", "When it was made.", 0, column_created},
    {0},
};

const struct kind kind_crd = {
    .group = "apiextensions.k8s.io", .version = "v1", .name = "CustomResourceDefinition",
    .plural = "customresourcedefinitions", .singular = "customresourcedefinition",
    .shortcuts = (const char *const[]){"crd", "crds", NULL},
    .categories = (const char *const[]){"api-extensions", NULL}, .has_status = true,
    .has_spec_generation = true, .schema = &custom_resource_definition_schema,
    .prepare = crd_prepare_defaults, .check = crd_check, .columns = crd_columns,
};
/* clang-format on */
