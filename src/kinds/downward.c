/* downward.c - references to fields of the pod itself: which there are, and as what. */
#include "kinds/volume.h"
#include "kube/meta.h"
#include "kube/quantity.h"

#include <string.h>

static bool is_among(str_t word, const str_t *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(word, words[i]))
            return true;
    return false;
}

/* "metadata.labels['app']" to the path and the key. False: it has no key. */
static bool split_subscript(str_t path, str_t *field, str_t *key)
{
    size_t n = path.len;
    if (n < 4 || path.at[n - 1] != ']' || path.at[n - 2] != '\'')
        return false;
    const char *open = memmem(path.at, n - 2, "['", 2);
    if (open == NULL || open == path.at)
        return false;
    *field = (str_t){path.at, (size_t)(open - path.at)};
    *key = (str_t){open + 2, (size_t)(path.at + n - 2 - (open + 2))};
    return true;
}

/* Whatever Kubernetes can read of a pod by such a path, be it allowed here or not. */
static bool is_known(str_t path)
{
    static const str_t known[] = {STR("metadata.annotations"), STR("metadata.labels"),
                                  STR("metadata.name"),        STR("metadata.namespace"),
                                  STR("metadata.uid"),         STR("spec.host"),
                                  STR("spec.nodeName"),        STR("spec.restartPolicy"),
                                  STR("spec.schedulerName"),   STR("spec.serviceAccountName"),
                                  STR("status.hostIP"),        STR("status.hostIPs"),
                                  STR("status.phase"),         STR("status.podIP"),
                                  STR("status.podIPs")};
    return is_among(path, known, ARRAY_LEN(known));
}

static bool is_allowed(str_t path, bool file)
{
    static const str_t files[] = {STR("metadata.annotations"), STR("metadata.labels"),
                                  STR("metadata.name"), STR("metadata.namespace"),
                                  STR("metadata.uid")};
    static const str_t variables[] = {STR("metadata.name"), STR("metadata.namespace"),
                                      STR("metadata.uid"),  STR("spec.host"),
                                      STR("spec.nodeName"), STR("spec.serviceAccountName"),
                                      STR("status.hostIP"), STR("status.hostIPs"),
                                      STR("status.podIP"),  STR("status.podIPs")};
    return file ? is_among(path, files, ARRAY_LEN(files))
                : is_among(path, variables, ARRAY_LEN(variables));
}

static void check_subscript(str_t path, str_t field, str_t key, const struct place *at,
                            struct field_errors *errors)
{
    if (str_eq(field, STR("metadata.annotations")) || str_eq(field, STR("metadata.labels")))
        check_key(key, place_text(at, errors->arena), errors);
    else
        rule_error(errors, FIELD_INVALID, IN(at, "fieldPath"),
                   "Invalid value: \"" STR_F "\": error converting fieldPath: field label does not "
                   "support subscript: " STR_F,
                   STR_A(path), STR_A(path));
}

void field_ref_check(const struct json *ref, bool file, const struct place *at,
                     struct field_errors *errors)
{
    str_t path = json_get_text(ref, STR("fieldPath")), field, key;
    if (path.len == 0)
        rule_error(errors, FIELD_REQUIRED, IN(at, "fieldPath"), "Required value");
    else if (split_subscript(path, &field, &key))
        check_subscript(path, field, key, at, errors);
    else if (!is_known(path))
        rule_error(errors, FIELD_INVALID, IN(at, "fieldPath"),
                   "Invalid value: \"" STR_F "\": error converting fieldPath: field label not "
                   "supported: " STR_F,
                   STR_A(path), STR_A(path));
    else if (!is_allowed(path, file))
        rule_error(errors, FIELD_NOT_SUPPORTED, IN(at, "fieldPath"),
                   "Unsupported value: \"" STR_F "\": supported values: %s", STR_A(path),
                   file ? "\"metadata.annotations\", \"metadata.labels\", \"metadata.name\", "
                          "\"metadata.namespace\", \"metadata.uid\""
                        : "\"metadata.name\", \"metadata.namespace\", \"metadata.uid\", "
                          "\"spec.nodeName\", \"spec.serviceAccountName\", \"status.hostIP\", "
                          "\"status.hostIPs\", \"status.podIP\", \"status.podIPs\"");
}

static void check_divisor(const struct json *ref, str_t resource, const struct place *at,
                          struct field_errors *errors)
{
    static const str_t sizes[] = {STR("1"),   STR("1k"),  STR("1M"),  STR("1G"),  STR("1T"),
                                  STR("1P"),  STR("1E"),  STR("1Ki"), STR("1Mi"), STR("1Gi"),
                                  STR("1Ti"), STR("1Pi"), STR("1Ei")};
    static const str_t cores[] = {STR("1m"), STR("1")};
    quantity_t divisor;
    if (!quantity_parse(json_get_text(ref, STR("divisor")), &divisor) ||
        quantity_cmp(divisor, quantity_of(0)) == 0)
        return;
    str_t text = quantity_text(divisor, errors->arena);
    bool cpu = str_eq(resource, STR("limits.cpu")) || str_eq(resource, STR("requests.cpu"));
    if (cpu ? is_among(text, cores, ARRAY_LEN(cores)) : is_among(text, sizes, ARRAY_LEN(sizes)))
        return;
    const char *name = memmem(resource.at, resource.len, "memory", 6) != NULL ? "memory"
                       : memmem(resource.at, resource.len, "huge", 4) != NULL
                           ? "hugepages"
                           : "local ephemeral storage";
    rule_error(errors, FIELD_INVALID, IN(at, "divisor"),
               "Invalid value: \"" STR_F "\": only divisor's values %s are supported with the %s "
               "resource",
               STR_A(resource),
               cpu ? "1m and 1" : "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei",
               cpu ? "cpu" : name);
}

void resource_ref_check(const struct json *ref, bool file, const struct place *at,
                        struct field_errors *errors)
{
    static const str_t known[] = {STR("limits.cpu"),      STR("limits.ephemeral-storage"),
                                  STR("limits.memory"),   STR("requests.cpu"),
                                  STR("requests.memory"), STR("requests.ephemeral-storage")};
    str_t resource = json_get_text(ref, STR("resource"));
    bool fits = is_among(resource, known, ARRAY_LEN(known)) ||
                str_starts(resource, STR("limits.hugepages-")) ||
                str_starts(resource, STR("requests.hugepages-"));
    if (file && json_get_text(ref, STR("containerName")).len == 0)
        rule_error(errors, FIELD_REQUIRED, IN(at, "containerName"), "Required value");
    else if (resource.len > 0 && !fits) /* The table asks for one. */
        rule_error(errors, FIELD_NOT_SUPPORTED, IN(at, "resource"),
                   "Unsupported value: \"" STR_F
                   "\": supported values: \"limits.cpu\", \"limits.ephemeral-storage\", "
                   "\"limits.memory\", \"requests.cpu\", \"requests.ephemeral-storage\", "
                   "\"requests.memory\"",
                   STR_A(resource));
    else
        check_divisor(ref, resource, at, errors);
}
