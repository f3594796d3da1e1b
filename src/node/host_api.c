/* host_api.c - what pods tell the API: their status, their end, and Events. */
#include "kinds/kinds.h"
#include "node/host_priv.h"

#include <stdlib.h>

struct said { /* One call, and whose step ends with it. */
    struct remote_call call;
    struct step *step;
    struct buf body;
    struct host *host;
};

static void over(struct remote_call *call, int r, const struct err *err)
{
    struct said *said = CONTAINER_OF(call, struct said, call);
    struct step *step = said->step;
    step->r = r;
    if (r < 0)
        step->err = *err;
    buf_done(&said->body);
    free(said);
    step->done(step);
}

static struct said *said_new(struct host *host, struct step *step)
{
    struct said *said = calloc(1, sizeof(*said));
    MUST(said != NULL);
    said->host = host;
    said->step = step;
    said->call = (struct remote_call){.kind = &kind_pod, .done = over};
    return said;
}

static void send(struct said *said)
{
    said->call.body = buf_str(&said->body);
    remote_send(said->host->settings.remote, &said->call);
}

/*
 * A strategic merge patch leaves alone what it does not name: conditions of others stay. What we
 * no longer say is taken out by a null.
 */
static void add_nulls(struct json *status, struct arena *arena)
{
    static const char *const ours[] = {"message",
                                       "reason",
                                       "hostIP",
                                       "podIP",
                                       "hostIPs",
                                       "podIPs",
                                       "initContainerStatuses",
                                       "containerStatuses",
                                       "ephemeralContainerStatuses"};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (json_get(status, str_from_z(ours[i])) == NULL)
            json_add(status, str_from_z(ours[i]), json_null(arena));
}

static bool is_ours(const struct json *condition)
{
    static const str_t ours[] = {STR("PodReadyToStartContainers"), STR("Initialized"), STR("Ready"),
                                 STR("ContainersReady")};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (str_eq(json_get_text(condition, STR("type")), ours[i]))
            return true;
    return false;
}

/* Others may have written theirs since we read them. */
static void drop_others(struct json *status, struct arena *arena)
{
    struct json *kept = json_array(arena);
    JSON_EACH(json_get(status, STR("conditions")), condition)
    if (is_ours(condition))
        json_add(kept, STR(""), json_clone(condition, arena));
    json_set(status, STR("conditions"), kept);
}

/* Of a list that is merged by key, those that are no longer in it would stay. */
static void replace_list(struct json *status, const char *field, struct arena *arena)
{
    struct json *list = json_get(status, str_from_z(field));
    struct json *all = json_object(arena);
    if (list == NULL || list->type != JSON_ARRAY)
        return;
    json_add(all, STR("$patch"), json_string(arena, STR("replace")));
    json_add(list, STR(""), all);
}

static void report(void *self, struct step *step, const struct json *pod, const struct json *status)
{
    AUTO(arena_done) struct arena arena = {0};
    struct said *said = said_new(self, step);
    struct json *patch = json_object(&arena), *meta = json_object(&arena);
    struct json *own = json_clone(status, &arena);
    const struct json *old = json_at(pod, "metadata");
    drop_others(own, &arena);
    replace_list(own, "podIPs", &arena);
    add_nulls(own, &arena);
    json_add(meta, STR("uid"), json_string(&arena, json_get_text(old, STR("uid"))));
    json_add(json_add(patch, STR("metadata"), meta), STR("status"), own);
    json_write(patch, &said->body);
    said->call.verb = REMOTE_STRATEGIC;
    said->call.ns = json_get_text(old, STR("namespace"));
    said->call.name = json_get_text(old, STR("name"));
    said->call.subresource = "status";
    send(said);
}

static void forget(void *self, struct step *step, str_t ns, str_t name, str_t uid)
{
    struct said *said = said_new(self, step);
    buf_printf(&said->body,
               "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"gracePeriodSeconds\":0,"
               "\"preconditions\":{\"uid\":\"" STR_F "\"}}",
               STR_A(uid));
    said->call.verb = REMOTE_DELETE;
    said->call.ns = ns;
    said->call.name = name;
    send(said);
}

static str_t field_path(const struct json *pod, const char *container, struct arena *arena)
{
    static const char *const lists[] = {"containers", "initContainers", "ephemeralContainers"};
    const struct json *spec = json_get(pod, STR("spec"));
    if (container == NULL)
        return STR("");
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        JSON_EACH(json_get(spec, str_from_z(lists[i])), item)
    if (str_eq(json_get_text(item, STR("name")), str_from_z(container)))
        return arena_printf(arena, "spec.%s{%s}", lists[i], container);
    return STR("");
}

static void event(void *self, const struct pod_event *event)
{
    const struct host *host = self;
    AUTO(arena_done) struct arena arena = {0};
    const struct json *meta = json_get(event->pod, STR("metadata"));
    struct event_about about = {.kind = "Pod",
                                .ns = json_get_text(meta, STR("namespace")),
                                .name = json_get_text(meta, STR("name")),
                                .uid = json_get_text(meta, STR("uid")),
                                .rv = json_get_text(meta, STR("resourceVersion")),
                                .field_path = field_path(event->pod, event->container, &arena)};
    events_tell(host->settings.events, &about, event->warning, event->reason, event->message);
}

void host_api_fill(struct host *host)
{
    host->ops.report = report;
    host->ops.forget = forget;
    host->ops.event = event;
}
