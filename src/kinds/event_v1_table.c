/* event_v1_table.c - the fields of Event (events/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field event_source_fields[] = {
    {"component", FIELD_STRING, 1},
    {"host", FIELD_STRING, 2, .doc = "Host."},
    {0},
};
static const struct schema event_source_schema = {"core.v1.EventSource", event_source_fields};

static const struct field event_series_fields[] = {
    {"count", FIELD_INT, 1, .doc = "How many."},
    {"lastObservedTime", FIELD_MICRO_TIME, 2},
    {0},
};
static const struct schema event_series_schema = {"events.v1.EventSeries", event_series_fields};

static const struct field events_event_fields[] = {
    META_ROWS,
    {"eventTime", FIELD_MICRO_TIME, 2},
    {"series", FIELD_OBJECT, 3, .of = &event_series_schema},
    {"reportingController", FIELD_STRING, 4},
    {"reportingInstance", FIELD_STRING, 5},
    {"action", FIELD_STRING, 6},
    {"reason", FIELD_STRING, 7, .doc = "One word why."},
    {"regarding", FIELD_OBJECT, 8, .of = &object_reference_schema},
    {"related", FIELD_OBJECT, 9, .of = &object_reference_schema},
    {"note", FIELD_STRING, 10},
    {"type", FIELD_STRING, 11, .doc = "What type it is."},
    {"deprecatedSource", FIELD_OBJECT, 12, .of = &event_source_schema},
    {"deprecatedFirstTimestamp", FIELD_TIME, 13},
    {"deprecatedLastTimestamp", FIELD_TIME, 14},
    {"deprecatedCount", FIELD_INT, 15},
    {0},
};
const struct schema events_event_schema = {
    "events.v1.Event", events_event_fields, "Something that happened to an object."};

/* clang-format on */
