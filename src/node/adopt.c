/*
 * adopt.c - containers of an earlier life of this process, given back to their pods.
 *
 * A container's label says whose it is: "UID/NAME/RESTARTS". Of several the newest counts; those
 * that nobody asks for are removed when all pods are known. What the API remembers of containers
 * that are not here (a reboot, a lost disk) is an end that nobody saw.
 */
#include "kube/meta.h"
#include "node/pod.h"
#include "node/prober.h"

#include <stdlib.h>
#include <string.h>

struct found {
    struct map_node by_label; /* "UID/NAME/RESTARTS" */
    char *label;
    struct container_seen seen;
    char id[CONTAINER_ID_MAX + 1];
    int64_t restarts;
    bool taken;
    struct runtime_call call;
    struct pods *pods;
};

static bool label_parts(str_t label, str_t *uid, str_t *name, int64_t *restarts)
{
    str_t rest;
    return str_cut(label, '/', uid, &rest) && str_cut(rest, '/', name, &rest) &&
           str_to_i64(rest, restarts);
}

void pods_found(struct pods *pods, const struct container_seen *seen, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        str_t uid, name;
        struct found *found = calloc(1, sizeof(*found));
        MUST(found != NULL && seen[i].id.len <= CONTAINER_ID_MAX);
        found->pods = pods;
        found->seen = seen[i]; /* Its texts are the caller's: ours are beside it. */
        found->label = strndup(seen[i].label.at, seen[i].label.len);
        MUST(found->label != NULL);
        memcpy(found->id, seen[i].id.at, seen[i].id.len);
        if (!label_parts(str_from_z(found->label), &uid, &name, &found->restarts))
            found->restarts = -1;
        map_add(&pods->ids, str_from_z(found->id), &found->by_label);
    }
}

/* The newest of this container; all of it are taken out of the list of what nobody asked for. */
static struct found *newest(struct pods *pods, str_t uid, str_t name)
{
    struct found *best = NULL;
    for (size_t b = 0; b < pods->ids.n_buckets; b++)
        for (struct map_node *node = pods->ids.buckets[b]; node != NULL; node = node->next) {
            struct found *found = CONTAINER_OF(node, struct found, by_label);
            str_t its_uid, its_name;
            int64_t restarts;
            if (!label_parts(str_from_z(found->label), &its_uid, &its_name, &restarts) ||
                !str_eq(its_uid, uid) || !str_eq(its_name, name))
                continue;
            if (best == NULL || found->restarts > best->restarts)
                best = found;
        }
    return best;
}

static const struct json *status_in(const struct json *pod, const char *name)
{
    static const char *const lists[] = {"status.containerStatuses", "status.initContainerStatuses",
                                        "status.ephemeralContainerStatuses"};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        JSON_EACH(json_at(pod, lists[i]), status)
    if (str_eq(json_get_text(status, STR("name")), str_from_z(name)))
        return status;
    return NULL;
}

static int64_t time_in(const struct json *object, const char *field)
{
    msec_t ms = 0;
    (void)time_parse(json_get_text(object, str_from_z(field)), &ms);
    return ms;
}

static const char *known_reason(str_t text)
{
    static const char *const known[] = {"Completed", "OOMKilled", "ContainerStatusUnknown"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq(text, str_from_z(known[i])))
            return known[i];
    return "Error";
}

static void read_run(const struct json *terminated, struct run *run)
{
    int64_t code = 0;
    str_t id = json_get_text(terminated, STR("containerID")), scheme, rest;
    str_t message = json_get_text(terminated, STR("message"));
    (void)json_to_i64(json_get(terminated, STR("exitCode")), &code);
    *run = (struct run){.code = (int)code,
                        .started_ms = time_in(terminated, "startedAt"),
                        .finished_ms = time_in(terminated, "finishedAt"),
                        .reason = known_reason(json_get_text(terminated, STR("reason"))),
                        .message = message.len == 0 ? NULL : strndup(message.at, message.len)};
    if (str_cut(id, '/', &scheme, &rest) && rest.len > 1 && rest.len - 1 <= CONTAINER_ID_MAX)
        memcpy(run->id, rest.at + 1, rest.len - 1);
}

