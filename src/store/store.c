/*
 * store.c - the write queue, the picture in memory, and who is told.
 *
 * A write that is queued stands in `queue` and, if it is the newest of its key, in `latest`. When
 * no commit is under way, everything queued becomes the batch; its job runs on the pool's one
 * thread.
 */
#include "store/store.h"

#include "base/map.h"
#include "store/store_disk.h"
#include "store/store_history.h"
#include "store/store_index.h"

#include <stdlib.h>
#include <string.h>

enum { HISTORY_DEFAULT = 10000 };

struct queued {
    struct map_node node; /* In store->latest while it is the newest of its key. */
    bool newest;
    struct disk_change change;
    struct store_write *write;
    struct queued *next;
    char key[];
};

struct store {
    struct loop *loop;
    struct pool *pool;
    struct disk *disk;
    bool (*secret)(str_t resource);
    int (*fault)(struct err *err);
    uint64_t next_rv;
    uint64_t committed_rv;
    struct store_index index;
    struct history history;
    struct list watches;
    struct map latest;
    struct queued *queue, **queue_end;
    struct queued *batch;
    struct post commit_post;
    bool commit_waiting;
    struct job job;
    bool job_running;
    bool job_worked;
    int job_result;
    bool closing;
    struct err job_err;
};

static struct store *store_of_job(struct job *job)
{
    return CONTAINER_OF(job, struct store, job);
}

/* --- committing --- */

static void commit_work(struct job *job)
{
    struct store *store = store_of_job(job);
    int r = store->fault == NULL ? 0 : store->fault(&store->job_err);
    store->job_result =
        r < 0 ? r : disk_commit(store->disk, &store->batch->change, &store->job_err);
    store->job_worked = true;
}

static void forget_latest(struct store *store, struct queued *queued)
{
    if (queued->newest)
        map_remove(&store->latest, &queued->node);
    queued->newest = false;
}

static void tell_watches(struct store *store, const struct store_event *event)
{
    LIST_EACH(&store->watches, link) {
        struct store_watch *watch = CONTAINER_OF(link, struct store_watch, link);
        if (watch_wants(watch, event->object))
            watch->event(watch, event);
    }
}

static void apply(struct store *store, const struct disk_change *change)
{
    const struct object *object = change->object;
    const struct object *previous =
        index_get(&store->index, object->resource, object->ns, object->name);
    if (previous != NULL)
        previous = object_ref(previous);
    if (change->verb == STORE_DELETE)
        index_remove(&store->index, object->resource, object->ns, object->name);
    else
        index_put(&store->index, object);
    store->committed_rv = object->rv;
    struct store_event event = {change->verb, object, previous, object->rv};
    history_add(&store->history, &event);
    tell_watches(store, &event);
    object_unref(previous);
}

static void finish(struct queued *queued, int r, const struct err *err)
{
    struct store_write *write = queued->write;
    object_unref(queued->change.object);
    free(queued);
    write->done(write, r, err);
}

static void fail_all(struct store *store, struct queued *first, int r, const struct err *err)
{
    struct queued *rest = store->queue;
    store->queue = NULL;
    store->queue_end = &store->queue;
    struct queued *lists[] = {first, rest};
    for (int i = 0; i < 2; i++)
        for (struct queued *queued = lists[i]; queued != NULL; queued = queued->next)
            forget_latest(store, queued);
    for (int i = 0; i < 2; i++) {
        for (struct queued *queued = lists[i], *next; queued != NULL; queued = next) {
            next = queued->next;
            finish(queued, r, err);
        }
    }
    LIST_EACH(&store->watches, link) {
        struct store_watch *watch = CONTAINER_OF(link, struct store_watch, link);
        if (watch->lost != NULL)
            watch->lost(watch);
    }
}

static void commit_start(struct store *store);

static void commit_over(struct store *store)
{
    struct queued *first = store->batch;
    store->batch = NULL;
    store->job_running = false;
    if (store->job_result < 0) {
        struct err err = store->job_err;
        fail_all(store, first, store->job_result, &err);
        return;
    }
    for (struct queued *queued = first; queued != NULL; queued = queued->next) {
        forget_latest(store, queued);
        apply(store, &queued->change);
    }
    for (struct queued *queued = first, *next; queued != NULL; queued = next) {
        next = queued->next;
        finish(queued, 0, NULL);
    }
    commit_start(store);
}

static void commit_done(struct job *job)
{
    commit_over(store_of_job(job));
}

static bool take_batch(struct store *store)
{
    if (store->queue == NULL)
        return false;
    store->batch = store->queue;
    store->queue = NULL;
    store->queue_end = &store->queue;
    for (struct queued *queued = store->batch; queued != NULL; queued = queued->next)
        queued->change.next = queued->next == NULL ? NULL : &queued->next->change;
    return true;
}

