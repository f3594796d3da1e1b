/* role.c - Role, ClusterRole and what binds them to subjects (rbac.authorization.k8s.io/v1). */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"

#define RBAC_GROUP "rbac.authorization.k8s.io"

/* --- roles --- */

static bool is_empty(const struct json *rule, const char *name)
{
    return json_count(json_get(rule, str_from_z(name))) == 0;
}

/* `[]string{"a", "b"}`, as Go prints what it refuses. */
static str_t go_list(const struct json *list, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    buf_add(&out, STR("[]string{"));
    JSON_EACH(list, item)
    buf_printf(&out, "%s\"" STR_F "\"", item == list->first ? "" : ", ",
               STR_A(json_text(item, STR(""))));
    buf_add_char(&out, '}');
    return arena_str(arena, buf_str(&out));
}

static void check_rule(const struct json *rule, bool namespaced, const struct place *at,
                       struct field_errors *errors)
{
    const struct json *urls = json_get(rule, STR("nonResourceURLs"));
    if (is_empty(rule, "verbs"))
        rule_error(errors, FIELD_REQUIRED, IN(at, "verbs"),
                   "Required value: verbs must contain at least one value");
    if (json_count(urls) > 0) {
        str_t text = go_list(urls, errors->arena);
        if (namespaced)
            rule_error(errors, FIELD_INVALID, IN(at, "nonResourceURLs"),
                       "Invalid value: " STR_F
                       ": namespaced rules cannot apply to non-resource URLs",
                       STR_A(text));
        if (!is_empty(rule, "apiGroups") || !is_empty(rule, "resources") ||
            !is_empty(rule, "resourceNames"))
            rule_error(errors, FIELD_INVALID, IN(at, "nonResourceURLs"),
                       "Invalid value: " STR_F
                       ": rules cannot apply to both regular resources and non-resource URLs",
                       STR_A(text));
        return;
    }
    if (is_empty(rule, "apiGroups"))
        rule_error(errors, FIELD_REQUIRED, IN(at, "apiGroups"),
                   "Required value: resource rules must supply at least one api group");
    if (is_empty(rule, "resources"))
        rule_error(errors, FIELD_REQUIRED, IN(at, "resources"),
                   "Required value: resource rules must supply at least one resource");
}

static void check_rules(const struct json *object, bool namespaced, struct field_errors *errors)
{
    size_t i = 0;
    JSON_EACH(json_get(object, STR("rules")), rule)
    check_rule(rule, namespaced, ITEM(NULL, "rules", i++), errors);
}

static void role_check(const struct json *object, const struct json *old,
                       struct field_errors *errors)
{
    (void)old;
    check_rules(object, true, errors);
}

static void cluster_role_check(const struct json *object, const struct json *old,
                               struct field_errors *errors)
{
    (void)old;
    const struct json *aggregation = json_get(object, STR("aggregationRule"));
    const struct json *selectors = json_get(aggregation, STR("clusterRoleSelectors"));
    const struct place *at = IN(IN(NULL, "aggregationRule"), "clusterRoleSelectors");
    check_rules(object, false, errors);
    if (aggregation != NULL && json_count(selectors) == 0)
        rule_error(errors, FIELD_REQUIRED, at,
                   "Required value: at least one clusterRoleSelector required if aggregationRule "
                   "is non-nil");
    size_t i = 0;
    JSON_EACH(selectors, selector)
    rule_label_selector(selector, ITEM(IN(NULL, "aggregationRule"), "clusterRoleSelectors", i++),
                        errors);
}

/* --- bindings --- */

static void binding_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    (void)old;
    struct json *role = json_get(object, STR("roleRef"));
    if (role != NULL && json_get_text(role, STR("apiGroup")).len == 0)
        json_set(role, STR("apiGroup"), json_string(arena, STR(RBAC_GROUP)));
    JSON_EACH(json_get(object, STR("subjects")), subject)
    {
        str_t kind = json_get_text(subject, STR("kind"));
        if ((str_eq(kind, STR("User")) || str_eq(kind, STR("Group"))) &&
            json_get_text(subject, STR("apiGroup")).len == 0)
            json_set(subject, STR("apiGroup"), json_string(arena, STR(RBAC_GROUP)));
    }
}

static void check_group(const struct json *object, const char *wanted, const struct place *at,
                        struct field_errors *errors)
{
    str_t group = json_get_text(object, STR("apiGroup"));
    if (!str_eq(group, str_from_z(wanted)))
        rule_error(errors, FIELD_NOT_SUPPORTED, IN(at, "apiGroup"),
                   "Unsupported value: \"" STR_F "\": supported values: \"%s\"", STR_A(group),
                   wanted);
}

static void check_subject(const struct json *subject, bool in_cluster, const struct place *at,
                          struct field_errors *errors)
{
    str_t kind = json_get_text(subject, STR("kind")), name = json_get_text(subject, STR("name"));
    if (name.len == 0)
        rule_error(errors, FIELD_REQUIRED, IN(at, "name"), "Required value");
    if (str_eq(kind, STR("ServiceAccount"))) {
        if (name.len > 0)
            rule_name(NAME_SUBDOMAIN, name, false, IN(at, "name"), errors);
        check_group(subject, "", at, errors);
        if (in_cluster && json_get_text(subject, STR("namespace")).len == 0)
            rule_error(errors, FIELD_REQUIRED, IN(at, "namespace"), "Required value");
        return;
    }
    if (str_eq(kind, STR("User")) || str_eq(kind, STR("Group"))) {
        check_group(subject, RBAC_GROUP, at, errors);
        return;
    }
    rule_error(errors, FIELD_NOT_SUPPORTED, IN(at, "kind"),
               "Unsupported value: \"" STR_F
               "\": supported values: \"ServiceAccount\", \"User\", \"Group\"",
               STR_A(kind));
}

