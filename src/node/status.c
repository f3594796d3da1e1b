/* status.c - conditions, then a row for each container. */
#include "node/status.h"

#include "kube/meta.h"

#include <stdlib.h>
#include <string.h>

void run_done(struct run *run)
{
    free(run->message);
    *run = (struct run){0};
}

void container_facts_done(struct container_facts *facts)
{
    free(facts->name);
    free(facts->image);
    free(facts->image_id);
    free(facts->why);
    run_done(&facts->ended);
    run_done(&facts->last);
}

static struct json *text(struct arena *arena, const char *z)
{
    return json_string(arena, str_from_z(z));
}

static struct json *time_of(int64_t ms, struct arena *arena)
{
    return ms == 0 ? json_null(arena) : json_string(arena, time_text(ms, arena));
}

/* --- conditions --- */

struct verdict {
    bool is;
    const char *reason;
    str_t message;
};

static const struct json *condition_in(const struct json *status, str_t type)
{
    JSON_EACH(json_get(status, STR("conditions")), condition)
    if (str_eq(json_get_text(condition, STR("type")), type))
        return condition;
    return NULL;
}

static void add_condition(const struct pod_facts *facts, struct json *list, const char *type,
                          const struct verdict *verdict, struct arena *arena)
{
    const char *is = verdict->is ? "True" : "False";
    const struct json *before = condition_in(facts->before, str_from_z(type));
    const struct json *since = json_get(before, STR("lastTransitionTime"));
    bool same = str_eq(json_get_text(before, STR("status")), str_from_z(is));
    struct json *out = json_object(arena);
    json_add(out, STR("type"), text(arena, type));
    json_add(out, STR("status"), text(arena, is));
    json_add(out, STR("lastProbeTime"), json_null(arena));
    json_add(out, STR("lastTransitionTime"),
             same && since != NULL ? json_clone(since, arena) : time_of(facts->now_ms, arena));
    if (verdict->reason != NULL)
        json_add(out, STR("reason"), text(arena, verdict->reason));
    if (verdict->message.len > 0)
        json_add(out, STR("message"), json_string(arena, verdict->message));
    json_add(list, STR(""), out);
}

static bool is_init(enum unit_kind kind)
{
    return kind == UNIT_INIT || kind == UNIT_SIDECAR;
}

/* "[a b]": those for which `fine` is false. */
static str_t names(const struct pod_facts *facts,
                   bool (*fine)(const struct pod_facts *facts, size_t i), struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    for (size_t i = 0; i < facts->view->n; i++)
        if (!fine(facts, i))
            buf_printf(&out, "%s%s", out.len > 0 ? " " : "", facts->containers[i].name);
    return arena_printf(arena, "[" STR_F "]", STR_A(buf_str(&out)));
}

static bool init_fine(const struct pod_facts *facts, size_t i)
{
    const struct unit *unit = &facts->view->units[i];
    if (unit->kind == UNIT_INIT)
        return unit->state == UNIT_EXITED && unit->exit_code == 0;
    return unit->kind != UNIT_SIDECAR || (unit->state == UNIT_RUNNING && unit->started);
}

static bool ready_fine(const struct pod_facts *facts, size_t i)
{
    const struct unit *unit = &facts->view->units[i];
    return unit->kind == UNIT_INIT || unit->kind == UNIT_EPHEMERAL ||
           (unit->state == UNIT_RUNNING && facts->containers[i].ready);
}

static struct verdict initialized(const struct pod_facts *facts, str_t phase, struct arena *arena)
{
    if (str_eq(phase, STR("Succeeded")))
        return (struct verdict){.is = true, .reason = "PodCompleted"};
    if (facts->view->initialized)
        return (struct verdict){.is = true};
    return (struct verdict){.reason = "ContainersNotInitialized",
                            .message =
                                arena_printf(arena, "containers with incomplete status: " STR_F,
                                             STR_A(names(facts, init_fine, arena)))};
}

