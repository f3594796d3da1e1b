/* volume_lookup.c - one question after the other: most pods have one, for their token. */
#include "node/volume_lookup.h"

#include "base/time.h"
#include "kinds/kinds.h"

#include <stdlib.h>
#include <string.h>

/* When kubelet renews: at 80 % of its time, or once a day. */
enum { RENEW_PERCENT = 80, DAY_MS = 24 * 3600 * 1000, RENEW_MS_LEAST = 10000 };

struct token {
    struct map_node by_key; /* "UID/SECONDS/AUDIENCE" */
    struct list link;
    msec_t renew_ms;
    size_t n_text;
    char *text;
    char key[];
};

struct volume_lookup {
    struct remote *remote;
    struct loop *loop;
    struct map tokens;
    struct list all;
};

struct volume_lookup *volume_lookup_new(struct remote *remote, struct loop *loop)
{
    struct volume_lookup *lookup = calloc(1, sizeof(*lookup));
    MUST(lookup != NULL);
    lookup->remote = remote;
    lookup->loop = loop;
    list_init(&lookup->all);
    return lookup;
}

static void token_free(struct volume_lookup *lookup, struct token *token)
{
    map_remove(&lookup->tokens, &token->by_key);
    list_remove(&token->link);
    explicit_bzero(token->text, token->n_text);
    free(token->text);
    free(token);
}

void volume_lookup_forget(struct volume_lookup *lookup, str_t uid)
{
    LIST_EACH(&lookup->all, link) {
        struct token *token = CONTAINER_OF(link, struct token, link);
        str_t own, rest;
        (void)str_cut(token->by_key.key, '/', &own, &rest);
        if (str_eq(own, uid))
            token_free(lookup, token);
    }
}

void volume_lookup_free(struct volume_lookup *lookup)
{
    if (lookup == NULL)
        return;
    LIST_EACH(&lookup->all, link)
        token_free(lookup, CONTAINER_OF(link, struct token, link));
    map_done(&lookup->tokens);
    free(lookup);
}

/* --- tokens --- */

static str_t text_at(const struct json *json, const char *path)
{
    return json_text(json_at(json, path), STR(""));
}

static str_t token_key(const struct volume_ask *ask, const struct volume_need *need)
{
    str_t uid = text_at(ask->pod, "metadata.uid");
    return arena_printf(ask->arena, STR_F "/%lld/" STR_F, STR_A(uid), (long long)need->seconds,
                        STR_A(need->name));
}

static void use_token(struct volume_ask *ask, struct volume_need *need, const struct token *token)
{
    need->token = arena_str(ask->arena, (str_t){token->text, token->n_text});
    if (ask->renew_ms == 0 || token->renew_ms < ask->renew_ms)
        ask->renew_ms = token->renew_ms;
}

/* One that need not be renewed yet; NULL: there is none. */
static const struct token *token_find(const struct volume_ask *ask, const struct volume_need *need)
{
    struct volume_lookup *lookup = ask->lookup;
    struct map_node *node = map_find(&lookup->tokens, token_key(ask, need));
    struct token *token = node == NULL ? NULL : CONTAINER_OF(node, struct token, by_key);
    if (token == NULL || token->renew_ms > loop_now_ms(lookup->loop))
        return token;
    token_free(lookup, token);
    return NULL;
}

static msec_t renew_ms_of(const struct volume_lookup *lookup, const struct json *answer,
                          int64_t seconds)
{
    msec_t ends_ms, left_ms = seconds * 1000;
    if (time_parse(text_at(answer, "status.expirationTimestamp"), &ends_ms))
        left_ms = ends_ms - loop_wall_ms(lookup->loop);
    left_ms = left_ms / 100 * RENEW_PERCENT;
    if (left_ms < RENEW_MS_LEAST) /* Whatever the clocks say: nobody asks without end. */
        left_ms = RENEW_MS_LEAST;
    return loop_now_ms(lookup->loop) + (left_ms > DAY_MS ? DAY_MS : left_ms);
}

static const struct token *token_keep(struct volume_ask *ask, const struct volume_need *need,
                                      const struct json *answer)
{
    struct volume_lookup *lookup = ask->lookup;
    str_t key = token_key(ask, need), text = text_at(answer, "status.token");
    struct token *token = calloc(1, sizeof(*token) + key.len + 1);
    MUST(token != NULL);
    memcpy(token->key, key.at, key.len);
    token->text = malloc(text.len + 1);
    MUST(token->text != NULL);
    memcpy(token->text, text.at, text.len);
    token->n_text = text.len;
    token->renew_ms = renew_ms_of(lookup, answer, need->seconds);
    map_add(&lookup->tokens, (str_t){token->key, key.len}, &token->by_key);
    list_add_before(&lookup->all, &token->link);
    return token;
}

