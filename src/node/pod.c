/*
 * pod.c - the stages of a pod, and the look at everything that decides what is next.
 *
 * On the way in: ground (network, volumes), then containers as the plan says. On the way out:
 * containers, ground, and last the object in the API, whose going is what others wait for.
 */
#include "node/pod.h"

#include "kube/meta.h"
#include "node/prober.h"

#include <stdlib.h>
#include <string.h>

enum { GROUND_WAIT_MS_MAX = 16 * 1000 };

msec_t pod_now(const struct pod *pod)
{
    return loop_now_ms(pod->pods->host.loop);
}

struct json *pod_tree(const struct pod *pod, struct arena *arena)
{
    struct json *tree = NULL;
    struct err err;
    int r = json_parse((str_t){pod->object, pod->n_object}, arena, &tree, &err);
    MUST(r == 0); /* It was read before it was kept. */
    return tree;
}

/* --- containers of the object --- */

static const struct {
    const char *list;
    enum unit_kind kind;
} lists[] = {
    {"spec.initContainers", UNIT_INIT},
    {"spec.containers", UNIT_MAIN},
    {"spec.ephemeralContainers", UNIT_EPHEMERAL},
};

const struct json *container_in(const struct json *pod, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        JSON_EACH(json_at(pod, lists[i].list), container)
    if (str_eq(json_get_text(container, STR("name")), str_from_z(name)))
        return container;
    return NULL;
}

static void *grown(void *at, size_t n, size_t size)
{
    char *more = reallocarray(at, n + 1, size);
    MUST(more != NULL);
    memset(more + n * size, 0, size);
    return more;
}

static void add_container(struct pod *pod, const struct json *container, enum unit_kind kind)
{
    str_t name = json_get_text(container, STR("name"));
    if (kind == UNIT_INIT && str_eq(json_get_text(container, STR("restartPolicy")), STR("Always")))
        kind = UNIT_SIDECAR;
    pod->units = grown(pod->units, pod->n, sizeof(*pod->units));
    pod->facts = grown(pod->facts, pod->n, sizeof(*pod->facts));
    pod->containers = grown(pod->containers, pod->n, sizeof(struct container *));
    struct container *c = calloc(1, sizeof(*c));
    MUST(c != NULL);
    *c = (struct container){.pod = pod, .at = pod->n, .grace_ms = -1};
    pod->units[pod->n].kind = kind;
    pod->facts[pod->n].kind = kind;
    pod->facts[pod->n].name = strndup(name.at, name.len);
    MUST(pod->facts[pod->n].name != NULL);
    pod->containers[pod->n++] = c;
}

void pod_find_containers(struct pod *pod, const struct json *object)
{
    size_t known = 0;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        JSON_EACH(json_at(object, lists[i].list), container)
    if (known++ >= pod->n)
        add_container(pod, container, lists[i].kind);
    for (size_t i = 0; i < pod->n; i++) {
        const struct json *container = container_in(object, pod->facts[i].name);
        str_t image = json_get_text(container, STR("image"));
        if (pod->facts[i].image == NULL)
            pod->facts[i].image = strndup(image.at, image.len);
    }
}

static enum restart_policy policy_of(const struct json *object)
{
    str_t text = json_text(json_at(object, "spec.restartPolicy"), STR("Always"));
    if (str_eq(text, STR("Never")))
        return RESTART_NEVER;
    return str_eq(text, STR("OnFailure")) ? RESTART_ON_FAILURE : RESTART_ALWAYS;
}

/* --- ground --- */

static void grounded(struct step *step)
{
    struct pod *pod = CONTAINER_OF(step, struct pod, step);
    if (step->r < 0) {
        pod->stage = POD_NEW;
        pod->ground_failed_ms = pod_now(pod);
        backoff_next(&pod->ground_backoff, pod_now(pod), pod_now(pod));
        if (pod->ground_backoff.delay_ms > GROUND_WAIT_MS_MAX)
            pod->ground_backoff.delay_ms = GROUND_WAIT_MS_MAX;
        pod_event(pod, true, step->reason != NULL ? step->reason : "FailedCreatePodSandBox", "%s",
                  step->err.text);
    } else {
        pod->stage = POD_GROUNDED;
    }
    pod_sync(pod);
}

