/*
 * authz_bootstrap.c - at the start, what every cluster has is made or completed.
 *
 * An operator may add to the roles and bindings of authz_defaults.c; what they took away comes
 * back, unless the object's annotation rbac.authorization.kubernetes.io/autoupdate is "false".
 */
#include "api/api_priv.h"
#include "api/authz.h"

#include <string.h>

#define RBAC_GROUP "rbac.authorization.k8s.io"
#define AUTOUPDATE "rbac.authorization.kubernetes.io/autoupdate"
#define CONTROLLER "system:controller:"

/* --- from the tables to objects --- */

static struct json *words_json(str_t list, struct arena *arena)
{
    struct json *out = json_array(arena);
    str_t word;
    while (list.len > 0) {
        str_cut(list, ',', &word, &list);
        json_add(out, STR(""), json_string(arena, str_eq(word, STR(".")) ? STR("") : word));
    }
    return out;
}

/* "VERBS GROUPS RESOURCES [NAMES]" or "VERBS PATHS" */
static struct json *rule_json(str_t text, struct arena *arena)
{
    struct json *rule = json_object(arena);
    str_t parts[4];
    size_t n = 0;
    while (text.len > 0 && n < ARRAY_LEN(parts))
        str_cut(text, ' ', &parts[n++], &text);
    MUST(n >= 2 && text.len == 0);
    json_add(rule, STR("verbs"), words_json(parts[0], arena));
    if (n == 2) {
        json_add(rule, STR("nonResourceURLs"), words_json(parts[1], arena));
        return rule;
    }
    json_add(rule, STR("apiGroups"), words_json(parts[1], arena));
    json_add(rule, STR("resources"), words_json(parts[2], arena));
    if (n == 4)
        json_add(rule, STR("resourceNames"), words_json(parts[3], arena));
    return rule;
}

static struct json *rules_json(str_t text, struct arena *arena)
{
    struct json *rules = json_array(arena);
    str_t rule;
    while (text.len > 0) {
        str_cut(text, ';', &rule, &text);
        json_add(rules, STR(""), rule_json(rule, arena));
    }
    return rules;
}

static struct json *one_text(str_t key, const char *value, struct arena *arena)
{
    return json_add(json_object(arena), key, json_string(arena, str_from_z(value)));
}

static struct json *object_json(const char *name, struct arena *arena)
{
    struct json *object = json_object(arena), *meta = json_object(arena);
    json_add(meta, STR("name"), json_string(arena, str_from_z(name)));
    json_add(meta, STR("labels"),
             one_text(STR("kubernetes.io/bootstrapping"), "rbac-defaults", arena));
    json_add(meta, STR("annotations"), one_text(STR(AUTOUPDATE), "true", arena));
    return json_add(object, STR("metadata"), meta);
}

static str_t aggregate_label(const char *to, struct arena *arena)
{
    return arena_printf(arena, RBAC_GROUP "/aggregate-to-%s", to);
}

static struct json *role_json(const struct default_role *role, struct arena *arena)
{
    struct json *object = object_json(role->name, arena);
    if (role->aggregates != NULL)
        json_add(json_get(json_get(object, STR("metadata")), STR("labels")),
                 aggregate_label(role->aggregates, arena), json_string(arena, STR("true")));
    if (role->made_of == NULL)
        return json_add(object, STR("rules"), rules_json(str_from_z(role->rules), arena));
    struct json *selector = json_object(arena), *aggregation = json_object(arena);
    json_add(selector, STR("matchLabels"),
             one_text(aggregate_label(role->made_of, arena), "true", arena));
    json_add(aggregation, STR("clusterRoleSelectors"),
             json_add(json_array(arena), STR(""), selector));
    return json_add(object, STR("aggregationRule"), aggregation);
}

static void add_subject(struct json *subjects, const char *kind, const char *name,
                        struct arena *arena)
{
    struct json *subject = json_object(arena);
    bool account = strcmp(kind, "ServiceAccount") == 0;
    json_add(subject, STR("kind"), json_string(arena, str_from_z(kind)));
    if (!account)
        json_add(subject, STR("apiGroup"), json_string(arena, STR(RBAC_GROUP)));
    json_add(subject, STR("name"), json_string(arena, str_from_z(name)));
    if (account)
        json_add(subject, STR("namespace"), json_string(arena, STR("kube-system")));
    json_add(subjects, STR(""), subject);
}

static struct json *binding_json(const struct default_binding *binding, struct arena *arena)
{
    struct json *object = object_json(binding->name, arena), *ref = json_object(arena);
    struct json *subjects = json_array(arena);
    for (size_t i = 0; binding->subjects != NULL && binding->subjects[i] != NULL; i++)
        add_subject(subjects, binding->kind, binding->subjects[i], arena);
    if (subjects->first != NULL)
        json_add(object, STR("subjects"), subjects);
    json_add(ref, STR("apiGroup"), json_string(arena, STR(RBAC_GROUP)));
    json_add(ref, STR("kind"), json_string(arena, STR("ClusterRole")));
    json_add(ref, STR("name"), json_string(arena, str_from_z(binding->name)));
    return json_add(object, STR("roleRef"), ref);
}

