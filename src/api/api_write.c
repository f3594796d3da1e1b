/*
 * api_write.c - create, update and patch: the one way into the store.
 *
 * Everything is decided at once against the newest version, queued or committed; the answer is sent
 * when the store says that it is on disk. A client that goes away meanwhile changes nothing but
 * that nobody is told.
 */
#include "api/admit.h"
#include "api/api_priv.h"
#include "api/deletion.h"
#include "base/map.h"
#include "kube/patch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* One queued write and who waits for it. */
struct pending {
    struct store_write write;
    struct call *call; /* NULL: the client has gone, or there is none. */
    int code;          /* Of the answer. */
    bool status;       /* Answer with a Status instead of the object. */
    struct sweep *sweep;
};

enum { UNORDERED_BYTES_MAX = 32 * 1024 };

static const char *const namespace_resource = "namespaces";

/* --- the answer --- */

static void answer_deleted(struct call *call, const struct object *object)
{
    struct arena *arena = call->arena;
    struct json *tree = object_tree(object, arena), *status = json_object(arena);
    struct json *details = json_object(arena);
    json_add(status, STR("kind"), json_string(arena, STR("Status")));
    json_add(status, STR("apiVersion"), json_string(arena, STR("v1")));
    json_add(status, STR("metadata"), json_object(arena));
    json_add(status, STR("status"), json_string(arena, STR("Success")));
    json_add(details, STR("name"), json_string(arena, object->name));
    if (call->kind->group[0] != '\0')
        json_add(details, STR("group"), json_string(arena, str_from_z(call->kind->group)));
    json_add(details, STR("kind"), json_string(arena, str_from_z(call->kind->plural)));
    json_add(details, STR("uid"),
             json_string(arena, json_text(json_at(tree, "metadata.uid"), STR(""))));
    json_add(status, STR("details"), details);
    answer_json(call, 200, status);
}

static void pending_done(struct store_write *write, int r, const struct err *err)
{
    struct pending *pending = CONTAINER_OF(write, struct pending, write);
    struct call *call = pending->call;
    if (call != NULL) {
        call->x->on_gone = NULL;
        if (r < 0)
            answer_err(call, err);
        else if (pending->status)
            answer_deleted(call, write->object);
        else
            answer_object(call, pending->code, write->object);
    }
    struct sweep *sweep = pending->sweep;
    object_unref(write->object);
    free(pending);
    if (sweep != NULL)
        sweep_one_done(sweep, r, err);
}

static void writer_gone(struct exchange *x)
{
    ((struct pending *)x->self)->call = NULL;
}

/* --- giving it to the store --- */

/* As the version of the kind that is stored; a tree that came from the store is already. */
static const struct kind *to_stored(struct call *call, struct json *tree)
{
    const struct kind *stored = call->kind->stored_as;
    if (stored == NULL)
        return call->kind;
    if (call->kind->to_stored != NULL &&
        !str_eq(json_get_text(tree, STR("apiVersion")), kind_api_version(stored, call->arena)))
        call->kind->to_stored(tree, call->arena);
    return stored;
}

/* kind, apiVersion and metadata first; the resourceVersion it will have. */
static struct object *render(struct call *call, struct json *tree, uint64_t rv)
{
    struct arena *arena = call->arena;
    const struct kind *kind = to_stored(call, tree);
    AUTO(buf_done) struct buf text = {0};
    struct json *meta = json_get(tree, STR("metadata"));
    if (rv > 0)
        json_set(meta, STR("resourceVersion"),
                 json_string(arena, arena_printf(arena, "%llu", (unsigned long long)rv)));
    else
        (void)json_remove(meta, STR("resourceVersion")); /* A dry run of a create. */
    str_t name = json_get_text(meta, STR("name"));
    struct json ordered = {.type = JSON_OBJECT};
    json_add(&ordered, STR("kind"), json_string(arena, str_from_z(kind->name)));
    json_add(&ordered, STR("apiVersion"), json_string(arena, kind_api_version(kind, arena)));
    for (struct json *child = tree->first, *next; child != NULL; child = next) {
        next = child->next;
        if (child == meta)
            continue;
        if (!str_eq(child->key, STR("kind")) && !str_eq(child->key, STR("apiVersion"))) {
            struct json *copy = arena_new(arena, struct json);
            *copy = *child;
            json_add(&ordered, child->key, copy);
        }
    }
    /* Third place: behind apiVersion. */
    struct json *at = ordered.first->next, *meta_copy = arena_new(arena, struct json);
    *meta_copy = *meta;
    meta_copy->next = at->next;
    if (at->next == NULL)
        ordered.last = meta_copy;
    at->next = meta_copy;
    buf_room(&text, 512);
    json_write(&ordered, &text);
    return object_new(call->resource, call->ns, name, rv, buf_str(&text));
}

