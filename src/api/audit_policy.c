/* audit_policy.c - reading and asking a Policy (audit.k8s.io/v1). */
#include "api/audit_policy.h"

#include "base/json.h"
#include "codec/yaml.h"
#include "kube/schema.h"

#include <stdlib.h>

struct audit_policy {
    struct arena arena;
    struct json *rules;
    unsigned omitted;
    bool omit_managed_fields;
};

/* By their enum. */
static const char *const levels[] = {"None", "Metadata", "Request", "RequestResponse"};

static const struct {
    enum audit_stage stage;
    const char *word;
} stages[] = {
    {AUDIT_RECEIVED, "RequestReceived"},
    {AUDIT_STARTED, "ResponseStarted"},
    {AUDIT_COMPLETE, "ResponseComplete"},
    {0, "Panic"},
};

/* clang-format off */
static const struct field resources_fields[] = {
    {"group", FIELD_STRING, .doc = "\"\" is core."},
    {"resources", FIELD_LIST, .item = FIELD_STRING,
     .doc = "pods, pods/log, pods/*, */scale or *; none: all of the group."},
    {"resourceNames", FIELD_LIST, .item = FIELD_STRING, .doc = "Of these names; none: all."},
    {0},
};
static const struct schema resources_schema = {"audit.v1.GroupResources", resources_fields};

static const struct field rule_fields[] = {
    {"level", FIELD_STRING, .doc = "None, Metadata, Request or RequestResponse."},
    {"users", FIELD_LIST, .item = FIELD_STRING, .doc = "One of these; none: everybody."},
    {"userGroups", FIELD_LIST, .item = FIELD_STRING, .doc = "In one of these."},
    {"verbs", FIELD_LIST, .item = FIELD_STRING, .doc = "One of these; none: all."},
    {"resources", FIELD_LIST, .of = &resources_schema, .doc = "About one of these."},
    {"namespaces", FIELD_LIST, .item = FIELD_STRING, .doc = "\"\" is what has none."},
    {"nonResourceURLs", FIELD_LIST, .item = FIELD_STRING, .doc = "Paths, as /healthz*."},
    {"omitStages", FIELD_LIST, .item = FIELD_STRING, .doc = "Stages that are not written down."},
    {"omitManagedFields", FIELD_BOOL, .pointer = true, .doc = "Bodies without managedFields."},
    {0},
};
static const struct schema rule_schema = {"audit.v1.PolicyRule", rule_fields};

static const struct field policy_fields[] = {
    {"apiVersion", FIELD_STRING},
    {"kind", FIELD_STRING},
    {"metadata", FIELD_RAW},
    {"rules", FIELD_LIST, .of = &rule_schema},
    {"omitStages", FIELD_LIST, .item = FIELD_STRING},
    {"omitManagedFields", FIELD_BOOL},
    {0},
};
static const struct schema policy_schema = {"audit.v1.Policy", policy_fields};
/* clang-format on */

const char *audit_level_word(enum audit_level level)
{
    return levels[level];
}

const char *audit_stage_word(enum audit_stage stage)
{
    size_t i = 0;
    while (stages[i].stage != stage)
        i++;
    return stages[i].word;
}

/* --- reading --- */

static int level_of(str_t word)
{
    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        if (str_eq(word, str_from_z(levels[i])))
            return (int)i;
    return -1;
}

/* -1: one of them is no stage. */
static int stages_of(const struct json *words)
{
    unsigned bits = 0;
    JSON_EACH(words, word)
    {
        size_t i = 0;
        while (i < ARRAY_LEN(stages) && !str_eq(word->text, str_from_z(stages[i].word)))
            i++;
        if (i == ARRAY_LEN(stages))
            return -1;
        bits |= stages[i].stage;
    }
    return (int)bits;
}

static bool good_path(str_t path)
{
    if (str_eq(path, STR("*")))
        return true;
    for (size_t i = 0; i + 1 < path.len; i++)
        if (path.at[i] == '*')
            return false;
    return str_starts(path, STR("/"));
}

