/*
 * api_subresource.c - what stands behind an object's name and is more than a part of it: binding a
 * pod to a node, evicting it, adding debug containers, and the streams that only a node has.
 */
#include "api/api_priv.h"

#include <string.h>

static bool is_sub(const struct call *call, const char *name)
{
    return strcmp(call->sub->name, name) == 0;
}

static void answer_success(struct call *call, int code, const struct object *object)
{
    struct arena *arena = call->arena;
    struct json *status = json_object(arena);
    (void)object;
    json_add(status, STR("kind"), json_string(arena, STR("Status")));
    json_add(status, STR("apiVersion"), json_string(arena, STR("v1")));
    json_add(status, STR("metadata"), json_object(arena));
    json_add(status, STR("status"), json_string(arena, STR("Success")));
    json_add(status, STR("code"), json_int(arena, code));
    answer_json(call, code, status);
}

/* The body, as a call about its own kind. < 0: answered. */
static int body_of(struct call *call, str_t body, struct json **out)
{
    struct call *about = arena_new(call->arena, struct call);
    *about = *call;
    about->kind = call->sub->kind;
    return body_object(about, body, out);
}

static struct json *member_of(struct json *object, str_t name, enum json_type type,
                              struct arena *arena)
{
    struct json *member = json_get(object, name);
    if (member == NULL || member->type != type) {
        member = type == JSON_ARRAY ? json_array(arena) : json_object(arena);
        json_set(object, name, member);
    }
    return member;
}

/* The object changes behind its spec's back: no rule of an update applies. */
static void write_changed(struct call *call, struct json *object, const struct object *latest,
                          int code)
{
    struct write_plan plan = {
        .verb = STORE_UPDATE, .tree = object, .based_on = latest->rv, .code = code};
    write_or_answer(call, &plan);
}

/* --- pods/binding --- */

static void set_scheduled(struct json *pod, str_t now, struct arena *arena)
{
    struct json *status = member_of(pod, STR("status"), JSON_OBJECT, arena);
    struct json *conditions = member_of(status, STR("conditions"), JSON_ARRAY, arena);
    struct json *condition = NULL;
    JSON_EACH(conditions, each)
    if (str_eq(json_get_text(each, STR("type")), STR("PodScheduled")))
        condition = each;
    if (condition == NULL) {
        condition = json_object(arena);
        json_add(condition, STR("type"), json_string(arena, STR("PodScheduled")));
        json_add(conditions, STR(""), condition);
    }
    (void)json_remove(condition, STR("reason"));
    (void)json_remove(condition, STR("message"));
    json_set(condition, STR("status"), json_string(arena, STR("True")));
    json_set(condition, STR("lastTransitionTime"), json_string(arena, now));
}

void api_bind(struct call *call, const struct json *binding, const struct object *latest)
{
    struct arena *arena = call->arena;
    struct json *pod = object_tree(latest, arena), *spec = json_get(pod, STR("spec"));
    str_t node = json_text(json_at(binding, "target.name"), STR(""));
    str_t kind = json_text(json_at(binding, "target.kind"), STR("Node"));
    str_t bound = json_get_text(spec, STR("nodeName"));
    if (!str_eq(kind, STR("Node")) || node.len == 0) {
        struct field_errors *errors = arena_new(arena, struct field_errors);
        struct call about = *call;
        errors->arena = arena;
        about.kind = &kind_binding;
        if (!str_eq(kind, STR("Node")))
            field_error(errors, FIELD_NOT_SUPPORTED, STR("target.kind"),
                        "Unsupported value: \"" STR_F "\": supported values: \"Node\"",
                        STR_A(kind));
        if (node.len == 0)
            field_error(errors, FIELD_REQUIRED, STR("target.name"), "Required value");
        answer_invalid(&about, call->name, errors);
        return;
    }
    if (json_at(pod, "metadata.deletionTimestamp") != NULL || bound.len > 0) {
        str_t why =
            bound.len > 0
                ? arena_printf(arena, "pod " STR_F " is already assigned to node \"" STR_F "\"",
                               STR_A(call->name), STR_A(bound))
                : arena_printf(arena,
                               "pod " STR_F " is being deleted, cannot be assigned to a host",
                               STR_A(call->name));
        struct refusal refusal = {
            409, "Conflict",
            arena_printf(arena,
                         "Operation cannot be fulfilled on pods/binding \"" STR_F "\": " STR_F,
                         STR_A(call->name), STR_A(why)),
            NULL};
        answer_refusal(call, &refusal);
        return;
    }
    json_set(spec, STR("nodeName"), json_string(arena, node));
    set_scheduled(pod, time_text(loop_wall_ms(call->api->loop), arena), arena);
    call->answer = answer_success;
    write_changed(call, pod, latest, 201);
}

/* --- pods/eviction --- */

static bool is_ended(const struct json *pod)
{
    str_t phase = json_text(json_at(pod, "status.phase"), STR(""));
    return str_eq(phase, STR("Succeeded")) || str_eq(phase, STR("Failed")) ||
           str_eq(phase, STR("Pending"));
}

struct budgets {
    struct call *call;
    const struct json *labels;
    struct object *found; /* With a reference. */
    size_t n;
};

