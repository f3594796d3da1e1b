/* host_place.c - pods that have their ground, and their volumes made anew when something changes.
 */
#include "node/host_priv.h"

#include <stdlib.h>
#include <string.h>

enum { RENEW_MS_MIN = 1000, AGAIN_MS = 5000 };

struct refresh {
    struct volume_work work;
    struct place *place;
};

struct place *place_find(const struct host *host, str_t uid)
{
    struct map_node *node = map_find(&host->places, uid);
    return node == NULL ? NULL : CONTAINER_OF(node, struct place, node);
}

struct place *place_get(struct host *host, str_t uid)
{
    struct place *place = place_find(host, uid);
    if (place != NULL)
        return place;
    place = calloc(1, sizeof(*place));
    MUST(place != NULL);
    place->host = host;
    place->uid = strndup(uid.at, uid.len);
    MUST(place->uid != NULL);
    map_add(&host->places, str_from_z(place->uid), &place->node);
    return place;
}

void place_free(struct place *place)
{
    timer_stop(&place->renew);
    map_remove(&place->host->places, &place->node);
    free(place->uid);
    free(place->object);
    free(place);
}

void place_set_object(struct place *place, str_t object)
{
    char *copy = malloc(object.len + 1);
    MUST(copy != NULL);
    memcpy(copy, object.at, object.len);
    free(place->object);
    place->object = copy;
    place->n_object = object.len;
}

static void refreshed(struct volume_work *work)
{
    struct refresh *refresh = CONTAINER_OF(work, struct refresh, work);
    struct place *place = refresh->place;
    struct clearing *waiting = place->waiting;
    const struct log *log = place->host->settings.log;
    if (work->r < 0)
        log_error(log, "volumes of a pod not made anew", F_STR("uid", str_from_z(place->uid)),
                  F_STR("error", str_from_z(work->err.text)));
    place_renew_at(place, work->r < 0 ? loop_now_ms(place->host->settings.loop) + AGAIN_MS
                                      : work->renew_ms);
    volume_work_done(work);
    free(refresh);
    place->refresh = NULL;
    place->waiting = NULL;
    if (waiting != NULL)
        clearing_go(waiting);
    else if (place->again)
        place_refresh(place);
}

void place_refresh(struct place *place)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *pod;
    struct err err;
    place->again = place->refresh != NULL;
    if (place->again || place->object == NULL ||
        json_parse((str_t){place->object, place->n_object}, &arena, &pod, &err) < 0)
        return;
    struct refresh *refresh = calloc(1, sizeof(*refresh));
    MUST(refresh != NULL);
    refresh->place = place;
    place->refresh = refresh;
    volume_work_run(place->host, &refresh->work, pod, refreshed);
}

static void renew_due(struct timer *timer)
{
    place_refresh(CONTAINER_OF(timer, struct place, renew));
}

void place_renew_at(struct place *place, msec_t renew_ms)
{
    struct loop *loop = place->host->settings.loop;
    msec_t in_ms = renew_ms - loop_now_ms(loop);
    if (renew_ms == 0)
        timer_stop(&place->renew);
    else
        timer_set(loop, &place->renew, in_ms < RENEW_MS_MIN ? RENEW_MS_MIN : in_ms, renew_due);
}

/* Labels and annotations are all that volumes show of a pod that changes while it runs. */
static bool shows_same(str_t before, str_t now)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *a, *b;
    struct err err;
    if (json_pick(before, STR("metadata"), &arena, &a, &err) < 0 ||
        json_pick(now, STR("metadata"), &arena, &b, &err) < 0)
        return false;
    static const str_t shown[] = {STR("labels"), STR("annotations")};
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        const struct json *x = json_get(a, shown[i]), *y = json_get(b, shown[i]);
        if ((x == NULL) != (y == NULL) || (x != NULL && !json_eq(x, y)))
            return false;
    }
    return true;
}

void host_changed(struct host *host, str_t uid, str_t object)
{
    struct place *place = place_find(host, uid);
    if (place == NULL || place->object == NULL)
        return;
    bool same = shows_same((str_t){place->object, place->n_object}, object);
    place_set_object(place, object);
    if (!same)
        place_refresh(place);
}

bool host_found(struct host *host, const struct container_seen *seen)
{
    if (!str_starts(seen->label, STR(PAUSE_LABEL)))
        return false;
    str_t uid = {seen->label.at + sizeof(PAUSE_LABEL) - 1,
                 seen->label.len - (sizeof(PAUSE_LABEL) - 1)};
    struct place *place = place_get(host, uid);
    memcpy(place->pause, seen->id.at, seen->id.len);
    place->pause[seen->id.len] = '\0';
    place->pause_pid = seen->state == CONTAINER_RUNNING ? seen->pid : 0;
    return true;
}
