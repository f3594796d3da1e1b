/* api_delete.c - delete one, or all that a selector names; finalizers make it a mark instead. */
#include "api/api_priv.h"

#include <stdlib.h>

static const struct field precondition_fields[] = {
    {"uid", FIELD_STRING, 1}, {"resourceVersion", FIELD_STRING, 2}, {0}};
static const struct schema preconditions = {"meta.v1.Preconditions", precondition_fields, NULL};
static const struct field delete_fields[] = {
    {"kind", FIELD_STRING},
    {"apiVersion", FIELD_STRING},
    {"gracePeriodSeconds", FIELD_LONG, 1},
    {"preconditions", FIELD_OBJECT, 2, .of = &preconditions},
    {"orphanDependents", FIELD_BOOL, 3},
    {"propagationPolicy", FIELD_STRING, 4},
    {"dryRun", FIELD_LIST, 5, .item = FIELD_STRING},
    {0},
};
static const struct schema delete_schema = {"meta.v1.DeleteOptions", delete_fields, NULL};

/* < 0: answered. */
static int check_precondition(struct call *call, const struct json *options,
                              const struct json *object)
{
    static const struct {
        const char *wanted, *is, *word;
    } rows[] = {
        {"preconditions.uid", "metadata.uid", "UID"},
        {"preconditions.resourceVersion", "metadata.resourceVersion", "ResourceVersion"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        str_t wanted = json_text(json_at(options, rows[i].wanted), STR(""));
        str_t is = json_text(json_at(object, rows[i].is), STR(""));
        if (wanted.len > 0 && !str_eq(wanted, is))
            return precondition_failed(call, rows[i].word, wanted, is);
    }
    return 0;
}

static int bad_option(struct call *call, str_t text)
{
    struct refusal refusal = {
        422, "Invalid",
        arena_printf(call->arena, "DeleteOptions.meta.k8s.io \"\" is invalid: " STR_F, STR_A(text)),
        NULL};
    answer_refusal(call, &refusal);
    return -1;
}

int delete_options(struct call *call, str_t body, struct json **out)
{
    static const char *const policies[] = {"", "Background", "Foreground", "Orphan"};
    struct json *options = json_object(call->arena);
    if (body.len > 0 && body_any(call, body, &delete_schema, &options) < 0)
        return -1;
    str_t policy = json_text(json_get(options, STR("propagationPolicy")),
                             call_query(call, STR("propagationPolicy")));
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(policies); i++)
        known = known || str_eq(policy, str_from_z(policies[i]));
    if (!known)
        return bad_option(call, arena_printf(call->arena,
                                             "propagationPolicy: Unsupported value: \"" STR_F
                                             "\": supported values: \"Background\", "
                                             "\"Foreground\", \"Orphan\", \"nil\"",
                                             STR_A(policy)));
    const struct json *dry = json_get(options, STR("dryRun"));
    if (json_count(dry) == 0) {
        *out = options;
        return 0;
    }
    if (json_count(dry) > 1 || !str_eq(json_text(dry->first, STR("")), STR("All")))
        return bad_option(call, STR("dryRun: Unsupported value: supported values: \"All\""));
    call->dry_run = true;
    *out = options;
    return 0;
}

static void mark_deleted(struct call *call, struct json *object)
{
    struct arena *arena = call->arena;
    struct json *meta = json_get(object, STR("metadata"));
    json_set(meta, STR("deletionTimestamp"),
             json_string(arena, time_text(loop_wall_ms(call->api->loop), arena)));
    json_set(meta, STR("deletionGracePeriodSeconds"), json_int(arena, 0));
    if (call->kind != &kind_namespace)
        return;
    struct json *status = json_get(object, STR("status"));
    if (status == NULL || status->type != JSON_OBJECT)
        json_set(object, STR("status"), status = json_object(arena));
    json_set(status, STR("phase"), json_string(arena, STR("Terminating")));
}