static int check_resources(const struct json *resources, size_t rule, struct err *err)
{
    JSON_EACH(resources, each)
    {
        str_t group = json_get_text(each, STR("group"));
        for (size_t i = 0; i < group.len; i++)
            if (group.at[i] == '/')
                return err_set(err, ERR_INVALID,
                               "rules[%zu].resources: group '" STR_F "' may have no version", rule,
                               STR_A(group));
        if (json_count(json_get(each, STR("resourceNames"))) > 0 &&
            json_count(json_get(each, STR("resources"))) == 0)
            return err_set(err, ERR_INVALID,
                           "rules[%zu].resources: resourceNames need at least one resource", rule);
    }
    return 0;
}

static int check_rule(const struct json *rule, size_t i, struct err *err)
{
    str_t level = json_get_text(rule, STR("level"));
    const struct json *paths = json_get(rule, STR("nonResourceURLs"));
    if (level_of(level) < 0)
        return err_set(err, ERR_INVALID,
                       "rules[%zu].level: '" STR_F
                       "' is not one of None, Metadata, Request, RequestResponse",
                       i, STR_A(level));
    if (stages_of(json_get(rule, STR("omitStages"))) < 0)
        return err_set(err, ERR_INVALID,
                       "rules[%zu].omitStages: stages are RequestReceived, ResponseStarted, "
                       "ResponseComplete and Panic",
                       i);
    if (json_count(paths) > 0 && (json_count(json_get(rule, STR("resources"))) > 0 ||
                                  json_count(json_get(rule, STR("namespaces"))) > 0))
        return err_set(err, ERR_INVALID,
                       "rules[%zu].nonResourceURLs: a rule is about paths or about resources, "
                       "not both",
                       i);
    JSON_EACH(paths, path)
    if (!good_path(path->text))
        return err_set(err, ERR_INVALID,
                       "rules[%zu].nonResourceURLs: '" STR_F
                       "' must begin with '/' and may have '*' only as its last character",
                       i, STR_A(path->text));
    return check_resources(json_get(rule, STR("resources")), i, err);
}