static void commit_start(struct store *store)
{
    if (store->job_running || store->closing || !take_batch(store))
        return;
    store->job_running = true;
    store->job_worked = false;
    store->job.work = commit_work;
    store->job.done = commit_done;
    pool_run(store->pool, &store->job);
}

static void commit_turn(struct post *post)
{
    struct store *store = CONTAINER_OF(post, struct store, commit_post);
    store->commit_waiting = false;
    commit_start(store);
}

/* --- writing --- */

uint64_t store_next_rv(struct store *store)
{
    return store->next_rv;
}

static size_t key_text(char *to, str_t resource, str_t ns, str_t name)
{
    const str_t parts[] = {resource, ns, name};
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].len > 0)
            memcpy(to + n, parts[i].at, parts[i].len);
        n += parts[i].len;
        to[n++] = '/';
    }
    return n;
}

static struct queued *latest_queued(const struct store *store, str_t resource, str_t ns, str_t name)
{
    if (store->latest.n == 0)
        return NULL;
    char small[512], *key = small;
    size_t need = resource.len + ns.len + name.len + 3;
    if (need > sizeof(small)) {
        key = malloc(need);
        MUST(key != NULL);
    }
    size_t n = key_text(key, resource, ns, name);
    struct map_node *node = map_find(&store->latest, (str_t){key, n});
    if (key != small)
        free(key);
    return node == NULL ? NULL : CONTAINER_OF(node, struct queued, node);
}

const struct object *store_latest(const struct store *store, str_t resource, str_t ns, str_t name)
{
    const struct queued *queued = latest_queued(store, resource, ns, name);
    if (queued == NULL)
        return store_get(store, resource, ns, name);
    return queued->change.verb == STORE_DELETE ? NULL : queued->change.object;
}

static int check_base(const struct store_write *write, const struct object *latest, struct err *err)
{
    const struct object *object = write->object;
    if (write->verb == STORE_CREATE && latest != NULL)
        return err_set(err, ERR_EXISTS, STR_F " \"" STR_F "\" already exists",
                       STR_A(object->resource), STR_A(object->name));
    if (write->verb == STORE_CREATE)
        return 0;
    if (latest == NULL)
        return err_set(err, ERR_NOT_FOUND, STR_F " \"" STR_F "\" not found",
                       STR_A(object->resource), STR_A(object->name));
    if (latest->rv != write->based_on)
        return err_set(err, ERR_CONFLICT, STR_F " \"" STR_F "\" has changed meanwhile",
                       STR_A(object->resource), STR_A(object->name));
    return 0;
}

int store_write(struct store *store, struct store_write *write, struct err *err)
{
    const struct object *object = write->object;
    MUST(object->rv == store->next_rv);
    const struct object *latest = store_latest(store, object->resource, object->ns, object->name);
    int r = check_base(write, latest, err);
    if (r < 0)
        return r;
    store->next_rv++;
    size_t need = object->resource.len + object->ns.len + object->name.len + 3;
    struct queued *queued = calloc(1, sizeof(*queued) + need);
    MUST(queued != NULL);
    queued->write = write;
    queued->change = (struct disk_change){.verb = write->verb, .object = object_ref(object)};
    queued->change.secret = store->secret != NULL && store->secret(object->resource);
    struct queued *older = latest_queued(store, object->resource, object->ns, object->name);
    if (older != NULL)
        forget_latest(store, older);
    key_text(queued->key, object->resource, object->ns, object->name);
    map_add(&store->latest, (str_t){queued->key, need}, &queued->node);
    queued->newest = true;
    *store->queue_end = queued;
    store->queue_end = &queued->next;
    if (!store->job_running && !store->commit_waiting) {
        store->commit_waiting = true;
        loop_later(store->loop, &store->commit_post);
    }
    return 0;
}

/* --- reading --- */

const struct object *store_get(const struct store *store, str_t resource, str_t ns, str_t name)
{
    return index_get(&store->index, resource, ns, name);
}

uint64_t store_rv(const struct store *store)
{
    return store->committed_rv;
}

static bool in_range(const struct object *object, str_t resource, str_t ns)
{
    return object != NULL && (resource.len == 0 || str_eq(object->resource, resource)) &&
           (ns.len == 0 || str_eq(object->ns, ns));
}

size_t store_count(const struct store *store, str_t resource, str_t ns)
{
    return index_count(&store->index, resource, ns);
}