static bool budget_each(void *self, const struct object *object)
{
    struct budgets *budgets = self;
    AUTO(arena_done) struct arena arena = {0};
    const struct json *budget = object_tree(object, &arena);
    const struct json *selector = json_at(budget, "spec.selector");
    if (selector == NULL || !selects(selector, budgets->labels))
        return true;
    if (budgets->n++ == 0)
        budgets->found = object_ref(object);
    return true;
}

static void answer_disruption(struct call *call, const struct json *budget)
{
    struct arena *arena = call->arena;
    struct json *details = json_object(arena), *causes = json_array(arena),
                *cause = json_object(arena);
    long long healthy = 0, wanted = 0;
    int64_t number;
    if (json_to_i64(json_at(budget, "status.currentHealthy"), &number))
        healthy = number;
    if (json_to_i64(json_at(budget, "status.desiredHealthy"), &number))
        wanted = number;
    json_add(cause, STR("reason"), json_string(arena, STR("DisruptionBudget")));
    json_add(
        cause, STR("message"),
        json_string(arena, arena_printf(arena,
                                        "The disruption budget " STR_F
                                        " needs %lld healthy pods and has %lld currently",
                                        STR_A(json_text(json_at(budget, "metadata.name"), STR(""))),
                                        wanted, healthy)));
    json_add(details, STR("causes"), json_add(causes, STR(""), cause));
    struct refusal refusal = {
        429, "TooManyRequests",
        STR("Cannot evict pod as it would violate the pod's disruption budget."), details};
    answer_refusal(call, &refusal);
}

/* One disruption less is allowed now. False: there is none left, and that was answered. */
static bool take_from_budget(struct call *call, const struct object *object)
{
    struct arena *arena = call->arena;
    struct json *budget = object_tree(object, arena);
    int64_t allowed = 0;
    (void)json_to_i64(json_at(budget, "status.disruptionsAllowed"), &allowed);
    if (allowed <= 0) {
        answer_disruption(call, budget);
        return false;
    }
    if (call->dry_run)
        return true;
    struct call *about = arena_new(arena, struct call);
    struct err err;
    *about = (struct call){.api = call->api,
                           .arena = arena,
                           .err = &err,
                           .kind = &kind_poddisruptionbudget,
                           .resource = kind_stored_resource(&kind_poddisruptionbudget, arena),
                           .ns = call->ns,
                           .name = object->name};
    json_set(json_get(budget, STR("status")), STR("disruptionsAllowed"),
             json_int(arena, allowed - 1));
    struct write_plan plan = {.verb = STORE_UPDATE, .tree = budget, .based_on = object->rv};
    if (write_submit(about, &plan, &err) == 0)
        return true;
    answer_err(call, &err);
    return false;
}

static void evict(struct call *call, const struct json *eviction, const struct object *latest)
{
    struct json *pod = object_tree(latest, call->arena);
    struct budgets budgets = {.call = call, .labels = json_at(pod, "metadata.labels")};
    struct store_list range = {.resource = STR("poddisruptionbudgets.policy"), .ns = call->ns};
    const struct json *options = json_get(eviction, STR("deleteOptions"));
    struct err err;
    bool may = true;
    if (options != NULL && delete_options_check(call, options) < 0)
        return;
    if (!is_ended(pod) && json_at(pod, "metadata.deletionTimestamp") == NULL) {
        int r = store_each(call->api->store, &range, budget_each, &budgets, &err);
        MUST(r == 0);
        if (budgets.n > 1) {
            answer_plain(call, 500, "InternalError",
                         "This pod has more than one PodDisruptionBudget, which the eviction "
                         "subresource does not support.");
            may = false;
        } else if (budgets.n == 1) {
            const struct object *newest =
                store_latest(call->api->store, range.resource, call->ns, budgets.found->name);
            may = newest == NULL || take_from_budget(call, newest);
        }
    }
    object_unref(budgets.found);
    if (!may)
        return;
    call->answer = answer_success;
    call->verb = VERB_DELETE;
    api_delete_object(call, options != NULL ? options : json_object(call->arena), latest);
}

/* --- streams --- */

static bool is_stream(const struct call *call)
{
    static const char *const names[] = {"attach", "exec", "log", "portforward", "proxy"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (is_sub(call, names[i]))
            return true;
    return false;
}

/* --- who comes here --- */

bool subresource_get(struct call *call, const struct object *object)
{
    if (is_sub(call, "scale"))
        scale_get(call, object);
    else if (is_stream(call))
        api_stream(call, object);
    else
        return false;
    return true;
}

bool subresource_write(struct call *call, str_t body, const struct object *latest)
{
    struct json *object;
    if (is_sub(call, "scale")) {
        scale_write(call, body, latest);
    } else if (is_stream(call)) {
        api_stream(call, latest);
    } else if (is_sub(call, "binding")) {
        if (body_of(call, body, &object) == 0)
            api_bind(call, object, latest);
    } else if (is_sub(call, "eviction")) {
        if (body_of(call, body, &object) == 0)
            evict(call, object, latest);
    } else if (is_sub(call, "token")) {
        if (body_of(call, body, &object) == 0)
            token_request(call, object, latest);
    } else {
        return false;
    }
    return true;
}