/* --- what is there already --- */

/* Members that are not there; those that are stay. True: something was added. */
static bool complete_map(struct json *is, struct json *wanted, str_t name, struct arena *arena)
{
    struct json *has = json_get(is, name);
    bool changed = false;
    if (has == NULL)
        json_set(is, name, has = json_object(arena));
    JSON_EACH(json_get(wanted, name), member)
    {
        if (json_get(has, member->key) != NULL)
            continue;
        json_add(has, member->key, json_clone(member, arena));
        changed = true;
    }
    return changed;
}

static bool complete_rules(struct json *is, const struct json *wanted, struct arena *arena)
{
    struct json *has = json_get(is, STR("rules"));
    struct rbac_rules have = rbac_rules_of(has, arena);
    bool changed = false;
    str_t missing;
    JSON_EACH(json_get(wanted, STR("rules")), rule)
    {
        struct json *alone = json_add(json_array(arena), STR(""), json_clone(rule, arena));
        if (rbac_covers(have, rbac_rules_of(alone, arena), arena, &missing))
            continue;
        if (has == NULL)
            json_set(is, STR("rules"), has = json_array(arena));
        json_add(has, STR(""), alone->first);
        changed = true;
    }
    return changed;
}

/* Items of a list that it has not, compared as a whole. */
static bool complete_list(struct json *is, const struct json *wanted, str_t name,
                          struct arena *arena)
{
    struct json *has = json_get(is, name);
    bool changed = false;
    JSON_EACH(json_get(wanted, name), item)
    {
        bool found = false;
        JSON_EACH(has, other)
        found = found || json_eq(other, item);
        if (found)
            continue;
        if (has == NULL)
            json_set(is, name, has = json_array(arena));
        json_add(has, STR(""), json_clone(item, arena));
        changed = true;
    }
    return changed;
}

static bool complete(struct json *is, struct json *wanted, struct arena *arena)
{
    struct json *meta = json_get(is, STR("metadata")), *want = json_get(wanted, STR("metadata"));
    bool changed = complete_map(meta, want, STR("labels"), arena);
    changed |= complete_map(meta, want, STR("annotations"), arena);
    changed |= complete_rules(is, wanted, arena);
    changed |= complete_list(is, wanted, STR("subjects"), arena);
    const struct json *aggregation = json_get(wanted, STR("aggregationRule"));
    if (aggregation == NULL)
        return changed;
    struct json *has = json_get(is, STR("aggregationRule"));
    if (has == NULL)
        json_set(is, STR("aggregationRule"), has = json_object(arena));
    return complete_list(has, aggregation, STR("clusterRoleSelectors"), arena) || changed;
}

static int ensure(struct api *api, const struct kind *kind, struct json *wanted,
                  struct arena *arena, struct err *err)
{
    struct writer writer = api_writer(api);
    str_t name = json_text(json_at(wanted, "metadata.name"), STR(""));
    const struct object *latest =
        store_latest(api->store, kind_resource(kind, arena), STR(""), name);
    if (latest == NULL)
        return writer.create(writer.self, kind, wanted, err);
    struct json *is = json_clone(object_tree(latest, arena), arena);
    const struct json *annotations = json_at(is, "metadata.annotations");
    if (str_eq(json_get_text(annotations, STR(AUTOUPDATE)), STR("false")))
        return 0;
    const struct json *ref = json_get(is, STR("roleRef"));
    const struct json *to = json_get(wanted, STR("roleRef"));
    if (ref != NULL && to != NULL && !json_eq(ref, to)) { /* It cannot be changed, so: anew. */
        int r = writer.remove(writer.self, kind, STR(""), name, err);
        return r < 0 ? r : writer.create(writer.self, kind, wanted, err);
    }
    if (!complete(is, wanted, arena))
        return 0;
    return writer.update(writer.self, kind, "", is, err);
}

int authz_bootstrap(struct api *api, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    int r = 0;
    for (const struct default_role *role = default_roles; role->name != NULL && r == 0; role++) {
        r = ensure(api, &kind_clusterrole, role_json(role, &arena), &arena, err);
        if (r < 0 || strncmp(role->name, CONTROLLER, strlen(CONTROLLER)) != 0)
            continue;
        struct default_binding binding = {
            role->name, "ServiceAccount",
            (const char *const[]){role->name + strlen(CONTROLLER), NULL}};
        r = ensure(api, &kind_clusterrolebinding, binding_json(&binding, &arena), &arena, err);
    }
    for (const struct default_binding *binding = default_bindings; binding->name != NULL && r == 0;
         binding++)
        r = ensure(api, &kind_clusterrolebinding, binding_json(binding, &arena), &arena, err);
    return r < 0 ? err_wrap(err, "make the roles every cluster has") : 0;
}
