/*
 * api_watch.c - a list that goes on: one JSON document a line for every change.
 *
 * A plain event is rendered once and shared by all who watch (struct watch_line). A reader that
 * does not keep up gets its watch ended cleanly between two lines; it knows the last version it
 * saw.
 */
#include "api/api_priv.h"

#include <stdlib.h>

enum {
    WATCH_BYTES_DEFAULT = 1 << 20,
    BOOKMARK_MS = 60000,
    TIMEOUT_DEFAULT_S = 1800,
    TIMEOUT_MAX_S = 24 * 3600,
};

struct watch_line {
    unsigned refs;
    const char *type;
    struct object *object;
    struct buf text;
};

enum watch_phase {
    WATCH_INITIAL,  /* Sends every object, as of `rv`. */
    WATCH_CATCH_UP, /* Sends the changes kept since `rv`. */
    WATCH_LIVE,
};

struct watcher {
    enum watch_phase phase;
    bool paused;         /* Enough is waiting to be sent; on_drain() goes on. */
    bool initial_end;    /* The client asked for a mark where the first picture ends. */
    struct buf after_ns; /* WATCH_INITIAL: the last object sent. */
    struct buf after_name;
    struct list link; /* In api->watchers. */
    struct api *api;
    struct exchange *x; /* NULL: the client has gone. */
    struct call call;   /* Names and selectors; in the exchange's arena. */
    struct list_options options;
    struct store_watch watch;
    struct timer bookmark, timeout;
    bool bookmarks;
    bool with_columns; /* The next Table says its columns. */
    bool ending;
    size_t waiting_max;
    uint64_t rv; /* Of the last line. */
};

static void line_unref(void *owner)
{
    struct watch_line *line = owner;
    if (--line->refs > 0)
        return;
    object_unref(line->object);
    buf_done(&line->text);
    free(line);
}

void watch_line_drop(struct api *api)
{
    if (api->line != NULL)
        line_unref(api->line);
    api->line = NULL;
}

static struct watch_line *line_of(struct api *api, const char *type, const struct object *object)
{
    struct watch_line *line = api->line;
    if (line != NULL && line->object == object && line->type == type)
        return line;
    watch_line_drop(api);
    line = calloc(1, sizeof(*line));
    MUST(line != NULL);
    line->refs = 1;
    line->type = type;
    line->object = object_ref(object);
    buf_room(&line->text, object->json.len + 48);
    buf_printf(&line->text, "{\"type\":\"%s\",\"object\":", type);
    buf_add(&line->text, object->json);
    buf_add(&line->text, STR("}\n"));
    api->line = line;
    return line;
}

static void watcher_free(struct watcher *w)
{
    audit_answered(&w->call, 200, STR(""));
    store_unwatch(&w->watch);
    timer_stop(&w->bookmark);
    timer_stop(&w->timeout);
    list_remove(&w->link);
    w->api->n_watchers--;
    buf_done(&w->after_ns);
    buf_done(&w->after_name);
    free(w);
}

static void on_gone(struct exchange *x)
{
    watcher_free(x->self);
}

static void send_bookmark(struct watcher *w, bool initial_end);

/* Everything up to now was sent, or was not wanted. */
static void bookmark_now(struct watcher *w)
{
    if (!w->bookmarks || w->phase != WATCH_LIVE || w->paused || w->ending)
        return;
    w->rv = store_rv(w->api->store);
    send_bookmark(w, false);
}

static void watch_over(struct timer *timer)
{
    struct watcher *w = CONTAINER_OF(timer, struct watcher, timeout);
    struct exchange *x = w->x;
    bookmark_now(w); /* So that the next watch begins where this one ended. */
    x->on_gone = NULL;
    watcher_free(w);
    http_end(x, NULL, 0);
}

/* Ends it soon, but not in the middle of what calls us. */
static void end_soon(struct watcher *w)
{
    w->ending = true;
    store_unwatch(&w->watch);
    timer_set(w->api->loop, &w->timeout, 0, watch_over);
}

static void send_text(struct watcher *w, struct buf *text)
{
    http_write(w->x, (struct http_bytes){buf_str(text), free, text->at});
}

/* A line of this watcher's own: {"type":...,"object":...}. */
static void send_json(struct watcher *w, const char *type, const struct json *object)
{
    struct buf text = {0};
    buf_printf(&text, "{\"type\":\"%s\",\"object\":", type);
    json_write(object, &text);
    buf_add(&text, STR("}\n"));
    send_text(w, &text);
}

