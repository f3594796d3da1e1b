/* api_auth.c - who is asking, and may they. */
#include "api/api_priv.h"

bool user_in(const struct user *user, str_t group)
{
    for (size_t i = 0; i < user->n_groups; i++)
        if (str_eq(user->groups[i], group))
            return true;
    return false;
}

static void add_group(struct user *user, str_t group)
{
    if (user->n_groups < GROUPS_MAX)
        user->groups[user->n_groups++] = group;
}

void auth_user(struct api *api, struct exchange *x, struct user *user)
{
    struct tls_peer peer;
    *user = (struct user){0};
    if (x->local && (x->peer_uid == 0 || x->peer_uid == api->settings.owner_uid)) {
        user->name = STR("system:admin");
        add_group(user, STR("system:masters"));
    } else if (x->tls != NULL && tls_peer(x->tls, x->arena, &peer) && peer.common_name.len > 0) {
        user->name = peer.common_name;
        for (size_t i = 0; i < peer.n_organizations; i++)
            add_group(user, peer.organizations[i]);
    } else {
        user->name = STR("system:anonymous");
        add_group(user, STR("system:unauthenticated"));
        return;
    }
    add_group(user, STR("system:authenticated"));
}

bool auth_is_bad(const struct call *call)
{
    return user_in(&call->user, STR("system:unauthenticated")) &&
           http_get(call->x, STR("Authorization")).len > 0;
}

static bool is_open_path(str_t path)
{
    static const str_t open[] = {STR("/livez"), STR("/readyz"), STR("/healthz"), STR("/version")};
    for (size_t i = 0; i < ARRAY_LEN(open); i++)
        if (str_eq(path, open[i]))
            return true;
    return false;
}

/* Until roles are objects: masters may do everything, everybody known may look at what there is. */
bool auth_may(const struct user *user, const struct call *call)
{
    if (user_in(user, STR("system:masters")))
        return true;
    if (call->kind != NULL)
        return false;
    if (is_open_path(call->x->path))
        return true;
    return call->x->method == HTTP_GET && user_in(user, STR("system:authenticated")) &&
           !str_eq(call->x->path, STR("/metrics"));
}
