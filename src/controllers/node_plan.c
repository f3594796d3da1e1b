/* node_plan.c - Kubernetes' node lifecycle controller, as tables. */
#include "controllers/node_plan.h"

#include "base/time.h"

#define TAINT "node.kubernetes.io/"

static void set_text(struct json *object, const char *key, str_t text, struct arena *arena)
{
    json_set(object, str_from_z(key), json_string(arena, text));
}

static struct json *condition_of(const struct json *node, const char *type)
{
    JSON_EACH(json_at(node, "status.conditions"), condition)
    if (str_eq(json_get_text(condition, STR("type")), str_from_z(type)))
        return condition;
    return NULL;
}

static bool condition_is(const struct json *node, const char *type, const char *status)
{
    return str_eq(json_get_text(condition_of(node, type), STR("status")), str_from_z(status));
}

bool node_is_well(const struct json *node)
{
    return condition_is(node, "Ready", "True");
}

/* --- silence --- */

static struct json *conditions_of(struct json *node, struct arena *arena)
{
    struct json *status = json_get(node, STR("status"));
    if (status == NULL) {
        status = json_object(arena);
        json_set(node, STR("status"), status);
    }
    struct json *list = json_get(status, STR("conditions"));
    if (list == NULL) {
        list = json_array(arena);
        json_set(status, STR("conditions"), list);
    }
    return list;
}

bool node_lose(struct json *node, msec_t wall_ms, struct arena *arena)
{
    static const char *const types[] = {"MemoryPressure", "DiskPressure", "PIDPressure", "Ready"};
    str_t now = time_text(wall_ms, arena);
    bool changed = false;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct json *condition = condition_of(node, types[i]);
        bool never = condition == NULL;
        if (condition_is(node, types[i], "Unknown"))
            continue;
        if (never) {
            condition = json_object(arena);
            set_text(condition, "type", str_from_z(types[i]), arena);
            json_add(conditions_of(node, arena), STR(""), condition);
        }
        set_text(condition, "status", STR("Unknown"), arena);
        set_text(condition, "lastTransitionTime", now, arena);
        set_text(condition, "reason",
                 never ? STR("NodeStatusNeverUpdated") : STR("NodeStatusUnknown"), arena);
        set_text(condition, "message",
                 never ? STR("Kubelet never posted node status.")
                       : STR("Kubelet stopped posting node status."),
                 arena);
        changed = true;
    }
    return changed;
}

/* --- taints --- */

struct rule {
    str_t key, effect;
    const char *type, *status; /* Of the condition; NULL: spec.unschedulable. */
};

static const struct rule rules[] = {
    {STR(TAINT "not-ready"), STR("NoSchedule"), "Ready", "False"},
    {STR(TAINT "unreachable"), STR("NoSchedule"), "Ready", "Unknown"},
    {STR(TAINT "memory-pressure"), STR("NoSchedule"), "MemoryPressure", "True"},
    {STR(TAINT "disk-pressure"), STR("NoSchedule"), "DiskPressure", "True"},
    {STR(TAINT "pid-pressure"), STR("NoSchedule"), "PIDPressure", "True"},
    {STR(TAINT "network-unavailable"), STR("NoSchedule"), "NetworkUnavailable", "True"},
    {STR(TAINT "unschedulable"), STR("NoSchedule"), NULL, NULL},
    {STR(TAINT "not-ready"), STR("NoExecute"), "Ready", "False"},
    {STR(TAINT "unreachable"), STR("NoExecute"), "Ready", "Unknown"},
};

static bool is_wanted(const struct rule *rule, const struct json *node)
{
    return rule->type != NULL ? condition_is(node, rule->type, rule->status)
                              : json_is_true(json_at(node, "spec.unschedulable"));
}

static bool is_of(const struct json *taint, const struct rule *rule)
{
    return str_eq(json_get_text(taint, STR("key")), rule->key) &&
           str_eq(json_get_text(taint, STR("effect")), rule->effect);
}

static const struct rule *rule_of(const struct json *taint)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (is_of(taint, &rules[i]))
            return &rules[i];
    return NULL;
}

static bool has(const struct json *taints, const struct rule *rule)
{
    JSON_EACH(taints, taint)
    if (is_of(taint, rule))
        return true;
    return false;
}

bool node_taint(struct json *node, msec_t wall_ms, struct arena *arena)
{
    struct json *spec = json_get(node, STR("spec")), *out = json_array(arena);
    const struct json *taints = json_get(spec, STR("taints"));
    bool changed = false;
    JSON_EACH(taints, taint)
    {
        const struct rule *rule = rule_of(taint);
        if (rule == NULL || is_wanted(rule, node))
            json_add(out, STR(""), json_clone(taint, arena));
        else
            changed = true;
    }
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (!is_wanted(&rules[i], node) || has(taints, &rules[i]))
            continue;
        struct json *taint = json_object(arena);
        set_text(taint, "key", rules[i].key, arena);
        set_text(taint, "effect", rules[i].effect, arena);
        set_text(taint, "timeAdded", time_text(wall_ms, arena), arena);
        json_add(out, STR(""), taint);
        changed = true;
    }
    if (!changed)
        return false;
    if (spec == NULL)
        json_set(node, STR("spec"), spec = json_object(arena));
    (void)json_remove(spec, STR("taints"));
    if (out->first != NULL)
        json_add(spec, STR("taints"), out);
    return true;
}