int write_submit(struct call *call, const struct write_plan *plan, struct err *err)
{
    struct store *store = call->api->store;
    bool dry = call->dry_run;
    struct object *object = render(call, plan->tree, dry ? plan->based_on : store_next_rv(store));
    if (dry) {
        if (plan->sweep == NULL && plan->status)
            answer_deleted(call, object);
        else if (plan->sweep == NULL)
            answer_object(call, plan->code, object);
        object_unref(object);
        return 0;
    }
    struct pending *pending = calloc(1, sizeof(*pending));
    MUST(pending != NULL);
    *pending = (struct pending){.code = plan->code, .status = plan->status, .sweep = plan->sweep};
    pending->write = (struct store_write){
        .verb = plan->verb, .object = object, .based_on = plan->based_on, .done = pending_done};
    int r = store_write(store, &pending->write, err);
    if (r < 0) {
        object_unref(object);
        free(pending);
        return r;
    }
    if (plan->sweep != NULL) {
        sweep_one_more(plan->sweep);
    } else if (call->x != NULL) {
        pending->call = call;
        call->x->self = pending;
        call->x->on_gone = writer_gone;
    }
    return 0;
}

void write_or_answer(struct call *call, const struct write_plan *plan)
{
    struct err err;
    if (write_submit(call, plan, &err) < 0)
        answer_err(call, &err);
}

/* --- checks --- */

static struct json *metadata(struct json *object, struct arena *arena)
{
    struct json *meta = json_get(object, STR("metadata"));
    if (meta == NULL || meta->type != JSON_OBJECT) { /* `metadata: null` is no metadata. */
        meta = json_object(arena);
        json_set(object, STR("metadata"), meta);
    }
    return meta;
}

int write_forbidden(struct call *call, str_t message, const char *cause)
{
    struct arena *arena = call->arena;
    struct json *details = json_object(arena), *causes = json_array(arena),
                *why = json_object(arena);
    json_add(details, STR("name"), json_string(arena, call->name));
    json_add(details, STR("kind"), json_string(arena, str_from_z(call->kind->plural)));
    if (cause != NULL) {
        json_add(why, STR("reason"), json_string(arena, str_from_z(cause)));
        json_add(why, STR("field"), json_string(arena, STR("metadata.namespace")));
        json_add(details, STR("causes"), json_add(causes, STR(""), why));
    }
    struct refusal refusal = {403, "Forbidden", message, details};
    answer_refusal(call, &refusal);
    return -1;
}

/* A new object needs a namespace that is there and stays. < 0: answered. */
static int check_namespace(struct call *call)
{
    if (!call->kind->namespaced)
        return 0;
    const struct object *ns =
        store_latest(call->api->store, str_from_z(namespace_resource), STR(""), call->ns);
    if (ns == NULL) {
        struct call about = *call;
        about.kind = &kind_namespace;
        about.resource = str_from_z(namespace_resource);
        about.name = call->ns;
        answer_not_found(&about);
        return -1;
    }
    if (memmem(ns->json.at, ns->json.len, "\"deletionTimestamp\"", 19) == NULL)
        return 0;
    if (json_at(object_tree(ns, call->arena), "metadata.deletionTimestamp") == NULL)
        return 0;
    return write_forbidden(call,
                           arena_printf(call->arena,
                                        STR_F " \"" STR_F
                                              "\" is forbidden: unable to create new content in "
                                              "namespace " STR_F " because it is being terminated",
                                        STR_A(call->resource), STR_A(call->name), STR_A(call->ns)),
                           "NamespaceTerminating");
}

