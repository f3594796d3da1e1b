/* authz_review.c - authorization.k8s.io: may I, may they, what may I. */
#include "api/api_priv.h"
#include "api/authz.h"
#include "api/review.h"

static struct rbac_ask ask_of(const struct json *spec)
{
    const struct json *path = json_get(spec, STR("nonResourceAttributes"));
    const struct json *wanted = json_get(spec, STR("resourceAttributes"));
    if (path != NULL) {
        str_t text = json_get_text(path, STR("path"));
        /* No path at all is one that nothing but a star allows. */
        return (struct rbac_ask){.verb = json_get_text(path, STR("verb")),
                                 .path = text.len > 0 ? text : STR("*")};
    }
    return (struct rbac_ask){.verb = json_get_text(wanted, STR("verb")),
                             .group = json_get_text(wanted, STR("group")),
                             .resource = json_get_text(wanted, STR("resource")),
                             .subresource = json_get_text(wanted, STR("subresource")),
                             .ns = json_get_text(wanted, STR("namespace")),
                             .name = json_get_text(wanted, STR("name"))};
}

static bool is_master(const struct rbac_who *who)
{
    for (size_t i = 0; i < who->n_groups; i++)
        if (str_eq(who->groups[i], STR("system:masters")))
            return true;
    return false;
}

static struct json *verdict(struct call *call, const struct rbac_who *who, const struct json *spec)
{
    struct arena *arena = call->arena;
    struct rbac *rbac = call->api->authz.rbac;
    struct json *status = json_object(arena);
    struct rbac_ask ask = ask_of(spec);
    const struct rbac_why *why = NULL;
    bool allowed = is_master(who) || rbac_may(rbac, who, &ask, &why);
    json_add(status, STR("allowed"), json_bool(arena, allowed));
    if (why != NULL)
        json_add(status, STR("reason"), json_string(arena, rbac_reason(why, arena)));
    str_t missing = allowed ? STR("") : rbac_missing(rbac, who, ask.ns, arena);
    if (missing.len > 0)
        json_add(status, STR("reason"), json_string(arena, missing));
    return status;
}

struct json *review_self_access(struct call *call, const struct json *object)
{
    struct rbac_who who = who_of(&call->user);
    return verdict(call, &who, json_get(object, STR("spec")));
}

struct json *review_access(struct call *call, const struct json *object)
{
    const struct json *spec = json_get(object, STR("spec"));
    const struct json *groups = json_get(spec, STR("groups"));
    str_t *at = arena_array(call->arena, str_t, json_count(groups));
    struct rbac_who who = {.name = json_get_text(spec, STR("user")), .groups = at};
    JSON_EACH(groups, group)
    at[who.n_groups++] = json_text(group, STR(""));
    return verdict(call, &who, spec);
}

/* --- what may I --- */

struct listing {
    struct arena *arena;
    struct json *resources, *paths;
};

static void add_words(struct json *rule, str_t key, struct rbac_words words, struct arena *arena)
{
    if (words.n == 0)
        return;
    struct json *list = json_array(arena);
    for (size_t i = 0; i < words.n; i++)
        json_add(list, STR(""), json_string(arena, words.at[i]));
    json_add(rule, key, list);
}

static void list_rule(void *self, const struct rbac_rule *rule)
{
    struct listing *listing = self;
    struct arena *arena = listing->arena;
    struct json *out = json_object(arena);
    add_words(out, STR("verbs"), rule->verbs, arena);
    if (rule->urls.n > 0) {
        add_words(out, STR("nonResourceURLs"), rule->urls, arena);
        json_add(listing->paths, STR(""), out);
        return;
    }
    add_words(out, STR("apiGroups"), rule->groups, arena);
    add_words(out, STR("resources"), rule->resources, arena);
    add_words(out, STR("resourceNames"), rule->names, arena);
    json_add(listing->resources, STR(""), out);
}

struct json *review_self_rules(struct call *call, const struct json *object)
{
    struct arena *arena = call->arena;
    struct json *status = json_object(arena);
    struct listing listing = {arena, json_array(arena), json_array(arena)};
    struct rbac_who who = who_of(&call->user);
    str_t ns = json_text(json_at(object, "spec.namespace"), STR(""));
    if (ns.len == 0) {
        answer_plain(call, 400, "BadRequest", "no namespace on request");
        return NULL;
    }
    bool all = rbac_each_rule(call->api->authz.rbac, &who, ns, list_rule, &listing);
    json_add(status, STR("resourceRules"), listing.resources);
    json_add(status, STR("nonResourceRules"), listing.paths);
    json_add(status, STR("incomplete"), json_bool(arena, !all));
    str_t missing = rbac_missing(call->api->authz.rbac, &who, ns, arena);
    if (!all)
        missing = STR("there are more rules than RBAC_WORK_MAX allows to list");
    if (missing.len > 0)
        json_add(status, STR("evaluationError"), json_string(arena, missing));
    return status;
}
