/* resourcequota.c - ResourceQuota: what a namespace may use altogether. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"
#include "kube/quantity.h"

#include <string.h>

/* --- rules --- */

enum { COUNTS = 1 << 0, COMPUTES = 1 << 1, COUNTS_PODS = 1 << 2, KNOWN_ELSEWHERE = 1 << 3 };

/* Names without a slash, and what they are. */
static const struct {
    str_t name;
    unsigned is;
} known[] = {
    {STR("cpu"), COMPUTES},
    {STR("memory"), COMPUTES},
    {STR("ephemeral-storage"), 0},
    {STR("requests.cpu"), COMPUTES},
    {STR("requests.memory"), COMPUTES},
    {STR("requests.storage"), 0},
    {STR("requests.ephemeral-storage"), 0},
    {STR("limits.cpu"), COMPUTES},
    {STR("limits.memory"), COMPUTES},
    {STR("limits.ephemeral-storage"), 0},
    {STR("pods"), COUNTS | COUNTS_PODS},
    {STR("resourcequotas"), COUNTS},
    {STR("services"), COUNTS},
    {STR("replicationcontrollers"), COUNTS},
    {STR("secrets"), COUNTS},
    {STR("configmaps"), COUNTS},
    {STR("persistentvolumeclaims"), COUNTS},
    {STR("services.nodeports"), COUNTS},
    {STR("services.loadbalancers"), COUNTS},
    {STR("storage"), KNOWN_ELSEWHERE},
};

/* -1: it is none of them. */
static int what_is(str_t name)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq(name, known[i].name))
            return (int)known[i].is;
    bool huge = str_starts(name, STR("hugepages-")) || str_starts(name, STR("requests.hugepages-"));
    return huge ? 0 : -1;
}

static bool is_whole(str_t name, int is)
{
    if (memchr(name.at, '/', name.len) == NULL)
        return is >= 0 && (is & COUNTS) != 0;
    return memmem(name.at, name.len, "kubernetes.io/", strlen("kubernetes.io/")) == NULL;
}

static void check_hard(const struct json *each, struct field_errors *errors)
{
    static const quantity_t one = {.nano = 1000000000};
    quantity_t value;
    int is = what_is(each->key);
    size_t before = errors->n;
    str_t at = arena_printf(errors->arena, "spec.hard[" STR_F "]", STR_A(each->key));
    check_key(each->key, at, errors);
    if (errors->n == before && memchr(each->key.at, '/', each->key.len) == NULL) {
        if (is < 0)
            field_error(errors, FIELD_INVALID, at,
                        "Invalid value: \"" STR_F
                        "\": must be a standard resource type or fully qualified",
                        STR_A(each->key));
        if (is < 0 || (is & KNOWN_ELSEWHERE) != 0)
            field_error(errors, FIELD_INVALID, at,
                        "Invalid value: \"" STR_F "\": must be a standard resource for quota",
                        STR_A(each->key));
    }
    if (!quantity_parse(json_text(each, STR("")), &value))
        return;
    if (value.nano < 0)
        field_error(errors, FIELD_INVALID, at,
                    "Invalid value: \"" STR_F "\": must be greater than or equal to 0",
                    STR_A(each->text));
    if (is_whole(each->key, is) && value.nano % one.nano != 0)
        field_error(errors, FIELD_INVALID, at, "Invalid value: \"" STR_F "\": must be an integer",
                    STR_A(each->text));
}

static const str_t scope_words[] = {
    STR("Terminating"),   STR("NotTerminating"), STR("BestEffort"),
    STR("NotBestEffort"), STR("PriorityClass"),  STR("CrossNamespacePodAffinity"),
};

static bool is_scope(str_t word)
{
    for (size_t i = 0; i < ARRAY_LEN(scope_words); i++)
        if (str_eq(word, scope_words[i]))
            return true;
    return false;
}

/* A quota without a limit that the scope knows counts nothing. */
static bool scope_fits(str_t scope, const struct json *hard)
{
    JSON_EACH(hard, each)
    {
        int is = what_is(each->key);
        bool best = str_eq(scope, STR("BestEffort"));
        if (is >= 0 && (is & (best ? COUNTS_PODS : COUNTS_PODS | COMPUTES)) == 0)
            return false;
    }
    return true;
}

static bool has(const struct json *scopes, str_t word)
{
    JSON_EACH(scopes, scope)
    if (str_eq(json_text(scope, STR("")), word))
        return true;
    return false;
}

/* As Go prints them. */
static str_t scopes_text(const struct json *scopes, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    buf_add(&out, STR("[]core.ResourceQuotaScope{"));
    JSON_EACH(scopes, scope)
    buf_printf(&out, "%s\"" STR_F "\"", scope == scopes->first ? "" : ", ",
               STR_A(json_text(scope, STR(""))));
    buf_add(&out, STR("}"));
    return arena_str(arena, buf_str(&out));
}