/* Whoever waits for its end must have said so before. */
static void check_finalizers(const struct json *object, const struct json *old,
                             struct field_errors *errors)
{
    const struct json *were = json_at(old, "metadata.finalizers");
    const struct json *are = json_at(object, "metadata.finalizers");
    if (json_at(old, "metadata.deletionTimestamp") == NULL || json_count(are) == 0)
        return;
    AUTO(map_done) struct map known = {0};
    AUTO(buf_done) struct buf added = {0};
    if (json_count(were) > 0)
        JSON_EACH(were, finalizer)
    if (map_find(&known, finalizer->text) == NULL)
        map_add(&known, finalizer->text, arena_new(errors->arena, struct map_node));
    JSON_EACH(are, finalizer)
    if (map_find(&known, finalizer->text) == NULL)
        buf_printf(&added, "%s\"" STR_F "\"", added.len > 0 ? ", " : "", STR_A(finalizer->text));
    if (added.len > 0)
        field_error(errors, FIELD_FORBIDDEN, STR("metadata.finalizers"),
                    "Forbidden: no new finalizers can be added if the object is being deleted, "
                    "found new finalizers []string{" STR_F "}",
                    STR_A(buf_str(&added)));
}

static bool is_ephemeral(const struct call *call)
{
    return str_eq(call->subresource, STR("ephemeralcontainers"));
}

/* Debug containers come and stay as they are. */
static void check_ephemeral(const struct json *object, const struct json *old,
                            struct field_errors *errors)
{
    const struct json *are = json_at(object, "spec.ephemeralContainers");
    JSON_EACH(json_at(old, "spec.ephemeralContainers"), was)
    {
        const struct json *same = NULL;
        str_t name = json_get_text(was, STR("name"));
        JSON_EACH(are, each)
        if (str_eq(json_get_text(each, STR("name")), name))
            same = each;
        if (same == NULL || !json_eq(same, was))
            field_error(errors, FIELD_FORBIDDEN, STR("spec.ephemeralContainers"),
                        "Forbidden: existing ephemeral containers \"" STR_F "\" may not be %s\n",
                        STR_A(name), same == NULL ? "removed" : "changed");
    }
}

static int check_rules(struct call *call, struct json *object, const struct json *old)
{
    struct field_errors *errors = arena_new(call->arena, struct field_errors);
    errors->arena = call->arena;
    meta_check(call->kind, object, errors);
    kind_check_fields(call->kind, object, old, errors);
    if (old != NULL) {
        check_finalizers(object, old, errors);
    }
    if (is_ephemeral(call))
        check_ephemeral(object, old, errors);
    else if (call->kind->check != NULL)
        call->kind->check(object, old, errors);
    if (errors->n == 0)
        return 0;
    answer_invalid(call, json_get_text(json_get(object, STR("metadata")), STR("name")), errors);
    return -1;
}

/* --- create --- */

static str_t guess_name(str_t prefix, struct arena *arena)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789"; /* No words, no look-alikes. */
    unsigned char dice[GENERATED_CHARS];
    char tail[GENERATED_CHARS + 1] = {0};
    MUST(getrandom(dice, sizeof(dice), 0) == (ssize_t)sizeof(dice));
    for (int i = 0; i < GENERATED_CHARS; i++)
        tail[i] = letters[dice[i] % (sizeof(letters) - 1)];
    size_t most = LABEL_LEN_MAX - GENERATED_CHARS;
    if (prefix.len > most)
        prefix.len = most;
    return arena_printf(arena, STR_F "%s", STR_A(prefix), tail);
}

/* Tried a few times, as Kubernetes does: by the birthday rule 5,000 names collide once. */
static str_t generated_name(struct call *call, str_t prefix)
{
    str_t name = guess_name(prefix, call->arena);
    for (int i = 0; i < GENERATE_TRIES; i++) {
        if (store_latest(call->api->store, call->resource, call->ns, name) == NULL)
            break;
        name = guess_name(prefix, call->arena);
    }
    return name;
}

static int check_create_meta(struct call *call, struct json *meta)
{
    str_t ns = json_get_text(meta, STR("namespace"));
    if (ns.len > 0 && !str_eq(ns, call->ns)) {
        answer_plain(
            call, 400, "BadRequest",
            "the namespace of the provided object does not match the namespace sent on the "
            "request");
        return -1;
    }
    if (json_get_text(meta, STR("resourceVersion")).len > 0) {
        answer_plain(call, 400, "BadRequest",
                     "resourceVersion should not be set on objects to be created");
        return -1;
    }
    return 0;
}

