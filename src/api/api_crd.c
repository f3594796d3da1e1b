/*
 * api_crd.c - definitions become kinds when they are stored, and stop being some when they go.
 *
 * Kinds are replaced as a whole. Calls that are under way and watches go on with the kind they
 * began with, so an old one is freed when no watch has it and every call of its time is long over.
 */
#include "api/api_priv.h"
#include "kinds/custom.h"

#include <stdlib.h>

enum { REST_MS = 120000 };

struct crds {
    struct api *api;
    struct store_watch watch;
    struct list live;
    struct list gone;
};

/* --- kinds in and out --- */

static void sweep_gone(struct crds *crds)
{
    struct api *api = crds->api;
    LIST_EACH(&crds->gone, link) {
        struct custom *custom = CONTAINER_OF(link, struct custom, link);
        bool used = loop_now_ms(api->loop) - custom->gone_ms < REST_MS;
        for (size_t i = 0; i < custom->n && !used; i++)
            used = api_watches(api, &custom->kinds[i]);
        if (used)
            continue;
        list_remove(link);
        custom_free(custom);
    }
}

static struct custom *find(const struct crds *crds, str_t name)
{
    LIST_EACH(&crds->live, link) {
        struct custom *custom = CONTAINER_OF(link, struct custom, link);
        if (str_eq(custom->name, name))
            return custom;
    }
    return NULL;
}

static void retire(struct crds *crds, struct custom *custom, const struct custom *next)
{
    for (size_t i = 0; i < custom->n; i++) {
        struct kind *kind = &custom->kinds[i];
        if (custom->served[i] &&
            kind_by_plural(crds->api->kinds, str_from_z(kind->group), str_from_z(kind->version),
                           str_from_z(kind->plural)) == kind)
            kinds_remove(crds->api->kinds, kind);
        if (next == NULL)
            api_end_watches_of(crds->api, kind);
    }
    list_remove(&custom->link);
    custom->gone_ms = loop_now_ms(crds->api->loop);
    list_add_before(&crds->gone, &custom->link);
}

static bool is_established(const struct json *crd)
{
    JSON_EACH(json_at(crd, "status.conditions"), condition)
    if (str_eq(json_get_text(condition, STR("type")), STR("Established")))
        return str_eq(json_get_text(condition, STR("status")), STR("True"));
    return false;
}

static void take(struct crds *crds, const struct object *object)
{
    AUTO(arena_done) struct arena arena = {0};
    const struct json *crd = object_tree(object, &arena);
    struct custom *old = find(crds, object->name);
    struct custom *custom = is_established(crd) ? custom_new(crd) : NULL;
    sweep_gone(crds);
    if (old != NULL)
        retire(crds, old, custom);
    if (custom != NULL) {
        list_add_before(&crds->live, &custom->link);
        for (size_t i = 0; i < custom->n; i++)
            if (custom->served[i])
                kinds_add(crds->api->kinds, &custom->kinds[i]);
    }
    documents_drop(crds->api);
}

static void on_change(struct store_watch *watch, const struct store_event *event)
{
    struct crds *crds = CONTAINER_OF(watch, struct crds, watch);
    struct custom *old = find(crds, event->object->name);
    if (event->verb != STORE_DELETE) {
        take(crds, event->object);
        return;
    }
    if (old != NULL)
        retire(crds, old, NULL);
    documents_drop(crds->api);
}

static bool take_each(void *self, const struct object *object)
{
    take(self, object);
    return true;
}

int crds_start(struct api *api, struct err *err)
{
    struct crds *crds = calloc(1, sizeof(*crds));
    MUST(crds != NULL);
    crds->api = api;
    list_init(&crds->live);
    list_init(&crds->gone);
    api->crds = crds;
    static const str_t resource = STR("customresourcedefinitions.apiextensions.k8s.io");
    struct store_list range = {.resource = resource};
    int r = store_each(api->store, &range, take_each, crds, err);
    crds->watch = (struct store_watch){.resource = resource, .event = on_change};
    return r < 0 ? r : store_watch(api->store, &crds->watch, 0, err);
}

void crds_stop(struct api *api)
{
    struct crds *crds = api->crds;
    if (crds == NULL)
        return;
    store_unwatch(&crds->watch);
    struct list *lists[] = {&crds->live, &crds->gone};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        LIST_EACH(lists[i], link) {
            list_remove(link);
            custom_free(CONTAINER_OF(link, struct custom, link));
        }
    free(crds);
    api->crds = NULL;
}

/* --- what a definition says of itself --- */

static bool has_word(const char *const *words, str_t word)
{
    for (; words != NULL && *words != NULL; words++)
        if (str_eq(word, str_from_z(*words)))
            return true;
    return false;
}

