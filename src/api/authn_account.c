/* authn_account.c - tokens of service accounts: a signature, claims, and what they are bound to. */
#include "api/api_priv.h"
#include "api/authn.h"

#include <string.h>

str_t uid_of(struct api *api, str_t resource, str_t ns, str_t name, struct arena *arena)
{
    const struct object *object = store_get(api->store, resource, ns, name);
    if (object == NULL)
        return STR("");
    struct json *meta;
    struct err ignored;
    if (json_pick(object->json, STR("metadata"), arena, &meta, &ignored) < 0)
        return STR("");
    return json_get_text(meta, STR("uid"));
}

/* Its last bytes are the signature's, which nobody can choose. */
static struct token_kept *place_of(struct api *api, str_t token)
{
    unsigned at = 0;
    for (size_t i = token.len < 6 ? 0 : token.len - 6; i < token.len; i++)
        at = at * 31 + (unsigned char)token.at[i];
    return &api->authn.kept[at % TOKENS_KEPT];
}

/* Takes as long for every token of this length. */
static bool same_bytes(const char *a, const char *b, size_t n)
{
    unsigned char differs = 0;
    for (size_t i = 0; i < n; i++)
        differs |= (unsigned char)(a[i] ^ b[i]);
    return differs == 0;
}

static int claims_of(struct api *api, str_t token, struct arena *arena, struct json **claims,
                     struct err *err)
{
    struct token_kept *kept = place_of(api, token);
    if (kept->token != NULL && kept->len == token.len &&
        same_bytes(kept->token, token.at, token.len)) {
        *claims = json_clone(kept->claims, arena);
        return 0;
    }
    int r = jwt_verify(&api->authn.signer, token, arena, claims, err);
    if (r < 0)
        return r;
    arena_reset(&kept->arena);
    kept->token = arena_bytes(&kept->arena, token.len);
    memcpy(kept->token, token.at, token.len);
    kept->len = token.len;
    kept->claims = json_clone(*claims, &kept->arena);
    return 0;
}

static const struct {
    str_t claim, resource;
    bool namespaced;
} bonds[] = {
    {STR("serviceaccount"), STR("serviceaccounts"), true},
    {STR("pod"), STR("pods"), true},
    {STR("secret"), STR("secrets"), true},
    /* A node that a pod's token names is told, and need not be there. */
};

static int check_bonds(struct api *api, const struct json *ours, str_t ns, struct arena *arena,
                       struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(bonds); i++) {
        const struct json *bond = json_get(ours, bonds[i].claim);
        if (bond == NULL && i > 0)
            continue;
        str_t name = json_get_text(bond, STR("name"));
        str_t uid = uid_of(api, bonds[i].resource, ns, name, arena);
        if (uid.len == 0 || !str_eq(uid, json_get_text(bond, STR("uid"))))
            return err_set(err, ERR_INVALID, "service account token has been invalidated");
    }
    const struct json *node = json_get(ours, STR("node"));
    if (node != NULL && json_get(ours, STR("pod")) == NULL &&
        !str_eq(json_get_text(node, STR("uid")),
                uid_of(api, STR("nodes"), STR(""), json_get_text(node, STR("name")), arena)))
        return err_set(err, ERR_INVALID, "service account token has been invalidated");
    return 0;
}

static void add_extra(struct json *extra, const char *name, str_t value, struct arena *arena)
{
    if (value.len == 0)
        return;
    json_add(extra, arena_printf(arena, "authentication.kubernetes.io/%s", name),
             json_add(json_array(arena), STR(""), json_string(arena, value)));
}

static void describe(const struct json *claims, str_t ns, struct arena *arena, struct user *user)
{
    const struct json *ours = json_get(claims, STR("kubernetes.io"));
    const struct json *account = json_get(ours, STR("serviceaccount"));
    const struct json *node = json_get(ours, STR("node")), *pod = json_get(ours, STR("pod"));
    str_t id = json_get_text(claims, STR("jti"));
    *user =
        (struct user){.name = arena_printf(arena, "system:serviceaccount:" STR_F ":" STR_F,
                                           STR_A(ns), STR_A(json_get_text(account, STR("name")))),
                      .uid = json_get_text(account, STR("uid")),
                      .extra = json_object(arena)};
    user_add_group(user, STR("system:serviceaccounts"));
    user_add_group(user, arena_printf(arena, "system:serviceaccounts:" STR_F, STR_A(ns)));
    user_add_group(user, STR("system:authenticated"));
    add_extra(user->extra, "credential-id", arena_printf(arena, "JTI=" STR_F, STR_A(id)), arena);
    add_extra(user->extra, "node-name", json_get_text(node, STR("name")), arena);
    add_extra(user->extra, "node-uid", json_get_text(node, STR("uid")), arena);
    add_extra(user->extra, "pod-name", json_get_text(pod, STR("name")), arena);
    add_extra(user->extra, "pod-uid", json_get_text(pod, STR("uid")), arena);
}

int account_user(struct api *api, str_t token, const struct jwt_wanted *wanted, struct arena *arena,
                 struct user *user, struct json **claims, struct err *err)
{
    int r = claims_of(api, token, arena, claims, err);
    if (r == 0)
        r = jwt_check(*claims, wanted, err);
    if (r < 0)
        return r;
    const struct json *ours = json_get(*claims, STR("kubernetes.io"));
    str_t ns = json_get_text(ours, STR("namespace"));
    r = check_bonds(api, ours, ns, arena, err);
    if (r == 0)
        describe(*claims, ns, arena, user);
    return r;
}
