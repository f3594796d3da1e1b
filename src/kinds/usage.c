/* usage.c - counts by name; a pod's containers run together, its init containers one by one. */
#include "kinds/usage.h"

#include "base/map.h"
#include "kinds/kinds.h"

#include <string.h>

static void add(struct usage *usage, str_t name, quantity_t value, int times)
{
    if (times < 0)
        value.nano = -value.nano;
    for (size_t i = 0; i < usage->n; i++)
        if (str_eq(name, (str_t){usage->at[i].name, usage->at[i].len})) {
            usage->at[i].value = quantity_add(usage->at[i].value, value);
            return;
        }
    if (usage->n == USAGE_MAX || name.len > USAGE_NAME_MAX)
        return;
    memcpy(usage->at[usage->n].name, name.at, name.len);
    usage->at[usage->n].len = name.len;
    usage->at[usage->n++].value = value;
}

static void add_joined(struct usage *usage, const char *prefix, str_t name, quantity_t value,
                       int times)
{
    AUTO(arena_done) struct arena arena = {0};
    add(usage, arena_printf(&arena, "%s" STR_F, prefix, STR_A(name)), value, times);
}

bool usage_get(const struct usage *usage, str_t name, quantity_t *out)
{
    for (size_t i = 0; i < usage->n; i++)
        if (str_eq(name, (str_t){usage->at[i].name, usage->at[i].len})) {
            *out = usage->at[i].value;
            return true;
        }
    return false;
}

static bool read(const struct json *value, quantity_t *out)
{
    return value != NULL && (value->type == JSON_STRING || value->type == JSON_NUMBER) &&
           quantity_parse(value->text, out);
}

/* --- pods --- */

static bool has_ended(const struct json *pod)
{
    str_t phase = json_text(json_at(pod, "status.phase"), STR(""));
    return str_eq(phase, STR("Succeeded")) || str_eq(phase, STR("Failed"));
}

static bool is_sidecar(const struct json *container)
{
    return str_eq(json_get_text(container, STR("restartPolicy")), STR("Always"));
}

quantity_t usage_of_pod(const struct json *pod, const char *which, str_t name)
{
    AUTO(arena_done) struct arena arena = {0};
    quantity_t most = quantity_of(0), sidecars = quantity_of(0), value;
    const struct json *spec = json_get(pod, STR("spec"));
    str_t list = arena_printf(&arena, "resources.%s", which);
    JSON_EACH(json_get(spec, STR("initContainers")), container)
    {
        if (!read(json_get(json_at(container, list.at), name), &value))
            continue;
        if (is_sidecar(container))
            sidecars = quantity_add(sidecars, value);
        quantity_t then = is_sidecar(container) ? sidecars : quantity_add(sidecars, value);
        if (quantity_cmp(then, most) > 0)
            most = then;
    }
    quantity_t sum = sidecars;
    JSON_EACH(json_get(spec, STR("containers")), container)
    if (read(json_get(json_at(container, list.at), name), &value))
        sum = quantity_add(sum, value);
    if (quantity_cmp(sum, most) < 0)
        sum = most;
    bool takes = strcmp(which, "requests") == 0 || sum.nano != 0;
    if (takes && read(json_get(json_get(spec, STR("overhead")), name), &value))
        sum = quantity_add(sum, value);
    return sum;
}

static const str_t usual[] = {STR("cpu"), STR("memory"), STR("ephemeral-storage")};

static bool is_usual(str_t name)
{
    for (size_t i = 0; i < ARRAY_LEN(usual); i++)
        if (str_eq(name, usual[i]))
            return true;
    return false;
}

/* What others invented is counted as "requests.example.com/gpu", huge pages as both. */
static void add_unusual(struct usage *usage, const struct json *pod, const struct json *containers,
                        struct map *seen, struct arena *arena, int times)
{
    JSON_EACH(containers, container)
    JSON_EACH(json_at(container, "resources.requests"), request)
    {
        if (is_usual(request->key) || map_find(seen, request->key) != NULL)
            continue;
        map_add(seen, request->key, arena_new(arena, struct map_node));
        quantity_t value = usage_of_pod(pod, "requests", request->key);
        add_joined(usage, "requests.", request->key, value, times);
        if (memchr(request->key.at, '/', request->key.len) == NULL)
            add(usage, request->key, value, times);
    }
}

static void add_pod(struct usage *usage, const struct json *pod, int times)
{
    add(usage, STR("count/pods"), quantity_of(1), times);
    if (has_ended(pod))
        return;
    add(usage, STR("pods"), quantity_of(1), times);
    for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
        quantity_t request = usage_of_pod(pod, "requests", usual[i]);
        add(usage, usual[i], request, times);
        add_joined(usage, "requests.", usual[i], request, times);
        add_joined(usage, "limits.", usual[i], usage_of_pod(pod, "limits", usual[i]), times);
    }
    AUTO(arena_done) struct arena arena = {0};
    AUTO(map_done) struct map seen = {0};
    add_unusual(usage, pod, json_at(pod, "spec.containers"), &seen, &arena, times);
    add_unusual(usage, pod, json_at(pod, "spec.initContainers"), &seen, &arena, times);
}