/* Is a name of the group somebody else's? The message, or "". */
static str_t conflict(const struct api *api, const struct json *spec, struct arena *arena)
{
    const struct json *names = json_get(spec, STR("names"));
    str_t group = json_get_text(spec, STR("group")), plural = json_get_text(names, STR("plural"));
    str_t kind_name = json_get_text(names, STR("kind"));
    for (const struct kind *const *at = api->kinds->at; *at != NULL; at++) {
        const struct kind *kind = *at;
        if (!str_eq(group, str_from_z(kind->group)))
            continue;
        bool own = kind->custom != NULL && str_eq(plural, str_from_z(kind->plural));
        if (own)
            continue;
        if (str_eq(plural, str_from_z(kind->plural)) || has_word(kind->shortcuts, plural))
            return arena_printf(arena, "\"" STR_F "\" is already in use", STR_A(plural));
        if (str_eq(kind_name, str_from_z(kind->name)))
            return arena_printf(arena, "\"" STR_F "\" is already in use", STR_A(kind_name));
    }
    return STR("");
}

struct said { /* A condition. */
    const char *type;
    bool is;
    const char *reason, *message;
};

/* One that was so before keeps its time. */
static void add_condition(struct json *list, const struct said *said, const struct json *before,
                          str_t now, struct arena *arena)
{
    struct json *condition = json_object(arena);
    str_t status = said->is ? STR("True") : STR("False");
    JSON_EACH(before, old)
    if (str_eq(json_get_text(old, STR("type")), str_from_z(said->type)) &&
        str_eq(json_get_text(old, STR("status")), status)) {
        json_add(list, STR(""), json_clone(old, arena));
        return;
    }
    json_add(condition, STR("lastTransitionTime"), json_string(arena, now));
    json_add(condition, STR("message"), json_string(arena, str_from_z(said->message)));
    json_add(condition, STR("reason"), json_string(arena, str_from_z(said->reason)));
    json_add(condition, STR("status"), json_string(arena, status));
    json_add(condition, STR("type"), json_string(arena, str_from_z(said->type)));
    json_add(list, STR(""), condition);
}

static void add_stored(struct json *list, const struct json *spec, struct arena *arena)
{
    JSON_EACH(json_get(spec, STR("versions")), version)
    {
        if (!json_is_true(json_get(version, STR("storage"))))
            continue;
        const struct json *name = json_get(version, STR("name"));
        bool there = false;
        JSON_EACH(list, each)
        there = there || json_eq(each, name);
        if (!there)
            json_add(list, STR(""), json_clone(name, arena));
    }
}

void crd_prepare(struct call *call, struct json *object, const struct json *old)
{
    struct arena *arena = call->arena;
    const struct json *spec = json_get(object, STR("spec")), *names = json_get(spec, STR("names"));
    const struct json *was = json_get(old, STR("status"));
    const struct json *before = json_get(was, STR("conditions"));
    const struct json *stored = json_get(was, STR("storedVersions"));
    struct json *status = json_object(arena), *conditions = json_array(arena);
    str_t now = time_text(loop_wall_ms(call->api->loop), arena);
    str_t taken = conflict(call->api, spec, arena);
    bool free_names = taken.len == 0;
    const struct said said[] = {
        {"NamesAccepted", free_names, free_names ? "NoConflicts" : "PluralConflict",
         free_names ? "no conflicts found" : taken.at},
        {"Established", free_names, free_names ? "InitialNamesAccepted" : "NotAccepted",
         free_names ? "the initial names have been accepted" : "not all names are accepted"},
        {"Terminating", true, "InstanceDeletionInProgress",
         "CustomResource deletion is in progress"},
    };
    bool ends = json_at(object, "metadata.deletionTimestamp") != NULL;
    for (size_t i = 0; i < ARRAY_LEN(said) - !ends; i++)
        add_condition(conditions, &said[i], before, now, arena);
    json_add(status, STR("acceptedNames"),
             names == NULL ? json_object(arena) : json_clone(names, arena));
    json_add(status, STR("conditions"), conditions);
    struct json *versions = stored == NULL ? json_array(arena) : json_clone(stored, arena);
    add_stored(versions, spec, arena);
    json_add(status, STR("storedVersions"), versions);
    json_set(object, STR("status"), status);
}

int crd_check_create(struct call *call)
{
    if (call->kind->custom == NULL)
        return 0;
    str_t name = kind_stored_resource(call->kind, call->arena);
    const struct object *crd = store_latest(
        call->api->store, STR("customresourcedefinitions.apiextensions.k8s.io"), STR(""), name);
    if (crd != NULL && json_at(object_tree(crd, call->arena), "metadata.deletionTimestamp") == NULL)
        return 0;
    answer_plain(call, 405, "MethodNotAllowed",
                 "create not allowed while custom resource definition is terminating");
    return -1;
}
