/*
 * authz_escalate.c - nobody can give away what they do not have.
 *
 * Who writes a role must hold all that it grants, or have the verb `escalate` on it; who writes a
 * binding must hold all that its role grants, or have the verb `bind` on that role. An aggregated
 * role can gather anything, so its writer must hold everything.
 */
#include "api/api_priv.h"
#include "api/authz.h"

#define RBAC_GROUP "rbac.authorization.k8s.io"

/* --- what somebody has --- */

struct held {
    struct rbac_rule *at;
    size_t n, cap;
    struct arena *arena;
};

static void held_add(void *self, const struct rbac_rule *rule)
{
    struct held *held = self;
    if (held->n == held->cap) {
        size_t cap = held->cap == 0 ? 64 : held->cap * 2;
        struct rbac_rule *at = arena_array(held->arena, struct rbac_rule, cap);
        for (size_t i = 0; i < held->n; i++)
            at[i] = held->at[i];
        held->at = at;
        held->cap = cap;
    }
    held->at[held->n++] = *rule;
}

/* `["a" "b"]`, as Go prints them. */
static str_t groups_text(const struct user *user, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    buf_add_char(&out, '[');
    for (size_t i = 0; i < user->n_groups; i++) {
        if (i > 0)
            buf_add_char(&out, ' ');
        json_write_string(user->groups[i], &out);
    }
    buf_add_char(&out, ']');
    return arena_str(arena, buf_str(&out));
}

/* "" or the whole refusal. */
static str_t missing_of(struct call *call, struct rbac_rules want)
{
    struct rbac_who who = who_of(&call->user);
    struct held held = {.arena = call->arena};
    str_t missing;
    rbac_each_rule(call->api->authz.rbac, &who, call->ns, held_add, &held);
    if (rbac_covers((struct rbac_rules){held.at, held.n}, want, call->arena, &missing))
        return STR("");
    str_t groups = groups_text(&call->user, call->arena);
    return arena_printf(call->arena,
                        "user \"" STR_F "\" (groups=" STR_F
                        ") is attempting to grant RBAC permissions not currently held:\n" STR_F,
                        STR_A(who.name), STR_A(groups), STR_A(missing));
}

static int refuse(struct call *call, const struct json *object, str_t why)
{
    struct arena *arena = call->arena;
    str_t name = json_text(json_at(object, "metadata.name"), call->name);
    struct json *details = json_object(arena);
    if (name.len > 0)
        json_add(details, STR("name"), json_string(arena, name));
    json_add(details, STR("group"), json_string(arena, STR(RBAC_GROUP)));
    json_add(details, STR("kind"), json_string(arena, str_from_z(call->kind->plural)));
    struct refusal refusal = {403, "Forbidden",
                              arena_printf(arena, STR_F " \"" STR_F "\" is forbidden: " STR_F,
                                           STR_A(call->resource), STR_A(name), STR_A(why)),
                              details};
    answer_refusal(call, &refusal);
    return -1;
}

/* --- roles --- */

static bool may_escalate(struct call *call)
{
    struct rbac_ask ask = {.verb = STR("escalate"),
                           .group = STR(RBAC_GROUP),
                           .resource = str_from_z(call->kind->plural),
                           .ns = call->ns,
                           .name = call->verb == VERB_CREATE ? STR("") : call->name};
    return authz_may_ask(call->api, &call->user, &ask);
}

static int check_role(struct call *call, const struct json *object, const struct json *old)
{
    static const str_t star = STR("*");
    const struct rbac_words all = {&star, 1};
    const struct rbac_rule everything[] = {{.verbs = all, .groups = all, .resources = all},
                                           {.verbs = all, .urls = all}};
    if (may_escalate(call))
        return 0;
    struct rbac_rules want = rbac_rules_of(json_get(object, STR("rules")), call->arena);
    str_t missing = missing_of(call, want);
    if (missing.len > 0)
        return refuse(call, object, missing);
    if (json_get(object, STR("aggregationRule")) == NULL &&
        json_get(old, STR("aggregationRule")) == NULL)
        return 0;
    missing = missing_of(call, (struct rbac_rules){everything, ARRAY_LEN(everything)});
    if (missing.len == 0)
        return 0;
    return refuse(
        call, object,
        arena_printf(call->arena,
                     "must have cluster-admin privileges to use the aggregationRule: " STR_F,
                     STR_A(missing)));
}

/* --- bindings --- */

static int check_binding(struct call *call, const struct json *object)
{
    const struct json *ref = json_get(object, STR("roleRef"));
    bool in_cluster = str_eq(json_get_text(ref, STR("kind")), STR("ClusterRole"));
    struct rbac_ask ask = {.verb = STR("bind"),
                           .group = STR(RBAC_GROUP),
                           .resource = in_cluster ? STR("clusterroles") : STR("roles"),
                           .ns = call->ns,
                           .name = json_get_text(ref, STR("name"))};
    struct rbac_rules want;
    if (authz_may_ask(call->api, &call->user, &ask))
        return 0;
    if (!rbac_role_rules(call->api->authz.rbac, in_cluster ? STR("") : call->ns, ask.name, &want)) {
        struct call about = *call;
        about.kind = in_cluster ? &kind_clusterrole : &kind_role;
        about.resource = kind_resource(about.kind, call->arena);
        about.name = ask.name;
        answer_not_found(&about);
        return -1;
    }
    str_t missing = missing_of(call, want);
    return missing.len > 0 ? refuse(call, object, missing) : 0;
}

/* Owner references and finalizers give nobody anything: the collector of garbage changes them. */
static bool grants_the_same(const struct json *object, const struct json *old)
{
    static const char *const parts[] = {"rules", "aggregationRule", "roleRef", "subjects"};
    const struct json *meta = json_get(object, STR("metadata"));
    const struct json *was = json_get(old, STR("metadata"));
    static const char *const metas[] = {"labels", "annotations"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const struct json *a = json_get(object, str_from_z(parts[i]));
        const struct json *b = json_get(old, str_from_z(parts[i]));
        if (a != b && (a == NULL || b == NULL || !json_eq(a, b)))
            return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(metas); i++) {
        const struct json *a = json_get(meta, str_from_z(metas[i]));
        const struct json *b = json_get(was, str_from_z(metas[i]));
        if (a != b && (a == NULL || b == NULL || !json_eq(a, b)))
            return false;
    }
    return true;
}

int authz_check_grant(struct call *call, const struct json *object, const struct json *old)
{
    bool role = call->kind == &kind_role || call->kind == &kind_clusterrole;
    bool binding = call->kind == &kind_rolebinding || call->kind == &kind_clusterrolebinding;
    if ((!role && !binding) || call->x == NULL || user_is_master(&call->user))
        return 0;
    if (old != NULL && grants_the_same(object, old))
        return 0;
    return role ? check_role(call, object, old) : check_binding(call, object);
}
