/*
 * api_metrics.c - metrics.k8s.io: what the node has measured, as metrics-server shows it.
 *
 * Nothing is kept: each question goes on to the node (node/stats.h), and of its answer those are
 * shown that the API knows too, with the labels they have there.
 */
#include "api/api_priv.h"
#include "base/time.h"
#include "http/client.h"
#include "kube/quantity.h"

#include <stdlib.h>

enum { STATS_BYTES_MAX = 8 * 1024 * 1024, NANOS = 1000000000 };

struct measuring {
    struct call *call;
    struct http_call http;
    struct list_options options;
    int status;
    struct buf body;
};

struct measured {
    struct measuring *measuring;
    str_t timestamp, window;
    struct object **at;
    size_t n;
};

/* --- words --- */

/* As Go writes a duration: "10.25s", "1m0s". */
static str_t window_text(int64_t ms, struct arena *arena)
{
    enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
    AUTO(buf_done) struct buf out = {0};
    if (ms > 0 && ms < SECOND)
        return arena_printf(arena, "%lldms", (long long)ms);
    if (ms >= HOUR)
        buf_printf(&out, "%lldh", (long long)(ms / HOUR));
    if (ms >= MINUTE)
        buf_printf(&out, "%lldm", (long long)(ms % HOUR / MINUTE));
    buf_printf(&out, "%lld", (long long)(ms % MINUTE / SECOND));
    if (ms % SECOND > 0) {
        buf_printf(&out, ".%03lld", (long long)(ms % SECOND));
        while (out.at[out.len - 1] == '0')
            out.len--;
    }
    buf_add_char(&out, 's');
    return arena_str(arena, buf_str(&out));
}

static struct json *usage_of(const struct json *stats, struct arena *arena)
{
    struct json *usage = json_object(arena);
    int64_t nanos = 0, bytes = 0;
    (void)json_to_i64(json_get(stats, STR("cpu_nanos")), &nanos);
    (void)json_to_i64(json_get(stats, STR("memory_bytes")), &bytes);
    quantity_t cpu = {.nano = nanos}, memory = {.nano = (__int128)bytes * NANOS, .binary = true};
    json_add(usage, STR("cpu"), json_string(arena, quantity_text(cpu, arena)));
    return json_add(usage, STR("memory"), json_string(arena, quantity_text(memory, arena)));
}

static void answer_unavailable(struct call *call)
{
    answer_plain(call, 503, "ServiceUnavailable",
                 "the server is currently unable to handle the request (get " STR_F "%s" STR_F ")",
                 STR_A(call->resource), call->name.len > 0 ? " " : "", STR_A(call->name));
}

/* --- objects --- */

/* Named like the pod or node that was measured, with its labels. NULL: it is not asked for. */
static struct json *start(struct measured *m, const struct json *whose)
{
    struct call *call = m->measuring->call;
    struct arena *arena = call->arena;
    const struct json *of = json_get(whose, STR("metadata")), *labels;
    struct json *object = json_object(arena), *meta = json_object(arena);
    static const str_t words[] = {STR("name"), STR("namespace")};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (json_get(of, words[i]) != NULL)
            json_add(meta, words[i], json_string(arena, json_get_text(of, words[i])));
    json_add(meta, STR("creationTimestamp"),
             json_string(arena, time_text(loop_wall_ms(call->api->loop), arena)));
    if ((labels = json_get(of, STR("labels"))) != NULL)
        json_add(meta, STR("labels"), json_clone(labels, arena));
    json_add(object, STR("kind"), json_string(arena, str_from_z(call->kind->name)));
    json_add(object, STR("apiVersion"), json_string(arena, kind_api_version(call->kind, arena)));
    json_add(object, STR("metadata"), meta);
    json_add(object, STR("timestamp"), json_string(arena, m->timestamp));
    json_add(object, STR("window"), json_string(arena, m->window));
    const struct list_options *options = &m->measuring->options;
    return selector_matches(options->labels, options->fields, object) ? object : NULL;
}

static void finish(struct measured *m, const struct json *object)
{
    AUTO(buf_done) struct buf text = {0};
    json_write(object, &text);
    const struct json *meta = json_get(object, STR("metadata"));
    m->at[m->n++] = object_new(m->measuring->call->resource, json_get_text(meta, STR("namespace")),
                               json_get_text(meta, STR("name")), 0, buf_str(&text));
}

/* Of what a pod was before nothing is told. */
static void add_pod(struct measured *m, const struct json *stats)
{
    struct call *call = m->measuring->call;
    str_t ns = json_get_text(stats, STR("namespace")), name = json_get_text(stats, STR("name"));
    if ((call->ns.len > 0 && !str_eq(ns, call->ns)) ||
        (call->name.len > 0 && !str_eq(name, call->name)))
        return;
    const struct object *stored = store_get(call->api->store, STR("pods"), ns, name);
    const struct json *pod = stored == NULL ? NULL : object_tree(stored, call->arena);
    str_t uid = json_text(json_at(pod, "metadata.uid"), STR(""));
    str_t phase = json_text(json_at(pod, "status.phase"), STR(""));
    if (!str_eq(uid, json_get_text(stats, STR("uid"))) || !str_eq(phase, STR("Running")))
        return;
    struct json *object = start(m, pod), *list = json_array(call->arena);
    if (object == NULL)
        return;
    JSON_EACH(json_get(stats, STR("containers")), container)
    {
        struct json *row = json_object(call->arena);
        json_add(row, STR("name"), json_string(call->arena, json_get_text(container, STR("name"))));
        json_add(list, STR(""), json_add(row, STR("usage"), usage_of(container, call->arena)));
    }
    finish(m, json_add(object, STR("containers"), list));
}

