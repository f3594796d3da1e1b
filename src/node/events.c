/* events.c - those of late by what they say, and a queue of those to be written. */
#include "node/events.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/time.h"
#include "kinds/kinds.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_KEPT = 200 };

struct event {
    struct map_node node; /* By what it says: its JSON without times and counts. */
    struct list recent;   /* Newest last. */
    struct list waiting;  /* To be written. */
    char *text;
    char *ns, *name;
    msec_t first_ms, last_ms; /* Unix time. */
    msec_t written_ms;
    int64_t count;
    bool is_there; /* In the API. */
};

struct events {
    struct remote *remote;
    struct loop *loop;
    const char *node_name;
    struct map known;
    struct list recent, waiting;
    size_t n_waiting;
    struct event *writing;
    struct remote_call call;
    struct buf body;
    uint64_t counter;
};

static void write_next(struct events *events);

static void event_free(struct events *events, struct event *event)
{
    map_remove(&events->known, &event->node);
    list_remove(&event->recent);
    if (list_in(&event->waiting))
        events->n_waiting--;
    list_remove(&event->waiting);
    free(event->text);
    free(event->ns);
    free(event->name);
    free(event);
}

/* --- as JSON --- */

static void add_text(struct json *object, const char *key, str_t text, struct arena *arena)
{
    if (text.len > 0)
        json_add(object, str_from_z(key), json_string(arena, text));
}

static struct json *what_it_says(const struct events *events, const struct event_about *about,
                                 bool warning, const char *reason, str_t message,
                                 struct arena *arena)
{
    struct json *event = json_object(arena), *object = json_object(arena);
    struct json *source = json_object(arena);
    add_text(object, "kind", str_from_z(about->kind), arena);
    add_text(object, "namespace", about->ns, arena);
    add_text(object, "name", about->name, arena);
    add_text(object, "uid", about->uid, arena);
    add_text(object, "apiVersion", STR("v1"), arena);
    add_text(object, "fieldPath", about->field_path, arena);
    add_text(source, "component", STR("kubelet"), arena);
    add_text(source, "host", str_from_z(events->node_name), arena);
    json_add(event, STR("involvedObject"), object);
    add_text(event, "reason", str_from_z(reason), arena);
    add_text(event, "message", message, arena);
    json_add(event, STR("source"), source);
    add_text(event, "type", warning ? STR("Warning") : STR("Normal"), arena);
    add_text(event, "reportingComponent", STR("kubelet"), arena);
    add_text(event, "reportingInstance", str_from_z(events->node_name), arena);
    return event;
}

static void make_body(struct events *events, const struct event *event)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *tree = json_object(&arena), *meta = json_object(&arena);
    struct err err;
    if (!event->is_there) {
        int r = json_parse(str_from_z(event->text), &arena, &tree, &err);
        MUST(r == 0);
        add_text(meta, "name", str_from_z(event->name), &arena);
        add_text(meta, "namespace", str_from_z(event->ns), &arena);
        json_add(tree, STR("metadata"), meta);
        add_text(tree, "firstTimestamp", time_text(event->first_ms, &arena), &arena);
    }
    add_text(tree, "lastTimestamp", time_text(event->last_ms, &arena), &arena);
    json_add(tree, STR("count"), json_int(&arena, event->count));
    events->body.len = 0;
    json_write(tree, &events->body);
}

/* --- writing --- */

static void written(struct remote_call *call, int r, const struct err *err)
{
    struct events *events = CONTAINER_OF(call, struct events, call);
    struct event *event = events->writing;
    (void)err;
    events->writing = NULL;
    bool expired = event->is_there && r == ERR_NOT_FOUND;
    event->is_there = r == 0;
    if (expired) { /* It begins anew, under another name. */
        event->count = 1;
        event->first_ms = event->last_ms;
        event->name[strlen(event->name) - 1] ^= 1;
        list_add_before(events->waiting.next, &event->waiting);
        events->n_waiting++;
    }
    write_next(events);
}

