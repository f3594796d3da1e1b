/* authn.c - who is asking. Whether they may is in authz.c. */
#include "api/authn.h"

#include "api/api_priv.h"
#include "codec/base64.h"

#include <strings.h>

bool user_in(const struct user *user, str_t group)
{
    for (size_t i = 0; i < user->n_groups; i++)
        if (str_eq(user->groups[i], group))
            return true;
    return false;
}

void user_add_group(struct user *user, str_t group)
{
    if (user->n_groups < GROUPS_MAX)
        user->groups[user->n_groups++] = group;
}

/* --- where the token is --- */

static bool starts_without_case(str_t text, str_t prefix)
{
    return text.len >= prefix.len && strncasecmp(text.at, prefix.at, prefix.len) == 0;
}

/* Browsers cannot set Authorization on a WebSocket: the token is among the protocols then. */
static bool token_of_protocol(struct exchange *x, str_t *token)
{
    static const str_t prefix = STR("base64url.bearer.authorization.k8s.io.");
    str_t rest = http_get(x, STR("Sec-WebSocket-Protocol")), word;
    struct err ignored;
    while (rest.len > 0) {
        str_cut(rest, ',', &word, &rest);
        word = str_trim(word);
        if (!str_starts(word, prefix))
            continue;
        str_t text = {word.at + prefix.len, word.len - prefix.len};
        if (text.len > 2 * (size_t)JWT_BYTES_MAX ||
            base64url_decode(text, x->arena, token, &ignored) < 0)
            *token = STR("");
        return true;
    }
    return false;
}

static bool token_of(struct exchange *x, str_t *token)
{
    static const str_t bearer = STR("Bearer ");
    str_t value = http_get(x, STR("Authorization"));
    if (value.len == 0)
        return token_of_protocol(x, token);
    *token = STR(""); /* Another scheme is nobody's. */
    if (starts_without_case(value, bearer))
        *token = str_trim((str_t){value.at + bearer.len, value.len - bearer.len});
    return true;
}

/* --- whose it is --- */

static struct json *same_audiences(const struct json *claims, const str_t *audiences, size_t n,
                                   struct arena *arena)
{
    struct json *both = json_array(arena);
    for (size_t i = 0; i < n; i++)
        JSON_EACH(json_get(claims, STR("aud")), each)
    if (str_eq(json_text(each, STR("")), audiences[i]))
        json_add(both, STR(""), json_string(arena, audiences[i]));
    return both;
}

/* The file's tokens are for us, so they are nobody's if another audience is asked for. */
static bool of_file(const struct api *api, str_t token, const struct jwt_wanted *wanted,
                    struct user *user)
{
    if (api->authn.file == NULL)
        return false;
    for (size_t i = 0; i < wanted->n; i++)
        if (str_eq(wanted->audiences[i], wanted->issuer))
            return token_file_user(api->authn.file, token, user);
    return false;
}

int authn_token(struct api *api, str_t token, struct audiences audiences, struct arena *arena,
                struct user *user, struct json **aud, struct err *err)
{
    static const str_t ours = STR(AUTHN_ISSUER);
    struct json *claims = NULL;
    struct jwt_wanted wanted = {ours, audiences.at, audiences.n, loop_wall_ms(api->loop) / 1000};
    if (audiences.n == 0) {
        wanted.audiences = &ours;
        wanted.n = 1;
    }
    *user = (struct user){0};
    if (of_file(api, token, &wanted, user)) {
        user_add_group(user, STR("system:authenticated"));
        if (aud != NULL)
            *aud = json_add(json_array(arena), STR(""), json_string(arena, ours));
        return 0;
    }
    int r = account_user(api, token, &wanted, arena, user, &claims, err);
    if (r == 0 && aud != NULL)
        *aud = same_audiences(claims, wanted.audiences, wanted.n, arena);
    return r;
}

static void set_anonymous(struct user *user)
{
    *user = (struct user){.name = STR("system:anonymous")};
    user_add_group(user, STR("system:unauthenticated"));
}

