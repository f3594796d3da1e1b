/*
 * api_stream.c - exec, attach, port-forward and log of pods: who may is decided here, and done it
 * is by the pod's node, whose paths are those of a kubelet (/exec/NS/POD/CONTAINER ...).
 */
#include "api/api_priv.h"
#include "http/client.h"
#include "http/relay.h"

#include <stdlib.h>

enum { LOG_WAITING_BYTES_MAX = 256 * 1024, REFUSAL_BYTES_MAX = 8 * 1024 };

static bool is_sub(const struct call *call, const char *name)
{
    return str_eq(call->subresource, str_from_z(name));
}

/* --- which container --- */

static bool has_container(const struct json *containers, str_t name)
{
    JSON_EACH(containers, container)
    if (str_eq(json_get_text(container, STR("name")), name))
        return true;
    return false;
}

static str_t names_of(const struct json *containers, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    JSON_EACH(containers, container)
    {
        str_t name = json_get_text(container, STR("name"));
        buf_printf(&out, "%s" STR_F, out.len > 0 ? " " : "", STR_A(name));
    }
    return arena_str(arena, buf_str(&out));
}

/* False: answered. */
static bool find_container(struct call *call, const struct json *pod, str_t *name)
{
    struct arena *arena = call->arena;
    const struct json *all = json_at(pod, "spec.containers");
    const struct json *init = json_at(pod, "spec.initContainers");
    *name = call_query(call, STR("container"));
    if (name->len == 0) {
        *name = json_text(json_get(json_at(pod, "metadata.annotations"),
                                   STR("kubectl.kubernetes.io/default-container")),
                          STR(""));
        if (json_count(all) == 1 || !has_container(all, *name))
            *name = json_get_text(json_first(all), STR("name"));
        else
            return true;
        if (json_count(all) == 1)
            return true;
        str_t names = names_of(all, arena), inits = names_of(init, arena);
        answer_plain(call, 400, "BadRequest",
                     "a container name must be specified for pod " STR_F ", choose one of: [" STR_F
                     "]%s" STR_F "%s",
                     STR_A(call->name), STR_A(names),
                     inits.len > 0 ? " or one of the init containers: [" : "", STR_A(inits),
                     inits.len > 0 ? "]" : "");
        return false;
    }
    if (has_container(all, *name) || has_container(init, *name) ||
        has_container(json_at(pod, "spec.ephemeralContainers"), *name))
        return true;
    answer_plain(call, 400, "BadRequest", "container " STR_F " is not valid for pod " STR_F,
                 STR_A(*name), STR_A(call->name));
    return false;
}

/* --- the node's path --- */

/* What a kubelet calls them. */
static str_t kubelet_name(str_t name)
{
    static const struct {
        str_t ours, theirs;
    } rows[] = {{STR("stdin"), STR("input")},
                {STR("stdout"), STR("output")},
                {STR("stderr"), STR("error")}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq(name, rows[i].ours))
            return rows[i].theirs;
    return name;
}

/* The query as it was sent, still encoded. */
static str_t target_of(const struct call *call, const char *verb, str_t container)
{
    AUTO(buf_done) struct buf out = {0};
    str_t rest = call->x->query, pair, key, value;
    char before = '?';
    buf_printf(&out, "/%s/" STR_F "/" STR_F, verb, STR_A(call->ns), STR_A(call->name));
    if (container.len > 0)
        buf_printf(&out, "/" STR_F, STR_A(container));
    while (rest.len > 0) {
        str_cut(rest, '&', &pair, &rest);
        str_cut(pair, '=', &key, &value);
        if (key.len == 0 || str_eq(key, STR("container")))
            continue;
        buf_printf(&out, "%c" STR_F "=" STR_F, before, STR_A(kubelet_name(key)), STR_A(value));
        before = '&';
    }
    return arena_str(call->arena, buf_str(&out));
}

/* --- what the node answers --- */

static void answer_node(struct call *call, int status, str_t body)
{
    enum { BAD_REQUEST = 400, NOT_FOUND = 404, FORBIDDEN = 403, INTERNAL = 500 };
    body = str_trim(body);
    if (body.len > 0 && body.at[body.len - 1] == '\n')
        body.len--;
    if (status == 0)
        answer_plain(call, INTERNAL, "InternalError",
                     "Internal error occurred: the node of pod " STR_F " does not answer",
                     STR_A(call->name));
    else if (status == BAD_REQUEST)
        answer_plain(call, status, "BadRequest", STR_F, STR_A(body));
    else if (status == NOT_FOUND)
        answer_plain(call, status, "NotFound", STR_F, STR_A(body));
    else if (status == FORBIDDEN)
        answer_plain(call, status, "Forbidden", STR_F, STR_A(body));
    else
        answer_plain(call, INTERNAL, "InternalError", "Internal error occurred: " STR_F,
                     STR_A(body));
}

