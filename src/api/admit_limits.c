/*
 * admit_limits.c - LimitRange: what containers, pods and claims of a namespace get when they say
 * nothing, and the least and most they may say.
 */
#include "api/admit.h"
#include "api/api_priv.h"
#include "kube/quantity.h"

struct limits {
    struct call *call;
    struct json *object;
    struct buf faults;
    size_t n_faults;
    bool defaults; /* The first walk gives defaults, the second checks. */
};

static void fault(struct limits *l, str_t text)
{
    if (l->n_faults++ > 0)
        buf_add(&l->faults, STR(", "));
    buf_add(&l->faults, text);
}

static bool read(const struct json *list, str_t name, quantity_t *out)
{
    const struct json *value = json_get(list, name);
    return value != NULL && (value->type == JSON_STRING || value->type == JSON_NUMBER) &&
           quantity_parse(value->text, out);
}

static struct json *member_of(struct json *object, str_t name, struct arena *arena)
{
    struct json *member = json_get(object, name);
    if (member == NULL || member->type != JSON_OBJECT)
        json_set(object, name, member = json_object(arena));
    return member;
}

/* --- defaults --- */

static void add_missing(struct json *to, const struct json *from, struct arena *arena)
{
    JSON_EACH(from, each)
    if (json_get(to, each->key) == NULL)
        json_add(to, arena_str(arena, each->key), json_clone(each, arena));
}

static void give_defaults(struct json *container, const struct json *limit, struct arena *arena)
{
    const struct json *limits = json_get(limit, STR("default"));
    const struct json *requests = json_get(limit, STR("defaultRequest"));
    if (json_count(limits) == 0 && json_count(requests) == 0)
        return;
    struct json *resources = member_of(container, STR("resources"), arena);
    if (json_count(limits) > 0)
        add_missing(member_of(resources, STR("limits"), arena), limits, arena);
    if (json_count(requests) > 0)
        add_missing(member_of(resources, STR("requests"), arena), requests, arena);
}

/* --- checks: the words are those of plugin/pkg/admission/limitranger --- */

struct asked {
    const struct json *requests, *limits;
    const char *of; /* "Container", "Pod". */
};

static void check_least(struct limits *l, const struct json *limit, const struct asked *asked)
{
    struct arena *arena = l->call->arena;
    quantity_t least, value;
    JSON_EACH(json_get(limit, STR("min")), each)
    {
        if (!read(json_get(limit, STR("min")), each->key, &least))
            continue;
        str_t text = quantity_text(least, arena);
        if (!read(asked->requests, each->key, &value))
            fault(l, arena_printf(arena,
                                  "minimum " STR_F " usage per %s is " STR_F
                                  ".  No request is specified",
                                  STR_A(each->key), asked->of, STR_A(text)));
        else if (quantity_cmp(value, least) < 0)
            fault(l,
                  arena_printf(arena,
                               "minimum " STR_F " usage per %s is " STR_F ", but request is " STR_F,
                               STR_A(each->key), asked->of, STR_A(text),
                               STR_A(quantity_text(value, arena))));
        if (read(asked->limits, each->key, &value) && quantity_cmp(value, least) < 0)
            fault(l, arena_printf(
                         arena, "minimum " STR_F " usage per %s is " STR_F ", but limit is " STR_F,
                         STR_A(each->key), asked->of, STR_A(text),
                         STR_A(quantity_text(value, arena))));
    }
}

static void check_most(struct limits *l, const struct json *limit, const struct asked *asked)
{
    struct arena *arena = l->call->arena;
    quantity_t most, value;
    JSON_EACH(json_get(limit, STR("max")), each)
    {
        if (!read(json_get(limit, STR("max")), each->key, &most))
            continue;
        str_t text = quantity_text(most, arena);
        if (!read(asked->limits, each->key, &value))
            fault(l, arena_printf(arena,
                                  "maximum " STR_F " usage per %s is " STR_F
                                  ".  No limit is specified",
                                  STR_A(each->key), asked->of, STR_A(text)));
        else if (quantity_cmp(value, most) > 0)
            fault(l, arena_printf(
                         arena, "maximum " STR_F " usage per %s is " STR_F ", but limit is " STR_F,
                         STR_A(each->key), asked->of, STR_A(text),
                         STR_A(quantity_text(value, arena))));
        if (read(asked->requests, each->key, &value) && quantity_cmp(value, most) > 0)
            fault(l,
                  arena_printf(arena,
                               "maximum " STR_F " usage per %s is " STR_F ", but request is " STR_F,
                               STR_A(each->key), asked->of, STR_A(text),
                               STR_A(quantity_text(value, arena))));
    }
}

