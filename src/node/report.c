/*
 * report.c - what a pod's user sees: its status, written when it has changed, and Events.
 *
 * One write at a time; what changes meanwhile goes with the next.
 */
#include "node/pod.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENTENCE_MAX = 1024, REPORT_AGAIN_MS = 1000, IMAGE_TOLD_MS = 5000 };

/* --- Events --- */

static void tell(const struct pod *pod, const char *container, bool warning, const char *reason,
                 const char *fmt, va_list args)
{
    const struct pod_host *host = &pod->pods->host;
    AUTO(arena_done) struct arena arena = {0};
    char message[SENTENCE_MAX];
    int n = vsnprintf(message, sizeof(message), fmt, args);
    MUST(n >= 0);
    struct pod_event event = {.pod = pod_tree(pod, &arena),
                              .container = container,
                              .warning = warning,
                              .reason = reason,
                              .message = str_from_z(message)};
    host->event(host->self, &event);
}

void container_event(struct container *c, bool warning, const char *reason, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    tell(c->pod, c->pod->facts[c->at].name, warning, reason, fmt, args);
    va_end(args);
}

void pod_event(struct pod *pod, bool warning, const char *reason, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    tell(pod, NULL, warning, reason, fmt, args);
    va_end(args);
}

/* --- why it waits --- */

static void set_why(struct container_facts *facts, const char *reason, const char *why)
{
    char *text = strdup(why);
    MUST(text != NULL);
    free(facts->why);
    facts->why = text;
    facts->waiting = reason;
}

static void say_crash_loop(struct container *c, struct container_facts *facts)
{
    const struct pod *pod = c->pod;
    char why[SENTENCE_MAX];
    bool told = facts->waiting != NULL && strcmp(facts->waiting, "CrashLoopBackOff") == 0;
    long long seconds = pod->units[c->at].backoff.delay_ms / 1000;
    (void)snprintf(why, sizeof(why), "back-off %llds restarting failed container=%s pod=%s_%s(%s)",
                   seconds, facts->name, pod->name, pod->ns, pod->uid);
    set_why(facts, "CrashLoopBackOff", why);
    if (!told)
        container_event(c, true, "BackOff",
                        "Back-off restarting failed container %s in pod %s_%s(%s)", facts->name,
                        pod->name, pod->ns, pod->uid);
}

static void say_image_backoff(struct container *c, struct container_facts *facts)
{
    char why[SENTENCE_MAX];
    if (facts->waiting == NULL || strcmp(facts->waiting, "ErrImagePull") != 0)
        return;
    (void)snprintf(why, sizeof(why), "Back-off pulling image \"%s\": ErrImagePull: %s",
                   facts->image, facts->why);
    set_why(facts, "ImagePullBackOff", why);
    container_event(c, false, "BackOff", "Back-off pulling image \"%s\"", facts->image);
    container_event(c, true, "Failed", "Error: ImagePullBackOff");
}

static void say_waiting(struct pod *pod, struct pod_view *view)
{
    for (size_t i = 0; i < pod->n; i++) {
        const struct unit *unit = &pod->units[i];
        msec_t flip_ms = unit->ended_ms + IMAGE_TOLD_MS;
        if (!unit->waits)
            continue;
        if (unit->state == UNIT_EXITED)
            say_crash_loop(pod->containers[i], &pod->facts[i]);
        else if (pod->containers[i]->image_failed && flip_ms <= view->now_ms)
            say_image_backoff(pod->containers[i], &pod->facts[i]);
        else if (pod->containers[i]->image_failed && flip_ms < view->again_ms)
            view->again_ms = flip_ms;
    }
}

/* --- status --- */

static void keep(char **to, size_t *n, str_t text)
{
    char *at = malloc(text.len + 1);
    MUST(at != NULL);
    memcpy(at, text.at, text.len);
    free(*to);
    *to = at;
    *n = text.len;
}

static void again(struct timer *timer)
{
    pod_sync(CONTAINER_OF(timer, struct pod, timer));
}

static void reported(struct step *step)
{
    struct pod *pod = CONTAINER_OF(step, struct pod, reporting);
    pod->is_reporting = false;
    if (step->r == ERR_NOT_FOUND)
        pod->gone = true;
    if (step->r < 0 && step->r != ERR_NOT_FOUND) {
        timer_set(pod->pods->host.loop, &pod->timer, REPORT_AGAIN_MS, again);
        return;
    }
    keep(&pod->reported, &pod->n_reported, (str_t){pod->reported_now, pod->n_reported_now});
    pod->reported_over = pod->reports_over;
    pod_sync(pod);
}

static struct json *make_status(struct pod *pod, const struct json *object,
                                const struct pod_view *view, struct arena *arena)
{
    const struct pod_host *host = &pod->pods->host;
    struct json *before = json_get(object, STR("status"));
    struct err err;
    if (pod->reported != NULL) {
        int r = json_parse((str_t){pod->reported, pod->n_reported}, arena, &before, &err);
        MUST(r == 0);
    }
    bool host_network = json_is_true(json_at(object, "spec.hostNetwork"));
    struct pod_facts facts = {
        .pod = object,
        .before = before,
        .view = view,
        .containers = pod->facts,
        .ground = pod->stage == POD_GROUNDED,
        .leaving = pod->leaving,
        .pod_ip = str_from_z(host_network ? host->host_ip : pod->ground.ip),
        .host_ip = str_from_z(host->host_ip),
        .start_ms = pod->start_ms,
        .now_ms = loop_wall_ms(host->loop),
        .phase = pod->phase != NULL && view->quiet ? pod->phase : NULL,
        .reason = pod->reason,
        .message = str_from_z(pod->message == NULL ? "" : pod->message),
    };
    return status_make(&facts, arena);
}

void pod_report(struct pod *pod, const struct json *object, struct pod_view *view)
{
    const struct pod_host *host = &pod->pods->host;
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf text = {0};
    bool over = (view->leaving || view->over) && view->quiet;
    say_waiting(pod, view);
    if (pod->gone || pod->is_reporting || pod->stage == POD_FORGETTING)
        return;
    struct json *status = make_status(pod, object, view, &arena);
    json_write(status, &text);
    bool same =
        pod->reported != NULL && str_eq(buf_str(&text), (str_t){pod->reported, pod->n_reported});
    if (same) {
        if (over && !pod->reported_over) {
            pod->reported_over = true;
            pod_sync(pod);
        }
        return;
    }
    keep(&pod->reported_now, &pod->n_reported_now, buf_str(&text));
    pod->reports_over = over;
    pod->is_reporting = true;
    pod->reporting = (struct step){.done = reported};
    host->report(host->self, &pod->reporting, object, status);
}
