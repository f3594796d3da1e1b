/* api.c - the server's life, and where a request goes. */
#include "api/admit.h"
#include "api/api_priv.h"
#include "base/log.h"
#include "http/client.h"
#include "kube/version.h"

#include <stdlib.h>

/* What api_bootstrap() makes last is there. */
bool api_is_ready(const struct api *api)
{
    return !api->draining &&
           store_get(api->store, STR("namespaces"), STR(""), STR("kube-system")) != NULL;
}

/* --- plain paths --- */

static void answer_version(struct call *call)
{
    struct json *version = json_object(call->arena);
    static const struct {
        str_t key, value;
    } rows[] = {
        {STR("major"), STR("1")},
        {STR("minor"), STR("32")},
        {STR("gitVersion"), STR(KUBE_VERSION)},
        {STR("gitCommit"), STR("")},
        {STR("gitTreeState"), STR("clean")},
        {STR("buildDate"), STR("1970-01-01T00:00:00Z")},
        {STR("goVersion"), STR("none")},
        {STR("compiler"), STR("gcc")},
        {STR("platform"), STR("linux/amd64")},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        json_add(version, rows[i].key, json_string(call->arena, rows[i].value));
    answer_json(call, 200, version);
}

static void answer_metrics(struct call *call)
{
    struct api *api = call->api;
    AUTO(buf_done) struct buf out = {0};
    buf_printf(&out,
               "# HELP davy_api_requests_total Requests the API server has taken.\n"
               "# TYPE davy_api_requests_total counter\ndavy_api_requests_total %lld\n",
               (long long)api->requests);
    buf_printf(&out,
               "# HELP davy_api_watches Watches that are open now.\n"
               "# TYPE davy_api_watches gauge\ndavy_api_watches %zu\n",
               api->n_watchers);
    buf_printf(&out,
               "# HELP davy_store_resource_version Version of the newest committed write.\n"
               "# TYPE davy_store_resource_version counter\ndavy_store_resource_version %llu\n",
               (unsigned long long)store_rv(api->store));
    buf_printf(&out,
               "# HELP davy_api_waiting Requests that wait for their turn.\n"
               "# TYPE davy_api_waiting gauge\ndavy_api_waiting %zu\n",
               api->flows.waiting);
    buf_printf(&out,
               "# HELP davy_api_refused_total Requests answered with 429.\n"
               "# TYPE davy_api_refused_total counter\ndavy_api_refused_total %lld\n",
               (long long)api->flows.refused);
    buf_add(&out, STR("# HELP davy_store_objects Objects in the store.\n"
                      "# TYPE davy_store_objects gauge\n"));
    for (const struct kind *const *kind = api->kinds->at; *kind != NULL; kind++)
        if (!(*kind)->only_read)
            buf_printf(&out, "davy_store_objects{resource=\"%s\"} %zu\n", (*kind)->plural,
                       store_count(api->store, kind_resource(*kind, call->arena), STR("")));
    call_answer_text(call, 200, STR("text/plain; version=0.0.4; charset=utf-8"),
                     arena_str(call->arena, buf_str(&out)));
}

/* As Kubernetes writes it; `?verbose` shows each check. */
static void answer_health(struct call *call, str_t path, bool ok)
{
    str_t name = {path.at + 1, path.len - 1}, verbose;
    str_t type = STR("text/plain; charset=utf-8");
    if (ok && !http_query_get(call->x, STR("verbose"), &verbose)) {
        call_answer_text(call, 200, type, STR("ok"));
        return;
    }
    bool drains = call->api->draining && !ok;
    str_t text = arena_printf(
        call->arena,
        "[+]ping ok\n[+]store ok\n[%c]bootstrap %s\n[%c]shutdown %s\n" STR_F " check %s\n",
        ok || drains ? '+' : '-', ok || drains ? "ok" : "failed: not committed yet",
        drains ? '-' : '+', drains ? "failed: draining" : "ok", STR_A(name),
        ok ? "passed" : "failed");
    call_answer_text(call, ok ? 200 : 503, type, text);
}

static void answer_other(struct call *call)
{
    struct api *api = call->api;
    str_t path = call->x->path;
    if (str_eq(path, STR("/livez")) || str_eq(path, STR("/healthz")))
        answer_health(call, path, true);
    else if (str_eq(path, STR("/readyz")))
        answer_health(call, path, api_is_ready(api));
    else if (str_eq(path, STR("/version")))
        answer_version(call);
    else if (str_eq(path, STR("/metrics")))
        answer_metrics(call);
    else if (!authn_document(call) && !document_answer(call))
        call_answer_text(call, 404, STR("text/plain; charset=utf-8"), STR("404 page not found\n"));
}

/* --- requests --- */

static void serve_object(struct call *call)
{
    if (call->kind->only_read) {
        api_metrics(call);
        return;
    }
    switch (call->verb) {
    case VERB_GET:
        api_get(call);
        return;
    case VERB_LIST:
        api_list(call);
        return;
    case VERB_WATCH:
        api_watch(call);
        return;
    case VERB_CREATE:
    case VERB_UPDATE:
    case VERB_PATCH:
    case VERB_DELETE:
    case VERB_DELETE_COLLECTION:
        return; /* Not here: see handle(). */
    }
}

static void waiting_gone(struct exchange *x)
{
    struct call *call = x->self;
    flow_leave(&call->api->flows, &call->flow);
}

void call_enter(struct call *call, void (*run)(struct flow_call *flow))
{
    struct flows *flows = &call->api->flows;
    call->x->self = call;
    call->x->on_gone = waiting_gone;
    call->flow.run = run;
    if (flow_enter(flows, &call->flow, call->user.name, http_get(call->x, STR("User-Agent"))))
        return;
    call->x->on_gone = NULL;
    flow_leave(flows, &call->flow);
    answer_too_many(call);
}

static void serve_run(struct flow_call *flow)
{
    struct call *call = CONTAINER_OF(flow, struct call, flow);
    call->x->on_gone = NULL;
    serve_object(call);
}

static void take(struct api *api, struct exchange *x, enum door door)
{
    struct call *call = arena_new(x->arena, struct call);
    *call = (struct call){.api = api, .x = x, .arena = x->arena};
    call->audit.received_ms = loop_wall_ms(api->loop);
    api->requests++;
    auth_user(api, x, door, &call->user);
    enum path_result path = call_parse_path(call);
    if (path == PATH_ANSWERED)
        return;
    if (path == PATH_UNKNOWN)
        call->kind = NULL;
    audit_received(call);
    if (auth_is_bad(call)) {
        answer_plain(call, 401, "Unauthorized", "Unauthorized");
        return;
    }
    if (authz_impersonate(call) < 0)
        return;
    if (!authz_may(call))
        answer_forbidden(call);
    else if (path == PATH_UNKNOWN)
        call_answer_text(call, 404, STR("text/plain; charset=utf-8"), STR("404 page not found\n"));
    else if (path == PATH_OTHER)
        answer_other(call);
    else if (call_parse_query(call) < 0)
        return;
    else if (call->verb == VERB_GET || call->verb == VERB_LIST || call->verb == VERB_WATCH)
        call_enter(call, serve_run);
    else
        api_write(call); /* Enters when its body is there. */
}

static void handle(void *self, struct exchange *x)
{
    take(self, x, DOOR_ALL);
}

static void handle_node(void *self, struct exchange *x)
{
    take(self, x, DOOR_NODE);
}

struct http_handler api_handler(struct api *api)
{
    return (struct http_handler){api, handle};
}

struct http_handler api_node_handler(struct api *api)
{
    return (struct http_handler){api, handle_node};
}

/* --- controllers --- */

/* A call of our own: refusals come back as errors. */
static void own_call(struct api *api, const struct kind *kind, struct arena *arena, struct err *err,
                     struct call *call)
{
    err->code = 0;
    *call = (struct call){.api = api,
                          .arena = arena,
                          .err = err,
                          .kind = kind,
                          .resource = kind_stored_resource(kind, arena)};
}

static void name_of(struct call *call, const struct json *object)
{
    const struct json *meta = json_get(object, STR("metadata"));
    call->ns = call->kind->namespaced ? json_get_text(meta, STR("namespace")) : STR("");
    call->name = json_get_text(meta, STR("name"));
}

/* A Binding is nothing that is stored: it is what becomes of the pod of its name. */
static int own_bind(struct api *api, const struct json *binding, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct call call;
    own_call(api, &kind_pod, &arena, err, &call);
    call.verb = VERB_CREATE;
    name_of(&call, binding);
    const struct object *latest = store_latest(api->store, call.resource, call.ns, call.name);
    if (latest == NULL)
        answer_not_found(&call);
    else
        api_bind(&call, binding, latest);
    return err->code;
}

static int own_create(void *self, const struct kind *kind, const struct json *object,
                      struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct call call;
    if (kind == &kind_binding)
        return own_bind(self, object, err);
    own_call(self, kind, &arena, err, &call);
    call.verb = VERB_CREATE;
    name_of(&call, object);
    api_create_object(&call, json_clone(object, &arena));
    return err->code;
}

static int own_update(void *self, const struct kind *kind, const char *subresource,
                      const struct json *object, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct api *api = self;
    struct call call;
    own_call(api, kind, &arena, err, &call);
    call.verb = VERB_UPDATE;
    call.subresource = str_from_z(subresource);
    name_of(&call, object);
    const struct object *latest = store_latest(api->store, call.resource, call.ns, call.name);
    if (latest == NULL)
        answer_not_found(&call);
    else
        api_update_object(&call, json_clone(object, &arena), latest);
    return err->code;
}

static int own_remove_if(void *self, const struct kind *kind, str_t ns, str_t name,
                         const struct removal *removal, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct api *api = self;
    struct call call;
    own_call(api, kind, &arena, err, &call);
    call.verb = VERB_DELETE;
    call.ns = ns;
    call.name = name;
    struct json *options = json_object(&arena), *conditions = json_object(&arena);
    if (removal->uid.len > 0)
        json_add(conditions, STR("uid"), json_string(&arena, removal->uid));
    if (removal->rv.len > 0)
        json_add(conditions, STR("resourceVersion"), json_string(&arena, removal->rv));
    json_add(options, STR("preconditions"), conditions);
    if (removal->policy != NULL)
        json_add(options, STR("propagationPolicy"),
                 json_string(&arena, str_from_z(removal->policy)));
    const struct object *latest = store_latest(api->store, call.resource, ns, name);
    if (latest == NULL)
        answer_not_found(&call);
    else
        api_delete_object(&call, options, latest);
    return err->code;
}

static int own_remove(void *self, const struct kind *kind, str_t ns, str_t name, struct err *err)
{
    struct removal removal = {0};
    return own_remove_if(self, kind, ns, name, &removal, err);
}

struct writer api_writer(struct api *api)
{
    return (struct writer){api, own_create, own_update, own_remove, own_remove_if};
}

const struct kinds *api_kinds(const struct api *api)
{
    return api->kinds;
}

/* --- a life --- */

int api_new(const struct api_settings *settings, struct api **out, struct err *err)
{
    struct api *api = calloc(1, sizeof(*api));
    MUST(api != NULL);
    api->settings = *settings;
    api->loop = settings->loop;
    api->store = settings->store;
    list_init(&api->watchers);
    flows_init(&api->flows, settings->loop);
    api->kinds = kinds_new();
    int r = authn_start(api, err);
    if (r == 0)
        r = crds_start(api, err);
    if (r == 0)
        r = addresses_start(api, err);
    if (r == 0)
        r = authz_start(api, err);
    if (r == 0 && settings->audit_policy.len > 0)
        r = audit_policy_read(settings->audit_policy, &api->audit_policy, err);
    struct audit_settings audit = {.loop = api->loop, .dir = settings->audit_dir};
    bool torn = false;
    if (r == 0 && audit.dir.len > 0)
        r = audit_open(&audit, &api->audit, &torn, err);
    if (torn && settings->log != NULL)
        log_error(settings->log, "the audit log's last line was not whole and is cut off",
                  F_STR("dir", audit.dir));
    if (r < 0) {
        api_free(api);
        return r;
    }
    *out = api;
    return 0;
}

void api_free(struct api *api)
{
    if (api == NULL)
        return;
    MUST(api->n_watchers == 0); /* The HTTP server is freed first. */
    http_client_free(api->node);
    audit_close(api->audit);
    audit_policy_free(api->audit_policy);
    authn_stop(api);
    authz_stop(api);
    crds_stop(api);
    addresses_stop(api);
    watch_line_drop(api);
    api_forget_trees(api);
    flows_done(&api->flows);
    kinds_free(api->kinds);
    documents_drop(api);
    arena_done(&api->arena);
    free(api);
}

int api_bootstrap(struct api *api, struct err *err)
{
    static const char *const names[] = {"default", "kube-node-lease", "kube-public", "kube-system"};
    AUTO(arena_done) struct arena arena = {0};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct json *ns = json_object(&arena), *meta = json_object(&arena);
        json_add(meta, STR("name"), json_string(&arena, str_from_z(names[i])));
        json_add(ns, STR("metadata"), meta);
        int r = own_create(api, &kind_namespace, ns, err);
        if (r < 0 && r != ERR_EXISTS)
            return r;
    }
    int r = addresses_bootstrap(api, err);
    if (r == 0)
        r = priority_bootstrap(api, err);
    if (r == 0)
        r = storage_bootstrap(api, err);
    return r < 0 ? r : authz_bootstrap(api, err);
}

void api_drain(struct api *api)
{
    api->draining = true;
    api_drain_watches(api);
}
