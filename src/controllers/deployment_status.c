/* deployment_status.c - sums of its ReplicaSets, and three conditions. */
#include "controllers/deployment_status.h"

#include "controllers/pods.h"
#include "kube/meta.h"

static int64_t sum(const struct deployment_view *view, const char *path)
{
    int64_t n = 0;
    for (size_t i = 0; i < view->n; i++)
        n += json_number(view->sets[i], path, 0);
    return n;
}

static void put(struct json *status, const char *name, int64_t n, struct arena *arena)
{
    if (n > 0)
        json_add(status, str_from_z(name), json_int(arena, n));
}

struct say {
    const char *type, *status, *reason;
    str_t message;
    bool again; /* It was said before, and is news all the same: progress. */
};

static void say(struct json *status, const struct say *say, msec_t wall_ms, struct arena *arena)
{
    struct json *is = condition_of(status, say->type), *conditions;
    str_t now = time_text(wall_ms, arena), since = now;
    if (is != NULL && str_eq(json_get_text(is, STR("status")), str_from_z(say->status))) {
        since = json_get_text(is, STR("lastTransitionTime"));
        if (!say->again && str_eq(json_get_text(is, STR("reason")), str_from_z(say->reason)))
            return;
    }
    if ((conditions = json_get(status, STR("conditions"))) == NULL)
        json_add(status, STR("conditions"), conditions = json_array(arena));
    if (is == NULL)
        json_add(conditions, STR(""), is = json_object(arena));
    json_set(is, STR("type"), json_string(arena, str_from_z(say->type)));
    json_set(is, STR("status"), json_string(arena, str_from_z(say->status)));
    json_set(is, STR("lastUpdateTime"), json_string(arena, now));
    json_set(is, STR("lastTransitionTime"), json_string(arena, since));
    json_set(is, STR("reason"), json_string(arena, str_from_z(say->reason)));
    json_set(is, STR("message"), json_string(arena, say->message));
}

bool deployment_is_complete(const struct json *object, const struct json *status)
{
    int64_t wanted = json_number(object, "spec.replicas", 1);
    return json_number(status, "updatedReplicas", 0) == wanted &&
           json_number(status, "replicas", 0) == wanted &&
           json_number(status, "availableReplicas", 0) == wanted;
}

static bool progresses(const struct json *was, const struct json *is)
{
    int64_t updated = json_number(is, "updatedReplicas", 0);
    int64_t updated_then = json_number(was, "updatedReplicas", 0);
    return updated > updated_then ||
           json_number(is, "replicas", 0) - updated <
               json_number(was, "replicas", 0) - updated_then ||
           json_number(is, "readyReplicas", 0) > json_number(was, "readyReplicas", 0) ||
           json_number(is, "availableReplicas", 0) > json_number(was, "availableReplicas", 0);
}

/* How long until the deadline; <= 0: it has passed. INT64_MAX: there is none. */
static msec_t time_left(const struct deployment_view *view, const struct json *progressing)
{
    msec_t since_ms;
    int64_t deadline_s = json_number(view->object, "spec.progressDeadlineSeconds", INT32_MAX);
    if (progressing == NULL || deadline_s >= INT32_MAX ||
        str_eq(json_get_text(progressing, STR("reason")), STR("NewReplicaSetAvailable")) ||
        json_is_true(json_at(view->object, "spec.paused")) ||
        !time_parse(json_get_text(progressing, STR("lastUpdateTime")), &since_ms))
        return INT64_MAX;
    return since_ms + deadline_s * 1000 - view->wall_ms;
}

static void say_progress(const struct deployment_view *view, const struct json *was,
                         struct json *status, msec_t *again_ms, struct arena *arena)
{
    const struct json *current = condition_of(status, "Progressing");
    str_t reason = json_get_text(current, STR("reason"));
    bool has_newest = view->newest < view->n;
    const struct json *named = has_newest ? view->sets[view->newest] : view->object;
    str_t name = json_text(json_at(named, "metadata.name"), STR(""));
    const char *what = has_newest ? "ReplicaSet" : "Deployment";
    if (json_number(status, "replicas", 0) == json_number(status, "updatedReplicas", 0) &&
        str_eq(reason, STR("NewReplicaSetAvailable")) && !progresses(was, status))
        return;
    struct say it = {.type = "Progressing", .status = "True"};
    if (deployment_is_complete(view->object, status) && has_newest) {
        it.reason = "NewReplicaSetAvailable";
        it.message =
            arena_printf(arena, "%s \"" STR_F "\" has successfully progressed.", what, STR_A(name));
        say(status, &it, view->wall_ms, arena);
        return;
    }
    msec_t left_ms = time_left(view, current);
    if (progresses(was, status)) {
        it.reason = "ReplicaSetUpdated";
        it.message = arena_printf(arena, "%s \"" STR_F "\" is progressing.", what, STR_A(name));
        it.again = true;
        say(status, &it, view->wall_ms, arena);
        left_ms = time_left(view, condition_of(status, "Progressing"));
    } else if (left_ms <= 0) {
        it.status = "False";
        it.reason = "ProgressDeadlineExceeded";
        it.message =
            arena_printf(arena, "%s \"" STR_F "\" has timed out progressing.", what, STR_A(name));
        say(status, &it, view->wall_ms, arena);
    }
    *again_ms = left_ms > 0 && left_ms < INT64_MAX ? left_ms : 0;
}

