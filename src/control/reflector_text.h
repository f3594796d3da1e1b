/* reflector_text.h - lists and lines of watches, as JSON, to objects. Hostile input is refused. */
#pragma once

#include "base/json.h"
#include "control/reflector.h"

enum event_type { EVENT_SET, EVENT_GONE, EVENT_BOOKMARK, EVENT_ERROR };

struct watch_event {
    enum event_type type;
    struct reflected object; /* Of a bookmark only `rv`. */
    int code;                /* EVENT_ERROR: as HTTP's. */
    str_t message;
};

/* Views of `line` and of the arena. */
int watch_event_read(str_t line, struct arena *arena, struct watch_event *out, struct err *err);

struct list_head {
    str_t rv;
    str_t next; /* `continue`; "": that was all. */
};
/* The whole is looked at before `each` is called for its objects. */
int list_read(str_t body, struct arena *arena, struct list_head *head,
              void (*each)(void *self, const struct reflected *object), void *self,
              struct err *err);
