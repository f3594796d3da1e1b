/* admit_pods.c - a pod's priority by its class, and how long it stays on a node that is lost. */
#include "api/admit.h"
#include "api/api_priv.h"

enum { STAY_SECONDS = 300 };

#define CLASSES "priorityclasses.scheduling.k8s.io"

/* --- priority --- */

struct priority {
    int64_t value;
    str_t name;
    str_t preemption;
    bool found;
    struct arena *arena;
};

static void read_class(struct priority *out, const struct object *object)
{
    const struct json *class = object_tree(object, out->arena);
    out->found = true;
    out->name = json_text(json_at(class, "metadata.name"), STR(""));
    out->preemption =
        json_text(json_get(class, STR("preemptionPolicy")), STR("PreemptLowerPriority"));
    (void)json_to_i64(json_get(class, STR("value")), &out->value);
}

/* Of several that say they are the default the lowest counts. */
static bool each_class(void *self, const struct object *object)
{
    struct priority *best = self;
    struct priority one = {.arena = best->arena};
    AUTO(arena_done) struct arena arena = {0};
    if (!json_is_true(json_get(object_tree(object, &arena), STR("globalDefault"))))
        return true;
    read_class(&one, object);
    if (!best->found || one.value < best->value)
        *best = one;
    return true;
}

int admit_priority(struct call *call, struct json *pod, const struct json *old)
{
    struct json *spec = json_get(pod, STR("spec"));
    struct arena *arena = call->arena;
    struct priority priority = {.preemption = STR("PreemptLowerPriority"), .arena = arena};
    str_t name = json_get_text(spec, STR("priorityClassName"));
    (void)old;
    if (spec == NULL)
        return 0;
    if (name.len > 0) {
        const struct object *class = store_latest(call->api->store, STR(CLASSES), STR(""), name);
        if (class == NULL)
            return admit_forbid(
                call,
                arena_printf(arena, "no PriorityClass with name " STR_F " was found", STR_A(name)));
        read_class(&priority, class);
    } else if (store_count(call->api->store, STR(CLASSES), STR("")) > 0) {
        struct store_list range = {.resource = STR(CLASSES)};
        struct err err;
        int r = store_each(call->api->store, &range, each_class, &priority, &err);
        MUST(r == 0);
    }
    int64_t given;
    if (json_to_i64(json_get(spec, STR("priority")), &given) && given != priority.value)
        return admit_forbid(
            call, arena_printf(arena,
                               "the integer value of priority (%lld) must not be provided in pod "
                               "spec; priority admission controller computed %lld from the given "
                               "PriorityClass name",
                               (long long)given, (long long)priority.value));
    if (priority.name.len > 0)
        json_set(spec, STR("priorityClassName"), json_string(arena, priority.name));
    json_set(spec, STR("priority"), json_int(arena, priority.value));
    if (json_get(spec, STR("preemptionPolicy")) == NULL)
        json_set(spec, STR("preemptionPolicy"), json_string(arena, priority.preemption));
    return 0;
}

static int make_class(struct api *api, const char *name, int64_t value, const char *text,
                      struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *class = json_object(&arena), *meta = json_object(&arena);
    struct writer writer = api_writer(api);
    json_add(meta, STR("name"), json_string(&arena, str_from_z(name)));
    json_add(class, STR("metadata"), meta);
    json_add(class, STR("value"), json_int(&arena, value));
    json_add(class, STR("description"), json_string(&arena, str_from_z(text)));
    int r = writer.create(writer.self, &kind_priorityclass, class, err);
    return r == ERR_EXISTS ? 0 : r;
}

int priority_bootstrap(struct api *api, struct err *err)
{
    int r = make_class(api, "system-cluster-critical", 2000000000,
                       "Used for system critical pods that must run in the cluster, but can be "
                       "moved to another node if necessary.",
                       err);
    if (r < 0)
        return r;
    return make_class(api, "system-node-critical", 2000001000,
                      "Used for system critical pods that must not be moved from their current "
                      "node.",
                      err);
}

/* --- tolerations --- */

static bool tolerates(const struct json *tolerations, str_t key)
{
    JSON_EACH(tolerations, toleration)
    {
        str_t own = json_get_text(toleration, STR("key"));
        str_t effect = json_get_text(toleration, STR("effect"));
        if ((own.len == 0 || str_eq(own, key)) &&
            (effect.len == 0 || str_eq(effect, STR("NoExecute"))))
            return true;
    }
    return false;
}

int admit_tolerations(struct call *call, struct json *pod, const struct json *old)
{
    static const str_t keys[] = {STR("node.kubernetes.io/not-ready"),
                                 STR("node.kubernetes.io/unreachable")};
    struct json *spec = json_get(pod, STR("spec"));
    struct arena *arena = call->arena;
    (void)old;
    if (spec == NULL)
        return 0;
    struct json *tolerations = json_get(spec, STR("tolerations"));
    if (tolerations == NULL || tolerations->type != JSON_ARRAY)
        json_set(spec, STR("tolerations"), tolerations = json_array(arena));
    bool there[ARRAY_LEN(keys)];
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        there[i] = tolerates(tolerations, keys[i]);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (there[i])
            continue;
        struct json *toleration = json_object(arena);
        json_add(toleration, STR("key"), json_string(arena, keys[i]));
        json_add(toleration, STR("operator"), json_string(arena, STR("Exists")));
        json_add(toleration, STR("effect"), json_string(arena, STR("NoExecute")));
        json_add(toleration, STR("tolerationSeconds"), json_int(arena, STAY_SECONDS));
        json_add(tolerations, STR(""), toleration);
    }
    return 0;
}
