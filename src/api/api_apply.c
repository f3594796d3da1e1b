/*
 * api_apply.c - server-side apply, and who set which field with every other write.
 *
 * What is decided is in kube/managed.h; here is where it meets requests.
 */
#include "api/api_priv.h"
#include "kube/managed.h"

/* --- who writes --- */

/* As the server it is modelled on: the program's name, up to the slash before its version. */
static str_t program_of(const struct call *call)
{
    str_t name, rest;
    str_cut(http_get(call->x, STR("User-Agent")), '/', &name, &rest);
    size_t n = 0;
    char *out = arena_bytes(call->arena, MANAGER_LEN_MAX);
    for (size_t i = 0; i < name.len && n < MANAGER_LEN_MAX; i++)
        if (name.at[i] >= ' ' && name.at[i] <= '~')
            out[n++] = name.at[i];
    return n > 0 ? (str_t){out, n} : STR("unknown");
}

static struct manager_who manager_of(const struct call *call)
{
    str_t name = STR("davy");
    if (call->x != NULL)
        name = call_query(call, STR("fieldManager"));
    if (name.len == 0)
        name = program_of(call);
    str_t sub = call->through != NULL ? str_from_z(call->through->name) : call->subresource;
    return (struct manager_who){.name = name,
                                .api_version = kind_api_version(call->kind, call->arena),
                                .subresource = sub,
                                .now = time_text(loop_wall_ms(call->api->loop), call->arena)};
}

static int bad_option(struct call *call, const char *text)
{
    const char *of = call->verb == VERB_PATCH    ? "PatchOptions"
                     : call->verb == VERB_CREATE ? "CreateOptions"
                                                 : "UpdateOptions";
    answer_plain(call, 422, "Invalid", "%s.meta.k8s.io \"\" is invalid: %s", of, text);
    return -1;
}

int check_manager(struct call *call, bool applies)
{
    if (call->x == NULL)
        return 0;
    str_t manager = call_query(call, STR("fieldManager")), force;
    if (applies && manager.len == 0)
        return bad_option(call, "fieldManager: Required value: is required for apply patch");
    if (!applies && call->verb == VERB_PATCH && http_query_get(call->x, STR("force"), &force))
        return bad_option(call, "force: Forbidden: may not be specified for non-apply patch");
    if (manager.len > MANAGER_LEN_MAX)
        return bad_option(call, "fieldManager: Too long: may not be more than 128 bytes");
    for (size_t i = 0; i < manager.len; i++)
        if (manager.at[i] < ' ' || manager.at[i] > '~')
            return bad_option(call, "fieldManager: Invalid value: should only contain printable "
                                    "characters");
    return 0;
}

/* --- every other write --- */

/* `managedFields: []` and `[{}]` ask to forget who set what. */
static bool is_reset(const struct json *list)
{
    return list != NULL && list->type == JSON_ARRAY &&
           (list->first == NULL || (list->first == list->last && list->first->type == JSON_OBJECT &&
                                    list->first->first == NULL));
}

/* Takes the member out of its object for a while. */
static struct json *taken(struct json *meta, str_t name, struct arena *arena)
{
    struct json *value = json_get(meta, name);
    if (value == NULL)
        return NULL;
    struct json *copy = arena_new(arena, struct json);
    *copy = *value;
    copy->next = NULL;
    (void)json_remove(meta, name);
    return copy;
}

void track_fields(struct call *call, struct json *object, struct json *old)
{
    struct arena *arena = call->arena;
    struct json *meta = json_get(object, STR("metadata"));
    struct json *old_meta = json_get(old, STR("metadata"));
    str_t name = STR("managedFields");
    struct json *theirs = taken(meta, name, arena);
    struct managed managed = {.arena = arena};
    struct err err;
    if (call->applied) {
        if (call->managed != NULL)
            json_set(meta, name, call->managed);
        return;
    }
    if (is_reset(theirs))
        return;
    struct json *before = taken(old_meta, name, arena);
    const struct json *from = theirs != NULL && old != NULL ? theirs : before;
    if (managed_read(from, arena, &managed, &err) < 0 &&
        managed_read(before, arena, &managed, &err) < 0)
        managed = (struct managed){.arena = arena};
    struct manager_who who = manager_of(call);
    managed_update(&managed, call->kind->schema, old, object, &who);
    struct json *list = managed_json(&managed);
    if (list != NULL)
        json_set(meta, name, list);
    if (before != NULL)
        json_add(old_meta, name, before);
}

/* --- apply --- */

static void answer_conflicts(struct call *call, const struct apply_conflict *first)
{
    struct arena *arena = call->arena;
    AUTO(buf_done) struct buf text = {0};
    struct json *details = json_object(arena), *causes = json_array(arena);
    size_t n = 0;
    for (const struct apply_conflict *each = first; each != NULL; each = each->next, n++) {
        struct json *cause = json_object(arena);
        json_add(cause, STR("reason"), json_string(arena, STR("FieldManagerConflict")));
        json_add(
            cause, STR("message"),
            json_string(arena, arena_printf(arena, "conflict with " STR_F, STR_A(each->manager))));
        json_add(cause, STR("field"), json_string(arena, each->path));
        json_add(causes, STR(""), cause);
    }
    if (n == 1) {
        buf_printf(&text, "Apply failed with 1 conflict: conflict with " STR_F ": " STR_F,
                   STR_A(first->manager), STR_A(first->path));
    } else {
        buf_printf(&text, "Apply failed with %zu conflicts: ", n);
        str_t manager = STR("");
        for (const struct apply_conflict *each = first; each != NULL; each = each->next) {
            if (!str_eq(each->manager, manager))
                buf_printf(&text, "%sconflicts with " STR_F ":", each == first ? "" : "\n",
                           STR_A(each->manager));
            manager = each->manager;
            buf_printf(&text, "\n- " STR_F, STR_A(each->path));
        }
    }
    json_add(details, STR("causes"), causes);
    struct refusal refusal = {409, "Conflict", arena_str(arena, buf_str(&text)), details};
    answer_refusal(call, &refusal);
}

