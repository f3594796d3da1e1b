/* authn_review.c - authentication.k8s.io: who am I, and whose token is this. */
#include "api/api_priv.h"
#include "api/authn.h"
#include "api/review.h"

enum { AUDIENCES_MAX = 32 };

static struct json *user_info(const struct user *user, struct arena *arena)
{
    struct json *out = json_object(arena), *groups = json_array(arena);
    json_add(out, STR("username"), json_string(arena, user->name));
    if (user->uid.len > 0)
        json_add(out, STR("uid"), json_string(arena, user->uid));
    for (size_t i = 0; i < user->n_groups; i++)
        json_add(groups, STR(""), json_string(arena, user->groups[i]));
    if (user->n_groups > 0)
        json_add(out, STR("groups"), groups);
    if (user->extra != NULL && user->extra->first != NULL)
        json_add(out, STR("extra"), json_clone(user->extra, arena));
    return out;
}

struct json *review_self_subject(struct call *call, const struct json *object)
{
    (void)object;
    return json_add(json_object(call->arena), STR("userInfo"), user_info(&call->user, call->arena));
}

struct json *review_token(struct call *call, const struct json *object)
{
    struct arena *arena = call->arena;
    struct json *status = json_object(arena), *aud = NULL;
    str_t audiences[AUDIENCES_MAX], token = json_text(json_at(object, "spec.token"), STR(""));
    size_t n = 0;
    struct user user;
    struct err err;
    if (token.len == 0) {
        answer_plain(call, 400, "BadRequest",
                     "token is required for TokenReview in authentication");
        return NULL;
    }
    JSON_EACH(json_at(object, "spec.audiences"), each)
    {
        if (n == AUDIENCES_MAX) {
            answer_plain(call, 400, "BadRequest", "at most %d audiences can be asked for",
                         AUDIENCES_MAX);
            return NULL;
        }
        audiences[n++] = json_text(each, STR(""));
    }
    if (authn_token(call->api, token, (struct audiences){audiences, n}, arena, &user, &aud, &err) <
        0) {
        str_t why = arena_printf(arena, "[invalid bearer token, %s]", err.text);
        json_add(status, STR("user"), json_object(arena));
        json_add(status, STR("error"), json_string(arena, why));
        return status;
    }
    json_add(status, STR("authenticated"), json_bool(arena, true));
    json_add(status, STR("user"), user_info(&user, arena));
    return json_add(status, STR("audiences"), aud);
}
