/* scheduler_status.c - conditions, bindings, victims and Events. */
#include "controllers/scheduler_status.h"

#include "control/cache.h"
#include "control/recorder.h"
#include "control/writer.h"
#include "controllers/pods.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"

void sched_say(struct reconcile *rc, const struct json *pod, bool warning, const char *reason,
               str_t message)
{
    recorder_event(rc, &(struct record){.about = &kind_pod,
                                        .meta = json_get(pod, STR("metadata")),
                                        .warning = warning,
                                        .reason = reason,
                                        .message = message,
                                        .component = "default-scheduler"});
}

static void set_text(struct json *object, const char *name, str_t text, struct arena *arena)
{
    json_set(object, str_from_z(name), json_string(arena, text));
}

/* True: the pod's status is another now. */
static bool set_condition(struct reconcile *rc, struct json *pod, const char *type, bool holds,
                          const char *reason, str_t message)
{
    struct arena *arena = rc->arena;
    struct json *status = rule_member(pod, STR("status"), arena);
    struct json *conditions = json_get(status, STR("conditions"));
    struct json *condition = condition_of(status, type);
    str_t is = holds ? STR("True") : STR("False");
    if (conditions == NULL || conditions->type != JSON_ARRAY)
        json_set(status, STR("conditions"), conditions = json_array(arena));
    if (condition == NULL) {
        condition = json_object(arena);
        set_text(condition, "type", str_from_z(type), arena);
        json_add(conditions, STR(""), condition);
    } else if (str_eq(json_get_text(condition, STR("status")), is) &&
               str_eq(json_get_text(condition, STR("reason")), str_from_z(reason)) &&
               str_eq(json_get_text(condition, STR("message")), message)) {
        return false;
    }
    if (!str_eq(json_get_text(condition, STR("status")), is))
        set_text(condition, "lastTransitionTime", time_text(rc->clock->wall_ms(rc->clock), arena),
                 arena);
    json_set(condition, STR("lastProbeTime"), json_null(arena));
    set_text(condition, "status", is, arena);
    set_text(condition, "reason", str_from_z(reason), arena);
    set_text(condition, "message", message, arena);
    return true;
}

int sched_write_waiting(struct reconcile *rc, struct json *pod, const char *reason, str_t message,
                        str_t nominated, struct err *err)
{
    bool changed = set_condition(rc, pod, "PodScheduled", false, reason, message);
    struct json *status = json_get(pod, STR("status"));
    if (!str_eq(json_get_text(status, STR("nominatedNodeName")), nominated)) {
        changed = true;
        if (nominated.len > 0)
            set_text(status, "nominatedNodeName", nominated, rc->arena);
        else
            (void)json_remove(status, STR("nominatedNodeName"));
    }
    return changed ? rc->writer->update(rc->writer->self, &kind_pod, "status", pod, err) : 0;
}

int sched_write_binding(struct reconcile *rc, const struct json *pod, str_t node, struct err *err)
{
    struct arena *arena = rc->arena;
    const struct json *pod_meta = json_get(pod, STR("metadata"));
    struct json *binding = json_object(arena), *meta = json_object(arena);
    struct json *target = json_object(arena);
    set_text(meta, "name", json_get_text(pod_meta, STR("name")), arena);
    set_text(meta, "namespace", json_get_text(pod_meta, STR("namespace")), arena);
    set_text(meta, "uid", json_get_text(pod_meta, STR("uid")), arena);
    set_text(target, "kind", STR("Node"), arena);
    set_text(target, "name", node, arena);
    json_add(binding, STR("metadata"), meta);
    json_add(binding, STR("target"), target);
    return rc->writer->create(rc->writer->self, &kind_binding, binding, err);
}

int sched_write_victim(struct reconcile *rc, const struct sched_pod *victim, const struct json *pod,
                       str_t node, struct err *err)
{
    struct json *tree = cache_get(rc->cache, STR("pods"), victim->ns, victim->name, rc->arena);
    str_t uid = json_text(json_at(pod, "metadata.uid"), STR(""));
    int r = 0;
    if (tree == NULL)
        return 0;
    if (set_condition(rc, tree, "DisruptionTarget", true, "PreemptionByScheduler",
                      STR("default-scheduler: preempting to accommodate a higher priority pod")))
        r = rc->writer->update(rc->writer->self, &kind_pod, "status", tree, err);
    if (r == 0)
        r = rc->writer->remove_if(rc->writer->self, &kind_pod, victim->ns, victim->name,
                                  &(struct removal){.uid = victim->uid}, err);
    if (r == ERR_NOT_FOUND)
        return 0;
    if (r == 0)
        sched_say(rc, tree, false, "Preempted",
                  arena_printf(rc->arena, "Preempted by pod " STR_F " on node " STR_F, STR_A(uid),
                               STR_A(node)));
    return r;
}