static void add_pods(struct measured *m, const struct json *pods)
{
    JSON_EACH(pods, pod)
    add_pod(m, pod);
}

static void add_node(struct measured *m, const struct json *stats)
{
    struct call *call = m->measuring->call;
    str_t name = json_get_text(stats, STR("name"));
    const struct object *stored = store_get(call->api->store, STR("nodes"), STR(""), name);
    if (stored == NULL || (call->name.len > 0 && !str_eq(name, call->name)))
        return;
    struct json *object = start(m, object_tree(stored, call->arena));
    if (object != NULL)
        finish(m, json_add(object, STR("usage"), usage_of(stats, call->arena)));
}

static int by_name(const void *one, const void *other)
{
    const struct object *a = *(struct object *const *)one, *b = *(struct object *const *)other;
    int r = str_cmp(a->ns, b->ns);
    return r != 0 ? r : str_cmp(a->name, b->name);
}

/* --- the answer --- */

static void answer_shaped(struct call *call, const struct measured *m)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(buf_done) struct buf out = {0};
    struct shape shape = call_shape(call);
    bool framed = call->name.len == 0 || shape.format == FORMAT_TABLE;
    if (framed)
        shape_begin(&shape, STR("{}"), &out);
    for (size_t i = 0; i < m->n; i++) {
        if (i > 0)
            buf_add_char(&out, ',');
        shape_add(&shape, m->at[i], &scratch, &out);
    }
    if (framed)
        shape_end(&out);
    answer_bytes(call, 200, arena_str(call->arena, buf_str(&out)));
}

/* Not measured (yet), or not there at all. */
static void answer_none(struct call *call)
{
    struct arena *arena = call->arena;
    bool pods = call->kind == &kind_podmetrics;
    str_t whose = pods ? STR("pods") : STR("nodes"), name = call->name;
    if (store_get(call->api->store, whose, call->ns, name) != NULL) {
        whose = pods ? STR("podmetrics.metrics.k8s.io") : STR("nodemetrics.metrics.k8s.io");
        if (pods)
            name = arena_printf(arena, STR_F "/" STR_F, STR_A(call->ns), STR_A(name));
    }
    answer_plain(call, 404, "NotFound", STR_F " \"" STR_F "\" not found", STR_A(whose),
                 STR_A(name));
}

static void answer_stats(struct measuring *measuring, const struct json *stats)
{
    struct call *call = measuring->call;
    struct measured m = {.measuring = measuring};
    int64_t window_ms = 0;
    const struct json *pods = json_get(stats, STR("pods"));
    (void)json_to_i64(json_get(stats, STR("window_ms")), &window_ms);
    m.timestamp = json_get_text(stats, STR("timestamp"));
    m.window = window_text(window_ms, call->arena);
    m.at = arena_array(call->arena, struct object *, json_count(pods) + 1);
    if (call->kind == &kind_nodemetrics)
        add_node(&m, json_get(stats, STR("node")));
    else
        add_pods(&m, pods);
    if (m.n > 0)
        qsort(m.at, m.n, sizeof(struct object *), by_name);
    if (m.n == 0 && call->name.len > 0)
        answer_none(call);
    else
        answer_shaped(call, &m);
    for (size_t i = 0; i < m.n; i++)
        object_unref(m.at[i]);
}

/* --- asking the node --- */

static void asker_gone(struct exchange *x)
{
    struct measuring *measuring = x->self;
    http_call_cancel(&measuring->http);
    buf_done(&measuring->body);
    free(measuring);
}

static void stats_head(struct http_call *http, const struct http_answer_head *head)
{
    CONTAINER_OF(http, struct measuring, http)->status = head->status;
}

static bool stats_piece(struct http_call *http, str_t bytes)
{
    struct measuring *measuring = CONTAINER_OF(http, struct measuring, http);
    if (measuring->body.len + bytes.len <= STATS_BYTES_MAX)
        buf_add(&measuring->body, bytes);
    else
        measuring->status = 0; /* Nothing a node of ours would say. */
    return true;
}

static void stats_done(struct http_call *http, int r, const struct err *err)
{
    struct measuring *measuring = CONTAINER_OF(http, struct measuring, http);
    struct call *call = measuring->call;
    struct json *stats = NULL;
    struct err bad;
    (void)err;
    call->x->on_gone = NULL;
    if (r == 0 && measuring->status == 200)
        r = json_parse(buf_str(&measuring->body), call->arena, &stats, &bad);
    if (r < 0 || stats == NULL)
        answer_unavailable(call);
    else
        answer_stats(measuring, stats);
    buf_done(&measuring->body);
    free(measuring);
}

void api_metrics(struct call *call)
{
    struct http_client *node = node_client(call->api);
    struct list_options options = {0};
    if (call->verb == VERB_LIST && list_selectors(call, &options) < 0)
        return;
    if (node == NULL) {
        answer_unavailable(call);
        return;
    }
    struct measuring *measuring = calloc(1, sizeof(*measuring));
    MUST(measuring != NULL);
    measuring->call = call;
    measuring->options = options;
    measuring->http = (struct http_call){.method = STR("GET"),
                                         .target = STR("/stats"),
                                         .head = stats_head,
                                         .piece = stats_piece,
                                         .done = stats_done};
    call->x->self = measuring;
    call->x->on_gone = asker_gone;
    http_client_send(node, &measuring->http);
}