static void upgrade_opened(struct exchange *x, void *self)
{
    (void)x;
    audit_started(self, 101);
}

static void upgrade_refused(struct exchange *x, void *self, int status, str_t body)
{
    (void)x;
    answer_node(self, status, body);
}

/* --- logs --- */

struct reading {
    struct call *call;
    struct http_call http;
    int status;
    bool begun;
    struct buf refusal;
};

static void log_gone(struct exchange *x)
{
    struct reading *reading = x->self;
    http_call_cancel(&reading->http);
    buf_done(&reading->refusal);
    free(reading);
}

static void log_drained(struct exchange *x)
{
    http_call_more(&((struct reading *)x->self)->http);
}

static void log_head(struct http_call *http, const struct http_answer_head *head)
{
    struct reading *reading = CONTAINER_OF(http, struct reading, http);
    struct http_field type = {STR("Content-Type"), STR("text/plain")};
    reading->status = head->status;
    if (head->status != 200)
        return;
    reading->begun = true;
    audit_started(reading->call, head->status);
    http_begin(reading->call->x, head->status, &type, 1);
    http_flush(reading->call->x);
}

static bool log_piece(struct http_call *http, str_t bytes)
{
    struct reading *reading = CONTAINER_OF(http, struct reading, http);
    struct exchange *x = reading->call->x;
    if (!reading->begun) {
        if (reading->refusal.len < REFUSAL_BYTES_MAX)
            buf_add(&reading->refusal, bytes);
        return true;
    }
    struct buf copy = {0};
    buf_add(&copy, bytes);
    http_write(x, (struct http_bytes){buf_str(&copy), free, copy.at});
    return http_waiting(x) < LOG_WAITING_BYTES_MAX;
}

static void log_done(struct http_call *http, int r, const struct err *err)
{
    struct reading *reading = CONTAINER_OF(http, struct reading, http);
    struct call *call = reading->call;
    (void)err;
    call->x->on_gone = NULL;
    call->x->on_drain = NULL;
    if (!reading->begun)
        answer_node(call, r < 0 ? 0 : reading->status, buf_str(&reading->refusal));
    else if (r < 0)
        http_abort(call->x);
    else
        http_end(call->x, NULL, 0);
    buf_done(&reading->refusal);
    free(reading);
}

struct http_client *node_client(struct api *api)
{
    if (api->settings.node_socket == NULL)
        return NULL;
    struct http_client_settings settings = {.unix_path = api->settings.node_socket};
    struct err err;
    if (api->node == NULL)
        MUST(http_client_new(api->loop, &settings, &api->node, &err) == 0);
    return api->node;
}

static void read_log(struct call *call, str_t target)
{
    struct reading *reading = calloc(1, sizeof(*reading));
    MUST(reading != NULL);
    reading->call = call;
    reading->http = (struct http_call){.method = STR("GET"),
                                       .target = target,
                                       .head = log_head,
                                       .piece = log_piece,
                                       .done = log_done};
    call->x->self = reading;
    call->x->on_gone = log_gone;
    call->x->on_drain = log_drained;
    http_client_send(node_client(call->api), &reading->http);
}

/* --- who comes here --- */

static bool check_exec(struct call *call)
{
    if (call_query(call, STR("command")).len > 0)
        return true;
    answer_plain(call, 400, "BadRequest", "you must specify at least 1 command for the container");
    return false;
}

void api_stream(struct call *call, const struct object *object)
{
    const struct json *pod = object_tree(object, call->arena);
    str_t container = STR("");
    const char *verb = is_sub(call, "exec")     ? "exec"
                       : is_sub(call, "attach") ? "attach"
                       : is_sub(call, "log")    ? "containerLogs"
                                                : "portForward";
    bool forwards = is_sub(call, "portforward") || is_sub(call, "proxy");
    if (!forwards && !find_container(call, pod, &container))
        return;
    if (json_text(json_at(pod, "spec.nodeName"), STR("")).len == 0) {
        answer_plain(call, 400, "BadRequest", "pod " STR_F " does not have a host assigned",
                     STR_A(call->name));
        return;
    }
    if (is_sub(call, "exec") && !check_exec(call))
        return;
    if (is_sub(call, "proxy")) {
        answer_plain(call, 400, "BadRequest", "pods/proxy is not served: use portforward");
        return;
    }
    if (call->api->settings.node_socket == NULL) {
        answer_node(call, 0, STR(""));
        return;
    }
    str_t target = target_of(call, verb, container);
    if (is_sub(call, "log")) {
        read_log(call, target);
        return;
    }
    if (call->x->offer.len == 0) {
        answer_plain(call, 400, "BadRequest", "Upgrade request required");
        return;
    }
    relay_start(call->x, &(struct relay){.unix_path = call->api->settings.node_socket,
                                         .target = target,
                                         .self = call,
                                         .opened = upgrade_opened,
                                         .refused = upgrade_refused});
}
