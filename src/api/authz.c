/* authz.c - the store's roles and bindings go into rbac.c; calls become questions to it. */
#include "api/authz.h"

#include "api/api_priv.h"

#include <string.h>

/* --- keeping up with the store --- */

static const struct {
    const char *resource;
    bool binding;
} sources[AUTHZ_WATCHES] = {
    {"roles.rbac.authorization.k8s.io", false},
    {"clusterroles.rbac.authorization.k8s.io", false},
    {"rolebindings.rbac.authorization.k8s.io", true},
    {"clusterrolebindings.rbac.authorization.k8s.io", true},
};

/* Can it be part of an aggregated role, or be one? */
static bool may_aggregate(const struct object *object)
{
    return object != NULL && object->ns.len == 0 &&
           (memmem(object->json.at, object->json.len, "\"labels\":", 9) != NULL ||
            memmem(object->json.at, object->json.len, "\"aggregationRule\":", 18) != NULL);
}

static void take(struct api *api, const struct object *object, bool binding, bool removed)
{
    AUTO(arena_done) struct arena arena = {0};
    struct rbac *rbac = api->authz.rbac;
    if (removed && binding)
        rbac_drop_binding(rbac, object->ns, object->name);
    else if (removed)
        rbac_drop_role(rbac, object->ns, object->name);
    else if (binding)
        rbac_set_binding(rbac, object->ns, object->name, object_tree(object, &arena));
    else
        rbac_set_role(rbac, object->ns, object->name, object_tree(object, &arena));
}

static void on_event(struct store_watch *watch, const struct store_event *event)
{
    struct authz_watch *one = CONTAINER_OF(watch, struct authz_watch, watch);
    size_t i = (size_t)(one - one->api->authz.watches);
    take(one->api, event->object, sources[i].binding, event->verb == STORE_DELETE);
    if (!sources[i].binding && (may_aggregate(event->object) || may_aggregate(event->previous)))
        authz_aggregate_later(one->api);
}

struct loading {
    struct api *api;
    bool binding;
};

static bool load_one(void *self, const struct object *object)
{
    struct loading *loading = self;
    take(loading->api, object, loading->binding, false);
    return true;
}

int authz_start(struct api *api, struct err *err)
{
    struct authz *authz = &api->authz;
    int r = 0;
    authz->rbac = rbac_new();
    for (size_t i = 0; i < AUTHZ_WATCHES && r == 0; i++) {
        struct loading loading = {api, sources[i].binding};
        struct store_list list = {.resource = str_from_z(sources[i].resource)};
        authz->watches[i] = (struct authz_watch){.api = api};
        authz->watches[i].watch.resource = list.resource;
        authz->watches[i].watch.event = on_event;
        r = store_each(api->store, &list, load_one, &loading, err);
        if (r == 0 && !loading.binding) /* It may have ended before that was done. */
            authz_aggregate_later(api);
        if (r == 0)
            r = store_watch(api->store, &authz->watches[i].watch, 0, err);
    }
    return r;
}

void authz_stop(struct api *api)
{
    for (size_t i = 0; i < AUTHZ_WATCHES; i++)
        store_unwatch(&api->authz.watches[i].watch);
    rbac_free(api->authz.rbac);
}

/* --- questions --- */

bool user_is_master(const struct user *user)
{
    return user_in(user, STR("system:masters"));
}

struct rbac_who who_of(const struct user *user)
{
    return (struct rbac_who){user->name, user->groups, user->n_groups};
}

/* `?fieldSelector=metadata.name=x`: a list or watch of one is a question about that one. */
static str_t listed_name(const struct call *call)
{
    struct selector *fields = NULL;
    struct err err;
    str_t text = call_query(call, STR("fieldSelector"));
    if (text.len == 0 || (call->verb != VERB_LIST && call->verb != VERB_WATCH))
        return STR("");
    if (field_selector_parse(call->kind, text, call->arena, &fields, &err) < 0)
        return STR("");
    return selector_name(fields);
}

static const char *path_verb(const struct exchange *x)
{
    static const char *const words[] = {"get",    "head",    "post",    "put",   "patch",
                                        "delete", "options", "connect", "trace", ""};
    return words[x->method];
}