static void check_role_ref(const struct json *role, bool in_cluster, const struct place *at,
                           struct field_errors *errors)
{
    str_t kind = json_get_text(role, STR("kind"));
    check_group(role, RBAC_GROUP, at, errors);
    if (!str_eq(kind, STR("ClusterRole")) && (in_cluster || !str_eq(kind, STR("Role"))))
        rule_error(errors, FIELD_NOT_SUPPORTED, IN(at, "kind"),
                   "Unsupported value: \"" STR_F "\": supported values: %s", STR_A(kind),
                   in_cluster ? "\"ClusterRole\"" : "\"Role\", \"ClusterRole\"");
    if (json_get_text(role, STR("name")).len == 0)
        rule_error(errors, FIELD_REQUIRED, IN(at, "name"), "Required value");
}

static void check_binding(const struct json *object, const struct json *old, bool in_cluster,
                          struct field_errors *errors)
{
    const struct json *role = json_get(object, STR("roleRef"));
    check_role_ref(role, in_cluster, IN(NULL, "roleRef"), errors);
    size_t i = 0;
    JSON_EACH(json_get(object, STR("subjects")), subject)
    check_subject(subject, in_cluster, ITEM(NULL, "subjects", i++), errors);
    if (old == NULL || json_eq(role, json_get(old, STR("roleRef"))))
        return;
    rule_error(errors, FIELD_INVALID, IN(NULL, "roleRef"),
               "Invalid value: rbac.RoleRef{APIGroup:\"" STR_F "\", Kind:\"" STR_F
               "\", Name:\"" STR_F "\"}: cannot change roleRef",
               STR_A(json_get_text(role, STR("apiGroup"))), STR_A(json_get_text(role, STR("kind"))),
               STR_A(json_get_text(role, STR("name"))));
}

static void role_binding_check(const struct json *object, const struct json *old,
                               struct field_errors *errors)
{
    check_binding(object, old, false, errors);
}

static void cluster_role_binding_check(const struct json *object, const struct json *old,
                                       struct field_errors *errors)
{
    check_binding(object, old, true, errors);
}

/* --- columns --- */

static str_t column_role(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    const struct json *role = json_get(object, STR("roleRef"));
    return arena_printf(arena, STR_F "/" STR_F, STR_A(json_get_text(role, STR("kind"))),
                        STR_A(json_get_text(role, STR("name"))));
}

static str_t subjects_of(const struct json *object, str_t kind, bool with_namespace,
                         struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    JSON_EACH(json_get(object, STR("subjects")), subject)
    {
        if (!str_eq(json_get_text(subject, STR("kind")), kind))
            continue;
        if (out.len > 0)
            buf_add(&out, STR(", "));
        if (with_namespace)
            buf_printf(&out, STR_F "/", STR_A(json_get_text(subject, STR("namespace"))));
        buf_add(&out, json_get_text(subject, STR("name")));
    }
    return arena_str(arena, buf_str(&out));
}

static str_t column_users(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return subjects_of(object, STR("User"), false, arena);
}

static str_t column_groups(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return subjects_of(object, STR("Group"), false, arena);
}

static str_t column_accounts(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return subjects_of(object, STR("ServiceAccount"), true, arena);
}

/* clang-format off */
static const struct column role_columns[] = {
    COLUMN_NAME,
    {"Created At", "date", "", "When it was made.", 0, column_created},
    {0},
};

static const struct column binding_columns[] = {
    COLUMN_NAME,
    {"Role", "string", "", "The role that is given.", 0, column_role},
    COLUMN_AGE,
    {"Users", "string", "", "Users who get it.", 1, column_users},
    {"Groups", "string", "", "Groups that get it.", 1, column_groups},
    {"ServiceAccounts", "string", "", "ServiceAccounts that get it.", 1, column_accounts},
    {0},
};

const struct kind kind_role = {
    .group = RBAC_GROUP, .version = "v1", .name = "Role", .plural = "roles", .singular = "role",
    .namespaced = true, .name_rule = NAME_SEGMENT, .schema = &role_schema, .check = role_check,
    .columns = role_columns,
};
const struct kind kind_clusterrole = {
    .group = RBAC_GROUP, .version = "v1", .name = "ClusterRole", .plural = "clusterroles",
    .singular = "clusterrole", .name_rule = NAME_SEGMENT, .schema = &cluster_role_schema,
    .check = cluster_role_check, .columns = role_columns,
};
const struct kind kind_rolebinding = {
    .group = RBAC_GROUP, .version = "v1", .name = "RoleBinding", .plural = "rolebindings",
    .singular = "rolebinding", .namespaced = true, .name_rule = NAME_SEGMENT,
    .schema = &role_binding_schema, .prepare = binding_prepare, .check = role_binding_check,
    .columns = binding_columns,
};
const struct kind kind_clusterrolebinding = {
    .group = RBAC_GROUP, .version = "v1", .name = "ClusterRoleBinding",
    .plural = "clusterrolebindings", .singular = "clusterrolebinding", .name_rule = NAME_SEGMENT,
    .schema = &cluster_role_binding_schema, .prepare = binding_prepare,
    .check = cluster_role_binding_check, .columns = binding_columns,
};
/* clang-format on */