static void check_ratio(struct limits *l, const struct json *limit, const struct asked *asked)
{
    struct arena *arena = l->call->arena;
    const struct json *ratios = json_get(limit, STR("maxLimitRequestRatio"));
    quantity_t ratio, has_limit, request;
    JSON_EACH(ratios, each)
    {
        if (!read(ratios, each->key, &ratio))
            continue;
        str_t text = quantity_text(ratio, arena);
        if (!read(asked->requests, each->key, &request) || request.nano <= 0 ||
            !read(asked->limits, each->key, &has_limit) || has_limit.nano <= 0) {
            fault(l, arena_printf(arena,
                                  STR_F " max limit to request ratio per %s is " STR_F
                                        ", but no request is specified or request is 0",
                                  STR_A(each->key), asked->of, STR_A(text)));
            continue;
        }
        double is = (double)has_limit.nano / (double)request.nano;
        if (is > (double)ratio.nano / 1e9)
            fault(l, arena_printf(arena,
                                  STR_F " max limit to request ratio per %s is " STR_F
                                        ", but provided ratio is %f",
                                  STR_A(each->key), asked->of, STR_A(text), is));
    }
}

static void check_all(struct limits *l, const struct json *limit, const struct asked *asked)
{
    check_least(l, limit, asked);
    check_most(l, limit, asked);
    check_ratio(l, limit, asked);
}

/* --- pods and claims --- */

static void each_container(struct limits *l, const struct json *limit)
{
    static const char *const lists[] = {"containers", "initContainers"};
    const struct json *spec = json_get(l->object, STR("spec"));
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        JSON_EACH(json_get(spec, str_from_z(lists[i])), container)
        {
            if (l->defaults) {
                give_defaults(container, limit, l->call->arena);
                continue;
            }
            struct asked asked = {json_at(container, "resources.requests"),
                                  json_at(container, "resources.limits"), "Container"};
            check_all(l, limit, &asked);
        }
}

static void add_up(struct json *sum, const struct json *list, struct arena *arena)
{
    quantity_t value, so_far;
    JSON_EACH(list, each)
    {
        if (!read(list, each->key, &value))
            continue;
        if (read(sum, each->key, &so_far))
            value = quantity_add(so_far, value);
        json_set(sum, arena_str(arena, each->key), json_string(arena, quantity_text(value, arena)));
    }
}

static void whole_pod(struct limits *l, const struct json *limit)
{
    struct arena *arena = l->call->arena;
    struct json *requests = json_object(arena), *limits = json_object(arena);
    if (l->defaults)
        return;
    JSON_EACH(json_at(l->object, "spec.containers"), container)
    {
        add_up(requests, json_at(container, "resources.requests"), arena);
        add_up(limits, json_at(container, "resources.limits"), arena);
    }
    struct asked asked = {requests, limits, "Pod"};
    check_all(l, limit, &asked);
}

static void claim(struct limits *l, const struct json *limit)
{
    const struct json *requests = json_at(l->object, "spec.resources.requests");
    struct asked asked = {requests, requests, "PersistentVolumeClaim"};
    if (!l->defaults)
        check_all(l, limit, &asked);
}

static bool each_range(void *self, const struct object *object)
{
    struct limits *l = self;
    bool pod = l->call->kind == &kind_pod;
    const struct json *range = object_tree(object, l->call->arena);
    JSON_EACH(json_at(range, "spec.limits"), limit)
    {
        str_t type = json_get_text(limit, STR("type"));
        if (pod && str_eq(type, STR("Container")))
            each_container(l, limit);
        else if (pod && str_eq(type, STR("Pod")))
            whole_pod(l, limit);
        else if (!pod && str_eq(type, STR("PersistentVolumeClaim")))
            claim(l, limit);
    }
    return true;
}

/* What containers ask for when they only say what they may have at most. */
static void requests_of_limits(struct json *pod, struct arena *arena)
{
    JSON_EACH(json_at(pod, "spec.containers"), container)
    {
        struct json *resources = json_get(container, STR("resources"));
        const struct json *limits = json_get(resources, STR("limits"));
        if (json_count(limits) > 0)
            add_missing(member_of(resources, STR("requests"), arena), limits, arena);
    }
}

int admit_limits(struct call *call, struct json *object, const struct json *old)
{
    struct store_list range = {.resource = STR("limitranges"), .ns = call->ns};
    struct store *store = call->api->store;
    struct limits limits = {.call = call, .object = object, .defaults = true};
    struct err err;
    if (store_count(store, range.resource, call->ns) == 0)
        return 0;
    int r = old == NULL ? store_each(store, &range, each_range, &limits, &err) : 0;
    MUST(r == 0);
    if (call->kind == &kind_pod)
        requests_of_limits(object, call->arena);
    limits.defaults = false;
    r = store_each(store, &range, each_range, &limits, &err);
    MUST(r == 0);
    AUTO(buf_done) struct buf faults = limits.faults;
    if (limits.n_faults == 0)
        return 0;
    return admit_forbid(call,
                        arena_printf(call->arena, "%s" STR_F "%s", limits.n_faults > 1 ? "[" : "",
                                     STR_A(buf_str(&faults)), limits.n_faults > 1 ? "]" : ""));
}
