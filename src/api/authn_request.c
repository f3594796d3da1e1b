/* authn_request.c - POST serviceaccounts/NAME/token: a token of its own for whoever may ask. */
#include "api/api_priv.h"
#include "api/authn.h"

enum {
    EXPIRATION_S = 3600,
    EXPIRATION_MIN_S = 600,
    WARN_AFTER_S = 3607, /* What the volumes of pods ask for: see below. */
    EXTENDED_S = 365 * 24 * 3600,
    SECRET_S = 68 * EXTENDED_S, /* The token of a Secret ends with it. */
};

#define EXPIRATION_MAX_S ((int64_t)1 << 32)

/* What a token dies with. */
struct bond {
    const struct json *ref; /* NULL: only with its account. */
    const char *claim;
    str_t uid;
    str_t node_name, node_uid; /* Of a pod that runs. */
};

static int check_request(struct call *call, const struct json *request, int64_t *expiration_s)
{
    struct field_errors *errors = arena_new(call->arena, struct field_errors);
    errors->arena = call->arena;
    const struct json *wanted = json_at(request, "spec.expirationSeconds");
    const struct place *at = IN(IN(NULL, "spec"), "expirationSeconds");
    *expiration_s = EXPIRATION_S;
    (void)json_to_i64(wanted, expiration_s);
    if (*expiration_s < EXPIRATION_MIN_S)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: %lld: may not specify a duration less than 10 minutes",
                   (long long)*expiration_s);
    if (*expiration_s > EXPIRATION_MAX_S)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: %lld: may not specify a duration larger than 2^32 seconds",
                   (long long)*expiration_s);
    if (errors->n == 0)
        return 0;
    struct call *about = arena_new(call->arena, struct call);
    *about = *call;
    about->kind = &kind_tokenrequest;
    answer_invalid(about, STR(""), errors);
    return -1;
}

static const struct {
    const char *kind, *claim;
    const struct kind *of;
} bindable[] = {
    {"Pod", "pod", &kind_pod},
    {"Secret", "secret", &kind_secret},
    {"Node", "node", &kind_node},
};

static int bond_missing(struct call *call, const struct kind *kind, str_t name)
{
    struct call *about = arena_new(call->arena, struct call);
    *about = *call;
    about->kind = kind;
    about->resource = kind_stored_resource(kind, call->arena);
    about->name = name;
    about->sub = NULL;
    about->subresource = STR("");
    answer_not_found(about);
    return -1;
}

static int bond_other_uid(struct call *call, const char *kind, str_t name, str_t uid)
{
    answer_plain(call, 409, "Conflict",
                 "Operation cannot be fulfilled on %s \"" STR_F
                 "\": the UID in the bound object reference (" STR_F
                 ") does not match the UID in record. The object might have been deleted and then "
                 "recreated",
                 kind, STR_A(name), STR_A(uid));
    return -1;
}

static int bond_pod(struct call *call, const struct object *pod, struct bond *bond)
{
    struct arena *arena = call->arena;
    const struct json *tree = object_tree(pod, arena);
    str_t account = json_text(json_at(tree, "spec.serviceAccountName"), STR(""));
    if (!str_eq(account, call->name)) {
        answer_plain(call, 400, "BadRequest",
                     "cannot bind token for serviceaccount \"" STR_F
                     "\" to pod running with different serviceaccount name.",
                     STR_A(call->name));
        return -1;
    }
    bond->node_name = json_text(json_at(tree, "spec.nodeName"), STR(""));
    if (bond->node_name.len > 0)
        bond->node_uid = uid_of(call->api, STR("nodes"), STR(""), bond->node_name, arena);
    return 0;
}