/* The kernel's word for who it is: root or our own user, on this machine. */
static void set_local(const struct api *api, enum door door, struct arena *arena, struct user *user)
{
    if (door == DOOR_NODE) {
        user->name = arena_printf(arena, "system:node:" STR_F, STR_A(api->settings.node_name));
        user_add_group(user, STR("system:nodes"));
    } else {
        user->name = STR("system:admin");
        user_add_group(user, STR("system:masters"));
    }
    user_add_group(user, STR("system:authenticated"));
}

void auth_user(struct api *api, struct exchange *x, enum door door, struct user *user)
{
    static const struct audiences none = {NULL, 0};
    struct tls_peer peer;
    str_t token;
    struct err err;
    *user = (struct user){0};
    if (x->tls != NULL && tls_peer(x->tls, x->arena, &peer) && peer.common_name.len > 0) {
        user->name = peer.common_name;
        for (size_t i = 0; i < peer.n_organizations; i++)
            user_add_group(user, peer.organizations[i]);
        user_add_group(user, STR("system:authenticated"));
    } else if (token_of(x, &token)) {
        if (token.len > 0 && authn_token(api, token, none, x->arena, user, NULL, &err) == 0)
            return;
        set_anonymous(user);
        user->bad = true;
    } else if (x->local && (x->peer_uid == 0 || x->peer_uid == api->settings.owner_uid)) {
        set_local(api, door, x->arena, user);
    } else {
        set_anonymous(user);
    }
}

bool auth_is_bad(const struct call *call)
{
    return call->user.bad;
}

/* --- for others who check our tokens --- */

static struct json *texts(struct arena *arena, const char *text)
{
    return json_add(json_array(arena), STR(""), json_string(arena, str_from_z(text)));
}

static void answer_openid(struct call *call)
{
    struct arena *arena = call->arena;
    struct json *out = json_object(arena);
    json_add(out, STR("issuer"), json_string(arena, STR(AUTHN_ISSUER)));
    json_add(out, STR("jwks_uri"),
             json_string(arena, arena_printf(arena, "https://" STR_F "/openid/v1/jwks",
                                             STR_A(call->x->host))));
    json_add(out, STR("response_types_supported"), texts(arena, "id_token"));
    json_add(out, STR("subject_types_supported"), texts(arena, "public"));
    json_add(out, STR("id_token_signing_alg_values_supported"), texts(arena, "ES256"));
    answer_json(call, 200, out);
}

bool authn_document(struct call *call)
{
    if (call->x->method != HTTP_GET && call->x->method != HTTP_HEAD)
        return false;
    if (str_eq(call->x->path, STR("/.well-known/openid-configuration"))) {
        answer_openid(call);
        return true;
    }
    if (!str_eq(call->x->path, STR("/openid/v1/jwks")))
        return false;
    AUTO(buf_done) struct buf text = {0};
    json_write(jwt_key_set(&call->api->authn.signer, call->arena), &text);
    call_answer_text(call, 200, STR("application/jwk-set+json"),
                     arena_str(call->arena, buf_str(&text)));
    return true;
}

/* --- a life --- */

int authn_start(struct api *api, struct err *err)
{
    str_t pem = api->settings.token_key_pem;
    int r = 0;
    if (pem.len == 0) /* Tokens that end with the process: for tests. */
        r = sign_key_make(&api->arena, &pem, err);
    if (r == 0)
        r = jwt_signer_new(pem, &api->arena, &api->authn.signer, err);
    if (r == 0 && api->settings.token_file.len > 0)
        r = token_file_read(api->settings.token_file, &api->authn.file, err);
    return r;
}

void authn_stop(struct api *api)
{
    struct authn *authn = &api->authn;
    jwt_signer_done(&authn->signer);
    token_file_free(authn->file);
    for (size_t i = 0; i < TOKENS_KEPT; i++)
        arena_done(&authn->kept[i].arena);
}