struct rbac_ask authz_ask(const struct call *call)
{
    if (call->kind == NULL) {
        str_t path = call->x->path.len > 0 ? call->x->path : STR("/");
        return (struct rbac_ask){.verb = str_from_z(path_verb(call->x)), .path = path};
    }
    struct rbac_ask ask = {
        .verb = str_from_z(verb_word(call->verb)),
        .group = str_from_z(call->kind->group),
        .resource = str_from_z(call->kind->plural),
        .subresource = call->subresource,
        .ns = call->ns,
        .name = call->name.len > 0 ? call->name : listed_name(call),
    };
    /* A namespace belongs to itself: its admins may see it. */
    if (call->kind == &kind_namespace)
        ask.ns = call->name;
    return ask;
}

bool authz_may_ask(struct api *api, const struct user *user, const struct rbac_ask *ask)
{
    struct rbac_who who = who_of(user);
    return user_is_master(user) || rbac_may(api->authz.rbac, &who, ask, NULL);
}

bool authz_may(struct call *call)
{
    if (user_is_master(&call->user))
        return true;
    struct rbac_ask ask = authz_ask(call);
    return authz_may_ask(call->api, &call->user, &ask);
}

/* --- refusals --- */

static str_t resource_message(const struct rbac_ask *ask, str_t user, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    buf_add(&out, ask->resource);
    if (ask->group.len > 0)
        buf_printf(&out, "." STR_F, STR_A(ask->group));
    if (ask->name.len > 0)
        buf_printf(&out, " \"" STR_F "\"", STR_A(ask->name));
    buf_printf(&out, " is forbidden: User \"" STR_F "\" cannot " STR_F " resource \"" STR_F,
               STR_A(user), STR_A(ask->verb), STR_A(ask->resource));
    if (ask->subresource.len > 0)
        buf_printf(&out, "/" STR_F, STR_A(ask->subresource));
    buf_printf(&out, "\" in API group \"" STR_F "\" ", STR_A(ask->group));
    if (ask->ns.len > 0)
        buf_printf(&out, "in the namespace \"" STR_F "\"", STR_A(ask->ns));
    else
        buf_add(&out, STR("at the cluster scope"));
    return arena_str(arena, buf_str(&out));
}

static struct json *details_of(const struct rbac_ask *ask, struct arena *arena)
{
    struct json *details = json_object(arena);
    if (ask->name.len > 0)
        json_add(details, STR("name"), json_string(arena, ask->name));
    if (ask->group.len > 0)
        json_add(details, STR("group"), json_string(arena, ask->group));
    if (ask->resource.len > 0)
        json_add(details, STR("kind"), json_string(arena, ask->resource));
    return details;
}

void answer_forbidden_ask(struct call *call, const struct rbac_ask *ask)
{
    struct arena *arena = call->arena;
    struct rbac_who who = who_of(&call->user);
    str_t message;
    if (ask->path.len > 0)
        message =
            arena_printf(arena, "forbidden: User \"" STR_F "\" cannot " STR_F " path \"" STR_F "\"",
                         STR_A(who.name), STR_A(ask->verb), STR_A(ask->path));
    else
        message = resource_message(ask, who.name, arena);
    str_t missing =
        rbac_missing(call->api->authz.rbac, &who, ask->path.len > 0 ? STR("") : ask->ns, arena);
    if (missing.len > 0)
        message = arena_printf(arena, STR_F ": " STR_F, STR_A(message), STR_A(missing));
    struct refusal refusal = {403, "Forbidden", message, details_of(ask, arena)};
    answer_refusal(call, &refusal);
}

void answer_forbidden(struct call *call)
{
    struct rbac_ask ask = authz_ask(call);
    answer_forbidden_ask(call, &ask);
}

int authz_check_create(struct call *call)
{
    if (call->x == NULL || call->verb == VERB_CREATE)
        return 0;
    struct rbac_ask ask = authz_ask(call);
    ask.verb = STR("create");
    if (authz_may_ask(call->api, &call->user, &ask))
        return 0;
    answer_forbidden_ask(call, &ask);
    return -1;
}
