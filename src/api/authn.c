/* authn.c - who is asking. Whether they may is in authz.c. */
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