static void check_scopes(const struct json *spec, struct field_errors *errors)
{
    static const str_t pairs[][2] = {{STR("BestEffort"), STR("NotBestEffort")},
                                     {STR("Terminating"), STR("NotTerminating")}};
    const struct place *at = IN(IN(NULL, "spec"), "scopes");
    const struct json *scopes = json_get(spec, STR("scopes"));
    if (json_count(scopes) == 0)
        return;
    str_t text = scopes_text(scopes, errors->arena);
    JSON_EACH(scopes, scope)
    {
        str_t word = json_text(scope, STR(""));
        if (!is_scope(word))
            rule_error(errors, FIELD_INVALID, at, "Invalid value: " STR_F ": unsupported scope",
                       STR_A(text));
        else if (!scope_fits(word, json_get(spec, STR("hard"))))
            rule_error(errors, FIELD_INVALID, at,
                       "Invalid value: " STR_F ": unsupported scope applied to resource",
                       STR_A(text));
    }
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (has(scopes, pairs[i][0]) && has(scopes, pairs[i][1]))
            rule_error(errors, FIELD_INVALID, at, "Invalid value: " STR_F ": conflicting scopes",
                       STR_A(text));
}

static void check_expression(const struct json *each, const struct place *at,
                             struct field_errors *errors)
{
    str_t scope = json_get_text(each, STR("scopeName"));
    str_t how = json_get_text(each, STR("operator"));
    bool in = str_eq(how, STR("In")) || str_eq(how, STR("NotIn"));
    bool exists = str_eq(how, STR("Exists")) || str_eq(how, STR("DoesNotExist"));
    size_t values = json_count(json_get(each, STR("values")));
    if (!is_scope(scope))
        rule_error(errors, FIELD_INVALID, IN(at, "scopeName"),
                   "Invalid value: \"" STR_F "\": unsupported scope", STR_A(scope));
    if (is_scope(scope) && !str_eq(scope, STR("PriorityClass")) && !str_eq(how, STR("Exists")))
        rule_error(errors, FIELD_INVALID, IN(at, "operator"),
                   "Invalid value: \"" STR_F "\": must be 'Exists' when scope is any of "
                   "ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
                   "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
                   "ResourceQuotaScopeCrossNamespacePodAffinity",
                   STR_A(how));
    if (!in && !exists)
        rule_error(errors, FIELD_INVALID, IN(at, "operator"),
                   "Invalid value: \"" STR_F "\": not a valid selector operator", STR_A(how));
    if (in && values == 0)
        rule_error(errors, FIELD_REQUIRED, IN(at, "values"),
                   "Required value: must be at least one value when `operator` is 'In' or 'NotIn' "
                   "for scope selector");
    if (exists && values > 0)
        rule_error(errors, FIELD_INVALID, IN(at, "values"),
                   "Invalid value: \"\": must be no value when `operator` is 'Exists' or "
                   "'DoesNotExist' for scope selector");
}

static void quota_check(const struct json *object, const struct json *old,
                        struct field_errors *errors)
{
    const struct json *spec = json_get(object, STR("spec"));
    const struct place *selector = IN(IN(NULL, "spec"), "scopeSelector");
    long i = 0;
    JSON_EACH(json_get(spec, STR("hard")), each)
    check_hard(each, errors);
    check_scopes(spec, errors);
    JSON_EACH(json_at(spec, "scopeSelector.matchExpressions"), each)
    check_expression(each, ITEM(selector, "matchExpressions", i++), errors);
    if (old != NULL)
        rule_unchanged(json_at(old, "spec.scopes"), json_at(object, "spec.scopes"),
                       IN(IN(NULL, "spec"), "scopes"), errors);
}

/* --- columns --- */

static const struct json *hard_of(const struct json *object)
{
    const struct json *hard = json_at(object, "status.hard");
    return hard != NULL ? hard : json_at(object, "spec.hard");
}

/* "cpu: 1/2, pods: 0/10"; limits apart from requests. */
static str_t quota_column(const struct json *object, bool limits, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    const struct json *used = json_at(object, "status.used");
    JSON_EACH(hard_of(object), resource)
    {
        if (str_starts(resource->key, STR("limits.")) != limits)
            continue;
        const struct json *is = json_get(used, resource->key);
        buf_printf(&out, "%s" STR_F ": " STR_F "/" STR_F, out.len > 0 ? ", " : "",
                   STR_A(resource->key), STR_A(is != NULL ? is->text : STR("0")),
                   STR_A(resource->text));
    }
    return arena_str(arena, buf_str(&out));
}

static str_t column_request(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return quota_column(object, false, arena);
}

static str_t column_limit(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return quota_column(object, true, arena);
}

/* clang-format off */
static const struct column quota_columns[] = {
    COLUMN_NAME, COLUMN_AGE,
    {"Request", "string", "", "Used and allowed.", 0, column_request},
    {"Limit", "string", "", "Used and allowed limits.", 0, column_limit},
    {0},
};

const struct kind kind_resourcequota = {
    .group = "", .version = "v1", .name = "ResourceQuota", .plural = "resourcequotas",
    .singular = "resourcequota", .shortcuts = (const char *const[]){"quota", NULL},
    .namespaced = true, .has_status = true, .schema = &resource_quota_schema,
    .check = quota_check, .columns = quota_columns,
};
/* clang-format on */
