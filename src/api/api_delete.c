/* api_delete.c - delete one, or all that a selector names; finalizers make it a mark instead. */
#include "api/api_priv.h"
#include "api/deletion.h"

#include <stdlib.h>

enum { SWEEP_PORTION = 500 }; /* Objects of a collection a turn: about 5 ms. */

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

/* Without a body the query may say it. */
static void options_from_query(struct call *call, struct json *options)
{
    static const char *const words[] = {"propagationPolicy", "orphanDependents",
                                        "gracePeriodSeconds"};
    int64_t grace_s;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        str_t name = str_from_z(words[i]), value = call_query(call, name);
        bool minus = value.len > 1 && value.at[0] == '-';
        str_t digits = {value.at + minus, value.len - minus};
        if (value.len == 0)
            continue;
        if (i == 0)
            json_add(options, name, json_string(call->arena, value));
        else if (i == 1)
            json_add(options, name, json_bool(call->arena, str_eq(value, STR("true"))));
        else if (str_to_i64(digits, &grace_s))
            json_add(options, name, json_int(call->arena, minus ? -grace_s : grace_s));
    }
}

/* < 0: answered. */
static int check_policy(struct call *call, const struct json *options)
{
    static const char *const policies[] = {"", "Background", "Foreground", "Orphan"};
    str_t policy = json_get_text(options, STR("propagationPolicy"));
    const struct json *keep = json_get(options, STR("orphanDependents"));
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(policies); i++)
        known = known || str_eq(policy, str_from_z(policies[i]));
    if (!known)
        return bad_option(call, arena_printf(call->arena,
                                             "propagationPolicy: Unsupported value: \"" STR_F
                                             "\": supported values: \"Background\", "
                                             "\"Foreground\", \"Orphan\", \"nil\"",
                                             STR_A(policy)));
    if (policy.len > 0 && keep != NULL && keep->type == JSON_BOOL)
        return bad_option(call, arena_printf(call->arena,
                                             "propagationPolicy: Invalid value: \"" STR_F
                                             "\": orphanDependents and deletionPropagation "
                                             "cannot be both set",
                                             STR_A(policy)));
    return 0;
}

int delete_options_check(struct call *call, const struct json *options)
{
    if (check_policy(call, options) < 0)
        return -1;
    const struct json *dry = json_get(options, STR("dryRun"));
    if (json_count(dry) > 1 ||
        (json_count(dry) == 1 && !str_eq(json_text(dry->first, STR("")), STR("All"))))
        return bad_option(call, STR("dryRun: Unsupported value: supported values: \"All\""));
    if (json_count(dry) == 1)
        call->dry_run = true;
    return 0;
}

int delete_options(struct call *call, str_t body, struct json **out)
{
    struct json *options = json_object(call->arena);
    if (body.len > 0 && body_any(call, body, &delete_schema, &options) < 0)
        return -1;
    if (body.len == 0)
        options_from_query(call, options);
    *out = options;
    return delete_options_check(call, options);
}

/* Kubernetes answers with the last state of these, and with a Status for all others. */
static bool shows_the_deleted(const struct kind *kind)
{
    static const struct kind *const those[] = {
        &kind_namespace, &kind_persistentvolume, &kind_persistentvolumeclaim,
        &kind_pod,       &kind_podtemplate,      &kind_resourcequota,
        &kind_service,   &kind_storageclass,
    };
    for (size_t i = 0; i < ARRAY_LEN(those); i++)
        if (kind == those[i])
            return true;
    return str_eq(str_from_z(kind->name), STR("ServiceAccount"));
}

/* What deleting this object means now. False: nothing, it is on its way already. */
static bool delete_plan(struct call *call, const struct json *options, struct json *object,
                        const struct object *latest, struct write_plan *plan)
{
    struct deletion_wish wish = deletion_wish_of(options);
    enum deletion_step step =
        deletion_next(call->kind, &wish, loop_wall_ms(call->api->loop), object, call->arena);
    bool removed = step == DELETION_REMOVE;
    const struct json *keep = json_get(options, STR("orphanDependents"));
    /* 202 only for those who ask in the old way: that is what their clients look at. */
    bool later = keep != NULL && keep->type == JSON_BOOL && !json_is_true(keep) && !removed;
    *plan = (struct write_plan){.verb = removed ? STORE_DELETE : STORE_UPDATE,
                                .tree = object,
                                .based_on = latest->rv,
                                .code = later ? 202 : 200,
                                .status = removed && !shows_the_deleted(call->kind)};
    return step != DELETION_NOTHING;
}

