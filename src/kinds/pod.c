/* pod.c - Pod: containers that run together; what may change later, and how kubectl shows it. */
#include "kinds/columns.h"
#include "kinds/container.h"
#include "kinds/kinds.h"
#include "kinds/pod_spec.h"
#include "kinds/tables.h"

/* --- quality of service: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ --- */

static bool is_guaranteed(const struct json *container)
{
    static const char *const both[] = {"cpu", "memory"};
    const struct json *limits = json_at(container, "resources.limits");
    const struct json *requests = json_at(container, "resources.requests");
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        const struct json *limit = json_get(limits, str_from_z(both[i]));
        if (limit == NULL || !json_eq(limit, json_get(requests, str_from_z(both[i]))))
            return false;
    }
    return true;
}

static bool asks(const struct json *container)
{
    static const char *const paths[] = {"resources.limits", "resources.requests"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        const struct json *list = json_at(container, paths[i]);
        if (json_get(list, STR("cpu")) != NULL || json_get(list, STR("memory")) != NULL)
            return true;
    }
    return false;
}

static const char *qos_class(const struct json *spec)
{
    static const char *const lists[] = {"initContainers", "containers"};
    bool guaranteed = true, any = false;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        JSON_EACH(json_get(spec, str_from_z(lists[i])), container)
        {
            guaranteed = guaranteed && is_guaranteed(container);
            any = any || asks(container);
        }
    return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}

static void pod_prepare(struct json *pod, const struct json *old, struct arena *arena)
{
    struct json *spec = json_get(pod, STR("spec"));
    if (spec == NULL)
        return;
    pod_spec_defaults(spec, arena);
    static const char *const lists[] = {"containers", "initContainers"};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        JSON_EACH(json_get(spec, str_from_z(lists[i])), container)
    container_default_requests(container, arena);
    if (old != NULL)
        return;
    struct json *status = json_object(arena);
    json_add(status, STR("phase"), json_string(arena, STR("Pending")));
    json_add(status, STR("qosClass"), json_string(arena, str_from_z(qos_class(spec))));
    json_set(pod, STR("status"), status);
}

/* --- rules --- */

/* The images of `to` become those of `from`, container by container. */
static void take_images(struct json *to, const struct json *from, struct arena *arena)
{
    const struct json *other = from == NULL ? NULL : from->first;
    JSON_EACH(to, container)
    {
        const struct json *image = json_get(other, STR("image"));
        if (image != NULL)
            json_set(container, STR("image"), json_clone(image, arena));
        other = other == NULL ? NULL : other->next;
    }
}

/* The same toleration, but for how long it lasts. */
static bool is_same_toleration(const struct json *a, const struct json *b)
{
    static const char *const fields[] = {"key", "operator", "value", "effect"};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (!json_eq(json_get(a, str_from_z(fields[i])), json_get(b, str_from_z(fields[i]))))
            return false;
    return true;
}

static bool only_added(const struct json *was, const struct json *is)
{
    JSON_EACH(was, toleration)
    {
        bool found = false;
        JSON_EACH(is, each)
        if (is_same_toleration(each, toleration)) {
            found = true;
            break;
        }
        if (!found)
            return false;
    }
    return true;
}

/* Of a pod that nobody may place yet, what it asks of nodes may grow. */
static void allow_more_labels(struct json *allowed, const struct json *spec, const struct json *old,
                              struct arena *arena)
{
    struct json *wants = json_get(spec, STR("nodeSelector"));
    bool grown = wants != NULL && json_first(json_get(old, STR("schedulingGates"))) != NULL;
    JSON_EACH(json_get(old, STR("nodeSelector")), label)
    grown =
        grown && json_get(wants, label->key) != NULL && json_eq(label, json_get(wants, label->key));
    if (grown)
        json_set(allowed, STR("nodeSelector"), json_clone(wants, arena));
}

static bool has_named(const struct json *list, str_t name)
{
    JSON_EACH(list, item)
    if (str_eq(json_get_text(item, STR("name")), name))
        return true;
    return false;
}

/* Gates are opened one by one and never closed again. */
static void check_gates_update(const struct json *spec, const struct json *old,
                               struct field_errors *errors)
{
    const struct json *was = json_get(old, STR("schedulingGates"));
    long i = 0;
    JSON_EACH(json_get(spec, STR("schedulingGates")), gate)
    {
        str_t name = json_get_text(gate, STR("name"));
        const struct place *at = ITEM(IN(NULL, "spec"), "schedulingGates", i++);
        if (!has_named(was, name))
            rule_error(errors, FIELD_FORBIDDEN, IN(at, "name"),
                       "Forbidden: only deletion is allowed, but found new scheduling gate '" STR_F
                       "'",
                       STR_A(name));
    }
}

