/*
 * audit_event.c - one stage of one call as an Event of audit.k8s.io/v1.
 *
 * Without a policy, writes and what was refused to somebody are written down at level Metadata;
 * reads and health are not. A policy decides by itself. Whatever it says, Secrets and tokens are
 * never written down with their bodies.
 */
#include "api/api_priv.h"
#include "net/sockets.h"

#include <string.h>

enum { BODY_BYTES_MAX = 256 * 1024 };

/* --- what is wanted --- */

static const struct user *asker(const struct call *call)
{
    return call->real_user != NULL ? call->real_user : &call->user;
}

static bool is_confidential(const struct call *call)
{
    return call->kind != NULL &&
           (call->kind->secret || str_eq(call->subresource, STR("token")) ||
            str_eq(str_from_z(call->kind->group), STR("authentication.k8s.io")));
}

/* Of what is no object: the method, in small letters. */
static str_t verb_of(const struct call *call)
{
    if (call->kind != NULL)
        return str_from_z(verb_word(call->verb));
    str_t method = call->x->method_text;
    char *text = arena_bytes(call->arena, method.len);
    memcpy(text, method.at, method.len);
    for (size_t i = 0; i < method.len; i++)
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] += 'a' - 'A';
    return (str_t){text, method.len};
}

static struct audit_verdict decide(const struct call *call)
{
    const struct user *user = asker(call);
    struct audit_question question = {.user = user->name,
                                      .groups = user->groups,
                                      .n_groups = user->n_groups,
                                      .verb = verb_of(call),
                                      .path = call->x->path};
    if (call->kind != NULL) {
        question.resource = true;
        question.group = str_from_z(call->kind->group);
        question.plural = str_from_z(call->kind->plural);
        question.subresource = call->subresource;
        question.ns = call->ns;
        question.name = call->name;
    }
    struct audit_verdict verdict = audit_policy_decide(call->api->audit_policy, &question);
    if (verdict.level > AUDIT_METADATA && is_confidential(call))
        verdict.level = AUDIT_METADATA;
    return verdict;
}

static bool wanted_by_default(const struct call *call, int code)
{
    if (code == 401 || code == 403)
        return true;
    return call->kind != NULL && call->verb != VERB_GET && call->verb != VERB_LIST &&
           call->verb != VERB_WATCH;
}

static bool wants(const struct call *call, enum audit_stage stage)
{
    const struct audit_verdict *verdict = &call->audit.verdict;
    return verdict->level > AUDIT_NONE && (verdict->omitted & stage) == 0;
}

bool audit_wants_body(const struct call *call)
{
    return call->audit.verdict.level >= AUDIT_REQUEST;
}

/* --- an event --- */

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

static void drop_managed_fields(struct json *object)
{
    struct json *meta = json_get(object, STR("metadata"));
    if (meta != NULL && meta->type == JSON_OBJECT)
        json_remove(meta, STR("managedFields"));
    struct json *items = json_get(object, STR("items"));
    if (items == NULL || items->type != JSON_ARRAY)
        return;
    JSON_EACH(items, item)
    drop_managed_fields(item);
}

/* Bodies that are too long are not cut but left out, and the event says so. */
static void add_body(struct call *call, struct json *event, const char *name, struct json *body)
{
    AUTO(buf_done) struct buf text = {0};
    if (call->audit.verdict.omit_managed_fields && body->type == JSON_OBJECT)
        drop_managed_fields(body);
    json_write(body, &text);
    if (text.len <= BODY_BYTES_MAX) {
        json_add(event, str_from_z(name), body);
        return;
    }
    struct json *notes = json_get(event, STR("annotations"));
    if (notes == NULL)
        json_add(event, STR("annotations"), notes = json_object(call->arena));
    json_add(notes, arena_printf(call->arena, "davy.dev/%s", name),
             json_string(call->arena,
                         arena_printf(call->arena, "left out: %zu bytes, at most %d are kept",
                                      text.len, BODY_BYTES_MAX)));
}

static void add_bodies(struct call *call, struct json *event, str_t answer)
{
    enum audit_level level = call->audit.verdict.level;
    struct json *body;
    struct err err;
    if (level >= AUDIT_REQUEST && call->audit.sent != NULL)
        add_body(call, event, "requestObject", json_clone(call->audit.sent, call->arena));
    if (level >= AUDIT_REQUEST_RESPONSE && answer.len > 0 &&
        json_parse(answer, call->arena, &body, &err) == 0)
        add_body(call, event, "responseObject", body);
}

static void add_addresses(struct call *call, struct json *event)
{
    struct json *all = json_array(call->arena);
    str_t address = socket_peer_address(call->x->fd, call->arena);
    if (address.len > 0)
        json_add(all, STR(""), json_string(call->arena, address));
    json_add(event, STR("sourceIPs"), all);
}

/* `code` 0: there is no answer yet. */
static void write_down(struct call *call, enum audit_stage stage, int code, str_t answer)
{
    struct arena *arena = call->arena;
    AUTO(buf_done) struct buf text = {0};
    struct json *event = json_object(arena), *status = json_object(arena);
    if (call->audit.id.len == 0)
        call->audit.id = uid_new(arena);
    add(event, "kind", STR("Event"), arena);
    add(event, "apiVersion", STR("audit.k8s.io/v1"), arena);
    add(event, "level", str_from_z(audit_level_word(call->audit.verdict.level)), arena);
    add(event, "auditID", call->audit.id, arena);
    add(event, "stage", str_from_z(audit_stage_word(stage)), arena);
    add(event, "requestURI", call->x->target, arena);
    add(event, "verb", verb_of(call), arena);
    json_add(event, STR("user"), user_of(asker(call), arena));
    if (call->real_user != NULL)
        json_add(event, STR("impersonatedUser"), user_of(&call->user, arena));
    add_addresses(call, event);
    add(event, "userAgent", http_get(call->x, STR("User-Agent")), arena);
    if (call->kind != NULL)
        json_add(event, STR("objectRef"), object_of(call, arena));
    if (code > 0) {
        json_add(status, STR("metadata"), json_object(arena));
        json_add(event, STR("responseStatus"),
                 json_add(status, STR("code"), json_int(arena, code)));
    }
    add(event, "requestReceivedTimestamp", micro_time_text(call->audit.received_ms, arena), arena);
    add(event, "stageTimestamp", micro_time_text(loop_wall_ms(call->api->loop), arena), arena);
    add_bodies(call, event, answer);
    json_write(event, &text);
    audit_add(call->api->audit, buf_str(&text));
}

/* --- stages --- */

void audit_received(struct call *call)
{
    if (call->api->audit == NULL || call->api->audit_policy == NULL)
        return;
    call->audit.verdict = decide(call);
    if (wants(call, AUDIT_RECEIVED))
        write_down(call, AUDIT_RECEIVED, 0, STR(""));
}

void audit_started(struct call *call, int code)
{
    if (wants(call, AUDIT_STARTED))
        write_down(call, AUDIT_STARTED, code, STR(""));
}

void audit_answered(struct call *call, int code, str_t body)
{
    if (call->api->audit == NULL || call->x == NULL)
        return;
    if (call->api->audit_policy == NULL && wanted_by_default(call, code))
        call->audit.verdict.level = AUDIT_METADATA;
    if (wants(call, AUDIT_COMPLETE))
        write_down(call, AUDIT_COMPLETE, code, body);
}
