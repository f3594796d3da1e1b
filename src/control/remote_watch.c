/* remote_watch.c - which connection carries it, and where its lines end. */
#include "control/remote_watch.h"

#include <stdlib.h>
#include <string.h>

/* --- connections --- */

struct remote_line {
    struct list link;
    struct http_client *http;
    unsigned n;
};

static struct remote_line *line_take(struct remote *remote, struct err *err)
{
    LIST_EACH(&remote->lines, link) {
        struct remote_line *line = CONTAINER_OF(link, struct remote_line, link);
        if (line->n < REMOTE_WATCHES) {
            line->n++;
            return line;
        }
    }
    struct remote_line *line = calloc(1, sizeof(*line));
    MUST(line != NULL);
    bool first = !list_in(&remote->lines);
    int r = 0;
    if (!first && remote->settings.tls != NULL)
        tls_config_ref(remote->settings.tls);
    line->http = remote->http;
    if (!first)
        r = http_client_new(remote->loop, &remote->settings, &line->http, err);
    if (r < 0) {
        free(line);
        return NULL;
    }
    line->n = 1;
    list_add_before(&remote->lines, &line->link);
    return line;
}

/* Connections stay: whoever had many watches will have them again. */
static void line_leave(struct remote_line *line)
{
    line->n--;
}

void remote_lines_free(struct remote *remote)
{
    LIST_EACH(&remote->lines, link) {
        struct remote_line *line = CONTAINER_OF(link, struct remote_line, link);
        MUST(line->n == 0); /* Reflectors are freed first. */
        if (line->http != remote->http)
            http_client_free(line->http);
        free(line);
    }
}

/* --- one watch --- */

static void watch_clean(struct remote_watch *watch)
{
    timer_stop(&watch->timer);
    if (watch->on != NULL)
        line_leave(watch->on);
    buf_done(&watch->heard);
    free(watch->target);
    watch->target = NULL;
    watch->on = NULL;
    watch->remote = NULL;
}

static void watch_tell(struct remote_watch *watch)
{
    struct err err = watch->err;
    watch_clean(watch);
    watch->over(watch, watch->r, watch->r < 0 ? &err : NULL);
}

static void tell_later(struct timer *timer)
{
    watch_tell(CONTAINER_OF(timer, struct remote_watch, timer));
}

static void watch_over(struct remote_watch *watch, int r)
{
    watch->r = r;
    if (watch->sending)
        timer_set(watch->remote->loop, &watch->timer, 0, tell_later);
    else
        watch_tell(watch);
}

/* It is cut off outside of its own calls. */
static void cut(struct timer *timer)
{
    struct remote_watch *watch = CONTAINER_OF(timer, struct remote_watch, timer);
    http_call_cancel(&watch->http);
    if (watch->stopped)
        watch_clean(watch);
    else
        watch_over(watch, watch->r);
}

static void quiet(struct timer *timer)
{
    struct remote_watch *watch = CONTAINER_OF(timer, struct remote_watch, timer);
    watch->r = err_set(&watch->err, ERR_TIMEOUT, "a watch of which nothing is heard any more");
    cut(timer);
}

static void on_head(struct http_call *http, const struct http_answer_head *head)
{
    struct remote_watch *watch = CONTAINER_OF(http, struct remote_watch, http);
    watch->status = head->status;
    timer_set(watch->remote->loop, &watch->timer, REMOTE_QUIET_MS, quiet);
}

static void give_line(struct remote_watch *watch, str_t line)
{
    watch->in_line = true;
    watch->line(watch, line);
    watch->in_line = false;
}

/* What is left of `bytes` after its last whole line is kept. */
static void split(struct remote_watch *watch, str_t bytes)
{
    const char *end;
    while (!watch->stopped && (end = memchr(bytes.at, '\n', bytes.len)) != NULL) {
        str_t line = {bytes.at, (size_t)(end - bytes.at)};
        bytes.at += line.len + 1;
        bytes.len -= line.len + 1;
        if (watch->heard.len == 0) {
            give_line(watch, line);
            continue;
        }
        struct buf whole = watch->heard;
        watch->heard = (struct buf){0};
        buf_add(&whole, line);
        give_line(watch, buf_str(&whole));
        buf_done(&whole);
    }
    if (!watch->stopped && bytes.len > 0)
        buf_add(&watch->heard, bytes);
}

static bool on_piece(struct http_call *http, str_t bytes)
{
    struct remote_watch *watch = CONTAINER_OF(http, struct remote_watch, http);
    if (watch->status == 200)
        split(watch, bytes);
    else
        buf_add(&watch->heard, bytes);
    if (!watch->stopped && watch->heard.len <= REMOTE_LINE_MAX) {
        timer_set(watch->remote->loop, &watch->timer, REMOTE_QUIET_MS, quiet);
        return true;
    }
    if (!watch->stopped)
        watch->r =
            err_set(&watch->err, ERR_BUSY, "a change of more than %d bytes", REMOTE_LINE_MAX);
    timer_set(watch->remote->loop, &watch->timer, 0, cut);
    return false;
}

static void on_done(struct http_call *http, int r, const struct err *err)
{
    struct remote_watch *watch = CONTAINER_OF(http, struct remote_watch, http);
    if (watch->stopped) {
        watch_clean(watch);
        return;
    }
    if (r < 0)
        watch->err = *err;
    else if (watch->status != 200)
        r = remote_refusal(watch->status, buf_str(&watch->heard), &watch->err);
    watch_over(watch, r);
}

void remote_watch_start(struct remote *remote, struct remote_watch *watch, const struct kind *kind,
                        str_t ns, str_t query)
{
    MUST(watch->remote == NULL);
    watch->remote = remote;
    watch->status = 0;
    watch->stopped = watch->in_line = false;
    watch->timer = (struct timer){0};
    watch->on = line_take(remote, &watch->err);
    watch->sending = true;
    if (watch->on == NULL) {
        watch_over(watch, (int)watch->err.code);
        watch->sending = false;
        return;
    }
    watch->target = remote_target(kind, ns, STR(""), NULL, query);
    watch->fields[0] = (struct http_field){STR("accept"), STR("application/json")};
    watch->fields[1] = (struct http_field){STR("user-agent"), str_from_z(remote->user_agent)};
    watch->http = (struct http_call){.method = STR("GET"),
                                     .target = str_from_z(watch->target),
                                     .fields = watch->fields,
                                     .n_fields = ARRAY_LEN(watch->fields),
                                     .head = on_head,
                                     .piece = on_piece,
                                     .done = on_done};
    http_client_send(watch->on->http, &watch->http);
    watch->sending = false;
}

void remote_watch_stop(struct remote_watch *watch)
{
    if (watch->remote == NULL)
        return;
    watch->stopped = true;
    if (watch->in_line)
        return; /* on_piece() sees to it. */
    http_call_cancel(&watch->http);
    watch_clean(watch);
}