/* A deadline may come nearer and not go away. */
static void check_deadline_update(const struct json *spec, const struct json *old,
                                  struct field_errors *errors)
{
    int64_t was = 0, is = 0;
    const struct place *at = IN(IN(NULL, "spec"), "activeDeadlineSeconds");
    if (!json_to_i64(json_get(old, STR("activeDeadlineSeconds")), &was))
        return;
    if (!json_to_i64(json_get(spec, STR("activeDeadlineSeconds")), &is))
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"null\": must not update from a positive integer to nil value");
    else if (is > was)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: %lld: must be less than or equal to previous value",
                   (long long)is);
}

/* True: the lists are as long as they were, and we can look further. */
static bool check_containers_update(const struct json *spec, const struct json *old,
                                    const char *list, struct field_errors *errors)
{
    const struct json *containers = json_get(spec, str_from_z(list));
    long i = 0;
    if (json_count(containers) != json_count(json_get(old, str_from_z(list)))) {
        rule_error(errors, FIELD_FORBIDDEN, IN(IN(NULL, "spec"), list),
                   "Forbidden: pod updates may not add or remove containers");
        return false;
    }
    JSON_EACH(containers, container)
    {
        const struct place *at = IN(ITEM(IN(NULL, "spec"), list, i++), "image");
        str_t image = json_get_text(container, STR("image"));
        if (image.len == 0)
            rule_error(errors, FIELD_REQUIRED, at, "Required value");
        else if (image.at[0] == ' ' || image.at[image.len - 1] == ' ')
            rule_error(errors, FIELD_INVALID, at,
                       "Invalid value: \"" STR_F "\": must not have leading or trailing whitespace",
                       STR_A(image));
    }
    return true;
}

static void check_update(const struct json *spec, const struct json *old,
                         struct field_errors *errors)
{
    static const char *const free_fields[] = {"activeDeadlineSeconds", "tolerations",
                                              "schedulingGates"};
    struct arena *arena = errors->arena;
    if (json_eq(spec, old) || !check_containers_update(spec, old, "containers", errors) ||
        !check_containers_update(spec, old, "initContainers", errors))
        return;
    check_deadline_update(spec, old, errors);
    if (!only_added(json_get(old, STR("tolerations")), json_get(spec, STR("tolerations"))))
        rule_error(errors, FIELD_FORBIDDEN, IN(IN(NULL, "spec"), "tolerations"),
                   "Forbidden: existing toleration can not be modified except its "
                   "tolerationSeconds");
    check_gates_update(spec, old, errors);
    struct json *allowed = json_clone(old, arena);
    take_images(json_get(allowed, STR("containers")), json_get(spec, STR("containers")), arena);
    take_images(json_get(allowed, STR("initContainers")), json_get(spec, STR("initContainers")),
                arena);
    for (size_t i = 0; i < ARRAY_LEN(free_fields); i++) {
        str_t name = str_from_z(free_fields[i]);
        const struct json *is = json_get(spec, name);
        if (is != NULL)
            json_set(allowed, name, json_clone(is, arena));
        else
            (void)json_remove(allowed, name);
    }
    allow_more_labels(allowed, spec, old, arena);
    if (!json_eq(spec, allowed))
        rule_error(errors, FIELD_FORBIDDEN, IN(NULL, "spec"),
                   "Forbidden: pod updates may not change fields other than "
                   "`spec.containers[*].image`,`spec.initContainers[*].image`,"
                   "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
                   "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if "
                   "it was previously negative)");
}

static void pod_check(const struct json *pod, const struct json *old, struct field_errors *errors)
{
    const struct json *spec = json_get(pod, STR("spec"));
    if (old != NULL) {
        check_update(spec, json_get(old, STR("spec")), errors);
        return;
    }
    pod_spec_check(spec, IN(NULL, "spec"), errors);
    if (json_count(json_get(spec, STR("ephemeralContainers"))) > 0)
        rule_error(errors, FIELD_FORBIDDEN, IN(IN(NULL, "spec"), "ephemeralContainers"),
                   "Forbidden: cannot be set on create");
    if (json_get_text(spec, STR("nodeName")).len > 0 &&
        json_count(json_get(spec, STR("schedulingGates"))) > 0)
        rule_error(errors, FIELD_FORBIDDEN, IN(IN(NULL, "spec"), "nodeName"),
                   "Forbidden: cannot be set until all schedulingGates have been cleared");
}

/* --- columns, as kubectl has always shown them --- */

