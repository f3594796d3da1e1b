/* reflector.c - what is kept, and the way from a list to a watch and back. */
#include "control/reflector.h"

#include "control/keep.h"
#include "control/reflector_text.h"
#include "control/remote_watch.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAGE = 250, /* Objects a list is asked for at once; fewer where they are large. */
    RETRY_MIN_MS = 50,
    RETRY_MAX_MS = 5000,
    RETRY_CALM_MS = 10000, /* A watch that lived this long was a good one. */
    SAY_AFTER = 4,         /* Failures in a row that are not worth a word: a restart. */
};

enum reflector_state {
    REFLECT_LISTING,
    REFLECT_WATCHING,
    REFLECT_WAITING, /* To list or to watch: see `relist`. */
};

struct reflector {
    struct reflector_settings settings;
    char *ns, *fields, *labels;
    struct loop *loop;
    enum reflector_state state;
    struct keep keep;
    char rv[KEEP_RV_BYTES];
    uint64_t lists; /* Begun so far. */
    bool relist, synced;
    struct remote_call list;
    struct buf query; /* Of the list under way. */
    unsigned page;
    struct remote_watch watch;
    struct timer timer;
    msec_t retry_ms, since_ms;
    unsigned failures;
};

static void go(struct reflector *reflector);

/* --- what is told --- */

static void tell_gone(struct reflector *reflector, struct kept *kept)
{
    const struct reflector_settings *settings = &reflector->settings;
    struct reflected object = kept_view(kept);
    keep_remove(&reflector->keep, kept);
    if (settings->gone != NULL)
        settings->gone(settings->self, &object);
    keep_free(&reflector->keep, kept);
}

static void set(void *self, const struct reflected *object)
{
    struct reflector *reflector = self;
    const struct reflector_settings *settings = &reflector->settings;
    struct kept *kept = keep_find(&reflector->keep, object->ns, object->name);
    if (kept != NULL && !str_eq(kept_view(kept).uid, object->uid)) {
        tell_gone(reflector, kept);
        kept = NULL;
    }
    bool is_new = kept == NULL;
    bool same = !is_new && str_eq(str_from_z(kept->rv), object->rv);
    if (is_new)
        kept = keep_add(&reflector->keep, object);
    else if (!same)
        keep_update(&reflector->keep, kept, object);
    kept->seen = reflector->lists;
    if (!same && settings->set != NULL)
        settings->set(settings->self, object, is_new);
}

/* Of those that the list just read did not have. */
static void sweep(void *self, struct kept *kept)
{
    struct reflector *reflector = self;
    if (kept->seen != reflector->lists)
        tell_gone(reflector, kept);
}

static void set_rv(struct reflector *reflector, str_t rv)
{
    MUST(rv.len < KEEP_RV_BYTES);
    memcpy(reflector->rv, rv.at, rv.len);
    reflector->rv[rv.len] = '\0';
}

/* --- trouble --- */

static void wait_due(struct timer *timer)
{
    go(CONTAINER_OF(timer, struct reflector, timer));
}

static void trouble(struct reflector *reflector, bool relist, const struct err *err)
{
    const struct log *log = reflector->settings.log;
    reflector->state = REFLECT_WAITING;
    reflector->relist = reflector->relist || relist;
    if (++reflector->failures == SAY_AFTER && err != NULL && log != NULL)
        log_error(log, "the API cannot be followed",
                  F_STR("kind", str_from_z(reflector->settings.kind->name)),
                  F_STR("error", str_from_z(err->text)));
    timer_set(reflector->loop, &reflector->timer, reflector->retry_ms, wait_due);
    reflector->retry_ms =
        reflector->retry_ms * 2 < RETRY_MAX_MS ? reflector->retry_ms * 2 : RETRY_MAX_MS;
}

static void well(struct reflector *reflector)
{
    if (reflector->failures >= SAY_AFTER && reflector->settings.log != NULL)
        log_info(reflector->settings.log, "the API is followed again",
                 F_STR("kind", str_from_z(reflector->settings.kind->name)));
    reflector->failures = 0;
    reflector->retry_ms = RETRY_MIN_MS;
}

/* --- the list --- */

static void add_selector(struct buf *query, const char *name, const char *selector)
{
    if (selector[0] == '\0')
        return;
    buf_printf(query, "&%s=", name);
    remote_escape(str_from_z(selector), query);
}

static void list_page(struct reflector *reflector, str_t next)
{
    AUTO(buf_done) struct buf query = {0};
    buf_printf(&query, "limit=%u", reflector->page);
    add_selector(&query, "fieldSelector", reflector->fields);
    add_selector(&query, "labelSelector", reflector->labels);
    if (next.len > 0) {
        buf_add(&query, STR("&continue="));
        remote_escape(next, &query);
    }
    reflector->query.len = 0;
    buf_add(&reflector->query, buf_str(&query));
    reflector->list.query = buf_str(&reflector->query);
    remote_send(reflector->settings.remote, &reflector->list);
}

static void list_begin(struct reflector *reflector)
{
    reflector->state = REFLECT_LISTING;
    reflector->relist = true; /* Until it was there as a whole. */
    reflector->lists++;
    list_page(reflector, STR(""));
}

static void list_whole(struct reflector *reflector, str_t rv)
{
    const struct reflector_settings *settings = &reflector->settings;
    keep_each(&reflector->keep, sweep, reflector);
    set_rv(reflector, rv);
    reflector->relist = false;
    reflector->synced = true;
    reflector->page = PAGE;
    well(reflector);
    if (settings->synced != NULL)
        settings->synced(settings->self);
    go(reflector);
}