/* < 0: answered. */
static int check_config(struct call *call, const struct json *config)
{
    const struct json *meta = json_get(config, STR("metadata"));
    str_t name = json_get_text(meta, STR("name"));
    if (json_get_text(config, STR("apiVersion")).len == 0 ||
        json_get_text(config, STR("kind")).len == 0) {
        answer_plain(call, 400, "BadRequest",
                     "apiVersion and kind must be set on an applied object");
        return -1;
    }
    if (json_get(meta, STR("managedFields")) != NULL) {
        answer_plain(call, 400, "BadRequest", "metadata.managedFields must be nil");
        return -1;
    }
    if (name.len > 0 && !str_eq(name, call->name)) {
        answer_plain(call, 400, "BadRequest",
                     "the name of the object (" STR_F ") does not match the name on the URL (" STR_F
                     ")",
                     STR_A(name), STR_A(call->name));
        return -1;
    }
    return 0;
}

/* Without what the server adds by itself: that is no one's field. */
static struct json *live_of(struct call *call, const struct object *latest, struct json **before)
{
    *before = NULL;
    if (latest == NULL)
        return json_object(call->arena);
    struct json *live = object_tree_as(call->kind, latest, call->arena);
    *before = taken(json_get(live, STR("metadata")), STR("managedFields"), call->arena);
    return live;
}

/* --- from kubectl's own apply to ours --- */

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

/* kubectl applies under this name unless it is told another; only then it goes on its own work. */
static bool is_kubectl(const struct manager_who *who)
{
    return str_eq(who->name, STR("kubectl")) && who->subresource.len == 0;
}

static struct json *last_applied(const struct json *object)
{
    return json_get(json_at(object, "metadata.annotations"), STR(LAST_APPLIED));
}

static const struct fields *yielded_by(const struct call *call, const struct json *live,
                                       const struct manager_who *who)
{
    struct json *annotation = is_kubectl(who) ? last_applied(live) : NULL, *last;
    struct err err;
    str_t text = json_text(annotation, STR(""));
    if (text.len == 0 || json_parse(text, call->arena, &last, &err) < 0 ||
        last->type != JSON_OBJECT ||
        !str_eq(json_get_text(last, STR("apiVersion")), who->api_version))
        return NULL;
    return managed_yielded(call->kind->schema, last, live, call->arena);
}

/* The annotation is kept in step, so that kubectl may go back to applying by itself. */
static void keep_last_applied(struct call *call, struct json *object, const struct json *config,
                              const struct manager_who *who)
{
    AUTO(buf_done) struct buf text = {0};
    struct json *annotation = is_kubectl(who) ? last_applied(object) : NULL;
    if (annotation == NULL)
        return;
    struct json *said = json_clone(config, call->arena), *meta = json_get(said, STR("metadata"));
    struct json *notes = json_get(meta, STR("annotations"));
    if (notes != NULL)
        (void)json_remove(notes, STR(LAST_APPLIED));
    json_write(said, &text);
    buf_add(&text, STR("\n"));
    notes = json_get(json_get(object, STR("metadata")), STR("annotations"));
    size_t bytes = text.len;
    JSON_EACH(notes, note)
    bytes += note == annotation ? note->key.len : note->key.len + json_text(note, STR("")).len;
    if (bytes > ANNOTATIONS_BYTES_MAX) /* Rather none than an object that is refused for it. */
        (void)json_remove(notes, STR(LAST_APPLIED));
    else
        json_set(notes, STR(LAST_APPLIED),
                 json_string(call->arena, arena_str(call->arena, buf_str(&text))));
}

void api_apply(struct call *call, str_t body, const struct object *latest)
{
    struct arena *arena = call->arena;
    struct json *config, *before;
    struct managed managed;
    struct err err;
    if (check_manager(call, true) < 0 || body_object(call, body, &config) < 0 ||
        check_config(call, config) < 0)
        return;
    struct json *live = live_of(call, latest, &before);
    if (managed_read(before, arena, &managed, &err) < 0)
        managed = (struct managed){.arena = arena};
    struct manager_who who = manager_of(call);
    struct apply how = {.live = live,
                        .config = config,
                        .who = &who,
                        .yielded = yielded_by(call, live, &who),
                        .force = call_query_is(call, STR("force"), STR("true"))};
    int r = managed_apply(&managed, call->kind->schema, &how, &err);
    if (r == ERR_CONFLICT) {
        answer_conflicts(call, how.conflicts);
        return;
    }
    if (r < 0) {
        answer_plain(call, 500, "InternalError", "failed to create typed patch object: %s",
                     err.text);
        return;
    }
    call->applied = true;
    call->managed = managed_json(&managed);
    struct json *object = how.object, *meta = json_get(object, STR("metadata"));
    keep_last_applied(call, object, config, &who);
    const struct json *wanted = json_at(config, "metadata.resourceVersion");
    if (wanted == NULL && meta != NULL)
        (void)json_remove(meta, STR("resourceVersion"));
    kind_prune(call->kind, object);
    if (latest != NULL)
        api_update_object(call, object, latest);
    else if (call->sub != NULL)
        answer_not_found(call);
    else
        api_create_object(call, object);
}

bool is_apply(const struct call *call)
{
    str_t type, rest;
    str_cut(http_get(call->x, STR("Content-Type")), ';', &type, &rest);
    return call->verb == VERB_PATCH && str_eq(str_trim(type), STR("application/apply-patch+yaml"));
}
