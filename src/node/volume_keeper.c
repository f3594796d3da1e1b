/*
 * volume_keeper.c - one volume at a time, on a thread of its own: a large one takes as long as it
 * takes, and pods do not wait for it. What fails is tried again a little later.
 */
#include "node/volume_keeper.h"

#include "base/file.h"
#include "control/reflector.h"
#include "kinds/kinds.h"
#include "net/pool.h"
#include "node/volume_priv.h"
#include "node/volume_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AGAIN_MS = 5000, KEPT_BYTES_MAX = 8 << 20 };

#define CLEANUP "external-provisioner.volume.kubernetes.io/finalizer"

struct due { /* A volume to be looked at. */
    struct map_node by_name;
    struct list link;
    char name[];
};

struct volume_keeper {
    struct volume_keeper_settings settings;
    struct reflector *volumes;
    struct pool *pool;
    struct map due;
    struct list queue;
    struct timer again;

    /* Of the one that is worked on. */
    bool busy;
    char *store, *node; /* Of the settings. */
    char *name, *handle;
    struct job job;
    struct remote_call call;
    struct buf body;
    int r;
    struct err err;
};

/* --- what is next --- */

static bool is_here(const struct json *volume, str_t node)
{
    JSON_EACH(json_at(volume, "spec.nodeAffinity.required.nodeSelectorTerms"), term)
    JSON_EACH(json_get(term, STR("matchExpressions")), expression)
    if (str_eq(json_get_text(expression, STR("key")), STR("kubernetes.io/hostname")))
        JSON_EACH(json_get(expression, STR("values")), value)
    if (str_eq(json_text(value, STR("")), node))
        return true;
    return false;
}

static bool is_held(const struct json *volume)
{
    JSON_EACH(json_at(volume, "metadata.finalizers"), each)
    if (str_eq(json_text(each, STR("")), STR(CLEANUP)))
        return true;
    return false;
}

enum volume_end volume_end_of(const struct json *volume, str_t node)
{
    str_t driver = json_text(json_at(volume, "spec.csi.driver"), STR(""));
    str_t phase = json_text(json_at(volume, "status.phase"), STR(""));
    str_t policy = json_text(json_at(volume, "spec.persistentVolumeReclaimPolicy"), STR(""));
    bool ending = json_at(volume, "metadata.deletionTimestamp") != NULL;
    bool released = str_eq(phase, STR("Released"));
    bool delete = str_eq(policy, STR("Delete"));
    if (!str_eq(driver, STR(VOLUME_PROVISIONER)) || !is_here(volume, node) ||
        str_eq(phase, STR("Bound")))
        return VOLUME_STAYS;
    if (delete &&is_held(volume) && (released || ending))
        return VOLUME_EMPTY;
    if (ending && is_held(volume))
        return VOLUME_LET_GO;
    return delete &&released && !ending ? VOLUME_DELETE : VOLUME_STAYS;
}

/* --- the queue --- */

static void next(struct volume_keeper *keeper);

static void add(struct volume_keeper *keeper, str_t name)
{
    if (map_find(&keeper->due, name) != NULL)
        return;
    struct due *due = calloc(1, sizeof(*due) + name.len + 1);
    MUST(due != NULL);
    memcpy(due->name, name.at, name.len);
    map_add(&keeper->due, (str_t){due->name, name.len}, &due->by_name);
    list_add_before(&keeper->queue, &due->link);
}

static void drop(struct volume_keeper *keeper, struct due *due)
{
    map_remove(&keeper->due, &due->by_name);
    list_remove(&due->link);
    free(due);
}

static void on_again(struct timer *timer)
{
    next(CONTAINER_OF(timer, struct volume_keeper, again));
}

/* What the API says of it now decides what is next, so a step that went well adds nothing. */
static void step_over(struct volume_keeper *keeper, int r, const struct err *err)
{
    keeper->busy = false;
    if (r < 0 && r != ERR_NOT_FOUND && r != ERR_CONFLICT) {
        log_error(keeper->settings.log, "volume not removed",
                  F_STR("volume", str_from_z(keeper->name)), F_STR("error", str_from_z(err->text)));
        add(keeper, str_from_z(keeper->name));
        timer_set(keeper->settings.loop, &keeper->again, AGAIN_MS, on_again);
        return;
    }
    next(keeper);
}

/* --- steps --- */

static void written(struct remote_call *call, int r, const struct err *err)
{
    step_over(CONTAINER_OF(call, struct volume_keeper, call), r, err);
}

static void send(struct volume_keeper *keeper, enum remote_verb verb)
{
    keeper->call = (struct remote_call){.verb = verb,
                                        .kind = &kind_persistentvolume,
                                        .name = str_from_z(keeper->name),
                                        .body = buf_str(&keeper->body),
                                        .done = written};
    remote_send(keeper->settings.remote, &keeper->call);
}

/* The list without ours; only if the object is still this one. */
static void let_go(struct volume_keeper *keeper, const struct json *volume, struct arena *arena)
{
    struct json *body = json_object(arena), *meta = json_object(arena), *kept = json_array(arena);
    JSON_EACH(json_at(volume, "metadata.finalizers"), each)
    if (!str_eq(json_text(each, STR("")), STR(CLEANUP)))
        json_add(kept, STR(""), json_clone(each, arena));
    str_t rv = json_text(json_at(volume, "metadata.resourceVersion"), STR(""));
    json_add(meta, STR("resourceVersion"), json_string(arena, rv));
    json_add(meta, STR("finalizers"), kept);
    json_add(body, STR("metadata"), meta);
    keeper->body.len = 0;
    json_write(body, &keeper->body);
    send(keeper, REMOTE_MERGE);
}