/* < 0: answered. */
static int find_bond(struct call *call, const struct json *request, struct bond *bond)
{
    const struct json *ref = json_at(request, "spec.boundObjectRef");
    if (ref == NULL || ref->type != JSON_OBJECT)
        return 0;
    str_t kind = json_get_text(ref, STR("kind")), version = json_get_text(ref, STR("apiVersion"));
    str_t name = json_get_text(ref, STR("name")), uid = json_get_text(ref, STR("uid"));
    for (size_t i = 0; i < ARRAY_LEN(bindable); i++) {
        const struct kind *of = bindable[i].of;
        if (!str_eq(kind, str_from_z(bindable[i].kind)) || !str_eq(version, STR("v1")))
            continue;
        const struct object *object =
            store_get(call->api->store, kind_stored_resource(of, call->arena),
                      of->namespaced ? call->ns : STR(""), name);
        if (object == NULL)
            return bond_missing(call, of, name);
        bond->ref = ref;
        bond->claim = bindable[i].claim;
        bond->uid = json_text(json_at(object_tree(object, call->arena), "metadata.uid"), STR(""));
        if (uid.len > 0 && !str_eq(uid, bond->uid))
            return bond_other_uid(call, bindable[i].kind, name, uid);
        return of == &kind_pod ? bond_pod(call, object, bond) : 0;
    }
    answer_plain(call, 400, "BadRequest",
                 "cannot bind token to object of type " STR_F ", Kind=" STR_F, STR_A(version),
                 STR_A(kind));
    return -1;
}

static struct json *named(struct arena *arena, str_t name, str_t uid)
{
    struct json *out = json_object(arena);
    json_add(out, STR("name"), json_string(arena, name));
    if (uid.len > 0)
        json_add(out, STR("uid"), json_string(arena, uid));
    return out;
}

static struct json *our_claims(struct call *call, const struct object *account,
                               const struct bond *bond)
{
    struct arena *arena = call->arena;
    struct json *ours = json_object(arena);
    json_add(ours, STR("namespace"), json_string(arena, call->ns));
    if (bond->node_name.len > 0)
        json_add(ours, STR("node"), named(arena, bond->node_name, bond->node_uid));
    if (bond->ref != NULL)
        json_add(ours, str_from_z(bond->claim),
                 named(arena, json_get_text(bond->ref, STR("name")), bond->uid));
    str_t uid = json_text(json_at(object_tree(account, arena), "metadata.uid"), STR(""));
    json_add(ours, STR("serviceaccount"), named(arena, call->name, uid));
    return ours;
}

/* Only for us: then we may let it live longer than was asked. */
static bool only_for_us(const struct json *audiences)
{
    JSON_EACH(audiences, each)
    if (!str_eq(json_text(each, STR("")), STR(AUTHN_ISSUER)))
        return false;
    return true;
}

static struct json *claims_for(struct call *call, const struct json *audiences,
                               const struct object *account, const struct bond *bond, int64_t now_s,
                               int64_t expiration_s)
{
    struct arena *arena = call->arena;
    struct json *claims = json_object(arena), *ours = our_claims(call, account, bond);
    int64_t lives_s = expiration_s;
    /* Programs that read their token only once are told to read it again, for a year. */
    if (expiration_s == WARN_AFTER_S && bond->ref != NULL &&
        str_eq(str_from_z(bond->claim), STR("pod")) && only_for_us(audiences)) {
        json_add(ours, STR("warnafter"), json_int(arena, now_s + expiration_s));
        lives_s = EXTENDED_S;
    }
    json_add(claims, STR("aud"), json_clone(audiences, arena));
    json_add(claims, STR("exp"), json_int(arena, now_s + lives_s));
    json_add(claims, STR("iat"), json_int(arena, now_s));
    json_add(claims, STR("iss"), json_string(arena, STR(AUTHN_ISSUER)));
    json_add(claims, STR("jti"), json_string(arena, uid_new(arena)));
    json_add(claims, STR("kubernetes.io"), ours);
    json_add(claims, STR("nbf"), json_int(arena, now_s));
    json_add(claims, STR("sub"),
             json_string(arena, arena_printf(arena, "system:serviceaccount:" STR_F ":" STR_F,
                                             STR_A(call->ns), STR_A(call->name))));
    return claims;
}

