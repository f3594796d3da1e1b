/*
 * admit_quota.c - ResourceQuota: what a namespace may have in all.
 *
 * What the new object adds is counted into the quota's status in the same turn, and so in the same
 * commit, as the object itself: two creates never pass by the same number. What goes away is
 * counted by the controller.
 */
#include "api/admit.h"
#include "api/api_priv.h"
#include "kinds/usage.h"

struct quotas {
    struct call *call;
    struct json *object;
    const struct usage *usage; /* Of the new object, less that of the old. */
    struct object *touched[64];
    struct json *trees[64];
    size_t n;
    int r;
};

static bool each_quota(void *self, const struct object *object)
{
    struct quotas *q = self;
    if (q->n < ARRAY_LEN(q->touched))
        q->touched[q->n++] = object_ref(object);
    return true;
}

static void list(struct buf *out, str_t name, quantity_t value, struct arena *arena)
{
    buf_printf(out, "%s" STR_F "=" STR_F, out->len > 0 ? "," : "", STR_A(name),
               STR_A(quantity_text(value, arena)));
}

static quantity_t read_or_zero(const struct json *list_, str_t name)
{
    quantity_t out = quantity_of(0);
    const struct json *value = json_get(list_, name);
    if (value != NULL && (value->type == JSON_STRING || value->type == JSON_NUMBER))
        (void)quantity_parse(value->text, &out);
    return out;
}

/* The sums of a quota that the object touches; what is too much is told. */
static int count_into(struct call *call, const struct json *quota, const struct usage *usage,
                      struct json *used)
{
    struct arena *arena = call->arena;
    AUTO(buf_done) struct buf requested = {0}, was = {0}, limited = {0};
    const struct json *hard = json_at(quota, "spec.hard");
    JSON_EACH(hard, limit)
    {
        quantity_t more;
        if (!usage_get(usage, limit->key, &more))
            continue;
        quantity_t most = read_or_zero(hard, limit->key), is = read_or_zero(used, limit->key);
        quantity_t sum = quantity_add(is, more);
        if (more.nano > 0 && quantity_cmp(sum, most) > 0) {
            list(&requested, limit->key, more, arena);
            list(&was, limit->key, is, arena);
            list(&limited, limit->key, most, arena);
        }
        sum.binary = sum.binary || most.binary;
        json_set(used, arena_str(arena, limit->key), json_string(arena, quantity_text(sum, arena)));
    }
    if (requested.len == 0)
        return 0;
    return admit_forbid(call,
                        arena_printf(arena,
                                     "exceeded quota: " STR_F ", requested: " STR_F ", used: " STR_F
                                     ", limited: " STR_F,
                                     STR_A(json_text(json_at(quota, "metadata.name"), STR(""))),
                                     STR_A(buf_str(&requested)), STR_A(buf_str(&was)),
                                     STR_A(buf_str(&limited))));
}

/* A quota of cpu or memory needs every container to say what it takes. */
static int check_said(struct call *call, const struct json *quota, const struct json *object)
{
    AUTO(buf_done) struct buf missing = {0};
    if (call->kind != &kind_pod)
        return 0;
    usage_missing(object, json_at(quota, "spec.hard"), &missing);
    if (missing.len == 0)
        return 0;
    return admit_forbid(call,
                        arena_printf(call->arena, "failed quota: " STR_F ": must specify " STR_F,
                                     STR_A(json_text(json_at(quota, "metadata.name"), STR(""))),
                                     STR_A(buf_str(&missing))));
}

static int one_quota(struct quotas *q, size_t i)
{
    struct call *call = q->call;
    const struct object *latest =
        store_latest(call->api->store, STR("resourcequotas"), call->ns, q->touched[i]->name);
    if (latest == NULL)
        return 0;
    struct json *quota = object_tree(latest, call->arena);
    if (!usage_in_scope(quota, call->kind == &kind_pod ? q->object : NULL))
        return 0;
    struct json *status = json_get(quota, STR("status"));
    if (status == NULL || status->type != JSON_OBJECT)
        json_set(quota, STR("status"), status = json_object(call->arena));
    struct json *used = json_get(status, STR("used"));
    if (used == NULL || used->type != JSON_OBJECT)
        json_set(status, STR("used"), used = json_object(call->arena));
    struct json *before = json_clone(used, call->arena);
    int r = check_said(call, quota, q->object);
    if (r == 0)
        r = count_into(call, quota, q->usage, used);
    if (r == 0 && !json_eq(before, used))
        q->trees[i] = quota;
    return r;
}

/* All quotas agree: their new sums are queued, before the object. */
static int write_sums(struct quotas *q)
{
    struct call *call = q->call;
    for (size_t i = 0; i < q->n && !call->dry_run; i++) {
        struct err err;
        if (q->trees[i] == NULL)
            continue;
        const struct object *latest =
            store_latest(call->api->store, STR("resourcequotas"), call->ns, q->touched[i]->name);
        struct call *about = arena_new(call->arena, struct call);
        *about = (struct call){.api = call->api,
                               .arena = call->arena,
                               .err = &err,
                               .kind = &kind_resourcequota,
                               .resource = STR("resourcequotas"),
                               .ns = call->ns,
                               .name = latest->name};
        struct write_plan plan = {
            .verb = STORE_UPDATE, .tree = q->trees[i], .based_on = latest->rv};
        if (write_submit(about, &plan, &err) < 0) {
            answer_err(call, &err);
            return -1;
        }
    }
    return 0;
}

int admit_quota(struct call *call, struct json *object, const struct json *old)
{
    struct store *store = call->api->store;
    if (call->kind == &kind_resourcequota || call->kind->only_create ||
        store_count(store, STR("resourcequotas"), call->ns) == 0)
        return 0;
    struct usage usage = {0};
    usage_add(&usage, call->kind, object, 1);
    if (old != NULL)
        usage_add(&usage, call->kind, old, -1);
    struct quotas q = {.call = call, .object = object, .usage = &usage};
    struct store_list range = {.resource = STR("resourcequotas"), .ns = call->ns};
    struct err err;
    int r = store_each(store, &range, each_quota, &q, &err);
    MUST(r == 0);
    for (size_t i = 0; i < q.n && r == 0; i++)
        r = one_quota(&q, i);
    if (r == 0)
        r = write_sums(&q);
    for (size_t i = 0; i < q.n; i++)
        object_unref(q.touched[i]);
    return r;
}