static void say_paused(const struct deployment_view *view, struct json *status, struct arena *arena)
{
    str_t reason = json_get_text(condition_of(status, "Progressing"), STR("reason"));
    bool paused = json_is_true(json_at(view->object, "spec.paused"));
    struct say it = {"Progressing", "Unknown", "DeploymentPaused", STR("Deployment is paused"),
                     false};
    if (paused && !str_eq(reason, STR("ProgressDeadlineExceeded")))
        say(status, &it, view->wall_ms, arena);
    it = (struct say){"Progressing", "Unknown", "DeploymentResumed", STR("Deployment is resumed"),
                      false};
    if (!paused && str_eq(reason, STR("DeploymentPaused")))
        say(status, &it, view->wall_ms, arena);
}

/* A failure of its newest ReplicaSet, or of any, is its own. */
static void say_failure(const struct deployment_view *view, struct json *status,
                        struct arena *arena)
{
    const struct json *failure = NULL;
    struct json *kept = json_array(arena);
    for (size_t i = 0; i < view->n; i++)
        if (condition_of(json_get(view->sets[i], STR("status")), "ReplicaFailure") != NULL &&
            (failure == NULL || i == view->newest))
            failure = condition_of(json_get(view->sets[i], STR("status")), "ReplicaFailure");
    if (failure == NULL && condition_of(status, "ReplicaFailure") == NULL)
        return;
    JSON_EACH(json_get(status, STR("conditions")), each)
    if (!str_eq(json_get_text(each, STR("type")), STR("ReplicaFailure")))
        json_add(kept, STR(""), json_clone(each, arena));
    if (failure != NULL) {
        struct json *copy = json_clone(failure, arena);
        json_set(copy, STR("lastUpdateTime"),
                 json_string(arena, json_get_text(failure, STR("lastTransitionTime"))));
        json_add(kept, STR(""), copy);
    }
    json_set(status, STR("conditions"), kept);
}

struct json *deployment_status(const struct deployment_view *view, msec_t *again_ms,
                               struct arena *arena)
{
    const struct json *was = json_get(view->object, STR("status"));
    const struct json *conditions = json_get(was, STR("conditions"));
    struct json *status = json_object(arena);
    int64_t available = sum(view, "status.availableReplicas");
    int64_t missing = sum(view, "spec.replicas") - available;
    int64_t enough = json_number(view->object, "spec.replicas", 1) - view->unavailable_max;
    put(status, "observedGeneration", json_number(view->object, "metadata.generation", 0), arena);
    put(status, "replicas", sum(view, "status.replicas"), arena);
    if (view->newest < view->n)
        put(status, "updatedReplicas", json_number(view->sets[view->newest], "status.replicas", 0),
            arena);
    put(status, "readyReplicas", sum(view, "status.readyReplicas"), arena);
    put(status, "availableReplicas", available, arena);
    put(status, "unavailableReplicas", missing, arena);
    if (conditions != NULL)
        json_add(status, STR("conditions"), json_clone(conditions, arena));
    put(status, "collisionCount", view->collisions, arena);
    struct say it = {"Available", "True", "MinimumReplicasAvailable",
                     STR("Deployment has minimum availability."), false};
    if (available < enough)
        it = (struct say){"Available", "False", "MinimumReplicasUnavailable",
                          STR("Deployment does not have minimum availability."), false};
    say(status, &it, view->wall_ms, arena);
    say_paused(view, status, arena);
    if (condition_of(status, "Progressing") == NULL && view->newest < view->n) {
        str_t name = json_text(json_at(view->sets[view->newest], "metadata.name"), STR(""));
        it = (struct say){"Progressing", "True", "NewReplicaSetCreated",
                          arena_printf(arena, "Created new replica set \"" STR_F "\"", STR_A(name)),
                          false};
        say(status, &it, view->wall_ms, arena);
    }
    if (!json_is_true(json_at(view->object, "spec.paused")))
        say_progress(view, was, status, again_ms, arena);
    say_failure(view, status, arena);
    return status;
}