/* In this watcher's own shape. */
static void send_shaped(struct watcher *w, const char *type, const struct object *object)
{
    struct shape shape = call_shape(&w->call);
    struct buf text = {0};
    shape.without_columns = !w->with_columns;
    w->with_columns = false;
    buf_printf(&text, "{\"type\":\"%s\",\"object\":", type);
    shape_one(&shape, object, &text);
    buf_add(&text, STR("}\n"));
    send_text(w, &text);
}

static void send_event(struct watcher *w, const char *type, const struct object *object)
{
    if (w->call.format == FORMAT_OBJECT && w->call.kind->stored_as == NULL &&
        !w->call.kind->mixed) {
        struct watch_line *line = line_of(w->api, type, object);
        line->refs++;
        http_write(w->x, (struct http_bytes){buf_str(&line->text), line_unref, line});
    } else {
        send_shaped(w, type, object);
    }
    if (http_waiting(w->x) <= w->waiting_max)
        return;
    if (w->phase == WATCH_LIVE)
        end_soon(w);
    else
        w->paused = true;
}

/* It no longer matches: what it last was, with the version of the change. */
static void send_left(struct watcher *w, const struct object *previous, uint64_t rv)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf text = {0};
    struct json *tree = object_tree(previous, &arena);
    struct json *meta = json_get(tree, STR("metadata"));
    json_set(meta, STR("resourceVersion"),
             json_string(&arena, arena_printf(&arena, "%llu", (unsigned long long)rv)));
    json_write(tree, &text);
    struct object *object =
        object_new(previous->resource, previous->ns, previous->name, rv, buf_str(&text));
    send_event(w, "DELETED", object);
    object_unref(object);
}

static void on_event(struct store_watch *watch, const struct store_event *event)
{
    static const char added[] = "ADDED", modified[] = "MODIFIED", deleted[] = "DELETED";
    struct watcher *w = CONTAINER_OF(watch, struct watcher, watch);
    if (w->ending || w->paused)
        return; /* Paused: it will come again, from w->rv on. */
    w->rv = event->rv;
    bool now = list_wants(w->api, &w->options, event->object);
    bool all = selector_is_empty(w->options.labels) && selector_is_empty(w->options.fields);
    bool before = event->verb != STORE_CREATE && (all || event->previous == NULL ||
                                                  list_wants(w->api, &w->options, event->previous));
    if (event->verb == STORE_DELETE) {
        if (before && (now || event->previous != NULL))
            send_event(w, deleted, event->object);
    } else if (now) {
        send_event(w, before ? modified : added, event->object);
    } else if (before) {
        send_left(w, event->previous != NULL ? event->previous : event->object, event->rv);
    }
}

