/*
 * stream_log.c - a container's log, as text. With `follow` it goes on until the container has ended
 * and all it said was sent.
 */
#include "node/streams_priv.h"
#include "runtime/crilog.h"

#include <stdlib.h>

enum {
    PIECE_BYTES = 32 * 1024,
    WAITING_BYTES_MAX = 256 * 1024,
    LOOK_MS = 500, /* Whether what is followed still runs. */
};

struct reading {
    struct stream_call *call;
    struct crilog *log;
    struct loop_fd watch;
    struct timer timer, soon;
    bool follow, ended;
    int64_t number; /* Of the run. */
};

static void reading_free(struct reading *r)
{
    loop_forget(&r->watch);
    timer_stop(&r->timer);
    timer_stop(&r->soon);
    crilog_close(r->log);
    free(r);
}

static void on_gone(struct exchange *x)
{
    reading_free(x->self);
}

static void read_on(struct reading *r);

static void on_soon(struct timer *timer)
{
    read_on(CONTAINER_OF(timer, struct reading, soon));
}

static void on_ready(struct loop_fd *watch, unsigned events)
{
    (void)events;
    read_on(CONTAINER_OF(watch, struct reading, watch));
}

static void on_drain(struct exchange *x)
{
    read_on(x->self);
}

static void end(struct reading *r, bool broken)
{
    struct exchange *x = r->call->x;
    x->on_gone = NULL;
    x->on_drain = NULL;
    reading_free(r);
    if (broken)
        http_abort(x);
    else
        http_end(x, NULL, 0);
}

/* A piece a turn, so that long logs leave the others their time. */
static void read_on(struct reading *r)
{
    struct exchange *x = r->call->x;
    struct buf out = {0};
    struct err err;
    bool full = http_waiting(x) > WAITING_BYTES_MAX;
    if (r->follow)
        loop_want(&r->watch, full ? 0 : LOOP_READ);
    if (full)
        return; /* on_drain() goes on. */
    int more = crilog_read(r->log, PIECE_BYTES, &out, &err);
    if (out.len > 0)
        http_write(x, (struct http_bytes){buf_str(&out), free, out.at});
    else
        buf_done(&out);
    http_flush(x);
    if (more > 0)
        timer_set(x->loop, &r->soon, 0, on_soon);
    else if (more < 0 || !r->follow || r->ended || crilog_ended(r->log))
        end(r, more < 0);
}

static void on_look(struct timer *timer)
{
    struct reading *r = CONTAINER_OF(timer, struct reading, timer);
    struct stream_call *call = r->call;
    struct pod_place place;
    struct err err;
    bool there =
        call->host->find(call->host->self, call->ns, call->pod, call->container, &place, &err) == 0;
    if (there && place.running && place.restarts == r->number) {
        timer_set(call->x->loop, timer, LOOK_MS, on_look);
        return;
    }
    r->ended = true; /* What it said last is read, and then it is over. */
    read_on(r);
}

/* False: answered. */
static bool read_number(struct stream_call *call, const char *name, int64_t least, int64_t *out)
{
    str_t text = query_text(call, name);
    if (text.len == 0 || (str_to_i64(text, out) && *out >= least))
        return true;
    refuse_stream(call, 400, "%s: \"" STR_F "\" is no number from %lld on\n", name, STR_A(text),
                  (long long)least);
    return false;
}

static bool read_want(struct stream_call *call, struct crilog_want *want)
{
    enum { NS_PER_MS = 1000 * 1000 };
    int64_t since_s = -1, limit = 0;
    str_t since = query_text(call, "sinceTime");
    *want = (struct crilog_want){.tail = -1,
                                 .timestamps = query_yes(call, "timestamps"),
                                 .follow = query_yes(call, "follow")};
    if (!read_number(call, "tailLines", 0, &want->tail) ||
        !read_number(call, "sinceSeconds", 1, &since_s) ||
        !read_number(call, "limitBytes", 1, &limit))
        return false;
    want->limit_bytes = (uint64_t)limit;
    if (since_s >= 0)
        want->since_ns = (loop_wall_ms(call->x->loop) - since_s * 1000) * NS_PER_MS;
    if (since.len > 0 && !cri_time(since, &want->since_ns)) {
        refuse_stream(call, 400, "sinceTime: \"" STR_F "\" is no time\n", STR_A(since));
        return false;
    }
    str_t streams = query_text(call, "stream");
    if (str_eq(streams, STR("Stdout")))
        want->streams = CRILOG_STDOUT;
    if (str_eq(streams, STR("Stderr")))
        want->streams = CRILOG_STDERR;
    return true;
}

static const char *path_of(struct stream_call *call, int64_t number)
{
    return arena_printf(call->x->arena, "%s/" STR_F "_" STR_F "_" STR_F "/" STR_F "/%lld.log",
                        call->host->logs_dir, STR_A(call->ns), STR_A(call->pod),
                        STR_A(call->place.uid), STR_A(call->container), (long long)number)
        .at;
}

static void begin(struct stream_call *call, struct crilog *log, bool follow, int64_t number)
{
    struct http_field type = {STR("Content-Type"), STR("text/plain")};
    struct exchange *x = call->x;
    struct reading *r = calloc(1, sizeof(*r));
    struct err err;
    MUST(r != NULL);
    *r = (struct reading){.call = call, .log = log, .follow = follow, .number = number};
    r->watch.fd = -1;
    x->self = r;
    http_begin(x, 200, &type, 1);
    http_flush(x);
    x->on_gone = on_gone;
    x->on_drain = on_drain;
    if (follow && loop_watch(x->loop, &r->watch, crilog_fd(log), LOOP_READ, on_ready, &err) < 0)
        r->follow = false;
    if (r->follow)
        timer_set(x->loop, &r->timer, LOOK_MS, on_look);
    read_on(r);
}

void serve_log(struct stream_call *call)
{
    struct crilog_want want;
    struct crilog *log;
    struct err err;
    bool previous = query_yes(call, "previous");
    int64_t number = call->place.restarts - previous;
    if (call->container.len == 0) {
        refuse_stream(call, 400, "a container must be named\n");
        return;
    }
    if (!read_want(call, &want))
        return;
    if (previous && (!call->place.has_previous || number < 0)) {
        refuse_stream(call, 400,
                      "previous terminated container \"" STR_F "\" in pod \"" STR_F
                      "\" not found\n",
                      STR_A(call->container), STR_A(call->pod));
        return;
    }
    if (previous)
        want.follow = false;
    int r = crilog_open(path_of(call, number), &want, &log, &err);
    if (r == ERR_NOT_FOUND)
        refuse_stream(call, 400,
                      "container \"" STR_F "\" in pod \"" STR_F
                      "\" is waiting to start: ContainerCreating\n",
                      STR_A(call->container), STR_A(call->pod));
    else if (r < 0)
        refuse_stream(call, 500, "%s\n", err.text);
    else
        begin(call, log, want.follow, number);
}