static struct verdict containers_ready(const struct pod_facts *facts, str_t phase,
                                       struct arena *arena)
{
    bool all = true;
    if (str_eq(phase, STR("Succeeded")))
        return (struct verdict){.reason = "PodCompleted"};
    if (str_eq(phase, STR("Failed")))
        return (struct verdict){.reason = "PodFailed"};
    for (size_t i = 0; i < facts->view->n; i++)
        all = all && ready_fine(facts, i);
    if (all)
        return (struct verdict){.is = true};
    return (struct verdict){.reason = "ContainersNotReady",
                            .message = arena_printf(arena, "containers with unready status: " STR_F,
                                                    STR_A(names(facts, ready_fine, arena)))};
}

/* Others may have a say in it: readinessGates name their conditions. */
static struct verdict ready(const struct pod_facts *facts, const struct verdict *containers,
                            struct arena *arena)
{
    AUTO(buf_done) struct buf why = {0};
    const struct json *status = json_get(facts->pod, STR("status"));
    if (!containers->is)
        return *containers;
    JSON_EACH(json_at(facts->pod, "spec.readinessGates"), gate)
    {
        str_t type = json_get_text(gate, STR("conditionType"));
        const struct json *condition = condition_in(status, type);
        str_t is = json_get_text(condition, STR("status"));
        if (str_eq(is, STR("True")))
            continue;
        buf_printf(&why, "%s", why.len > 0 ? ", " : "");
        if (condition == NULL)
            buf_printf(
                &why, "corresponding condition of pod readiness gate \"" STR_F "\" does not exist.",
                STR_A(type));
        else
            buf_printf(&why,
                       "the status of pod readiness gate \"" STR_F "\" is not \"True\", but " STR_F,
                       STR_A(type), STR_A(is));
    }
    if (why.len == 0)
        return (struct verdict){.is = true};
    return (struct verdict){.reason = "ReadinessGatesNotReady",
                            .message = arena_str(arena, buf_str(&why))};
}

static bool is_ours(str_t type)
{
    static const str_t ours[] = {STR("PodReadyToStartContainers"), STR("Initialized"), STR("Ready"),
                                 STR("ContainersReady")};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (str_eq(type, ours[i]))
            return true;
    return false;
}

static struct json *conditions_of(const struct pod_facts *facts, str_t phase, struct arena *arena)
{
    struct json *list = json_array(arena);
    bool over = str_eq(phase, STR("Succeeded")) || str_eq(phase, STR("Failed"));
    struct verdict ground = {.is = facts->ground && !over};
    struct verdict init = initialized(facts, phase, arena);
    struct verdict containers = containers_ready(facts, phase, arena);
    struct verdict all = ready(facts, &containers, arena);
    add_condition(facts, list, "PodReadyToStartContainers", &ground, arena);
    add_condition(facts, list, "Initialized", &init, arena);
    add_condition(facts, list, "Ready", &all, arena);
    add_condition(facts, list, "ContainersReady", &containers, arena);
    JSON_EACH(json_at(facts->pod, "status.conditions"), other)
    if (!is_ours(json_get_text(other, STR("type"))))
        json_add(list, STR(""), json_clone(other, arena));
    if (condition_in(json_get(facts->pod, STR("status")), STR("PodScheduled")) == NULL)
        add_condition(facts, list, "PodScheduled", &(struct verdict){.is = true}, arena);
    return list;
}

/* --- containers --- */

static struct json *container_id(const char *id, struct arena *arena)
{
    return json_string(arena, arena_printf(arena, "davy://%s", id));
}