static void send_bookmark(struct watcher *w, bool initial_end)
{
    AUTO(arena_done) struct arena arena = {0};
    struct buf text = {0};
    struct shape shape = call_shape(&w->call);
    str_t meta = arena_printf(
        &arena, "{\"resourceVersion\":\"%llu\"%s}", (unsigned long long)w->rv,
        initial_end ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");
    buf_add(&text, STR("{\"type\":\"BOOKMARK\",\"object\":"));
    if (shape.format == FORMAT_TABLE) {
        shape.without_columns = !w->with_columns;
        w->with_columns = false;
        shape_begin(&shape, meta, &text);
        buf_add(&text, STR("]}"));
    } else {
        bool partial = shape.format == FORMAT_PARTIAL;
        buf_printf(&text, "{\"kind\":\"%s\",\"apiVersion\":\"" STR_F "\",\"metadata\":" STR_F "}",
                   partial ? "PartialObjectMetadata" : shape.kind->name,
                   STR_A(partial ? STR("meta.k8s.io/v1") : kind_api_version(shape.kind, &arena)),
                   STR_A(meta));
    }
    buf_add(&text, STR("}\n"));
    send_text(w, &text);
}

static void bookmark_due(struct timer *timer)
{
    struct watcher *w = CONTAINER_OF(timer, struct watcher, bookmark);
    bookmark_now(w);
    timer_set(w->api->loop, &w->bookmark, BOOKMARK_MS, bookmark_due);
}

static bool send_initial(void *self, const struct object *object)
{
    struct watcher *w = self;
    if (list_wants(w->api, &w->options, object))
        send_event(w, "ADDED", object);
    if (!w->paused)
        return true;
    w->after_ns.len = w->after_name.len = 0;
    buf_add(&w->after_ns, object->ns);
    buf_add(&w->after_name, object->name);
    return false;
}

static void answer_expired(struct watcher *w, const struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct refusal refusal = {410, "Expired", str_from_z(err->text), NULL};
    send_json(w, "ERROR", status_json(&refusal, &arena));
    end_soon(w);
}

static msec_t timeout_of(struct call *call)
{
    int64_t seconds;
    if (!str_to_i64(call_query(call, STR("timeoutSeconds")), &seconds) || seconds <= 0)
        seconds = TIMEOUT_DEFAULT_S;
    return (seconds < TIMEOUT_MAX_S ? seconds : TIMEOUT_MAX_S) * 1000;
}

/* All objects as they were at w->rv, behind the last that was sent. */
static void go_initial(struct watcher *w)
{
    struct err err;
    struct store_list range = {w->call.resource, w->call.ns, buf_str(&w->after_ns),
                               buf_str(&w->after_name), w->rv};
    if (store_each(w->api->store, &range, send_initial, w, &err) < 0) {
        answer_expired(w, &err);
        return;
    }
    if (w->paused)
        return;
    if (w->initial_end)
        send_bookmark(w, true);
    w->phase = WATCH_CATCH_UP;
}

static void go_on(struct watcher *w)
{
    struct err err;
    w->paused = false;
    if (w->phase == WATCH_INITIAL)
        go_initial(w);
    if (w->phase != WATCH_CATCH_UP || w->paused || w->ending)
        return;
    if (store_watch(w->api->store, &w->watch, w->rv, &err) < 0)
        answer_expired(w, &err);
    else if (w->paused)
        store_unwatch(&w->watch);
    else
        w->phase = WATCH_LIVE;
}

static void on_drain(struct exchange *x)
{
    struct watcher *w = x->self;
    if (w->paused && !w->ending)
        go_on(w);
}

static void watch_begin(struct watcher *w, uint64_t from)
{
    str_t send = call_query(&w->call, STR("sendInitialEvents"));
    bool initial = str_eq(send, STR("true"));
    w->phase = initial || (from == 0 && send.len == 0) ? WATCH_INITIAL : WATCH_CATCH_UP;
    w->rv = w->phase == WATCH_INITIAL || from == 0 ? store_rv(w->api->store) : from;
    w->initial_end = initial && w->bookmarks;
    go_on(w);
}

void api_watch(struct call *call)
{
    static const struct http_field fields[] = {
        {STR("Content-Type"), STR("application/json")},
        {STR("Cache-Control"), STR("no-cache, private")},
    };
    uint64_t from;
    struct list_options options = {0};
    if (list_query_check(call) < 0 || call_rv(call, &from) < 0 ||
        list_selectors(call, &options) < 0)
        return;
    struct watcher *w = calloc(1, sizeof(*w));
    MUST(w != NULL);
    w->api = call->api;
    w->x = call->x;
    w->call = *call;
    w->options = options;
    w->with_columns = true;
    size_t most = call->api->settings.watch_bytes_max;
    w->waiting_max = most > 0 ? most : WATCH_BYTES_DEFAULT;
    w->bookmarks = call_query_is(call, STR("allowWatchBookmarks"), STR("true"));
    w->watch = (struct store_watch){.resource = call->resource, .ns = call->ns, .event = on_event};
    list_add_before(&call->api->watchers, &w->link);
    call->api->n_watchers++;
    call->x->self = w;
    call->x->on_gone = on_gone;
    call->x->on_drain = on_drain;
    audit_started(call, 200);
    http_begin(call->x, 200, fields, 2);
    http_flush(call->x); /* Clients wait for the head before they look for events. */
    timer_set(call->api->loop, &w->timeout, timeout_of(call), watch_over);
    if (w->bookmarks)
        timer_set(call->api->loop, &w->bookmark, BOOKMARK_MS, bookmark_due);
    watch_begin(w, from);
}

void api_drain_watches(struct api *api)
{
    LIST_EACH(&api->watchers, link) {
        struct watcher *w = CONTAINER_OF(link, struct watcher, link);
        bookmark_now(w);
        end_soon(w);
    }
}

void api_end_watches_of(struct api *api, const struct kind *kind)
{
    LIST_EACH(&api->watchers, link) {
        struct watcher *w = CONTAINER_OF(link, struct watcher, link);
        if (w->call.kind == kind)
            end_soon(w);
    }
}

bool api_watches(const struct api *api, const struct kind *kind)
{
    LIST_EACH(&api->watchers, link)
        if (CONTAINER_OF(link, struct watcher, link)->call.kind == kind)
            return true;
    return false;
}