static bool is_immortal(const struct call *call)
{
    return call->kind == &kind_namespace &&
           (str_eq(call->name, STR("default")) || str_eq(call->name, STR("kube-system")) ||
            str_eq(call->name, STR("kube-public")));
}

static void warn_of_orphans(struct call *call, const struct json *options)
{
    if (call->kind == &kind_job && deletion_wish_of(options).policy == PROPAGATE_UNSAID)
        call->warning = "child pods are preserved by default when jobs are deleted; set "
                        "propagationPolicy=Background to remove them or set "
                        "propagationPolicy=Orphan to suppress this warning";
}

void api_delete_object(struct call *call, const struct json *options, const struct object *latest)
{
    struct write_plan plan;
    struct json *object = object_tree_as(call->kind, latest, call->arena);
    if (check_precondition(call, options, object) < 0)
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
    warn_of_orphans(call, options);
    if (delete_plan(call, options, object, latest, &plan))
        write_or_answer(call, &plan);
    else
        answer_object(call, plan.code, latest);
}

/* --- a collection --- */

/*
 * A deletecollection: answered when its last write is done. It goes through the collection a
 * portion a turn, so that others are served in between; what appears behind it is not its business.
 */
struct sweep {
    struct post turn;
    struct api *api;
    struct call *call;    /* NULL: the client has gone, and the rest stays. */
    struct json *options; /* In the call's arena, as the selectors. */
    struct list_options which;
    str_t after_ns, after_name; /* In `place`. */
    struct arena place;
    bool all_seen;
    unsigned left; /* Writes under way. */
    unsigned portion;
    bool failed;
    struct err err;
};

static void sweep_answer(struct sweep *sweep)
{
    struct call *call = sweep->call;
    if (call != NULL)
        call->x->on_gone = NULL;
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
    arena_done(&sweep->place);
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
    if (--sweep->left == 0 && sweep->all_seen)
        sweep_answer(sweep);
}

static void sweeper_gone(struct exchange *x)
{
    ((struct sweep *)x->self)->call = NULL;
}

static void delete_one(struct sweep *sweep, const struct object *latest)
{
    AUTO(arena_done) struct arena arena = {0};
    struct write_plan plan;
    struct err err;
    struct call one = *sweep->call;
    one.arena = &arena;
    one.ns = latest->ns;
    one.name = latest->name;
    struct json *object = object_tree_as(one.kind, latest, &arena);
    if (!delete_plan(&one, sweep->options, object, latest, &plan))
        return;
    plan.sweep = sweep;
    int r = write_submit(&one, &plan, &err);
    MUST(r == 0); /* Based on the newest version, in the same call. */
}

static bool delete_each(void *self, const struct object *object)
{
    struct sweep *sweep = self;
    const struct object *latest =
        store_latest(sweep->api->store, object->resource, object->ns, object->name);
    if (latest != NULL && list_wants(sweep->api, &sweep->which, latest))
        delete_one(sweep, latest);
    if (++sweep->portion < SWEEP_PORTION)
        return true;
    arena_reset(&sweep->place);
    sweep->after_ns = arena_str(&sweep->place, object->ns);
    sweep->after_name = arena_str(&sweep->place, object->name);
    return false;
}

static void sweep_turn(struct post *turn)
{
    struct sweep *sweep = CONTAINER_OF(turn, struct sweep, turn);
    struct err err;
    sweep->portion = 0;
    if (sweep->call != NULL) {
        struct store_list range = {.resource = sweep->call->resource,
                                   .ns = sweep->call->ns,
                                   .after_ns = sweep->after_ns,
                                   .after_name = sweep->after_name};
        int r = store_each(sweep->api->store, &range, delete_each, sweep, &err);
        MUST(r == 0);
    }
    sweep->all_seen = sweep->portion < SWEEP_PORTION;
    if (!sweep->all_seen)
        loop_later(sweep->api->loop, turn);
    else if (sweep->left == 0)
        sweep_answer(sweep);
}

void api_delete_collection(struct call *call, str_t body)
{
    struct json *options;
    struct list_options which = {0};
    if (delete_options(call, body, &options) < 0)
        return;
    if (call->kind == &kind_namespace) {
        answer_plain(call, 405, "MethodNotAllowed",
                     "namespaces are deleted one by one, never as a collection");
        return;
    }
    if (list_selectors(call, &which) < 0)
        return;
    warn_of_orphans(call, options);
    struct sweep *sweep = calloc(1, sizeof(*sweep));
    MUST(sweep != NULL);
    *sweep = (struct sweep){
        .turn.run = sweep_turn, .api = call->api, .call = call, .options = options, .which = which};
    call->x->self = sweep;
    call->x->on_gone = sweeper_gone;
    sweep_turn(&sweep->turn);
}
