/*
 * audit_event.c - one call as an Event at level Metadata: never a body, so never a secret.
 *
 * Written down are writes and what was refused to somebody; reads and health are not.
 */
#include "api/api_priv.h"
#include "api/audit.h"

static bool is_wanted(const struct call *call, int code)
{
    if (code == 401 || code == 403)
        return true;
    return call->kind != NULL && call->verb != VERB_GET && call->verb != VERB_LIST &&
           call->verb != VERB_WATCH;
}

static void add(struct json *to, const char *name, str_t value, struct arena *arena)
{
    if (value.len > 0)
        json_add(to, str_from_z(name), json_string(arena, value));
}

static struct json *user_of(const struct user *user, struct arena *arena)
{
    struct json *out = json_object(arena), *groups = json_array(arena);
    add(out, "username", user->name, arena);
    add(out, "uid", user->uid, arena);
    for (size_t i = 0; i < user->n_groups; i++)
        json_add(groups, STR(""), json_string(arena, user->groups[i]));
    json_add(out, STR("groups"), groups);
    if (user->extra != NULL && user->extra->first != NULL)
        json_add(out, STR("extra"), json_clone(user->extra, arena));
    return out;
}

static struct json *object_of(const struct call *call, struct arena *arena)
{
    struct json *out = json_object(arena);
    add(out, "resource", str_from_z(call->kind->plural), arena);
    add(out, "namespace", call->ns, arena);
    add(out, "name", call->name, arena);
    add(out, "apiGroup", str_from_z(call->kind->group), arena);
    add(out, "apiVersion", str_from_z(call->kind->version), arena);
    add(out, "subresource", call->subresource, arena);
    return out;
}

void audit_call(struct call *call, int code)
{
    struct audit *audit = call->api->audit;
    if (audit == NULL || call->x == NULL || !is_wanted(call, code))
        return;
    struct arena *arena = call->arena;
    AUTO(buf_done) struct buf text = {0};
    struct json *event = json_object(arena), *status = json_object(arena);
    const struct user *real = call->real_user != NULL ? call->real_user : &call->user;
    str_t now = micro_time_text(loop_wall_ms(call->api->loop), arena);
    add(event, "kind", STR("Event"), arena);
    add(event, "apiVersion", STR("audit.k8s.io/v1"), arena);
    add(event, "level", STR("Metadata"), arena);
    add(event, "auditID", uid_new(arena), arena);
    add(event, "stage", STR("ResponseComplete"), arena);
    add(event, "requestURI", call->x->target, arena);
    add(event, "verb", str_from_z(verb_word(call->verb)), arena);
    json_add(event, STR("user"), user_of(real, arena));
    if (call->real_user != NULL)
        json_add(event, STR("impersonatedUser"), user_of(&call->user, arena));
    add(event, "userAgent", http_get(call->x, STR("User-Agent")), arena);
    if (call->kind != NULL)
        json_add(event, STR("objectRef"), object_of(call, arena));
    json_add(status, STR("metadata"), json_object(arena));
    json_add(event, STR("responseStatus"), json_add(status, STR("code"), json_int(arena, code)));
    add(event, "stageTimestamp", now, arena);
    json_write(event, &text);
    audit_add(audit, buf_str(&text));
}
