/*
 * authz_impersonate.c - kubectl --as: who may act as somebody else, and as whom the call goes on.
 *
 * Each thing that is claimed (a name, a UID, each group, each extra) is a question of its own to
 * the roles of who really asks. Kubernetes' WithImpersonation() says which.
 */
#include "api/api_priv.h"
#include "api/authz.h"

#define EXTRA_PREFIX "Impersonate-Extra-"

struct mask {
    struct call *call;
    struct user as;
    bool groups_said;
};

static int bad(struct call *call, int code, const char *reason, const char *text)
{
    answer_plain(call, code, reason, "%s", text);
    return -1;
}

/* May the caller claim this? < 0: answered. */
static int claim(struct mask *mask, struct rbac_ask ask)
{
    struct call *call = mask->call;
    ask.verb = STR("impersonate");
    if (authz_may_ask(call->api, &call->user, &ask))
        return 0;
    answer_forbidden_ask(call, &ask);
    return -1;
}

static int add_group(struct mask *mask, str_t group)
{
    if (mask->as.n_groups == GROUPS_MAX)
        return bad(mask->call, 400, "BadRequest",
                   "impersonation: more groups than GROUPS_MAX allows");
    mask->as.groups[mask->as.n_groups++] = group;
    return 0;
}

/* "system:serviceaccount:ns:name", whose groups are known. */
static bool is_account(str_t user, str_t *ns, str_t *name)
{
    static const str_t prefix = STR("system:serviceaccount:");
    if (!str_starts(user, prefix))
        return false;
    str_t rest = {user.at + prefix.len, user.len - prefix.len};
    return str_cut(rest, ':', ns, name) && is_dns_label(*ns) && is_dns_subdomain(*name);
}

static int claim_name(struct mask *mask, str_t user)
{
    str_t ns, name;
    struct arena *arena = mask->call->arena;
    mask->as.name = user;
    if (!is_account(user, &ns, &name))
        return claim(mask, (struct rbac_ask){.resource = STR("users"), .name = user});
    int r =
        claim(mask, (struct rbac_ask){.resource = STR("serviceaccounts"), .ns = ns, .name = name});
    if (r == 0 && !mask->groups_said)
        r = add_group(mask, STR("system:serviceaccounts"));
    if (r == 0 && !mask->groups_said)
        r = add_group(mask, arena_printf(arena, "system:serviceaccounts:" STR_F, STR_A(ns)));
    return r;
}

static int claim_extra(struct mask *mask, const struct http_field *field)
{
    struct arena *arena = mask->call->arena;
    size_t skip = sizeof(EXTRA_PREFIX) - 1;
    str_t key = arena_str(arena, (str_t){field->name.at + skip, field->name.len - skip}), plain;
    for (size_t i = 0; i < key.len; i++) /* Ours: a copy in the arena. */
        if (key.at[i] >= 'A' && key.at[i] <= 'Z')
            ((char *)key.at)[i] += 'a' - 'A';
    if (http_decode(key, false, arena, &plain))
        key = plain;
    if (mask->as.extra == NULL)
        mask->as.extra = json_object(arena);
    struct json *values = json_get(mask->as.extra, key);
    if (values == NULL)
        json_add(mask->as.extra, key, values = json_array(arena));
    json_add(values, STR(""), json_string(arena, field->value));
    return claim(mask, (struct rbac_ask){.group = STR("authentication.k8s.io"),
                                         .resource = STR("userextras"),
                                         .subresource = key,
                                         .name = field->value});
}

static bool is_extra(str_t name)
{
    size_t len = sizeof(EXTRA_PREFIX) - 1;
    return name.len > len && http_name_eq((str_t){name.at, len}, STR(EXTRA_PREFIX));
}

static int claim_fields(struct mask *mask)
{
    const struct exchange *x = mask->call->x;
    int r = 0;
    for (size_t i = 0; i < x->n_fields && r == 0; i++) {
        const struct http_field *field = &x->fields[i];
        if (http_name_eq(field->name, STR("Impersonate-Group"))) {
            r = claim(mask, (struct rbac_ask){.resource = STR("groups"), .name = field->value});
            if (r == 0)
                r = add_group(mask, field->value);
        } else if (is_extra(field->name)) {
            r = claim_extra(mask, field);
        }
    }
    return r;
}

/* What everybody is in who is known, or who is not. */
static int add_common_groups(struct mask *mask)
{
    const struct user *as = &mask->as;
    if (user_in(as, STR("system:authenticated")) || user_in(as, STR("system:unauthenticated")))
        return 0;
    bool anonymous = str_eq(as->name, STR("system:anonymous"));
    return add_group(mask, anonymous ? STR("system:unauthenticated") : STR("system:authenticated"));
}

int authz_impersonate(struct call *call)
{
    const struct exchange *x = call->x;
    str_t user = http_get(x, STR("Impersonate-User")), uid = http_get(x, STR("Impersonate-Uid"));
    struct mask mask = {.call = call};
    bool extra = false;
    for (size_t i = 0; i < x->n_fields; i++) {
        extra = extra || is_extra(x->fields[i].name);
        if (http_name_eq(x->fields[i].name, STR("Impersonate-Group")))
            mask.groups_said = true;
    }
    if (user.len == 0 && uid.len == 0 && !mask.groups_said && !extra)
        return 0;
    if (user.len == 0)
        return bad(call, 500, "InternalError",
                   "Internal error occurred: requested uid, groups or extra without impersonating "
                   "a user");
    int r = claim_name(&mask, user);
    if (r == 0 && uid.len > 0) {
        mask.as.uid = uid;
        r = claim(&mask, (struct rbac_ask){.group = STR("authentication.k8s.io"),
                                           .resource = STR("uids"),
                                           .name = uid});
    }
    if (r == 0)
        r = claim_fields(&mask);
    if (r == 0)
        r = add_common_groups(&mask);
    if (r < 0)
        return r;
    struct user *real = arena_new(call->arena, struct user);
    *real = call->user;
    call->real_user = real;
    call->user = mask.as;
    return 0;
}