static int check_policy(struct audit_policy *policy, const struct json *object, struct err *err)
{
    struct json *unknown = json_array(&policy->arena);
    if (object->type != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "it is not an object");
    int r = schema_decode_check(&policy_schema, object, unknown, &policy->arena, err);
    if (r < 0)
        return r;
    if (unknown->first != NULL)
        return err_set(err, ERR_INVALID, "unknown field '" STR_F "'", STR_A(unknown->first->text));
    if (!str_eq(json_get_text(object, STR("apiVersion")), STR("audit.k8s.io/v1")) ||
        !str_eq(json_get_text(object, STR("kind")), STR("Policy")))
        return err_set(err, ERR_INVALID, "it must be a Policy of audit.k8s.io/v1");
    policy->rules = json_get(object, STR("rules"));
    if (json_count(policy->rules) == 0)
        return err_set(err, ERR_INVALID, "it has no rules");
    int omitted = stages_of(json_get(object, STR("omitStages")));
    if (omitted < 0)
        return err_set(err, ERR_INVALID, "omitStages: unknown stage");
    policy->omitted = (unsigned)omitted;
    policy->omit_managed_fields = json_is_true(json_get(object, STR("omitManagedFields")));
    size_t i = 0;
    JSON_EACH(policy->rules, rule)
    {
        r = check_rule(rule, i++, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int audit_policy_read(str_t text, struct audit_policy **out, struct err *err)
{
    struct audit_policy *policy = calloc(1, sizeof(*policy));
    struct json *object = NULL;
    struct err why;
    MUST(policy != NULL);
    int r = yaml_parse(arena_str(&policy->arena, text), &policy->arena, &object, &why);
    if (r == 0)
        r = check_policy(policy, object, &why);
    if (r < 0) {
        audit_policy_free(policy);
        return err_set(err, r, "audit policy: %s", why.text);
    }
    *out = policy;
    return 0;
}

void audit_policy_free(struct audit_policy *policy)
{
    if (policy == NULL)
        return;
    arena_done(&policy->arena);
    free(policy);
}

/* --- asking --- */

static bool has(const struct json *list, str_t word)
{
    JSON_EACH(list, item)
    if (str_eq(item->text, word))
        return true;
    return false;
}

/* "pods", "pods/log", "pods/" and "/scale" with a '*' for what is left out, or "*". */
static bool names_resource(str_t pattern, const struct audit_question *question)
{
    str_t resource, subresource;
    if (str_eq(pattern, STR("*")))
        return true;
    str_cut(pattern, '/', &resource, &subresource);
    bool all = str_eq(resource, STR("*")), all_subs = str_eq(subresource, STR("*"));
    return (all || str_eq(resource, question->plural)) &&
           (all_subs ? question->subresource.len > 0 : str_eq(subresource, question->subresource));
}

static bool resource_fits(const struct json *each, const struct audit_question *question)
{
    const struct json *resources = json_get(each, STR("resources"));
    const struct json *names = json_get(each, STR("resourceNames"));
    if (!str_eq(json_get_text(each, STR("group")), question->group))
        return false;
    if (json_count(resources) == 0)
        return true;
    if (json_count(names) > 0 && !has(names, question->name))
        return false;
    JSON_EACH(resources, pattern)
    if (names_resource(pattern->text, question))
        return true;
    return false;
}

static bool path_fits(const struct json *paths, str_t path)
{
    JSON_EACH(paths, pattern)
    {
        str_t text = pattern->text;
        bool open = text.len > 0 && text.at[text.len - 1] == '*';
        if (open ? str_starts(path, (str_t){text.at, text.len - 1}) : str_eq(path, text))
            return true;
    }
    return false;
}

static bool in_group(const struct json *groups, const struct audit_question *question)
{
    for (size_t i = 0; i < question->n_groups; i++)
        if (has(groups, question->groups[i]))
            return true;
    return false;
}

static bool thing_fits(const struct json *rule, const struct audit_question *question)
{
    const struct json *namespaces = json_get(rule, STR("namespaces"));
    const struct json *resources = json_get(rule, STR("resources"));
    const struct json *paths = json_get(rule, STR("nonResourceURLs"));
    if (json_count(paths) > 0)
        return !question->resource && path_fits(paths, question->path);
    if (json_count(namespaces) == 0 && json_count(resources) == 0)
        return true;
    if (!question->resource || (json_count(namespaces) > 0 && !has(namespaces, question->ns)))
        return false;
    JSON_EACH(resources, each)
    if (resource_fits(each, question))
        return true;
    return json_count(resources) == 0;
}

static bool rule_fits(const struct json *rule, const struct audit_question *question)
{
    const struct json *users = json_get(rule, STR("users"));
    const struct json *groups = json_get(rule, STR("userGroups"));
    const struct json *verbs = json_get(rule, STR("verbs"));
    return (json_count(users) == 0 || has(users, question->user)) &&
           (json_count(groups) == 0 || in_group(groups, question)) &&
           (json_count(verbs) == 0 || has(verbs, question->verb)) && thing_fits(rule, question);
}

struct audit_verdict audit_policy_decide(const struct audit_policy *policy,
                                         const struct audit_question *question)
{
    JSON_EACH(policy->rules, rule)
    {
        if (!rule_fits(rule, question))
            continue;
        const struct json *omit = json_get(rule, STR("omitManagedFields"));
        return (struct audit_verdict){
            .level = (enum audit_level)level_of(json_get_text(rule, STR("level"))),
            .omitted = policy->omitted | (unsigned)stages_of(json_get(rule, STR("omitStages"))),
            .omit_managed_fields = omit != NULL ? json_is_true(omit) : policy->omit_managed_fields,
        };
    }
    return (struct audit_verdict){.level = AUDIT_NONE};
}