struct tally {
    int64_t restarts;
    str_t last_restart; /* Its time. */
    size_t ready, total;
    str_t reason;
};

static str_t text_at(const struct json *json, const char *path)
{
    return json_text(json_at(json, path), STR(""));
}

static void count_restarts(struct tally *tally, const struct json *status)
{
    int64_t n = 0;
    (void)json_to_i64(json_get(status, STR("restartCount")), &n);
    tally->restarts += n;
    str_t when = text_at(status, "lastState.terminated.finishedAt");
    if (str_cmp(when, tally->last_restart) > 0)
        tally->last_restart = when;
}

static bool is_sidecar(const struct json *spec, str_t name)
{
    JSON_EACH(json_get(spec, STR("initContainers")), container)
    if (str_eq(json_get_text(container, STR("name")), name))
        return str_eq(json_get_text(container, STR("restartPolicy")), STR("Always"));
    return false;
}

static str_t ended_because(const struct json *terminated, const char *prefix, struct arena *arena)
{
    int64_t number = 0;
    str_t reason = json_get_text(terminated, STR("reason"));
    if (reason.len > 0)
        return arena_printf(arena, "%s" STR_F, prefix, STR_A(reason));
    if (json_to_i64(json_get(terminated, STR("signal")), &number) && number != 0)
        return arena_printf(arena, "%sSignal:%lld", prefix, (long long)number);
    (void)json_to_i64(json_get(terminated, STR("exitCode")), &number);
    return arena_printf(arena, "%sExitCode:%lld", prefix, (long long)number);
}

/* True: the pod is still at its init containers, and tally->reason says where. */
static bool initializing(const struct json *pod, struct tally *tally, struct arena *arena)
{
    const struct json *spec = json_get(pod, STR("spec"));
    size_t n = json_count(json_get(spec, STR("initContainers"))), i = 0;
    JSON_EACH(json_at(pod, "status.initContainerStatuses"), status)
    {
        int64_t code = 1;
        const struct json *terminated = json_at(status, "state.terminated");
        bool sidecar = is_sidecar(spec, json_get_text(status, STR("name")));
        str_t waiting = text_at(status, "state.waiting.reason");
        count_restarts(tally, status);
        (void)json_to_i64(json_get(terminated, STR("exitCode")), &code);
        if (sidecar && json_is_true(json_get(status, STR("started")))) {
            tally->ready += json_is_true(json_get(status, STR("ready")));
            i++;
            continue;
        }
        if (terminated != NULL && code == 0) {
            i++;
            continue;
        }
        if (terminated != NULL)
            tally->reason = ended_because(terminated, "Init:", arena);
        else if (waiting.len > 0 && !str_eq(waiting, STR("PodInitializing")))
            tally->reason = arena_printf(arena, "Init:" STR_F, STR_A(waiting));
        else
            tally->reason = arena_printf(arena, "Init:%zu/%zu", i, n);
        return true;
    }
    return false;
}

static bool has_condition(const struct json *pod, str_t type, str_t status)
{
    JSON_EACH(json_at(pod, "status.conditions"), condition)
    if (str_eq(json_get_text(condition, STR("type")), type))
        return str_eq(json_get_text(condition, STR("status")), status);
    return false;
}

static void look_at_containers(const struct json *pod, struct tally *tally, struct arena *arena)
{
    bool running = false;
    JSON_EACH(json_at(pod, "status.containerStatuses"), status)
    {
        const struct json *terminated = json_at(status, "state.terminated");
        str_t waiting = text_at(status, "state.waiting.reason");
        bool ready = json_is_true(json_get(status, STR("ready")));
        count_restarts(tally, status);
        if (waiting.len > 0)
            tally->reason = waiting;
        else if (terminated != NULL)
            tally->reason = ended_because(terminated, "", arena);
        else if (ready && json_at(status, "state.running") != NULL)
            running = true;
        tally->ready += ready && json_at(status, "state.running") != NULL;
    }
    if (running && str_eq(tally->reason, STR("Completed")))
        tally->reason =
            has_condition(pod, STR("Ready"), STR("True")) ? STR("Running") : STR("NotReady");
}