/* Bound to the pod: it ends with it. */
static void ask_token(struct volume_ask *ask, const struct volume_need *need)
{
    struct arena *arena = ask->arena;
    struct json *body = json_object(arena), *spec = json_object(arena), *ref = json_object(arena);
    json_add(ref, STR("kind"), json_string(arena, STR("Pod")));
    json_add(ref, STR("apiVersion"), json_string(arena, STR("v1")));
    json_add(ref, STR("name"), json_string(arena, text_at(ask->pod, "metadata.name")));
    json_add(ref, STR("uid"), json_string(arena, text_at(ask->pod, "metadata.uid")));
    if (need->name.len > 0)
        json_add(spec, STR("audiences"),
                 json_add(json_array(arena), STR(""), json_string(arena, need->name)));
    json_add(spec, STR("expirationSeconds"), json_int(arena, need->seconds));
    json_add(spec, STR("boundObjectRef"), ref);
    json_add(body, STR("apiVersion"), json_string(arena, STR("authentication.k8s.io/v1")));
    json_add(body, STR("kind"), json_string(arena, STR("TokenRequest")));
    json_add(body, STR("spec"), spec);
    ask->body.len = 0;
    json_write(body, &ask->body);
    str_t account = text_at(ask->pod, "spec.serviceAccountName");
    ask->call.verb = REMOTE_CREATE;
    ask->call.kind = &kind_serviceaccount;
    ask->call.name = account.len > 0 ? account : STR("default");
    ask->call.subresource = "token";
    ask->call.body = buf_str(&ask->body);
}

/* --- one question after the other --- */

static void go_on(struct volume_ask *ask);

/* True: it is answered. */
static bool take_answer(struct volume_ask *ask, struct volume_need *need, const struct json *answer)
{
    if (need->kind == NEED_TOKEN) {
        use_token(ask, need, token_keep(ask, need, answer));
        return true;
    }
    if (need->object != NULL) {
        need->bound = answer;
        return true;
    }
    need->object = answer;
    return text_at(answer, "spec.volumeName").len == 0;
}

static void answered(struct remote_call *call, int r, const struct err *err)
{
    struct volume_ask *ask = CONTAINER_OF(call, struct volume_ask, call);
    struct volume_need *need = &ask->needs->at[ask->next];
    struct json *answer = NULL;
    if (r == 0)
        r = json_parse(arena_str(ask->arena, call->answer), ask->arena, &answer, &ask->err);
    else
        ask->err = *err;
    bool missing = r == ERR_NOT_FOUND && need->kind == NEED_CLAIM;
    if (r < 0 && !missing) {
        ask->r = r;
        if (need->kind == NEED_TOKEN)
            (void)err_wrap(&ask->err, "failed to fetch token");
        ask->next = ask->needs->n;
    } else if (missing || take_answer(ask, need, answer)) {
        ask->next++;
    }
    go_on(ask);
}

/* False: this need is none for the API, or known already. */
static bool question(struct volume_ask *ask, struct volume_need *need)
{
    str_t ns = text_at(ask->pod, "metadata.namespace");
    ask->call = (struct remote_call){.verb = REMOTE_GET, .ns = ns, .done = answered};
    switch (need->kind) {
    case NEED_CONFIG_MAP:
    case NEED_SECRET:
        return false;
    case NEED_CLAIM:
        ask->call.kind = &kind_persistentvolumeclaim;
        ask->call.name = need->name;
        if (need->object == NULL)
            return true;
        ask->call.kind = &kind_persistentvolume;
        ask->call.ns = STR("");
        ask->call.name = text_at(need->object, "spec.volumeName");
        return true;
    case NEED_TOKEN: {
        const struct token *token = token_find(ask, need);
        if (token != NULL) {
            use_token(ask, need, token);
            return false;
        }
        ask_token(ask, need);
        return true;
    }
    }
    return false;
}

static void all_answered(struct timer *timer)
{
    struct volume_ask *ask = CONTAINER_OF(timer, struct volume_ask, timer);
    buf_done(&ask->body);
    ask->done(ask);
}

static void go_on(struct volume_ask *ask)
{
    for (; ask->next < ask->needs->n; ask->next++) {
        if (!question(ask, &ask->needs->at[ask->next]))
            continue;
        remote_send(ask->lookup->remote, &ask->call);
        return;
    }
    timer_set(ask->lookup->loop, &ask->timer, 0, all_answered);
}

void volume_ask_run(struct volume_lookup *lookup, struct volume_ask *ask)
{
    ask->lookup = lookup;
    ask->next = 0;
    ask->r = 0;
    ask->renew_ms = 0;
    go_on(ask);
}

void volume_ask_cancel(struct volume_ask *ask)
{
    remote_cancel(&ask->call);
    timer_stop(&ask->timer);
    buf_done(&ask->body);
}