static struct json *terminated(const struct run *run, struct arena *arena)
{
    struct json *out = json_object(arena), *state = json_object(arena);
    json_add(out, STR("exitCode"), json_int(arena, run->code));
    if (run->signal != 0)
        json_add(out, STR("signal"), json_int(arena, run->signal));
    json_add(out, STR("reason"), text(arena, run->reason));
    if (run->message != NULL && run->message[0] != '\0')
        json_add(out, STR("message"), text(arena, run->message));
    json_add(out, STR("startedAt"), time_of(run->started_ms, arena));
    json_add(out, STR("finishedAt"), time_of(run->finished_ms, arena));
    if (run->id[0] != '\0')
        json_add(out, STR("containerID"), container_id(run->id, arena));
    return json_add(state, STR("terminated"), out);
}

static struct json *waiting(const char *reason, const char *message, struct arena *arena)
{
    struct json *out = json_object(arena), *state = json_object(arena);
    json_add(out, STR("reason"), text(arena, reason));
    if (message != NULL)
        json_add(out, STR("message"), text(arena, message));
    return json_add(state, STR("waiting"), out);
}

static struct json *state_of(const struct pod_facts *facts, size_t i, struct arena *arena)
{
    const struct unit *unit = &facts->view->units[i];
    const struct container_facts *c = &facts->containers[i];
    bool runs = unit->state == UNIT_RUNNING || unit->state == UNIT_STOPPING;
    if (runs) {
        struct json *out = json_object(arena), *state = json_object(arena);
        json_add(out, STR("startedAt"), time_of(c->started_ms, arena));
        return json_add(state, STR("running"), out);
    }
    if (unit->state == UNIT_EXITED && !unit->waits)
        return terminated(&c->ended, arena);
    if (c->waiting != NULL)
        return waiting(c->waiting, c->why, arena);
    if (unit->kind == UNIT_MAIN && !facts->view->initialized)
        return waiting("PodInitializing", NULL, arena);
    return waiting("ContainerCreating", NULL, arena);
}

static struct json *last_state(const struct pod_facts *facts, size_t i, struct arena *arena)
{
    const struct unit *unit = &facts->view->units[i];
    const struct container_facts *c = &facts->containers[i];
    if (unit->state == UNIT_EXITED && unit->waits)
        return terminated(&c->ended, arena);
    return c->has_last ? terminated(&c->last, arena) : json_object(arena);
}

static const struct json *spec_of(const struct json *pod, const char *name)
{
    static const char *const lists[] = {"spec.containers", "spec.initContainers",
                                        "spec.ephemeralContainers"};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        JSON_EACH(json_at(pod, lists[i]), container)
    if (str_eq(json_get_text(container, STR("name")), str_from_z(name)))
        return container;
    return NULL;
}

static struct json *mounts_of(const struct json *spec, struct arena *arena)
{
    struct json *list = json_array(arena);
    JSON_EACH(json_get(spec, STR("volumeMounts")), mount)
    {
        bool read_only = json_is_true(json_get(mount, STR("readOnly")));
        struct json *out = json_object(arena);
        json_add(out, STR("name"), json_string(arena, json_get_text(mount, STR("name"))));
        json_add(out, STR("mountPath"), json_string(arena, json_get_text(mount, STR("mountPath"))));
        if (read_only) {
            json_add(out, STR("readOnly"), json_bool(arena, true));
            json_add(out, STR("recursiveReadOnly"),
                     json_string(arena, json_text(json_get(mount, STR("recursiveReadOnly")),
                                                  STR("Disabled"))));
        }
        json_add(list, STR(""), out);
    }
    return list;
}