static void system_meta(struct call *call, struct json *meta)
{
    struct arena *arena = call->arena;
    static const char *const ours[] = {"selfLink",          "uid",
                                       "generation",        "creationTimestamp",
                                       "deletionTimestamp", "deletionGracePeriodSeconds",
                                       "managedFields",     "resourceVersion"};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        (void)json_remove(meta, str_from_z(ours[i]));
    if (call->kind->namespaced)
        json_set(meta, STR("namespace"), json_string(arena, call->ns));
    if (call->kind->has_spec_generation)
        json_add(meta, STR("generation"), json_int(arena, 1));
    json_add(meta, STR("uid"), json_string(arena, uid_new(arena)));
    json_add(meta, STR("creationTimestamp"),
             json_string(arena, time_text(loop_wall_ms(call->api->loop), arena)));
}

/* Before anything is taken for it. < 0: answered. */
static int check_is_new(struct call *call)
{
    struct err exists = {.code = ERR_EXISTS};
    if (store_latest(call->api->store, call->resource, call->ns, call->name) == NULL)
        return 0;
    answer_err(call, &exists);
    return -1;
}

/*
 * Kinds of Kubernetes show their spec and status though there is nothing in them, and clients go
 * through them without asking.
 */
static void show_parts(const struct kind *kind, struct json *object, struct arena *arena)
{
    static const str_t parts[] = {STR("spec"), STR("status")};
    bool shown = kind->custom == NULL && !kind->as_given;
    for (size_t i = 0; shown && i < ARRAY_LEN(parts); i++)
        for (const struct field *row = kind->schema->fields; row->name != NULL; row++)
            if (str_eq(str_from_z(row->name), parts[i]) && row->type == FIELD_OBJECT &&
                json_get(object, parts[i]) == NULL)
                json_set(object, parts[i], json_object(arena));
}

void api_create_object(struct call *call, struct json *object)
{
    struct arena *arena = call->arena;
    struct json *meta = metadata(object, arena);
    if (authz_check_create(call) < 0 || check_create_meta(call, meta) < 0)
        return;
    str_t name = json_get_text(meta, STR("name")),
          prefix = json_get_text(meta, STR("generateName"));
    if (name.len == 0 && prefix.len > 0)
        name = generated_name(call, prefix);
    call->name = name;
    json_set(meta, STR("name"), json_string(arena, name));
    if (check_namespace(call) < 0 || crd_check_create(call) < 0)
        return;
    system_meta(call, meta);
    if (call->kind->has_status)
        (void)json_remove(object, STR("status"));
    kind_set_defaults(call->kind, object, arena);
    if (call->kind->prepare != NULL)
        call->kind->prepare(object, NULL, arena);
    if (call->kind == &kind_crd)
        crd_prepare(call, object, NULL);
    track_fields(call, object, NULL); /* What admission adds is nobody's: no apply takes it away. */
    if (call->kind == &kind_service)
        addresses_prepare(call, object, NULL);
    if (admit(call, object, NULL) < 0 || authz_check_grant(call, object, NULL) < 0)
        return;
    if (check_rules(call, object, NULL) < 0 || check_is_new(call) < 0 ||
        admit_last(call, object, NULL) < 0)
        return;
    show_parts(call->kind, object, arena);
    struct write_plan plan = {.verb = STORE_CREATE, .tree = object, .code = 201};
    write_or_answer(call, &plan);
}

/* --- update --- */

static void keep(struct json *to, const struct json *from, str_t key, struct arena *arena)
{
    const struct json *kept = json_get(from, key);
    if (kept != NULL)
        json_set(to, key, json_clone(kept, arena));
    else
        (void)json_remove(to, key);
}

int precondition_failed(struct call *call, const char *word, str_t wanted, str_t is)
{
    struct refusal refusal = {409, "Conflict",
                              arena_printf(call->arena,
                                           "Operation cannot be fulfilled on " STR_F " \"" STR_F
                                           "\": Precondition failed: %s in precondition: " STR_F
                                           ", %s in object meta: " STR_F,
                                           STR_A(call->resource), STR_A(call->name), word,
                                           STR_A(wanted), word, STR_A(is)),
                              NULL};
    answer_refusal(call, &refusal);
    return -1;
}

