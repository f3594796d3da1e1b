/* volume.c - a pod's volumes: one source each, and paths that stay inside them. */
#include "kinds/volume.h"

#include "base/map.h"
#include "kube/quantity.h"

#include <string.h>

enum { TOKEN_SECONDS_LEAST = 600 };
#define TOKEN_SECONDS_MOST (1LL << 32)

/* --- paths --- */

bool has_backstep(str_t path)
{
    str_t element;
    bool more = true;
    while (more) {
        more = str_cut(path, '/', &element, &path);
        if (str_eq(element, STR("..")))
            return true;
    }
    return false;
}

static void check_no_backstep(str_t path, const struct place *at, struct field_errors *errors)
{
    if (has_backstep(path))
        rule_error(errors, FIELD_INVALID, at, "Invalid value: \"" STR_F "\": must not contain '..'",
                   STR_A(path));
}

void rule_path_below(str_t path, const struct place *at, struct field_errors *errors)
{
    if (path.len > 0 && path.at[0] == '/')
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"" STR_F "\": must be a relative path", STR_A(path));
    check_no_backstep(path, at, errors);
}

/* Names that begin with '..' are the kubelet's own: it swaps "..data" when files change. */
static void check_file_path(str_t path, const struct place *at, struct field_errors *errors)
{
    rule_path_below(path, at, errors);
    if (str_starts(path, STR("..")) && !str_starts(path, STR("../")) && path.len > 2)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"" STR_F "\": must not start with '..'", STR_A(path));
}

/* --- sources --- */

static void check_items(const struct json *source, const struct place *at,
                        struct field_errors *errors)
{
    long i = 0;
    JSON_EACH(json_get(source, STR("items")), item)
    check_file_path(json_get_text(item, STR("path")), IN(ITEM(at, "items", i++), "path"), errors);
}

/* Kubernetes does not say which of the files it is. */
static void check_file(const struct json *file, const struct place *at, struct field_errors *errors)
{
    const struct json *field = json_get(file, STR("fieldRef"));
    const struct json *resource = json_get(file, STR("resourceFieldRef"));
    check_file_path(json_get_text(file, STR("path")), IN(at, "path"), errors);
    if (field == NULL && resource == NULL)
        rule_error(errors, FIELD_REQUIRED, at,
                   "Required value: one of fieldRef and resourceFieldRef is required");
    else if (field != NULL && resource != NULL)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"resource\": fieldRef and resourceFieldRef can not be "
                   "specified simultaneously");
    else if (field != NULL)
        field_ref_check(field, true, IN(at, "fieldRef"), errors);
    else
        resource_ref_check(resource, true, IN(at, "resourceFieldRef"), errors);
}

static void check_files(const struct json *source, const struct place *at,
                        struct field_errors *errors)
{
    JSON_EACH(json_get(source, STR("items")), file)
    check_file(file, at, errors);
}

static void check_token(const struct json *token, const struct place *source,
                        const struct place *at, struct field_errors *errors)
{
    int64_t seconds = TOKEN_SECONDS_LEAST;
    (void)json_to_i64(json_get(token, STR("expirationSeconds")), &seconds);
    if (seconds < TOKEN_SECONDS_LEAST || seconds > TOKEN_SECONDS_MOST)
        rule_error(errors, FIELD_INVALID, IN(source, "expirationSeconds"),
                   "Invalid value: %lld: may not specify a duration %s", (long long)seconds,
                   seconds < TOKEN_SECONDS_LEAST ? "less than 10 minutes"
                                                 : "larger than 2^32 seconds");
    check_file_path(json_get_text(token, STR("path")), IN(at, "path"), errors);
}

/* Two sources that put a file at the same path. `name`: how Kubernetes names the later one. */
static void take_paths(const struct json *source, str_t name, struct map *paths,
                       const struct place *at, struct field_errors *errors)
{
    JSON_EACH(json_get(source, STR("items")), item)
    {
        str_t path = json_get_text(item, STR("path"));
        if (path.len == 0)
            continue;
        if (map_find(paths, path) == NULL)
            map_add(paths, path, arena_new(errors->arena, struct map_node));
        else
            rule_error(errors, FIELD_INVALID, at,
                       "Invalid value: \"" STR_F "\": conflicting duplicate paths",
                       STR_A(name.len > 0 ? name : path));
    }
}