static void write_next(struct events *events)
{
    if (events->writing != NULL || !list_in(&events->waiting))
        return;
    struct event *event = CONTAINER_OF(events->waiting.next, struct event, waiting);
    list_remove(&event->waiting);
    events->n_waiting--;
    events->writing = event;
    event->written_ms = event->last_ms;
    make_body(events, event);
    events->call = (struct remote_call){.verb = event->is_there ? REMOTE_MERGE : REMOTE_CREATE,
                                        .kind = &kind_event,
                                        .ns = str_from_z(event->ns),
                                        .name = str_from_z(event->name),
                                        .body = buf_str(&events->body),
                                        .done = written};
    remote_send(events->remote, &events->call);
}

/* --- telling --- */

static struct event *event_new(struct events *events, const struct event_about *about, str_t text)
{
    AUTO(arena_done) struct arena arena = {0};
    struct event *event = calloc(1, sizeof(*event));
    MUST(event != NULL);
    str_t name = about->name;
    if (name.len > NAME_KEPT)
        name.len = NAME_KEPT;
    event->first_ms = loop_wall_ms(events->loop);
    unsigned long long number = ((uint64_t)event->first_ms << 20) | (events->counter++ & 0xfffff);
    event->text = strndup(text.at, text.len);
    event->ns = about->ns.len > 0 ? strndup(about->ns.at, about->ns.len) : strdup("default");
    event->name = strdup(arena_printf(&arena, STR_F ".%016llx", STR_A(name), number).at);
    MUST(event->text != NULL && event->ns != NULL && event->name != NULL);
    map_add(&events->known, str_from_z(event->text), &event->node);
    list_init(&event->recent);
    list_init(&event->waiting);
    return event;
}

/* The oldest that nobody works on. */
static void forget_one(struct events *events)
{
    LIST_EACH(&events->recent, link) {
        struct event *event = CONTAINER_OF(link, struct event, recent);
        if (event == events->writing || list_in(&event->waiting))
            continue;
        event_free(events, event);
        return;
    }
}

void events_tell(struct events *events, const struct event_about *about, bool warning,
                 const char *reason, str_t message)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf text = {0};
    json_write(what_it_says(events, about, warning, reason, message, &arena), &text);
    struct map_node *node = map_find(&events->known, buf_str(&text));
    if (node == NULL && events->n_waiting >= EVENTS_WAITING_MAX)
        return;
    struct event *event = node != NULL ? CONTAINER_OF(node, struct event, node)
                                       : event_new(events, about, buf_str(&text));
    event->last_ms = loop_wall_ms(events->loop);
    event->count++;
    list_remove(&event->recent);
    list_add_before(&events->recent, &event->recent);
    if (events->known.n > EVENTS_KNOWN_MAX)
        forget_one(events);
    msec_t since_ms = event->last_ms - event->written_ms;
    bool soon = event->count > 1 && since_ms >= 0 && since_ms < EVENT_AGAIN_MS;
    if (soon || list_in(&event->waiting) || event == events->writing)
        return; /* It is counted; the next one shows it. */
    list_add_before(&events->waiting, &event->waiting);
    events->n_waiting++;
    write_next(events);
}

/* --- a life --- */

struct events *events_new(struct remote *remote, struct loop *loop, const char *node_name)
{
    struct events *events = calloc(1, sizeof(*events));
    MUST(events != NULL);
    events->remote = remote;
    events->loop = loop;
    events->node_name = node_name;
    list_init(&events->recent);
    list_init(&events->waiting);
    return events;
}

void events_free(struct events *events)
{
    if (events == NULL)
        return;
    remote_cancel(&events->call);
    LIST_EACH(&events->recent, link)
        event_free(events, CONTAINER_OF(link, struct event, recent));
    map_done(&events->known);
    buf_done(&events->body);
    free(events);
}
