/* event.c - Event: something that happened to an object, kept for an hour. */
#include "kinds/columns.h"
#include "kinds/kinds.h"

/* clang-format off */
static const struct field reference_fields[] = {
    {"kind", FIELD_STRING, 1, .doc = "Kind of the object."},
    {"namespace", FIELD_STRING, 2, .doc = "Namespace of the object."},
    {"name", FIELD_STRING, 3, .doc = "Name of the object."},
    {"uid", FIELD_STRING, 4, .doc = "UID of the object."},
    {"apiVersion", FIELD_STRING, 5, .doc = "API version of the object."},
    {"resourceVersion", FIELD_STRING, 6, .doc = "Version of the object that is meant."},
    {"fieldPath", FIELD_STRING, 7, .doc = "Part of the object that is meant."},
    {0},
};
static const struct schema reference_schema = {"core.v1.ObjectReference", reference_fields,
                                               "An object, by name."};

static const struct field source_fields[] = {
    {"component", FIELD_STRING, 1, .doc = "Who reports."},
    {"host", FIELD_STRING, 2, .doc = "Where it runs."},
    {0},
};
static const struct schema source_schema = {"core.v1.EventSource", source_fields, "Who reports."};

static const struct field series_fields[] = {
    {"count", FIELD_INT, 1, .doc = "How often so far."},
    {"lastObservedTime", FIELD_MICRO_TIME, 2, .doc = "When last."},
    {0},
};
static const struct schema series_schema = {"core.v1.EventSeries", series_fields,
                                            "The same thing again and again."};

static const struct field event_fields[] = {
    META_ROWS,
    {"involvedObject", FIELD_OBJECT, 2, .of = &reference_schema, .required = true,
     .doc = "What it happened to."},
    {"reason", FIELD_STRING, 3, .doc = "One word for what happened."},
    {"message", FIELD_STRING, 4, .doc = "A sentence about it."},
    {"source", FIELD_OBJECT, 5, .of = &source_schema, .doc = "Who reports it."},
    {"firstTimestamp", FIELD_TIME, 6, .doc = "When it happened first."},
    {"lastTimestamp", FIELD_TIME, 7, .doc = "When it happened last."},
    {"count", FIELD_INT, 8, .doc = "How often it happened."},
    {"type", FIELD_STRING, 9, .doc = "Normal or Warning."},
    {"eventTime", FIELD_MICRO_TIME, 10, .doc = "When it was observed."},
    {"series", FIELD_OBJECT, 11, .of = &series_schema, .doc = "The series it belongs to."},
    {"action", FIELD_STRING, 12, .doc = "What was done about it."},
    {"related", FIELD_OBJECT, 13, .of = &reference_schema, .doc = "A second object."},
    {"reportingComponent", FIELD_STRING, 14, .doc = "Controller that reports."},
    {"reportingInstance", FIELD_STRING, 15, .doc = "Which instance of it."},
    {0},
};
/* clang-format on */

static const struct schema event_schema = {"core.v1.Event", event_fields,
                                           "Something that happened to an object."};

static void event_check(const struct json *object, const struct json *old,
                        struct field_errors *errors)
{
    (void)old;
    str_t ns = json_text(json_at(object, "metadata.namespace"), STR(""));
    str_t about = json_text(json_at(object, "involvedObject.namespace"), STR(""));
    bool fits = str_eq(ns, about) || (about.len == 0 && str_eq(ns, STR("default")));
    if (!fits)
        field_error(errors, FIELD_INVALID, STR("involvedObject.namespace"),
                    "Invalid value: \"" STR_F "\": does not match event.namespace", STR_A(about));
}

static str_t at(const struct json *object, const char *path)
{
    return json_text(json_at(object, path), STR(""));
}

static str_t first_of(str_t a, str_t b)
{
    return a.len > 0 ? a : b;
}

static str_t column_last_seen(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    str_t when = first_of(at(object, "series.lastObservedTime"),
                          first_of(at(object, "lastTimestamp"), at(object, "eventTime")));
    return age_text(when, wall_ms, arena);
}

static str_t column_first_seen(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    return age_text(first_of(at(object, "firstTimestamp"), at(object, "eventTime")), wall_ms,
                    arena);
}

static str_t column_type(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    (void)arena;
    return at(object, "type");
}

static str_t column_reason(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    (void)arena;
    return at(object, "reason");
}

static str_t column_object(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    str_t kind = at(object, "involvedObject.kind"), name = at(object, "involvedObject.name");
    str_t text =
        arena_printf(arena, STR_F "%s" STR_F, STR_A(kind), name.len > 0 ? "/" : "", STR_A(name));
    for (size_t i = 0; i < kind.len; i++)
        if (text.at[i] >= 'A' && text.at[i] <= 'Z')
            ((char *)text.at)[i] = (char)(text.at[i] | 32); /* Ours, and made just now. */
    return text;
}

static str_t column_subobject(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    (void)arena;
    return at(object, "involvedObject.fieldPath");
}

static str_t column_source(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    str_t component = first_of(at(object, "source.component"), at(object, "reportingComponent"));
    str_t host = first_of(at(object, "source.host"), at(object, "reportingInstance"));
    if (host.len == 0)
        return component;
    return arena_printf(arena, STR_F ", " STR_F, STR_A(component), STR_A(host));
}

static str_t column_message(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    (void)arena;
    return at(object, "message");
}

static str_t column_times(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    int64_t n = 1;
    if (!json_to_i64(json_at(object, "series.count"), &n))
        (void)json_to_i64(json_get(object, STR("count")), &n);
    return arena_printf(arena, "%lld", (long long)n);
}

/* clang-format off */
static const struct column event_columns[] = {
    {"Last Seen", "string", "", "When it happened last.", 0, column_last_seen},
    {"Type", "string", "", "Normal or Warning.", 0, column_type},
    {"Reason", "string", "", "One word for what happened.", 0, column_reason},
    {"Object", "string", "", "What it happened to.", 0, column_object},
    {"Subobject", "string", "", "Which part of it.", 1, column_subobject},
    {"Source", "string", "", "Who reports it.", 1, column_source},
    {"Message", "string", "", "A sentence about it.", 0, column_message},
    {"First Seen", "string", "", "When it happened first.", 1, column_first_seen},
    {"Count", "string", "", "How often it happened.", 1, column_times},
    {"Name", "string", "name", "Name of the event.", 1, column_name},
    {0},
};

static const struct field_selector event_selectors[] = {
    {"involvedObject.kind", NULL}, {"involvedObject.namespace", NULL},
    {"involvedObject.name", NULL}, {"involvedObject.uid", NULL},
    {"involvedObject.apiVersion", NULL}, {"involvedObject.resourceVersion", NULL},
    {"involvedObject.fieldPath", NULL}, {"reason", NULL}, {"reportingComponent", NULL},
    {"source", "source.component"}, {"type", NULL}, {0},
};

const struct kind kind_event = {
    .group = "", .version = "v1", .name = "Event", .plural = "events", .singular = "event",
    .shortcuts = (const char *const[]){"ev", NULL}, .namespaced = true, .schema = &event_schema,
    .check = event_check, .columns = event_columns, .selectors = event_selectors,
};
/* clang-format on */
