/* event_controller.c - Events are kept for an hour after they were last seen. */
#include "control/cache.h"
#include "control/writer.h"
#include "controllers/controllers.h"
#include "kinds/kinds.h"
#include "kube/meta.h"

enum { EVENT_LIFE_MS = 3600 * 1000 };

static bool last_seen(const struct json *event, msec_t *wall_ms)
{
    static const char *const paths[] = {"series.lastObservedTime", "lastTimestamp", "eventTime",
                                        "metadata.creationTimestamp"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        if (time_parse(json_text(json_at(event, paths[i]), STR("")), wall_ms))
            return true;
    return false;
}

static int event_reconcile(struct reconcile *rc, struct err *err)
{
    const struct json *event = cache_get(rc->cache, STR("events"), rc->ns, rc->name, rc->arena);
    msec_t seen_ms;
    if (event == NULL || !last_seen(event, &seen_ms))
        return 0;
    msec_t left_ms = seen_ms + EVENT_LIFE_MS - rc->clock->wall_ms(rc->clock);
    if (left_ms > 0) {
        /* A wall clock that was set forward is noticed within one life. */
        rc->again_in_ms = left_ms < EVENT_LIFE_MS ? left_ms : EVENT_LIFE_MS;
        return 0;
    }
    int r = rc->writer->remove(rc->writer->self, &kind_event, rc->ns, rc->name, err);
    return r == ERR_NOT_FOUND ? 0 : r;
}

const struct controller event_controller = {
    .name = "event",
    .primary = &kind_event,
    .reconcile = event_reconcile,
};