static msec_t ground_due(const struct pod *pod)
{
    return pod->ground_failed_ms == 0 ? 0 : pod->ground_failed_ms + pod->ground_backoff.delay_ms;
}

static void ground_up(struct pod *pod, const struct json *object)
{
    const struct pod_host *host = &pod->pods->host;
    pod->stage = POD_GROUNDING;
    pod->step = (struct step){.done = grounded};
    host->ground(host->self, &pod->step, object, &pod->ground);
}

static void cleared(struct step *step)
{
    struct pod *pod = CONTAINER_OF(step, struct pod, step);
    pod->stage = POD_CLEARED;
    if (step->r < 0)
        log_error(pod->pods->host.log, "pod not cleared away", F_STR("pod", str_from_z(pod->key)),
                  F_STR("error", str_from_z(step->err.text)));
    pod_sync(pod);
}

static void clear_all(struct pod *pod)
{
    const struct pod_host *host = &pod->pods->host;
    pod->stage = POD_CLEARING;
    pod->step = (struct step){.done = cleared};
    host->clear(host->self, &pod->step, str_from_z(pod->uid));
}

/* --- the way out --- */

/* What containers leave goes once their end is known to the API, not before. */
static bool all_clean(struct pod *pod)
{
    bool clean = pod->reported_over || pod->gone;
    for (size_t i = 0; i < pod->n && (pod->reported_over || pod->gone); i++) {
        struct container *c = pod->containers[i];
        if (c->doing == DOING_NOTHING && !c->kept && c->rootfs == NULL)
            continue;
        clean = false;
        if (c->doing == DOING_NOTHING)
            container_clean(c, NULL);
    }
    return clean;
}

static void forgotten(struct step *step)
{
    struct pod *pod = CONTAINER_OF(step, struct pod, step);
    bool fine = step->r == 0 || step->r == ERR_NOT_FOUND || step->r == ERR_CONFLICT;
    pod->stage = fine ? POD_FORGOTTEN : POD_CLEARED;
    if (fine)
        pod->gone = true;
    pod_sync(pod);
}

static void forget(struct pod *pod)
{
    const struct pod_host *host = &pod->pods->host;
    pod->stage = POD_FORGETTING;
    pod->step = (struct step){.done = forgotten};
    host->forget(host->self, &pod->step, str_from_z(pod->ns), str_from_z(pod->name),
                 str_from_z(pod->uid));
}

void pod_free(struct pod *pod)
{
    struct pods *pods = pod->pods;
    timer_stop(&pod->timer);
    map_remove(&pods->by_uid, &pod->by_uid);
    if (map_find(&pods->by_name, str_from_z(pod->key)) == &pod->by_name)
        map_remove(&pods->by_name, &pod->by_name);
    for (size_t i = 0; i < pod->n; i++) {
        struct container *c = pod->containers[i];
        prober_free(c->prober);
        container_hook_end(c);
        image_got_done(&c->image);
        arena_done(&c->arena);
        free(c->rootfs);
        free(c);
        container_facts_done(&pod->facts[i]);
    }
    char *texts[] = {pod->uid,    pod->key,      pod->ns,           pod->name,
                     pod->object, pod->reported, pod->reported_now, pod->message};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
    free(pod->units);
    free(pod->facts);
    free(pod->containers);
    free(pod);
}

/* --- the look --- */

/* Until when its containers may take to end; fixed when it begins to leave, and shortened only. */
static void see_leaving(struct pod *pod, const struct json *object)
{
    int64_t seconds = 30;
    const struct json *deleted = json_at(object, "metadata.deletionTimestamp");
    (void)json_to_i64(json_at(object, "spec.terminationGracePeriodSeconds"), &seconds);
    if (deleted != NULL)
        (void)json_to_i64(json_at(object, "metadata.deletionGracePeriodSeconds"), &seconds);
    if (pod->gone && !pod->leaving && deleted == NULL)
        seconds = 0; /* Taken out of the API by force. */
    if (deleted == NULL && !pod->gone && pod->phase == NULL)
        return;
    msec_t end_ms = pod_now(pod) + seconds * 1000;
    if (!pod->leaving || end_ms < pod->leave_ms)
        pod->leave_ms = end_ms;
    pod->leaving = true;
}