/* What the client may not change is as it was. < 0: answered. */
static int update_meta(struct call *call, struct json *object, const struct json *old)
{
    static const char *const kept[] = {"selfLink",          "uid",
                                       "generation",        "creationTimestamp",
                                       "deletionTimestamp", "deletionGracePeriodSeconds",
                                       "generateName"};
    struct json *meta = metadata(object, call->arena);
    const struct json *was = json_get(old, STR("metadata"));
    str_t name = json_get_text(meta, STR("name")), ns = json_get_text(meta, STR("namespace"));
    str_t uid = json_get_text(meta, STR("uid"));
    if (name.len > 0 && !str_eq(name, call->name)) {
        answer_plain(call, 400, "BadRequest",
                     "the name of the object (" STR_F ") does not match the name on the URL (" STR_F
                     ")",
                     STR_A(name), STR_A(call->name));
        return -1;
    }
    if (ns.len > 0 && !str_eq(ns, call->ns)) {
        answer_plain(
            call, 400, "BadRequest",
            "the namespace of the provided object does not match the namespace sent on the "
            "request");
        return -1;
    }
    if (uid.len > 0 && !str_eq(uid, json_get_text(was, STR("uid"))))
        return precondition_failed(call, "UID", uid, json_get_text(was, STR("uid")));
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        keep(meta, was, str_from_z(kept[i]), call->arena);
    keep(meta, was, STR("name"), call->arena);
    keep(meta, was, STR("namespace"), call->arena);
    return 0;
}

/* metadata.generation counts what its owner wants, not what became of it. */
static void count_generation(struct call *call, struct json *object, const struct json *old)
{
    int64_t generation = 0;
    const struct json *was = json_get(old, STR("spec")), *is = json_get(object, STR("spec"));
    if (!call->kind->has_spec_generation || was == is ||
        (was != NULL && is != NULL && json_eq(was, is)))
        return;
    (void)json_to_i64(json_at(old, "metadata.generation"), &generation);
    json_set(json_get(object, STR("metadata")), STR("generation"),
             json_int(call->arena, generation + 1));
}

/* True: it says a version, and that is not the newest. */
static bool outdated(const struct json *object, const struct object *latest)
{
    int64_t rv;
    str_t text = json_text(json_at(object, "metadata.resourceVersion"), STR(""));
    return text.len > 0 && !str_eq(text, STR("0")) &&
           (!str_to_i64(text, &rv) || (uint64_t)rv != latest->rv);
}

/* The object as the subresource may change it: all else is as it was. */
static struct json *through_subresource(struct call *call, struct json *object, struct json *old)
{
    struct json *result = json_clone(old, call->arena);
    keep(json_get(result, STR("metadata")), json_get(object, STR("metadata")),
         STR("resourceVersion"), call->arena);
    if (is_ephemeral(call))
        keep(json_get(result, STR("spec")), json_get(object, STR("spec")),
             STR("ephemeralContainers"), call->arena);
    else
        keep(result, object, str_eq(call->subresource, STR("status")) ? STR("status") : STR("spec"),
             call->arena);
    return result;
}

/*
 * Members in another order are no change; but finding that out takes a search for each, which for
 * a large object takes longer than writing it once more.
 */
static bool unchanged(const struct json *object, const struct json *old, size_t bytes)
{
    if (bytes <= UNORDERED_BYTES_MAX)
        return json_eq(object, old);
    AUTO(buf_done) struct buf is = {0}, was = {0};
    json_write(object, &is);
    json_write(old, &was);
    return str_eq(buf_str(&is), buf_str(&was));
}

