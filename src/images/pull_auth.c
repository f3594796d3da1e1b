/*
 * pull_auth.c - a registry says where tokens are made, and there we ask for one that can pull.
 * https://distribution.github.io/distribution/spec/auth/token/
 */
#include "codec/base64.h"
#include "images/challenge.h"
#include "images/pull_priv.h"

enum { TOKEN_ANSWER_BYTES_MAX = 1 << 20, TOKEN_BYTES_MAX = 64 * 1024 };

static str_t basic(const struct pull *pull)
{
    const struct credential *who = pull->credential;
    str_t both = arena_printf(pull->arena, STR_F ":" STR_F, STR_A(who->user), STR_A(who->password));
    str_t encoded = base64_encode(both, pull->arena);
    return arena_printf(pull->arena, "Basic " STR_F, STR_A(encoded));
}

static bool token_is_clean(str_t token)
{
    for (size_t i = 0; i < token.len; i++)
        if (token.at[i] <= ' ' || token.at[i] == 0x7f)
            return false;
    return token.len > 0 && token.len <= TOKEN_BYTES_MAX;
}

static int read_token(struct pull *pull, const struct request *request)
{
    struct json *tree;
    struct err err;
    str_t text = arena_str(pull->arena, buf_str(&request->body));
    if (json_parse(text, pull->arena, &tree, &err) < 0)
        return pull_fail(pull, ERR_INVALID, "failed to authorize: unable to decode token: %s",
                         err.text);
    str_t token = json_get_text(tree, STR("token"));
    if (token.len == 0)
        token = json_get_text(tree, STR("access_token"));
    if (!token_is_clean(token))
        return pull_fail(pull, ERR_INVALID,
                         "failed to authorize: authorization server did not include a token in "
                         "the response");
    pull->authorization = arena_printf(pull->arena, "Bearer " STR_F, STR_A(token));
    return 0;
}

static str_t token_url(const struct pull *pull, const struct challenge *challenge)
{
    struct arena *arena = pull->arena;
    str_t scope = challenge->scope;
    if (scope.len == 0)
        scope = arena_printf(arena, "repository:%s:pull", pull->reference.repository);
    bool has_query = false;
    for (size_t i = 0; i < challenge->realm.len; i++)
        has_query |= challenge->realm.at[i] == '?';
    str_t service = request_escape(challenge->service, arena);
    scope = request_escape(scope, arena);
    return arena_printf(arena, STR_F "%cscope=" STR_F "%s" STR_F, STR_A(challenge->realm),
                        has_query ? '&' : '?', STR_A(scope), service.len > 0 ? "&service=" : "",
                        STR_A(service));
}

/* A password never goes over plain http, but for registries that are spoken to so anyway. */
static bool realm_is_fine(const struct pull *pull, str_t realm)
{
    return str_starts(realm, STR("https://")) ||
           (str_starts(realm, STR("http://")) && (pull->plain || pull->credential == NULL));
}

static int fetch_token(struct pull *pull, const struct challenge *challenge)
{
    const char *kind = pull->credential != NULL ? "oauth" : "anonymous";
    str_t why;
    if (!realm_is_fine(pull, challenge->realm))
        return pull_fail(pull, ERR_FORBIDDEN,
                         "failed to authorize: tokens of " STR_F " are not asked for over http",
                         STR_A(challenge->realm));
    struct request request = {.method = "GET",
                              .url = token_url(pull, challenge),
                              .plain = str_starts(challenge->realm, STR("http://")),
                              .stopping = &pull->images->stopping,
                              .body_max = TOKEN_ANSWER_BYTES_MAX,
                              .arena = pull->arena};
    if (pull->credential != NULL)
        request.authorization = basic(pull);
    int r = request_run(&request, &why);
    if (r < 0)
        r = pull_fail(pull, ERR_IO,
                      "failed to authorize: failed to fetch %s token: Get \"%s\": " STR_F, kind,
                      request.url.at, STR_A(why));
    else if (request.status != 200)
        r = pull_fail(pull, request.status == 401 || request.status == 403 ? ERR_FORBIDDEN : ERR_IO,
                      "failed to authorize: failed to fetch %s token: unexpected status from GET "
                      "request to %s: %ld",
                      kind, request.url.at, request.status);
    else
        r = read_token(pull, &request);
    request_done(&request);
    return r;
}

int pull_authorize(struct pull *pull, str_t field)
{
    struct challenge challenge;
    challenge_parse(field, pull->arena, &challenge);
    if (challenge.kind == CHALLENGE_BEARER)
        return fetch_token(pull, &challenge);
    if (challenge.kind == CHALLENGE_BASIC && pull->credential != NULL) {
        pull->authorization = basic(pull);
        return 0;
    }
    return pull_fail(pull, ERR_FORBIDDEN,
                     "pull access denied, repository does not exist or may require authorization: "
                     "authorization failed: %s",
                     challenge.kind == CHALLENGE_BASIC ? "no basic auth credentials"
                                                       : "no challenge that is known");
}