static struct tally tally_of(const struct json *pod, struct arena *arena)
{
    struct tally tally = {.total = json_count(json_at(pod, "spec.containers"))};
    str_t why = text_at(pod, "status.reason");
    JSON_EACH(json_at(pod, "spec.initContainers"), container)
    tally.total += str_eq(json_get_text(container, STR("restartPolicy")), STR("Always"));
    tally.reason = why.len > 0 ? why : text_at(pod, "status.phase");
    JSON_EACH(json_at(pod, "status.conditions"), condition)
    if (str_eq(json_get_text(condition, STR("type")), STR("PodScheduled")) &&
        str_eq(json_get_text(condition, STR("reason")), STR("SchedulingGated")))
        tally.reason = STR("SchedulingGated");
    if (!initializing(pod, &tally, arena))
        look_at_containers(pod, &tally, arena);
    if (json_at(pod, "metadata.deletionTimestamp") != NULL) {
        str_t phase = text_at(pod, "status.phase");
        if (str_eq(why, STR("NodeLost")))
            tally.reason = STR("Unknown");
        else if (!str_eq(phase, STR("Succeeded")) && !str_eq(phase, STR("Failed")))
            tally.reason = STR("Terminating");
    }
    return tally;
}

static str_t column_ready(const struct json *pod, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    struct tally tally = tally_of(pod, arena);
    return arena_printf(arena, "%zu/%zu", tally.ready, tally.total);
}

static str_t column_status(const struct json *pod, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return tally_of(pod, arena).reason;
}

static str_t column_restarts(const struct json *pod, msec_t wall_ms, struct arena *arena)
{
    struct tally tally = tally_of(pod, arena);
    if (tally.restarts == 0 || tally.last_restart.len == 0)
        return arena_printf(arena, "%lld", (long long)tally.restarts);
    return arena_printf(arena, "%lld (" STR_F " ago)", (long long)tally.restarts,
                        STR_A(age_text(tally.last_restart, wall_ms, arena)));
}

static str_t or_none(str_t text)
{
    return text.len > 0 ? text : STR("<none>");
}

static str_t column_ip(const struct json *pod, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    (void)arena;
    return or_none(text_at(pod, "status.podIP"));
}

static str_t column_node(const struct json *pod, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    (void)arena;
    return or_none(text_at(pod, "spec.nodeName"));
}

static str_t column_nominated(const struct json *pod, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    (void)arena;
    return or_none(text_at(pod, "status.nominatedNodeName"));
}

static str_t column_gates(const struct json *pod, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    const struct json *gates = json_at(pod, "spec.readinessGates");
    size_t met = 0;
    if (json_count(gates) == 0)
        return STR("<none>");
    JSON_EACH(gates, gate)
    met += has_condition(pod, json_get_text(gate, STR("conditionType")), STR("True"));
    return arena_printf(arena, "%zu/%zu", met, json_count(gates));
}

/* clang-format off */
static const struct column pod_columns[] = {
    COLUMN_NAME,
    {"Ready", "string", "", "Containers that are ready, of all.", 0, column_ready},
    {"Status", "string", "", "What it does now.", 0, column_status},
    {"Restarts", "string", "", "How often its containers were started again.", 0, column_restarts},
    COLUMN_AGE,
    {"IP", "string", "", "Its address.", 1, column_ip},
    {"Node", "string", "", "Where it runs.", 1, column_node},
    {"Nominated Node", "string", "", "Where room is being made.", 1, column_nominated},
    {"Readiness Gates", "string", "", "Gates that are met, of all.", 1, column_gates},
    {0},
};

static const struct field_selector pod_selectors[] = {
    {"spec.nodeName", NULL}, {"spec.restartPolicy", NULL}, {"spec.schedulerName", NULL},
    {"spec.serviceAccountName", NULL}, {"spec.hostNetwork", NULL}, {"status.phase", NULL},
    {"status.podIP", NULL}, {"status.nominatedNodeName", NULL}, {0},
};

static const char *const create_verb[] = {"create", NULL};
static const char *const change_verbs[] = {"get", "patch", "update", NULL};
static const char *const stream_verbs[] = {"create", "get", NULL};
static const char *const get_verb[] = {"get", NULL};
static const struct subresource pod_subresources[] = {
    {"attach", NULL, stream_verbs},
    {"binding", &kind_binding, create_verb},
    {"ephemeralcontainers", NULL, change_verbs},
    {"eviction", &kind_eviction, create_verb},
    {"exec", NULL, stream_verbs},
    {"log", NULL, get_verb},
    {"portforward", NULL, stream_verbs},
    {"proxy", NULL, stream_verbs},
    {0},
};

const struct kind kind_pod = {
    .group = "", .version = "v1", .name = "Pod", .plural = "pods", .singular = "pod",
    .shortcuts = (const char *const[]){"po", NULL}, .categories = category_all,
    .namespaced = true, .has_status = true, .schema = &pod_schema, .prepare = pod_prepare,
    .check = pod_check, .columns = pod_columns, .selectors = pod_selectors,
    .subresources = pod_subresources,
};
/* clang-format on */