/* What deleting this object means now. False: nothing, it is on its way already. */
static bool delete_plan(struct call *call, const struct object *latest, struct write_plan *plan)
{
    struct json *object = object_tree(latest, call->arena);
    bool waits = json_count(json_at(object, "metadata.finalizers")) > 0 ||
                 json_count(json_at(object, "spec.finalizers")) > 0;
    bool marked = json_at(object, "metadata.deletionTimestamp") != NULL;
    if (waits && marked)
        return false;
    if (waits)
        mark_deleted(call, object);
    *plan = (struct write_plan){.verb = waits ? STORE_UPDATE : STORE_DELETE,
                                .tree = object,
                                .based_on = latest->rv,
                                .code = 200,
                                .status = !waits};
    return true;
}

static bool is_immortal(const struct call *call)
{
    return call->kind == &kind_namespace &&
           (str_eq(call->name, STR("default")) || str_eq(call->name, STR("kube-system")) ||
            str_eq(call->name, STR("kube-public")));
}

void api_delete_object(struct call *call, const struct json *options, const struct object *latest)
{
    struct write_plan plan;
    if (check_precondition(call, options, object_tree(latest, call->arena)) < 0)
        return;
    if (is_immortal(call)) {
        (void)write_forbidden(call,
                              arena_printf(call->arena,
                                           "namespaces \"" STR_F
                                           "\" is forbidden: this namespace may not be deleted",
                                           STR_A(call->name)),
                              NULL);
        return;
    }
    if (delete_plan(call, latest, &plan))
        write_or_answer(call, &plan);
    else
        answer_object(call, 200, latest);
}

/* --- a collection --- */

/* A deletecollection: answered when its last write is done. */
struct sweep {
    struct call *call;
    unsigned left;
    bool failed;
    struct err err;
};

static void sweep_answer(struct sweep *sweep)
{
    struct call *call = sweep->call;
    if (call != NULL && sweep->failed) {
        answer_err(call, &sweep->err);
    } else if (call != NULL) {
        struct json *status = json_object(call->arena);
        json_add(status, STR("kind"), json_string(call->arena, STR("Status")));
        json_add(status, STR("apiVersion"), json_string(call->arena, STR("v1")));
        json_add(status, STR("metadata"), json_object(call->arena));
        json_add(status, STR("status"), json_string(call->arena, STR("Success")));
        answer_json(call, 200, status);
    }
    free(sweep);
}

void sweep_one_more(struct sweep *sweep)
{
    sweep->left++;
}

void sweep_one_done(struct sweep *sweep, int r, const struct err *err)
{
    if (r < 0) {
        sweep->failed = true;
        sweep->err = *err;
    }
    if (--sweep->left == 0)
        sweep_answer(sweep);
}

static void sweeper_gone(struct exchange *x)
{
    ((struct sweep *)x->self)->call = NULL;
}

struct collection {
    struct call *call;
    struct list_options options;
    struct sweep *sweep;
};

static bool delete_each(void *self, const struct object *object)
{
    struct collection *collection = self;
    struct write_plan plan;
    struct err err;
    const struct object *latest =
        store_latest(collection->call->api->store, object->resource, object->ns, object->name);
    if (latest == NULL || !list_wants(collection->call->api, &collection->options, latest))
        return true;
    struct call one = *collection->call;
    one.ns = latest->ns;
    one.name = latest->name;
    if (!delete_plan(&one, latest, &plan))
        return true;
    plan.sweep = collection->sweep;
    int r = write_submit(&one, &plan, &err);
    MUST(r == 0); /* Based on the newest version, in the same call. */
    return true;
}

void api_delete_collection(struct call *call, str_t body)
{
    struct collection collection = {.call = call};
    struct json *options;
    struct err err;
    if (delete_options(call, body, &options) < 0)
        return;
    if (call->kind == &kind_namespace) {
        answer_plain(call, 405, "MethodNotAllowed",
                     "namespaces are deleted one by one, never as a collection");
        return;
    }
    if (list_selectors(call, &collection.options) < 0)
        return;
    struct sweep *sweep = calloc(1, sizeof(*sweep));
    MUST(sweep != NULL);
    sweep->call = call;
    collection.sweep = sweep;
    call->x->self = sweep;
    call->x->on_gone = sweeper_gone;
    struct store_list range = {.resource = call->resource, .ns = call->ns};
    int r = store_each(call->api->store, &range, delete_each, &collection, &err);
    MUST(r == 0);
    if (sweep->left == 0) {
        call->x->on_gone = NULL;
        sweep_answer(sweep);
    }
}
