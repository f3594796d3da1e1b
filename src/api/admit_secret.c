/*
 * admit_secret.c - Secrets of type kubernetes.io/service-account-token get the token that they are
 * for, which ends with them. In Kubernetes a controller fills them some time later; here nobody has
 * to wait, and a Secret for an account that is not there is refused instead of removed again.
 */
#include "api/admit.h"
#include "api/api_priv.h"
#include "codec/base64.h"

#define NOTE "kubernetes.io/service-account"

static int note_uid(struct call *call, struct json *notes, str_t uid)
{
    str_t given = json_get_text(notes, STR(NOTE ".uid"));
    if (given.len > 0 && !str_eq(given, uid))
        return admit_forbid(
            call,
            arena_printf(call->arena, NOTE ".uid is not that of the account, " STR_F, STR_A(uid)));
    json_set(notes, STR(NOTE ".uid"), json_string(call->arena, uid));
    return 0;
}

static void fill(struct json *data, str_t key, str_t value, struct arena *arena)
{
    if (json_get_text(data, key).len == 0)
        json_set(data, key, json_string(arena, base64_encode(value, arena)));
}

static int fill_token(struct call *call, const struct json *secret, struct json *data, str_t name,
                      const struct object *account)
{
    struct err err;
    str_t token, uid = json_text(json_at(secret, "metadata.uid"), STR(""));
    if (json_get_text(data, STR("token")).len > 0)
        return 0;
    if (token_for_secret(call, name, account, uid, &token, &err) < 0) {
        answer_err(call, &err);
        return -1;
    }
    fill(data, STR("token"), token, call->arena);
    return 0;
}

int admit_token_secret(struct call *call, struct json *secret, const struct json *old)
{
    (void)old;
    struct arena *arena = call->arena;
    struct json *notes = json_at(secret, "metadata.annotations");
    str_t name = json_get_text(notes, STR(NOTE ".name"));
    if (!str_eq(json_get_text(secret, STR("type")), STR(NOTE "-token")) || name.len == 0)
        return 0;
    const struct object *account =
        store_latest(call->api->store, STR("serviceaccounts"), call->ns, name);
    if (account == NULL)
        return admit_forbid(
            call, arena_printf(arena, "there is no service account \"" STR_F "\"", STR_A(name)));
    str_t uid = json_text(json_at(object_tree(account, arena), "metadata.uid"), STR(""));
    if (note_uid(call, notes, uid) < 0)
        return -1;
    struct json *data = json_get(secret, STR("data"));
    if (data == NULL || data->type != JSON_OBJECT)
        json_set(secret, STR("data"), data = json_object(arena));
    fill(data, STR("ca.crt"), call->api->settings.ca_pem, arena);
    fill(data, STR("namespace"), call->ns, arena);
    return fill_token(call, secret, data, name, account);
}