static void delete (struct volume_keeper *keeper, const struct json *volume)
{
    str_t uid = json_text(json_at(volume, "metadata.uid"), STR(""));
    keeper->body.len = 0;
    buf_printf(&keeper->body,
               "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{\"uid\":"
               "\"" STR_F "\"}}",
               STR_A(uid));
    send(keeper, REMOTE_DELETE);
}

static struct json *volume_now(struct volume_keeper *keeper, str_t name, struct arena *arena)
{
    struct reflected now;
    struct json *volume = NULL;
    struct err err;
    if (!reflector_get(keeper->volumes, STR(""), name, &now) || now.text.len == 0 ||
        json_parse(arena_str(arena, now.text), arena, &volume, &err) < 0)
        return NULL;
    return volume;
}

static void empty_work(struct job *job)
{
    struct volume_keeper *keeper = CONTAINER_OF(job, struct volume_keeper, job);
    AUTO(fd_close)
    int store = open(keeper->settings.store, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    keeper->r = 0;
    if (store >= 0)
        keeper->r = tree_remove(store, keeper->handle, &keeper->err);
    else if (errno != ENOENT)
        keeper->r = err_errno(&keeper->err, "open '%s'", keeper->settings.store);
}

static void emptied(struct job *job)
{
    struct volume_keeper *keeper = CONTAINER_OF(job, struct volume_keeper, job);
    AUTO(arena_done) struct arena arena = {0};
    const struct json *volume = volume_now(keeper, str_from_z(keeper->name), &arena);
    if (keeper->r < 0 || volume == NULL)
        step_over(keeper, keeper->r, &keeper->err);
    else
        let_go(keeper, volume, &arena);
}

static void set_text(char **to, str_t text)
{
    char *copy = strndup(text.at, text.len);
    MUST(copy != NULL);
    free(*to);
    *to = copy;
}

/* True: something is under way. */
static bool look(struct volume_keeper *keeper, str_t name)
{
    AUTO(arena_done) struct arena arena = {0};
    const struct json *volume = volume_now(keeper, name, &arena);
    enum volume_end end =
        volume == NULL ? VOLUME_STAYS : volume_end_of(volume, str_from_z(keeper->settings.node));
    str_t handle = json_text(json_at(volume, "spec.csi.volumeHandle"), STR(""));
    set_text(&keeper->name, name);
    switch (end) {
    case VOLUME_STAYS:
        return false;
    case VOLUME_EMPTY:
        if (!volume_handle_fits(handle))
            return false; /* None that we made. */
        set_text(&keeper->handle, handle);
        log_info(keeper->settings.log, "volume removed", F_STR("volume", name));
        pool_run(keeper->pool, &keeper->job);
        return true;
    case VOLUME_LET_GO:
        let_go(keeper, volume, &arena);
        return true;
    case VOLUME_DELETE:
        delete (keeper, volume);
        return true;
    }
    return false;
}

static void next(struct volume_keeper *keeper)
{
    while (!keeper->busy && keeper->queue.next != &keeper->queue) {
        AUTO(arena_done) struct arena arena = {0};
        struct due *due = CONTAINER_OF(keeper->queue.next, struct due, link);
        str_t name = arena_str(&arena, due->by_name.key);
        drop(keeper, due);
        keeper->busy = look(keeper, name);
    }
}

static void volume_set(void *self, const struct reflected *volume, bool is_new)
{
    struct volume_keeper *keeper = self;
    (void)is_new;
    add(keeper, volume->name);
    next(keeper);
}

/* --- a life --- */

int volume_keeper_new(const struct volume_keeper_settings *settings, struct volume_keeper **out,
                      struct err *err)
{
    struct volume_keeper *keeper = calloc(1, sizeof(*keeper));
    MUST(keeper != NULL);
    keeper->settings = *settings;
    keeper->settings.store = keeper->store = strdup(settings->store);
    keeper->settings.node = keeper->node = strdup(settings->node);
    MUST(keeper->store != NULL && keeper->node != NULL);
    keeper->job = (struct job){.work = empty_work, .done = emptied};
    list_init(&keeper->queue);
    int r = pool_new(settings->loop, 1, &keeper->pool, err);
    if (r < 0) {
        volume_keeper_free(keeper);
        return r;
    }
    keeper->volumes = reflector_new(&(struct reflector_settings){.remote = settings->remote,
                                                                 .log = settings->log,
                                                                 .kind = &kind_persistentvolume,
                                                                 .bytes_max = KEPT_BYTES_MAX,
                                                                 .self = keeper,
                                                                 .set = volume_set});
    *out = keeper;
    return 0;
}

void volume_keeper_free(struct volume_keeper *keeper)
{
    if (keeper == NULL)
        return;
    pool_free(keeper->pool);
    reflector_free(keeper->volumes);
    remote_cancel(&keeper->call);
    timer_stop(&keeper->again);
    while (keeper->queue.next != &keeper->queue)
        drop(keeper, CONTAINER_OF(keeper->queue.next, struct due, link));
    map_done(&keeper->due);
    buf_done(&keeper->body);
    free(keeper->store);
    free(keeper->node);
    free(keeper->name);
    free(keeper->handle);
    free(keeper);
}