static struct json *row(const struct pod_facts *facts, size_t i, struct arena *arena)
{
    const struct unit *unit = &facts->view->units[i];
    const struct container_facts *c = &facts->containers[i];
    struct json *out = json_object(arena);
    struct json *mounts = mounts_of(spec_of(facts->pod, c->name), arena);
    bool runs = unit->state == UNIT_RUNNING;
    bool ready = runs && c->ready;
    if (unit->kind == UNIT_INIT)
        ready = unit->state == UNIT_EXITED && unit->exit_code == 0;
    if (unit->kind == UNIT_EPHEMERAL)
        ready = false;
    if (c->id[0] != '\0')
        json_add(out, STR("containerID"), container_id(c->id, arena));
    json_add(out, STR("image"), text(arena, c->image != NULL ? c->image : ""));
    json_add(out, STR("imageID"), text(arena, c->image_id != NULL ? c->image_id : ""));
    json_add(out, STR("lastState"), last_state(facts, i, arena));
    json_add(out, STR("name"), text(arena, c->name));
    json_add(out, STR("ready"), json_bool(arena, ready));
    json_add(out, STR("restartCount"), json_int(arena, c->restarts));
    json_add(out, STR("started"), json_bool(arena, runs && unit->started));
    json_add(out, STR("state"), state_of(facts, i, arena));
    if (json_first(mounts) != NULL)
        json_add(out, STR("volumeMounts"), mounts);
    return out;
}

static bool in_list(enum unit_kind kind, enum unit_kind list)
{
    return list == UNIT_INIT ? is_init(kind) : kind == list;
}

static int by_name(const void *a, const void *b)
{
    const struct json *const *x = a, *const *y = b;
    return str_cmp(json_get_text(*x, STR("name")), json_get_text(*y, STR("name")));
}

static void add_rows(const struct pod_facts *facts, enum unit_kind list, const char *field,
                     struct json *status, struct arena *arena)
{
    size_t n = 0;
    struct json **rows = arena_array(arena, struct json *, facts->view->n + 1);
    struct json *out = json_array(arena);
    for (size_t i = 0; i < facts->view->n; i++)
        if (in_list(facts->view->units[i].kind, list))
            rows[n++] = row(facts, i, arena);
    if (list == UNIT_MAIN && n > 1)
        qsort(rows, n, sizeof(struct json *), by_name);
    for (size_t i = 0; i < n; i++)
        json_add(out, STR(""), rows[i]);
    if (n > 0)
        json_add(status, str_from_z(field), out);
}

/* --- the whole --- */

static void add_ips(struct json *status, const char *one, const char *all, str_t ip,
                    struct arena *arena)
{
    if (ip.len == 0)
        return;
    struct json *item = json_object(arena), *list = json_array(arena);
    json_add(item, STR("ip"), json_string(arena, ip));
    json_add(status, str_from_z(one), json_string(arena, ip));
    json_add(status, str_from_z(all), json_add(list, STR(""), item));
}

struct json *status_make(const struct pod_facts *facts, struct arena *arena)
{
    str_t phase = str_from_z(facts->phase != NULL ? facts->phase : pod_phase(facts->view));
    const struct json *old = json_get(facts->pod, STR("status"));
    struct json *status = json_object(arena);
    json_add(status, STR("phase"), json_string(arena, phase));
    json_add(status, STR("conditions"), conditions_of(facts, phase, arena));
    if (facts->message.len > 0)
        json_add(status, STR("message"), json_string(arena, facts->message));
    if (facts->reason != NULL)
        json_add(status, STR("reason"), text(arena, facts->reason));
    add_ips(status, "hostIP", "hostIPs", facts->host_ip, arena);
    add_ips(status, "podIP", "podIPs", facts->pod_ip, arena);
    json_add(status, STR("startTime"), time_of(facts->start_ms, arena));
    add_rows(facts, UNIT_INIT, "initContainerStatuses", status, arena);
    add_rows(facts, UNIT_MAIN, "containerStatuses", status, arena);
    add_rows(facts, UNIT_EPHEMERAL, "ephemeralContainerStatuses", status, arena);
    str_t class = json_get_text(old, STR("qosClass"));
    if (class.len > 0)
        json_add(status, STR("qosClass"), json_string(arena, class));
    return status;
}

bool status_is_ready(const struct json *status)
{
    return str_eq(json_get_text(condition_in(status, STR("Ready")), STR("status")), STR("True"));
}