static void check_projected(const struct json *projected, const struct place *at,
                            struct field_errors *errors)
{
    AUTO(map_done) struct map paths = {0};
    long i = 0;
    JSON_EACH(json_get(projected, STR("sources")), source)
    {
        const struct place *here = ITEM(at, "sources", i++);
        JSON_EACH(source, one)
        {
            bool files = str_eq(one->key, STR("downwardAPI"));
            bool secret = str_eq(one->key, STR("secret"));
            str_t name = files ? STR("") : json_get_text(one, STR("name"));
            const struct place *inside = secret  ? IN(here, "secret")
                                         : files ? IN(here, "downwardAPI")
                                                 : IN(here, "configMap");
            if (str_eq(one->key, STR("serviceAccountToken"))) {
                check_token(one, IN(here, "serviceAccountToken"), at, errors);
                continue;
            }
            if (!files && !secret && !str_eq(one->key, STR("configMap")))
                continue;
            if (files)
                check_files(one, inside, errors);
            else
                check_items(one, inside, errors);
            if (!files && name.len == 0)
                rule_error(errors, FIELD_REQUIRED, IN(inside, "name"), "Required value");
            take_paths(one, name, &paths, at, errors);
        }
        if (json_count(source) > 1)
            rule_error(errors, FIELD_FORBIDDEN, here,
                       "Forbidden: may not specify more than 1 volume type per source");
    }
}

static void check_empty_dir(const struct json *dir, const struct place *at,
                            struct field_errors *errors)
{
    quantity_t limit;
    if (quantity_parse(json_get_text(dir, STR("sizeLimit")), &limit) &&
        quantity_cmp(limit, quantity_of(0)) < 0)
        rule_error(errors, FIELD_FORBIDDEN, IN(at, "sizeLimit"),
                   "Forbidden: SizeLimit field must be a valid resource quantity");
}

static void check_nfs(const struct json *nfs, const struct place *at, struct field_errors *errors)
{
    str_t path = json_get_text(nfs, STR("path"));
    if (path.len > 0 && path.at[0] != '/')
        rule_error(errors, FIELD_INVALID, IN(at, "path"),
                   "Invalid value: \"" STR_F "\": must be an absolute path", STR_A(path));
}

/* A source that is nothing without the object it names. */
static void check_named(const struct json *source, const char *name, const struct place *at,
                        struct field_errors *errors)
{
    if (json_get_text(source, str_from_z(name)).len == 0)
        rule_error(errors, FIELD_REQUIRED, IN(at, name), "Required value");
    check_items(source, at, errors);
}

static void check_source(const struct json *source, const struct place *at,
                         struct field_errors *errors)
{
    str_t kind = source->key;
    if (str_eq(kind, STR("secret")))
        check_named(source, "secretName", IN(at, "secret"), errors);
    else if (str_eq(kind, STR("configMap")))
        check_named(source, "name", IN(at, "configMap"), errors);
    else if (str_eq(kind, STR("emptyDir")))
        check_empty_dir(source, IN(at, "emptyDir"), errors);
    else if (str_eq(kind, STR("hostPath")))
        check_no_backstep(json_get_text(source, STR("path")), IN(IN(at, "hostPath"), "path"),
                          errors);
    else if (str_eq(kind, STR("downwardAPI")))
        check_files(source, IN(at, "downwardAPI"), errors);
    else if (str_eq(kind, STR("projected")))
        check_projected(source, IN(at, "projected"), errors);
    else if (str_eq(kind, STR("nfs")))
        check_nfs(source, IN(at, "nfs"), errors);
    else if (str_eq(kind, STR("ephemeral")) && json_get(source, STR("volumeClaimTemplate")) == NULL)
        rule_error(errors, FIELD_REQUIRED, IN(IN(at, "ephemeral"), "volumeClaimTemplate"),
                   "Required value");
}

void volume_check(const struct json *volume, const struct place *at, struct field_errors *errors)
{
    size_t sources = 0;
    JSON_EACH(volume, member)
    {
        if (str_eq(member->key, STR("name")))
            continue;
        if (sources++ > 0)
            rule_error(errors, FIELD_FORBIDDEN,
                       IN(at, arena_printf(errors->arena, STR_F, STR_A(member->key)).at),
                       "Forbidden: may not specify more than 1 volume type");
        else
            check_source(member, at, errors);
    }
    if (sources == 0)
        rule_error(errors, FIELD_REQUIRED, at, "Required value: must specify a volume type");
    str_t name = json_get_text(volume, STR("name"));
    if (name.len > 0)
        rule_name(NAME_LABEL, name, true, IN(at, "name"), errors);
}