static void answer_token(struct call *call, const struct json *request,
                         const struct json *audiences, str_t token, msec_t until_ms)
{
    struct arena *arena = call->arena;
    struct json *out = json_object(arena), *meta = json_object(arena), *status = json_object(arena);
    struct json *spec = json_clone(json_get(request, STR("spec")), arena);
    json_add(meta, STR("name"), json_string(arena, call->name));
    json_add(meta, STR("namespace"), json_string(arena, call->ns));
    json_add(meta, STR("creationTimestamp"),
             json_string(arena, time_text(loop_wall_ms(call->api->loop), arena)));
    json_set(spec, STR("audiences"), json_clone(audiences, arena));
    if (json_get(spec, STR("expirationSeconds")) == NULL)
        json_add(spec, STR("expirationSeconds"), json_int(arena, EXPIRATION_S));
    json_add(status, STR("token"), json_string(arena, token));
    json_add(status, STR("expirationTimestamp"), json_string(arena, time_text(until_ms, arena)));
    json_add(out, STR("kind"), json_string(arena, STR("TokenRequest")));
    json_add(out, STR("apiVersion"), json_string(arena, STR("authentication.k8s.io/v1")));
    json_add(out, STR("metadata"), meta);
    json_add(out, STR("spec"), spec);
    answer_json(call, 201, json_add(out, STR("status"), status));
}

void token_request(struct call *call, struct json *request, const struct object *account)
{
    struct arena *arena = call->arena;
    struct bond bond = {0};
    struct err err;
    int64_t expiration_s;
    str_t token, name = json_text(json_at(request, "metadata.name"), STR(""));
    if (name.len > 0 && !str_eq(name, call->name)) {
        answer_plain(call, 400, "BadRequest",
                     "the name of the object (" STR_F ") does not match the name on the URL (" STR_F
                     ")",
                     STR_A(name), STR_A(call->name));
        return;
    }
    struct json *spec = json_get(request, STR("spec"));
    if (spec == NULL || spec->type != JSON_OBJECT)
        json_set(request, STR("spec"), json_object(arena));
    if (check_request(call, request, &expiration_s) < 0 || find_bond(call, request, &bond) < 0)
        return;
    const struct json *audiences = json_at(request, "spec.audiences");
    if (json_count(audiences) == 0)
        audiences = json_add(json_array(arena), STR(""), json_string(arena, STR(AUTHN_ISSUER)));
    msec_t now_ms = loop_wall_ms(call->api->loop);
    struct json *claims = claims_for(call, audiences, account, &bond, now_ms / 1000, expiration_s);
    if (jwt_sign(&call->api->authn.signer, claims, arena, &token, &err) < 0)
        answer_err(call, &err);
    else if (token.len > JWT_BYTES_MAX)
        answer_plain(call, 400, "BadRequest", "the token would be too long: fewer audiences");
    else
        answer_token(call, request, audiences, token, now_ms + expiration_s * 1000);
}

int token_for_secret(struct call *call, str_t account_name, const struct object *account,
                     str_t secret_uid, str_t *token, struct err *err)
{
    struct arena *arena = call->arena;
    struct call *about = arena_new(arena, struct call);
    *about = (struct call){.api = call->api, .arena = arena, .ns = call->ns, .name = account_name};
    struct bond bond = {
        .ref = named(arena, call->name, STR("")), .claim = "secret", .uid = secret_uid};
    struct json *audiences =
        json_add(json_array(arena), STR(""), json_string(arena, STR(AUTHN_ISSUER)));
    const struct json *claims = claims_for(about, audiences, account, &bond,
                                           loop_wall_ms(call->api->loop) / 1000, SECRET_S);
    return jwt_sign(&call->api->authn.signer, claims, arena, token, err);
}