/* From what the API was told last. */
static void remember(struct pod *pod, size_t i, const struct json *status)
{
    struct container_facts *facts = &pod->facts[i];
    struct unit *unit = &pod->units[i];
    const struct json *last = json_at(status, "lastState.terminated");
    const struct json *now = json_at(status, "state.terminated");
    const struct json *ran = json_at(status, "state.running");
    str_t id = json_get_text(status, STR("imageID"));
    (void)json_to_i64(json_get(status, STR("restartCount")), &facts->restarts);
    if (id.len > 0)
        facts->image_id = strndup(id.at, id.len);
    if (last != NULL) {
        read_run(last, &facts->last);
        facts->has_last = unit->ran = true;
    }
    if (now == NULL && ran == NULL)
        return;
    if (now != NULL)
        read_run(now, &facts->ended);
    else /* It ran, and nothing of it is here. */
        facts->ended = (struct run){
            .code = 137,
            .reason = "ContainerStatusUnknown",
            .started_ms = time_in(ran, "startedAt"),
            .finished_ms = loop_wall_ms(pod->pods->host.loop),
            .message = strdup("The container could not be located when the pod was terminated"),
        };
    unit->state = UNIT_EXITED;
    unit->exit_code = facts->ended.code;
    unit->ended_ms = pod_now(pod);
}

static void take(struct pod *pod, size_t i, struct found *found, const struct json *object)
{
    struct container_facts *facts = &pod->facts[i];
    struct unit *unit = &pod->units[i];
    struct container *c = pod->containers[i];
    AUTO(arena_done) struct arena arena = {0};
    const struct json *container = container_in(object, facts->name);
    str_t rootfs =
        arena_printf(&arena, "%s/%s/rootfs/%s", pod->pods->host.pods_dir, pod->uid, facts->name);
    found->taken = true;
    memcpy(facts->id, found->id, sizeof(facts->id));
    c->kept = true;
    c->rootfs = strdup(rootfs.at);
    run_done(&facts->ended);
    facts->restarts = found->restarts;
    unit->state = UNIT_NEVER;
    unit->failed = true; /* Half made: it is made again. */
    switch (found->seen.state) {
    case CONTAINER_RUNNING:
        unit->state = UNIT_RUNNING;
        unit->failed = false;
        unit->started = json_get(container, STR("startupProbe")) == NULL;
        facts->started_ms = found->seen.started_at_ms;
        facts->ready = json_get(container, STR("readinessProbe")) == NULL && unit->started;
        prober_begin(c, object, container);
        return;
    case CONTAINER_EXITED:
        unit->failed = false;
        container_exited(c, &found->seen.exit);
        return;
    case CONTAINER_CREATED:
    case CONTAINER_BROKEN:
        return;
    }
}

/* Called once, before anything else is done for the pod. */
void pod_adopt(struct pod *pod, const struct json *object)
{
    msec_t start_ms;
    if (time_parse(json_text(json_at(object, "status.startTime"), STR("")), &start_ms))
        pod->start_ms = start_ms;
    for (size_t i = 0; i < pod->n; i++) {
        const struct json *status = status_in(object, pod->facts[i].name);
        struct found *found =
            newest(pod->pods, str_from_z(pod->uid), str_from_z(pod->facts[i].name));
        if (status != NULL)
            remember(pod, i, status);
        if (found != NULL)
            take(pod, i, found, object);
    }
}

/* --- what nobody asked for --- */

static void dropped(struct runtime_call *call)
{
    struct found *found = CONTAINER_OF(call, struct found, call);
    if (call->r < 0)
        log_error(found->pods->host.log, "container not removed",
                  F_STR("id", str_from_z(found->id)), F_STR("error", str_from_z(call->err.text)));
    free(found->label);
    free(found);
}

static void each_found(struct pods *pods, void (*each)(struct found *found))
{
    for (size_t b = 0; b < pods->ids.n_buckets; b++)
        while (pods->ids.buckets[b] != NULL) {
            struct found *found = CONTAINER_OF(pods->ids.buckets[b], struct found, by_label);
            map_remove(&pods->ids, &found->by_label);
            each(found);
        }
}

static void drop(struct found *found)
{
    const struct pod_host *host = &found->pods->host;
    if (found->taken) {
        free(found->label);
        free(found);
        return;
    }
    host->remove(host->self, &found->call, str_from_z(found->id), dropped);
}

static void let_go(struct found *found)
{
    free(found->label);
    free(found);
}

void pods_drop_found(struct pods *pods)
{
    each_found(pods, let_go);
}

void pods_synced(struct pods *pods)
{
    pods->synced = true;
    each_found(pods, drop);
}
