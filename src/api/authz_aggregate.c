/*
 * authz_aggregate.c - ClusterRoles that are made of others (aggregationRule).
 *
 * Any change of a ClusterRole can change what those are made of, so all of them are looked at, but
 * once a turn only, however many changes it brought. What is as it should be is not written.
 */
#include "api/api_priv.h"
#include "api/authz.h"
#include "base/log.h"
#include "base/map.h"

struct gathering {
    struct api *api;
    struct arena arena;
    struct json *roles; /* All, in the order of their names. */
};

static bool gather(void *self, const struct object *object)
{
    struct gathering *gathering = self;
    json_add(gathering->roles, STR(""), object_tree(object, &gathering->arena));
    return true;
}

static bool is_wanted(const struct json *selectors, const struct json *role)
{
    const struct json *labels = json_at(role, "metadata.labels");
    JSON_EACH(selectors, selector)
    if (selects(selector, labels))
        return true;
    return false;
}

/* Each rule once; rules are told apart by their text. */
static void add_rules(struct json *rules, const struct json *role, struct map *seen,
                      struct arena *arena)
{
    JSON_EACH(json_get(role, STR("rules")), rule)
    {
        AUTO(buf_done) struct buf text = {0};
        json_write(rule, &text);
        if (map_find(seen, buf_str(&text)) != NULL)
            continue;
        map_add(seen, arena_str(arena, buf_str(&text)), arena_new(arena, struct map_node));
        json_add(rules, STR(""), json_clone(rule, arena));
    }
}

static void aggregate_one(struct gathering *gathering, const struct json *role)
{
    AUTO(map_done) struct map seen = {0};
    struct arena *arena = &gathering->arena;
    const struct json *selectors = json_at(role, "aggregationRule.clusterRoleSelectors");
    const struct json *is = json_get(role, STR("rules"));
    str_t name = json_text(json_at(role, "metadata.name"), STR(""));
    struct json *rules = json_array(arena);
    struct err err;
    JSON_EACH(gathering->roles, other)
    if (other != role && is_wanted(selectors, other))
        add_rules(rules, other, &seen, arena);
    bool same = rules->first == NULL ? json_count(is) == 0 : is != NULL && json_eq(rules, is);
    if (same)
        return;
    struct json *next = json_clone(role, arena);
    if (rules->first != NULL)
        json_set(next, STR("rules"), rules);
    else
        (void)json_remove(next, STR("rules"));
    struct writer writer = api_writer(gathering->api);
    int r = writer.update(writer.self, &kind_clusterrole, "", next, &err);
    if (r < 0 && r != ERR_CONFLICT && r != ERR_NOT_FOUND) /* Those come by again as a change. */
        log_error(gathering->api->settings.log, "aggregate a role", F_STR("role", name),
                  F_STR("error", str_from_z(err.text)));
}

static void aggregate(struct post *post)
{
    struct api *api = CONTAINER_OF(post, struct api, authz.post);
    struct gathering gathering = {.api = api};
    struct store_list list = {.resource = STR("clusterroles.rbac.authorization.k8s.io")};
    struct err err;
    api->authz.posted = false;
    if (!list_in(&api->authz.watches[0].watch.link)) /* The store was closed meanwhile. */
        return;
    gathering.roles = json_array(&gathering.arena);
    int r = store_each(api->store, &list, gather, &gathering, &err);
    MUST(r == 0);
    JSON_EACH(gathering.roles, role)
    if (json_get(role, STR("aggregationRule")) != NULL)
        aggregate_one(&gathering, role);
    arena_done(&gathering.arena);
}

void authz_aggregate_later(struct api *api)
{
    if (api->authz.posted)
        return;
    api->authz.posted = true;
    api->authz.post.run = aggregate;
    loop_post(api->loop, &api->authz.post);
}