void usage_missing(const struct json *pod, const struct json *hard, struct buf *out)
{
    static const struct {
        str_t in_quota;
        const char *list;
        str_t name;
    } rows[] = {
        {STR("cpu"), "resources.requests", STR("cpu")},
        {STR("limits.cpu"), "resources.limits", STR("cpu")},
        {STR("limits.memory"), "resources.limits", STR("memory")},
        {STR("memory"), "resources.requests", STR("memory")},
        {STR("requests.cpu"), "resources.requests", STR("cpu")},
        {STR("requests.memory"), "resources.requests", STR("memory")},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(buf_done) struct buf names = {0};
        if (json_get(hard, rows[i].in_quota) == NULL)
            continue;
        JSON_EACH(json_at(pod, "spec.containers"), container)
        if (json_get(json_at(container, rows[i].list), rows[i].name) == NULL)
            buf_printf(&names, "%s" STR_F, names.len > 0 ? "," : "",
                       STR_A(json_get_text(container, STR("name"))));
        if (names.len > 0)
            buf_printf(out, "%s" STR_F " for: " STR_F, out->len > 0 ? "; " : "",
                       STR_A(rows[i].in_quota), STR_A(buf_str(&names)));
    }
}

/* --- other kinds --- */

static void add_service(struct usage *usage, const struct json *service, int times)
{
    str_t type = json_text(json_at(service, "spec.type"), STR(""));
    int64_t ports = (int64_t)json_count(json_at(service, "spec.ports"));
    bool balanced = str_eq(type, STR("LoadBalancer"));
    const struct json *wanted = json_at(service, "spec.allocateLoadBalancerNodePorts");
    bool nodes =
        str_eq(type, STR("NodePort")) || (balanced && (wanted == NULL || json_is_true(wanted)));
    add(usage, STR("services"), quantity_of(1), times);
    add(usage, STR("services.nodeports"), quantity_of(nodes ? ports : 0), times);
    add(usage, STR("services.loadbalancers"), quantity_of(balanced), times);
}

static void add_claim(struct usage *usage, const struct json *claim, int times)
{
    AUTO(arena_done) struct arena arena = {0};
    quantity_t storage = quantity_of(0);
    str_t class = json_text(json_at(claim, "spec.storageClassName"), STR(""));
    (void)read(json_at(claim, "spec.resources.requests.storage"), &storage);
    add(usage, STR("persistentvolumeclaims"), quantity_of(1), times);
    add(usage, STR("requests.storage"), storage, times);
    if (class.len == 0)
        return;
    str_t prefix = arena_printf(&arena, STR_F ".storageclass.storage.k8s.io/", STR_A(class));
    add(usage, arena_printf(&arena, STR_F "persistentvolumeclaims", STR_A(prefix)), quantity_of(1),
        times);
    add(usage, arena_printf(&arena, STR_F "requests.storage", STR_A(prefix)), storage, times);
}

void usage_add(struct usage *usage, const struct kind *kind, const struct json *object, int times)
{
    AUTO(arena_done) struct arena arena = {0};
    static const struct kind *const plain[] = {&kind_configmap, &kind_secret,
                                               &kind_replicationcontroller, &kind_resourcequota};
    if (kind == &kind_pod) {
        add_pod(usage, object, times);
        return;
    }
    add_joined(usage, "count/", kind_stored_resource(kind, &arena), quantity_of(1), times);
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        if (kind == plain[i])
            add(usage, str_from_z(kind->plural), quantity_of(1), times);
    if (kind == &kind_service)
        add_service(usage, object, times);
    else if (kind == &kind_persistentvolumeclaim)
        add_claim(usage, object, times);
}

/* --- scopes --- */

static bool has_scope(str_t scope, const struct json *pod)
{
    const struct json *spec = json_get(pod, STR("spec"));
    bool best =
        str_eq(json_text(json_at(pod, "status.qosClass"), STR("BestEffort")), STR("BestEffort"));
    bool ends = json_get(spec, STR("activeDeadlineSeconds")) != NULL;
    if (str_eq(scope, STR("BestEffort")))
        return best;
    if (str_eq(scope, STR("NotBestEffort")))
        return !best;
    if (str_eq(scope, STR("Terminating")))
        return ends;
    if (str_eq(scope, STR("NotTerminating")))
        return !ends;
    if (str_eq(scope, STR("PriorityClass")))
        return json_get_text(spec, STR("priorityClassName")).len > 0;
    return false;
}

static bool has_text(const struct json *list, str_t text)
{
    JSON_EACH(list, each)
    if (str_eq(json_text(each, STR("")), text))
        return true;
    return false;
}

static bool matches(const struct json *expression, const struct json *pod)
{
    str_t scope = json_get_text(expression, STR("scopeName"));
    str_t operator= json_get_text(expression, STR("operator"));
    const struct json *values = json_get(expression, STR("values"));
    str_t class = json_text(json_at(pod, "spec.priorityClassName"), STR(""));
    if (!str_eq(scope, STR("PriorityClass")) || str_eq(operator, STR("Exists")))
        return has_scope(scope, pod);
    if (str_eq(operator, STR("DoesNotExist")))
        return class.len == 0;
    return has_text(values, class) == str_eq(operator, STR("In"));
}

bool usage_in_scope(const struct json *quota, const struct json *pod)
{
    const struct json *scopes = json_at(quota, "spec.scopes");
    const struct json *expressions = json_at(quota, "spec.scopeSelector.matchExpressions");
    if (json_count(scopes) == 0 && json_count(expressions) == 0)
        return true;
    if (pod == NULL)
        return false; /* Scopes are about pods. */
    JSON_EACH(scopes, scope)
    if (!has_scope(json_text(scope, STR("")), pod))
        return false;
    JSON_EACH(expressions, expression)
    if (!matches(expression, pod))
        return false;
    return true;
}
