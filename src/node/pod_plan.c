/* pod_plan.c - first how far the pod has come, then each container by itself. */
#include "node/pod_plan.h"

msec_t backoff_due_ms(const struct backoff *backoff, msec_t ended_ms)
{
    bool calm = ended_ms - backoff->since_ms > (msec_t)2 * BACKOFF_MAX_MS;
    return backoff->delay_ms == 0 || calm ? ended_ms : ended_ms + backoff->delay_ms;
}

void backoff_next(struct backoff *backoff, msec_t ended_ms, msec_t now_ms)
{
    bool calm = ended_ms - backoff->since_ms > (msec_t)2 * BACKOFF_MAX_MS;
    if (backoff->delay_ms == 0 || calm)
        backoff->delay_ms = BACKOFF_FIRST_MS;
    else
        backoff->delay_ms *= 2;
    if (backoff->delay_ms > BACKOFF_MAX_MS)
        backoff->delay_ms = BACKOFF_MAX_MS;
    backoff->since_ms = now_ms;
}

static bool alive(const struct unit *unit)
{
    return unit->state == UNIT_STARTING || unit->state == UNIT_RUNNING ||
           unit->state == UNIT_STOPPING;
}

/* Will this exit be followed by another run? */
static bool runs_again(const struct pod_view *view, const struct unit *unit)
{
    bool failed = unit->exit_code != 0;
    switch (unit->kind) {
    case UNIT_SIDECAR:
        return true;
    case UNIT_EPHEMERAL:
        return false;
    case UNIT_INIT: /* "Always" means until it succeeds. */
        return failed && view->policy != RESTART_NEVER;
    case UNIT_MAIN:
        return view->policy == RESTART_ALWAYS || (view->policy == RESTART_ON_FAILURE && failed);
    }
    return false;
}

static bool init_failed(const struct pod_view *view)
{
    for (size_t i = 0; i < view->n; i++) {
        const struct unit *unit = &view->units[i];
        if (unit->kind == UNIT_INIT && unit->state == UNIT_EXITED && unit->exit_code != 0 &&
            !runs_again(view, unit))
            return true;
    }
    return false;
}

/* A main that was run once is proof that all before it was done. */
static bool any_main_was_run(const struct pod_view *view)
{
    for (size_t i = 0; i < view->n; i++)
        if (view->units[i].kind == UNIT_MAIN &&
            (view->units[i].state != UNIT_NEVER || view->units[i].failed))
            return true;
    return false;
}

/* The first of the init containers that is not done; n: all are. */
static size_t first_undone(const struct pod_view *view)
{
    for (size_t i = 0; i < view->n; i++) {
        const struct unit *unit = &view->units[i];
        if (unit->kind == UNIT_INIT && !(unit->state == UNIT_EXITED && unit->exit_code == 0))
            return i;
        if (unit->kind == UNIT_SIDECAR && !(unit->state == UNIT_RUNNING && unit->started))
            return i;
    }
    return view->n;
}

static bool mains_over(const struct pod_view *view)
{
    for (size_t i = 0; i < view->n; i++) {
        const struct unit *unit = &view->units[i];
        if (unit->kind == UNIT_MAIN && (unit->state != UNIT_EXITED || runs_again(view, unit)))
            return false;
    }
    return true;
}

/* A sidecar may end when nothing needs it: no main and no later sidecar. */
static bool needed(const struct pod_view *view, size_t at)
{
    for (size_t i = 0; i < view->n; i++) {
        const struct unit *unit = &view->units[i];
        bool later = unit->kind == UNIT_MAIN || (unit->kind == UNIT_SIDECAR && i > at);
        if (later && alive(unit))
            return true;
    }
    return false;
}

static void wind_down(struct pod_view *view)
{
    for (size_t i = 0; i < view->n; i++) {
        struct unit *unit = &view->units[i];
        bool wait = unit->kind == UNIT_SIDECAR && needed(view, i);
        if (unit->state == UNIT_RUNNING && !wait)
            unit->step = STEP_STOP;
    }
}

static void look_again(struct pod_view *view, msec_t at_ms)
{
    if (view->again_ms == 0 || at_ms < view->again_ms)
        view->again_ms = at_ms;
}

static void start(struct pod_view *view, struct unit *unit)
{
    bool waits_for_itself = unit->state == UNIT_EXITED || unit->failed;
    msec_t due_ms = waits_for_itself ? backoff_due_ms(&unit->backoff, unit->ended_ms) : 0;
    if (!view->ground)
        return;
    if (due_ms <= view->now_ms) {
        unit->step = STEP_START;
        return;
    }
    unit->waits = true;
    look_again(view, due_ms);
}

static void go_on(struct pod_view *view, size_t undone)
{
    for (size_t i = 0; i < view->n; i++) {
        struct unit *unit = &view->units[i];
        bool before_mains = unit->kind == UNIT_INIT || unit->kind == UNIT_SIDECAR;
        if (unit->state == UNIT_RUNNING && unit->unhealthy)
            unit->step = STEP_STOP;
        if (alive(unit))
            continue;
        if (unit->kind == UNIT_INIT ? i != undone : before_mains && i > undone)
            continue; /* Done, or it is not its turn. */
        if (unit->kind == UNIT_MAIN && !view->initialized)
            continue;
        if (unit->state == UNIT_NEVER || runs_again(view, unit))
            start(view, unit);
    }
}

void pod_plan(struct pod_view *view)
{
    bool proof = any_main_was_run(view);
    size_t undone = proof ? view->n : first_undone(view);
    view->initialized = undone == view->n;
    view->over = init_failed(view) || mains_over(view);
    view->quiet = true;
    view->again_ms = 0;
    for (size_t i = 0; i < view->n; i++) {
        view->units[i].step = STEP_NONE;
        view->units[i].waits = false;
        view->quiet = view->quiet && !alive(&view->units[i]);
    }
    if (view->leaving || view->over)
        wind_down(view);
    else
        go_on(view, undone);
}

struct tally {
    size_t waiting, running, stopped, succeeded;
};

static struct tally tally_of(const struct pod_view *view)
{
    struct tally tally = {0};
    for (size_t i = 0; i < view->n; i++) {
        const struct unit *unit = &view->units[i];
        if (unit->kind != UNIT_MAIN)
            continue;
        switch (unit->state) {
        case UNIT_NEVER:
        case UNIT_STARTING: /* Between two runs it counts as stopped. */
            tally.waiting += !unit->ran;
            tally.stopped += unit->ran;
            break;
        case UNIT_RUNNING:
        case UNIT_STOPPING:
            tally.running++;
            break;
        case UNIT_EXITED:
            tally.stopped++;
            tally.succeeded += unit->exit_code == 0;
            break;
        }
    }
    return tally;
}

const char *pod_phase(const struct pod_view *view)
{
    struct tally tally = tally_of(view);
    bool ended = (view->over || view->leaving) && view->quiet;
    if (init_failed(view))
        return "Failed";
    if (ended)
        return tally.waiting == 0 && tally.succeeded == tally.stopped ? "Succeeded" : "Failed";
    if (!view->initialized || tally.waiting > 0)
        return "Pending";
    return "Running";
}