/* When its time is over; 0: it has all the time there is. Past it the pod has failed. */
static msec_t see_deadline(struct pod *pod, const struct json *object, struct pod_view *view)
{
    static const char words[] = "Pod was active on the node longer than the specified deadline";
    int64_t seconds;
    msec_t passed_ms = loop_wall_ms(pod->pods->host.loop) - pod->start_ms;
    if (pod->phase != NULL || view->over ||
        !json_to_i64(json_at(object, "spec.activeDeadlineSeconds"), &seconds))
        return 0;
    if (seconds * 1000 > passed_ms)
        return view->now_ms + seconds * 1000 - passed_ms;
    pod->phase = "Failed";
    pod->reason = "DeadlineExceeded";
    pod->message = strdup(words);
    MUST(pod->message != NULL);
    pod_event(pod, false, "DeadlineExceeded", "%s", words);
    see_leaving(pod, object);
    view->leaving = pod->leaving;
    pod_plan(view);
    return 0;
}

static void act(struct pod *pod, const struct json *object)
{
    for (size_t i = 0; i < pod->n; i++) {
        struct container *c = pod->containers[i];
        if (c->doing == DOING_NOTHING && pod->units[i].step == STEP_START)
            container_start(c, object);
        else if (pod->units[i].step == STEP_STOP || pod->units[i].state == UNIT_STOPPING)
            container_stop(c, object);
    }
}

/* One stage on, if it is time. Returns when to look again; 0: when something happens. */
static msec_t move(struct pod *pod, const struct json *object, const struct pod_view *view)
{
    bool ends = view->leaving || view->over;
    switch (pod->stage) {
    case POD_NEW:
        if (ends && view->quiet && all_clean(pod))
            clear_all(pod);
        else if (!ends && ground_due(pod) <= view->now_ms)
            ground_up(pod, object);
        return ends ? 0 : ground_due(pod);
    case POD_GROUNDED:
        if (ends && view->quiet && all_clean(pod))
            clear_all(pod);
        return 0;
    case POD_CLEARED:
        if (pod->gone)
            pod->stage = POD_FORGOTTEN;
        else if (json_at(object, "metadata.deletionTimestamp") != NULL)
            forget(pod);
        return 0;
    case POD_GROUNDING:
    case POD_CLEARING:
    case POD_FORGETTING:
    case POD_FORGOTTEN:
        return 0;
    }
    return 0;
}

static void again(struct timer *timer)
{
    pod_sync(CONTAINER_OF(timer, struct pod, timer));
}

static msec_t sooner(msec_t a, msec_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static msec_t kills_due(const struct pod *pod)
{
    msec_t due_ms = 0;
    for (size_t i = 0; i < pod->n; i++)
        if (pod->units[i].state == UNIT_STOPPING && !pod->containers[i]->kill_sent)
            due_ms = sooner(due_ms, pod->containers[i]->kill_ms);
    return due_ms;
}

static void look(struct post *post)
{
    struct pod *pod = CONTAINER_OF(post, struct pod, soon);
    AUTO(arena_done) struct arena arena = {0};
    const struct json *object = pod_tree(pod, &arena);
    pod->syncing = false;
    see_leaving(pod, object);
    struct pod_view view = {.units = pod->units,
                            .n = pod->n,
                            .policy = policy_of(object),
                            .leaving = pod->leaving,
                            .ground = pod->stage == POD_GROUNDED,
                            .now_ms = pod_now(pod)};
    pod_plan(&view);
    msec_t due_ms = see_deadline(pod, object, &view);
    act(pod, object);
    pod_plan(&view); /* As it is now that things were begun. */
    due_ms = sooner(due_ms, sooner(move(pod, object, &view), kills_due(pod)));
    pod_report(pod, object, &view);
    due_ms = sooner(due_ms, view.again_ms);
    if (pod->stage == POD_FORGOTTEN && !pod->is_reporting && !pod->syncing) {
        const struct pod_host *host = &pod->pods->host;
        host->gone(host->self, str_from_z(pod->ns), str_from_z(pod->name), str_from_z(pod->uid));
        pod_free(pod);
        return;
    }
    if (due_ms > 0)
        timer_set(pod->pods->host.loop, &pod->timer,
                  due_ms > view.now_ms ? due_ms - view.now_ms : 1, again);
}

void pod_sync(struct pod *pod)
{
    if (pod->syncing)
        return;
    pod->syncing = true;
    pod->soon.run = look;
    loop_later(pod->pods->host.loop, &pod->soon);
}
