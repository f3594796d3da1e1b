/* recorder.c - an Event's name comes from what it says, so that the same is found again. */
#include "control/recorder.h"

#include "control/cache.h"
#include "control/writer.h"
#include "kinds/kinds.h"
#include "kube/meta.h"

static uint64_t hash_add(uint64_t hash, str_t text)
{
    for (size_t i = 0; i < text.len; i++) /* FNV-1a. */
        hash = (hash ^ (unsigned char)text.at[i]) * 1099511628211ULL;
    return (hash ^ 0xff) * 1099511628211ULL;
}

static void add_text(struct json *object, const char *key, str_t text, struct arena *arena)
{
    json_add(object, str_from_z(key), json_string(arena, text));
}

static struct json *event_of(const struct record *record, str_t ns, str_t name, str_t now,
                             struct arena *arena)
{
    struct json *event = json_object(arena), *meta = json_object(arena);
    struct json *about = json_object(arena), *source = json_object(arena);
    add_text(meta, "name", name, arena);
    add_text(meta, "namespace", ns, arena);
    add_text(about, "kind", str_from_z(record->about->name), arena);
    if (record->about->namespaced)
        add_text(about, "namespace", ns, arena);
    add_text(about, "name", json_get_text(record->meta, STR("name")), arena);
    add_text(about, "uid", json_get_text(record->meta, STR("uid")), arena);
    add_text(about, "apiVersion", kind_api_version(record->about, arena), arena);
    add_text(about, "resourceVersion", json_get_text(record->meta, STR("resourceVersion")), arena);
    add_text(source, "component", str_from_z(record->component), arena);
    json_add(event, STR("metadata"), meta);
    json_add(event, STR("involvedObject"), about);
    add_text(event, "reason", str_from_z(record->reason), arena);
    add_text(event, "message", record->message, arena);
    json_add(event, STR("source"), source);
    add_text(event, "firstTimestamp", now, arena);
    add_text(event, "lastTimestamp", now, arena);
    json_add(event, STR("count"), json_int(arena, 1));
    add_text(event, "type", record->warning ? STR("Warning") : STR("Normal"), arena);
    add_text(event, "reportingComponent", str_from_z(record->component), arena);
    add_text(event, "reportingInstance", STR(""), arena);
    return event;
}

void recorder_event(struct reconcile *rc, const struct record *record)
{
    enum { NAME_KEPT = 200 };
    struct arena *arena = rc->arena;
    struct err err;
    int64_t count = 0;
    str_t ns = json_get_text(record->meta, STR("namespace"));
    str_t about = json_get_text(record->meta, STR("name"));
    uint64_t hash = hash_add(14695981039346656037ULL, json_get_text(record->meta, STR("uid")));
    hash = hash_add(hash_add(hash, str_from_z(record->reason)), record->message);
    if (ns.len == 0)
        ns = STR("default");
    if (about.len > NAME_KEPT)
        about.len = NAME_KEPT;
    str_t name = arena_printf(arena, STR_F ".%016llx", STR_A(about), (unsigned long long)hash);
    str_t now = time_text(rc->clock->wall_ms(rc->clock), arena);
    struct json *there = cache_get(rc->cache, STR("events"), ns, name, arena);
    if (there == NULL) {
        (void)rc->writer->create(rc->writer->self, &kind_event,
                                 event_of(record, ns, name, now, arena), &err);
        return;
    }
    (void)json_to_i64(json_get(there, STR("count")), &count);
    json_set(there, STR("count"), json_int(arena, count + 1));
    json_set(there, STR("lastTimestamp"), json_string(arena, now));
    (void)rc->writer->update(rc->writer->self, &kind_event, "", there, &err);
}