static void listed(struct remote_call *call, int r, const struct err *err)
{
    struct reflector *reflector = CONTAINER_OF(call, struct reflector, list);
    AUTO(arena_done) struct arena arena = {0};
    struct list_head head = {STR("0"), STR("")};
    struct err bad;
    if (r == ERR_BUSY && call->status == 200 && reflector->page > 1)
        reflector->page = reflector->page / 8 > 0 ? reflector->page / 8 : 1; /* Too much. */
    if (r == 0) {
        r = list_read(call->answer, &arena, &head, set, reflector, &bad);
        err = &bad;
    }
    if (r < 0)
        trouble(reflector, true, err);
    else if (head.next.len > 0)
        list_page(reflector, head.next);
    else
        list_whole(reflector, head.rv);
}

/* --- the watch --- */

static void watch_begin(struct reflector *reflector)
{
    AUTO(buf_done) struct buf query = {0};
    reflector->state = REFLECT_WATCHING;
    reflector->since_ms = loop_now_ms(reflector->loop);
    buf_printf(&query, "watch=true&allowWatchBookmarks=true&resourceVersion=%s", reflector->rv);
    add_selector(&query, "fieldSelector", reflector->fields);
    add_selector(&query, "labelSelector", reflector->labels);
    remote_watch_start(reflector->settings.remote, &reflector->watch, reflector->settings.kind,
                       str_from_z(reflector->ns), buf_str(&query));
}

static void on_line(struct remote_watch *watch, str_t line)
{
    struct reflector *reflector = CONTAINER_OF(watch, struct reflector, watch);
    AUTO(arena_done) struct arena arena = {0};
    struct watch_event event;
    struct err err;
    int r = watch_event_read(line, &arena, &event, &err);
    if (r == 0 && event.type == EVENT_ERROR)
        r = err_set(&err, event.code == 410 ? ERR_GONE : ERR_IO, STR_F, STR_A(event.message));
    if (r < 0) { /* Whatever it is: a list tells how things are. */
        remote_watch_stop(watch);
        trouble(reflector, true, &err);
        return;
    }
    if (event.type == EVENT_SET)
        set(reflector, &event.object);
    struct kept *kept = event.type == EVENT_GONE
                            ? keep_find(&reflector->keep, event.object.ns, event.object.name)
                            : NULL;
    if (kept != NULL)
        tell_gone(reflector, kept);
    set_rv(reflector, event.object.rv);
    well(reflector);
}

static void on_over(struct remote_watch *watch, int r, const struct err *err)
{
    struct reflector *reflector = CONTAINER_OF(watch, struct reflector, watch);
    msec_t lived_ms = loop_now_ms(reflector->loop) - reflector->since_ms;
    if (lived_ms >= RETRY_CALM_MS)
        well(reflector);
    /* A refusal does not go away by asking the same again. */
    trouble(reflector, r < 0 && watch->status >= 400, err);
}

static void go(struct reflector *reflector)
{
    if (reflector->relist)
        list_begin(reflector);
    else
        watch_begin(reflector);
}

/* --- a life --- */

static char *copy(str_t text)
{
    char *at = calloc(1, text.len + 1);
    MUST(at != NULL);
    if (text.len > 0)
        memcpy(at, text.at, text.len);
    return at;
}

struct reflector *reflector_new(const struct reflector_settings *settings)
{
    struct reflector *reflector = calloc(1, sizeof(*reflector));
    MUST(reflector != NULL);
    reflector->settings = *settings;
    reflector->ns = copy(settings->ns);
    reflector->fields = copy(settings->fields);
    reflector->labels = copy(settings->labels);
    reflector->loop = settings->remote->loop;
    reflector->page = PAGE;
    reflector->keep.bytes_max = settings->bytes_max;
    reflector->retry_ms = RETRY_MIN_MS;
    reflector->list = (struct remote_call){.verb = REMOTE_GET,
                                           .kind = settings->kind,
                                           .ns = str_from_z(reflector->ns),
                                           .done = listed};
    reflector->watch = (struct remote_watch){.line = on_line, .over = on_over};
    list_begin(reflector);
    return reflector;
}

void reflector_free(struct reflector *reflector)
{
    if (reflector == NULL)
        return;
    remote_cancel(&reflector->list);
    remote_watch_stop(&reflector->watch);
    timer_stop(&reflector->timer);
    keep_done(&reflector->keep);
    buf_done(&reflector->query);
    free(reflector->ns);
    free(reflector->fields);
    free(reflector->labels);
    free(reflector);
}

bool reflector_synced(const struct reflector *reflector)
{
    return reflector->synced;
}

bool reflector_get(const struct reflector *reflector, str_t ns, str_t name, struct reflected *out)
{
    const struct kept *kept = keep_find(&reflector->keep, ns, name);
    if (kept == NULL)
        return false;
    *out = kept_view(kept);
    return true;
}

struct each_view {
    void (*each)(void *self, const struct reflected *object);
    void *self;
};

static void each_kept(void *self, struct kept *kept)
{
    const struct each_view *to = self;
    struct reflected object = kept_view(kept);
    to->each(to->self, &object);
}

void reflector_each(const struct reflector *reflector,
                    void (*each)(void *self, const struct reflected *object), void *self)
{
    struct each_view to = {each, self};
    keep_each(&reflector->keep, each_kept, &to);
}

size_t reflector_count(const struct reflector *reflector)
{
    return reflector->keep.map.n;
}

size_t reflector_bytes(const struct reflector *reflector)
{
    return reflector->keep.bytes;
}