void api_update_object(struct call *call, struct json *object, const struct object *latest)
{
    struct arena *arena = call->arena;
    struct json *old = object_tree_as(call->kind, latest, arena);
    struct err conflict = {.code = ERR_CONFLICT};
    if (outdated(object, latest)) {
        answer_err(call, &conflict);
        return;
    }
    if (update_meta(call, object, old) < 0)
        return;
    if (call->subresource.len > 0) {
        object = through_subresource(call, object, old);
        kind_set_defaults(call->kind, object, arena);
    } else {
        if (call->kind->has_status)
            keep(object, old, STR("status"), arena);
        kind_set_defaults(call->kind, object, arena);
        if (call->kind->prepare != NULL)
            call->kind->prepare(object, old, arena);
        if (call->kind == &kind_crd)
            crd_prepare(call, object, old);
        if (call->kind == &kind_service)
            addresses_prepare(call, object, old);
        if (admit(call, object, old) < 0)
            return;
        count_generation(call, object, old);
    }
    if (authz_check_grant(call, object, old) < 0)
        return;
    if (check_rules(call, object, old) < 0)
        return;
    if (call->subresource.len == 0 && admit_last(call, object, old) < 0)
        return;
    show_parts(call->kind, object, arena);
    track_fields(call, object, old);
    json_set(json_get(object, STR("metadata")), STR("resourceVersion"),
             json_string(arena, json_text(json_at(old, "metadata.resourceVersion"), STR(""))));
    json_set(object, STR("kind"), json_string(arena, str_from_z(call->kind->name)));
    json_set(object, STR("apiVersion"), json_string(arena, kind_api_version(call->kind, arena)));
    bool ended = deletion_is_over(object);
    if (!ended && unchanged(object, old, latest->json.len)) {
        answer_object(call, 200, latest); /* Nothing changes, nothing is written. */
        return;
    }
    struct write_plan plan = {.verb = ended ? STORE_DELETE : STORE_UPDATE,
                              .tree = object,
                              .based_on = latest->rv,
                              .code = 200};
    write_or_answer(call, &plan);
}

/* --- patch --- */

enum patch_form { PATCH_NONE, PATCH_JSON, PATCH_MERGE, PATCH_STRATEGIC };

static enum patch_form patch_form(const struct call *call)
{
    str_t type, rest;
    str_cut(http_get(call->x, STR("Content-Type")), ';', &type, &rest);
    type = str_trim(type);
    if (str_eq(type, STR("application/json-patch+json")))
        return PATCH_JSON;
    if (str_eq(type, STR("application/merge-patch+json")))
        return PATCH_MERGE;
    bool strategic = str_eq(type, STR("application/strategic-merge-patch+json"));
    return strategic && call->kind->custom == NULL ? PATCH_STRATEGIC : PATCH_NONE;
}

static void answer_no_form(struct call *call)
{
    str_t type, rest;
    str_cut(http_get(call->x, STR("Content-Type")), ';', &type, &rest);
    answer_plain(call, 415, "UnsupportedMediaType",
                 "the body of the request was in an unknown format (" STR_F
                 ") - accepted media types include: application/json-patch+json, "
                 "application/merge-patch+json, %sapplication/apply-patch+yaml",
                 STR_A(type),
                 call->kind->custom != NULL ? "" : "application/strategic-merge-patch+json, ");
}

static struct json *patched_by_json(struct call *call, const struct json *base,
                                    const struct json *patch)
{
    struct json *object;
    struct err err;
    if (patch->type != JSON_ARRAY) {
        answer_plain(call, 400, "BadRequest", "a JSON patch is a list of operations");
        return NULL;
    }
    int r = patch_json(base, patch, call->arena, &object, &err);
    if (r == 0 && object->type == JSON_OBJECT)
        return object;
    answer_plain(call, 422, "Invalid",
                 "the server rejected our request due to an error in our request: %s",
                 r == 0 ? "the patched object must be an object" : err.text);
    return NULL;
}

struct json *patched(struct call *call, const struct json *old, str_t body)
{
    enum patch_form form = patch_form(call);
    struct json *patch;
    if (form == PATCH_NONE) {
        answer_no_form(call);
        return NULL;
    }
    if (body_any(call, body, call->kind->schema, &patch) < 0)
        return NULL;
    struct json *base = json_clone(old, call->arena);
    if (form == PATCH_JSON) /* It may name the version: a precondition. */
        return patched_by_json(call, base, patch);
    (void)json_remove(json_get(base, STR("metadata")), STR("resourceVersion"));
    if (patch->type != JSON_OBJECT) {
        answer_plain(call, 400, "BadRequest", "a patch must be an object");
        return NULL;
    }
    if (!patch_fits(base, patch)) {
        answer_plain(call, 413, "RequestEntityTooLarge",
                     "the patch and the object are too large to be merged: replace the object");
        return NULL;
    }
    return form == PATCH_STRATEGIC ? patch_strategic(call->kind->schema, base, patch, call->arena)
                                   : patch_merge(base, patch, call->arena);
}

