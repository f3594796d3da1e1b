/* image_keeper.c - a timer and one call; what went is in the log. */
#include "node/image_keeper.h"

#include <stdlib.h>

enum { LOOK_MS = 5 * 60 * 1000, LOW_BELOW = 5, AGE_MIN_MS = 2 * 60 * 1000 };

struct image_keeper {
    struct image_keeper_settings settings;
    struct images_budget budget;
    struct images_call call;
    struct timer timer;
};

static void look(struct timer *timer);

static void looked(struct images_call *call)
{
    struct image_keeper *keeper = CONTAINER_OF(call, struct image_keeper, call);
    const struct log *log = keeper->settings.log;
    if (call->r < 0)
        log_error(log, "images cannot be removed", F_STR("error", str_from_z(call->err.text)));
    for (size_t i = 0; i < call->n_found; i++)
        log_info(log, "image removed, the disk is nearly full",
                 F_STR("image", call->found[i].name));
    if (call->freed > 0)
        log_info(log, "room made on disk", F_INT("bytes", (int64_t)call->freed));
    images_call_done(call);
    timer_set(keeper->settings.loop, &keeper->timer, LOOK_MS, look);
}

static void look(struct timer *timer)
{
    struct image_keeper *keeper = CONTAINER_OF(timer, struct image_keeper, timer);
    const struct image_keeper_settings *own = &keeper->settings;
    images_collect(own->images, &keeper->call, &keeper->budget, own->used, own->self, looked);
}

struct image_keeper *image_keeper_new(const struct image_keeper_settings *settings)
{
    struct image_keeper *keeper = calloc(1, sizeof(*keeper));
    MUST(keeper != NULL);
    keeper->settings = *settings;
    unsigned high = settings->high_percent;
    keeper->budget = (struct images_budget){.high_percent = high,
                                            .low_percent = high > LOW_BELOW ? high - LOW_BELOW : 0,
                                            .age_min_ms = AGE_MIN_MS};
    if (high < 100)
        timer_set(settings->loop, &keeper->timer, LOOK_MS, look);
    return keeper;
}

void image_keeper_free(struct image_keeper *keeper)
{
    if (keeper == NULL)
        return;
    timer_stop(&keeper->timer);
    images_call_done(&keeper->call);
    free(keeper);
}