int store_each(struct store *store, const struct store_list *list,
               bool (*each)(void *self, const struct object *object), void *self, struct err *err)
{
    struct store_index past = {0};
    if (list->at_rv != 0 && list->at_rv < store->committed_rv) {
        int r = history_undo(&store->history, list->at_rv, list->resource, &past, err);
        if (r < 0) {
            index_done(&past);
            return r;
        }
    }
    bool behind = list->after_name.len > 0;
    str_t ns = behind ? list->after_ns : list->ns, name = list->after_name;
    str_t resource = list->resource;
    for (;;) {
        const struct object *object = index_from(&store->index, resource, ns, name, behind);
        const struct object *old = index_from(&past, resource, ns, name, behind);
        if (!in_range(object, list->resource, list->ns))
            object = NULL;
        if (!in_range(old, list->resource, list->ns))
            old = NULL;
        if (object == NULL && old == NULL)
            break;
        /* Of the same key the past counts; an empty text says that it was not there then. */
        if (object == NULL ||
            (old != NULL && key_cmp(old, object->resource, object->ns, object->name) <= 0))
            object = old;
        resource = object->resource;
        ns = object->ns;
        name = object->name;
        behind = true;
        if (object->json.len > 0 && !each(self, object))
            break;
    }
    index_done(&past);
    return 0;
}

/* --- watching --- */

int store_watch(struct store *store, struct store_watch *watch, uint64_t from_rv, struct err *err)
{
    if (from_rv != 0 && from_rv < history_floor(&store->history))
        return err_set(err, ERR_GONE, "too old resource version: %llu (%llu)",
                       (unsigned long long)from_rv,
                       (unsigned long long)history_floor(&store->history));
    list_add_before(&store->watches, &watch->link);
    if (from_rv != 0)
        history_replay(&store->history, from_rv, watch);
    return 0;
}

void store_unwatch(struct store_watch *watch)
{
    list_remove(&watch->link);
}

uint64_t store_oldest_rv(const struct store *store)
{
    return history_floor(&store->history);
}

/* --- a life --- */

static void load_object(void *self, struct object *object)
{
    struct store *store = self;
    index_put(&store->index, object);
    if (object->rv > store->committed_rv)
        store->committed_rv = object->rv;
}

/* Changes come in order; what replaced what is found by remembering the last of each key. */
struct loading {
    struct store *store;
    struct store_index before;
};

static void load_first(void *self, struct object *object)
{
    load_object(((struct loading *)self)->store, object);
}

static void load_change(void *self, enum store_verb verb, struct object *object)
{
    struct loading *loading = self;
    struct store *store = loading->store;
    const struct object *now = index_get(&store->index, object->resource, object->ns, object->name);
    if (now != NULL && now->rv == object->rv)
        object = (struct object *)now; /* One copy of the bytes. */
    const struct object *previous =
        index_get(&loading->before, object->resource, object->ns, object->name);
    struct store_event event = {verb, object, verb == STORE_CREATE ? NULL : previous, object->rv};
    history_add(&store->history, &event);
    index_put(&loading->before, object);
    if (object->rv > store->committed_rv)
        store->committed_rv = object->rv;
}

static int load(struct store *store, struct err *err)
{
    struct loading loading = {.store = store};
    store->committed_rv = 1;
    int r = disk_load(store->disk, &(struct disk_visit){&loading, load_first, load_change}, err);
    index_done(&loading.before);
    history_loaded(&store->history, store->committed_rv);
    store->next_rv = store->committed_rv + 1;
    return r;
}

int store_open(struct loop *loop, const struct store_settings *settings, struct store **out,
               struct err *err)
{
    struct store *store = calloc(1, sizeof(*store));
    MUST(store != NULL);
    store->loop = loop;
    store->secret = settings->secret;
    store->fault = settings->fault;
    store->queue_end = &store->queue;
    store->commit_post.run = commit_turn;
    list_init(&store->watches);
    size_t kept = settings->history_max > 0 ? settings->history_max : HISTORY_DEFAULT;
    history_init(&store->history, kept);
    int r = disk_open(settings->dir, kept, &store->disk, err);
    if (r == 0)
        r = load(store, err);
    if (r == 0)
        r = pool_new(loop, settings->on_loop ? 0 : 1, &store->pool, err);
    if (r < 0) {
        store_close(store);
        return r;
    }
    *out = store;
    return 0;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    store->closing = true;
    LIST_EACH(&store->watches, link)
        list_remove(link); /* Who unwatches later touches nothing of ours. */
    pool_free(store->pool);
    /* The loop turns no more: what it would have done is done here. */
    while (store->job_running || take_batch(store)) {
        if (!store->job_running || !store->job_worked)
            commit_work(&store->job);
        commit_over(store);
    }
    disk_close(store->disk);
    history_done(&store->history);
    index_done(&store->index);
    map_done(&store->latest);
    free(store);
}

/* --- copies --- */

int store_copy(str_t dir, str_t path, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    return disk_backup(dir, arena_str(&arena, path).at, err);
}

int store_restore(str_t path, str_t dir, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    return disk_restore(arena_str(&arena, path).at, dir, err);
}

int store_rotate_key(str_t dir, struct err *err)
{
    return disk_rotate(dir, err);
}