/* Where Kubernetes has its own words for what a patch made of a map, we say them too. */
static void answer_misfit(struct call *call, const struct err *err)
{
    const char *from = strstr(err->text, "cannot unmarshal ");
    if (from != NULL && strstr(from, " of type map[") != NULL) {
        str_t is, rest;
        str_cut(str_from_z(from + strlen("cannot unmarshal ")), ' ', &is, &rest);
        answer_plain(call, 422, "Invalid",
                     "the patched object is not valid: cannot restore map from " STR_F ": %s",
                     STR_A(is), err->text);
        return;
    }
    answer_plain(call, 422, "Invalid", "the patched object is not valid: %s", err->text);
}

static void patch(struct call *call, str_t body, const struct object *latest)
{
    struct err err;
    if (is_apply(call)) {
        api_apply(call, body, latest);
        return;
    }
    if (check_manager(call, false) < 0)
        return;
    struct json *object = patched(call, object_tree_as(call->kind, latest, call->arena), body);
    if (object == NULL)
        return;
    call->unknown = json_array(call->arena);
    if (kind_decode_check(call->kind, object, call->unknown, call->arena, &err) < 0) {
        call->unknown = NULL;
        answer_misfit(call, &err);
        return;
    }
    if (body_check_unknown(call, STR("")) < 0)
        return;
    kind_prune(call->kind, object);
    api_update_object(call, object, latest);
}

/* --- who comes here --- */

static void with_latest(struct call *call, str_t body)
{
    struct json *object = NULL;
    bool plain = call->sub == NULL || call->sub->kind == NULL;
    if (plain && call->verb == VERB_UPDATE && body_object(call, body, &object) < 0)
        return;
    if (call->verb == VERB_DELETE && delete_options(call, body, &object) < 0)
        return;
    const struct object *latest =
        store_latest(call->api->store, call->resource, call->ns, call->name);
    if (latest == NULL && call->verb == VERB_PATCH && call->sub == NULL && is_apply(call))
        api_apply(call, body, NULL);
    else if (latest == NULL)
        answer_not_found(call);
    else if (call->sub != NULL && subresource_write(call, body, latest))
        return;
    else if (call->verb == VERB_UPDATE)
        api_update_object(call, object, latest);
    else if (call->verb == VERB_PATCH)
        patch(call, body, latest);
    else
        api_delete_object(call, object, latest);
}

/* POST .../bindings: the old way to say where a pod goes. */
static void bind_pod(struct call *call)
{
    struct json *binding;
    if (body_object(call, call->body, &binding) < 0)
        return;
    call->kind = &kind_pod;
    call->resource = STR("pods");
    call->name = json_text(json_at(binding, "metadata.name"), STR(""));
    const struct object *pod = store_latest(call->api->store, call->resource, call->ns, call->name);
    if (pod == NULL)
        answer_not_found(call);
    else
        api_bind(call, binding, pod);
}

static void write_run(struct flow_call *flow)
{
    struct call *call = CONTAINER_OF(flow, struct call, flow);
    struct json *object;
    call->x->on_gone = NULL;
    flow_leave(&call->api->flows, flow);
    if (call->verb == VERB_DELETE_COLLECTION)
        api_delete_collection(call, call->body);
    else if (call->kind == &kind_binding)
        bind_pod(call);
    else if (call->verb != VERB_CREATE || call->sub != NULL)
        with_latest(call, call->body);
    else if (body_object(call, call->body, &object) == 0 && !review_answer(call, object))
        api_create_object(call, object);
}

static void body_here(struct exchange *x, str_t body)
{
    struct call *call = x->self;
    call->body = body;
    call_enter(call, write_run);
}

static void body_gone(struct exchange *x)
{
    struct call *call = x->self;
    flow_leave(&call->api->flows, &call->flow);
}

/* What the body will take at the most. */
static size_t body_room(const struct call *call, size_t most)
{
    int64_t bytes = call->x->body_bytes;
    if (bytes < 0 && !str_to_i64(http_get(call->x, STR("Content-Length")), &bytes))
        return most;
    return bytes < 0 || (uint64_t)bytes > most ? most : (size_t)bytes;
}

void api_write(struct call *call)
{
    size_t most = call->api->settings.body_bytes_max;
    most = most > 0 ? most : BODY_DEFAULT_MAX;
    if (!flow_reserve(&call->api->flows, &call->flow, body_room(call, most))) {
        answer_too_many(call);
        return;
    }
    call->x->self = call;
    call->x->on_gone = body_gone;
    http_collect(call->x, most, body_here);
}
