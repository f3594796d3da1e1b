/* event_v1.c - events.k8s.io/v1 Event: the same events with newer names; stored as core/v1. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"

static const struct {
    str_t newer, stored;
} names[] = {
    {STR("regarding"), STR("involvedObject")},
    {STR("note"), STR("message")},
    {STR("reportingController"), STR("reportingComponent")},
    {STR("deprecatedSource"), STR("source")},
    {STR("deprecatedFirstTimestamp"), STR("firstTimestamp")},
    {STR("deprecatedLastTimestamp"), STR("lastTimestamp")},
    {STR("deprecatedCount"), STR("count")},
};

static void event_to_stored(struct json *object, struct arena *arena)
{
    (void)arena;
    JSON_EACH(object, member)
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(member->key, names[i].newer))
            member->key = names[i].stored;
}

static void event_from_stored(struct json *object, struct arena *arena)
{
    (void)arena;
    JSON_EACH(object, member)
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(member->key, names[i].stored)) {
            member->key = names[i].newer;
            break;
        }
}

static void event_check(const struct json *object, const struct json *old,
                        struct field_errors *errors)
{
    if (old != NULL)
        return;
    static const char *const wanted[] = {"reportingController", "reportingInstance", "action",
                                         "reason"};
    if (json_get(object, STR("eventTime")) == NULL)
        rule_error(errors, FIELD_REQUIRED, IN(NULL, "eventTime"), "Required value");
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        if (json_get_text(object, str_from_z(wanted[i])).len == 0)
            rule_error(errors, FIELD_REQUIRED, IN(NULL, wanted[i]), "Required value");
}

static str_t column_last_seen(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    str_t when = json_text(json_at(object, "series.lastObservedTime"), STR(""));
    if (when.len == 0)
        when = json_get_text(object, STR("deprecatedLastTimestamp"));
    if (when.len == 0)
        when = json_get_text(object, STR("eventTime"));
    return age_text(when, wall_ms, arena);
}

static str_t column_object(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    const struct json *about = json_get(object, STR("regarding"));
    str_t kind = json_get_text(about, STR("kind"));
    char *lower = arena_bytes(arena, kind.len + 1);
    for (size_t i = 0; i < kind.len; i++)
        lower[i] = (char)(kind.at[i] | (kind.at[i] >= 'A' && kind.at[i] <= 'Z' ? 32 : 0));
    return arena_printf(arena, "%.*s/" STR_F, (int)kind.len, lower,
                        STR_A(json_get_text(about, STR("name"))));
}

PATH_COLUMN(column_type, "type", "")
PATH_COLUMN(column_reason, "reason", "")
PATH_COLUMN(column_note, "note", "")

/* clang-format off */
static const struct column event_columns[] = {
    {"Last Seen", "string", "", "When it happened last.", 0, column_last_seen},
    {"Type", "string", "", "Normal or Warning.", 0, column_type},
    {"Reason", "string", "", "One word for what happened.", 0, column_reason},
    {"Object", "string", "", "What it happened to.", 0, column_object},
    {"Message", "string", "", "A sentence about it.", 0, column_note},
    {"Name", "string", "name", "Name of the event.", 1, column_name},
    {0},
};

static const struct field_selector event_selectors[] = {
    {"reason", NULL}, {"type", NULL}, {"regarding.kind", NULL}, {"regarding.name", NULL},
    {"regarding.namespace", NULL}, {"regarding.uid", NULL}, {"regarding.apiVersion", NULL},
    {"regarding.fieldPath", NULL}, {"reportingController", NULL}, {0},
};

const struct kind kind_event_v1 = {
    .group = "events.k8s.io", .version = "v1", .name = "Event", .plural = "events",
    .singular = "event", .shortcuts = (const char *const[]){"ev", NULL}, .namespaced = true,
    .schema = &events_event_schema, .check = event_check, .columns = event_columns,
    .selectors = event_selectors, .stored_as = &kind_event, .to_stored = event_to_stored,
    .from_stored = event_from_stored,
};
/* clang-format on */
