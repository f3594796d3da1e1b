/* namespace_status.c - the five conditions of a namespace that is ending, in Kubernetes' words. */
#include "controllers/namespace_status.h"

#include "kube/meta.h"

enum { FINALIZERS_MAX = 32 };

struct held {
    struct buf resources; /* "configmaps. has 1 resource instances, ..." */
    struct buf finalizers;
    struct {
        str_t name;
        size_t objects;
    } by[FINALIZERS_MAX];
    size_t n;
};

static void count_finalizer(struct held *held, str_t name)
{
    size_t i = 0;
    while (i < held->n && !str_eq(held->by[i].name, name))
        i++;
    if (i == FINALIZERS_MAX)
        return;
    held->by[i].name = name;
    held->by[i].objects++;
    held->n += i == held->n;
}

/* Objects that are deleted and still there, of one kind. */
static void look(struct held *held, const struct reconcile *rc, const struct kind *kind,
                 struct cache_name *names, size_t max)
{
    str_t resource = kind_resource(kind, rc->arena);
    size_t waiting = cache_marked(rc->cache, resource, rc->name, true, names, max, rc->arena);
    for (size_t i = 0; i < waiting; i++) {
        struct json *meta = cache_meta(rc->cache, resource, names[i].ns, names[i].name, rc->arena);
        JSON_EACH(json_get(meta, STR("finalizers")), finalizer)
        count_finalizer(held, json_text(finalizer, STR("")));
    }
    if (waiting > 0)
        buf_printf(&held->resources, "%s%s.%s has %zu resource instances",
                   held->resources.len > 0 ? ", " : "", kind->plural, kind->group, waiting);
}

static void set_condition(struct json *conditions, const char *type, bool is, const char *reason,
                          str_t message, const struct reconcile *rc)
{
    struct json *condition = NULL;
    str_t status = is ? STR("True") : STR("False");
    JSON_EACH(conditions, each)
    if (str_eq(json_get_text(each, STR("type")), str_from_z(type)))
        condition = each;
    if (condition == NULL) {
        condition = json_object(rc->arena);
        json_add(conditions, STR(""), condition);
        json_add(condition, STR("type"), json_string(rc->arena, str_from_z(type)));
    }
    if (!str_eq(json_get_text(condition, STR("status")), status)) {
        json_set(condition, STR("status"), json_string(rc->arena, status));
        json_set(condition, STR("lastTransitionTime"),
                 json_string(rc->arena, time_text(rc->clock->wall_ms(rc->clock), rc->arena)));
    }
    json_set(condition, STR("reason"), json_string(rc->arena, str_from_z(reason)));
    json_set(condition, STR("message"), json_string(rc->arena, arena_str(rc->arena, message)));
}

static void set_all(struct json *conditions, struct held *held, const struct reconcile *rc)
{
    for (size_t i = 0; i < held->n; i++)
        buf_printf(&held->finalizers, "%s" STR_F " in %zu resource instances", i > 0 ? ", " : "",
                   STR_A(held->by[i].name), held->by[i].objects);
    bool content = held->resources.len > 0, finalizers = held->n > 0;
    set_condition(conditions, "NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered",
                  STR("All resources successfully discovered"), rc);
    set_condition(conditions, "NamespaceDeletionGroupVersionParsingFailure", false,
                  "ParsedGroupVersions", STR("All legacy kube types successfully parsed"), rc);
    set_condition(conditions, "NamespaceDeletionContentFailure", false, "ContentDeleted",
                  STR("All content successfully deleted, may be waiting on finalization"), rc);
    set_condition(conditions, "NamespaceContentRemaining", content,
                  content ? "SomeResourcesRemain" : "ContentRemoved",
                  content ? arena_printf(rc->arena, "Some resources are remaining: " STR_F,
                                         STR_A(buf_str(&held->resources)))
                          : STR("All content successfully removed"),
                  rc);
    set_condition(conditions, "NamespaceFinalizersRemaining", finalizers,
                  finalizers ? "SomeFinalizersRemain" : "ContentHasNoFinalizers",
                  finalizers ? arena_printf(rc->arena,
                                            "Some content in the namespace has finalizers "
                                            "remaining: " STR_F,
                                            STR_A(buf_str(&held->finalizers)))
                             : STR("All content-preserving finalizers finished"),
                  rc);
}

bool namespace_status_set(const struct reconcile *rc, const struct kind *const *kinds,
                          struct json *ns, size_t look_at_most)
{
    struct held held = {.n = 0};
    struct cache_name *names = arena_array(rc->arena, struct cache_name, look_at_most);
    for (; *kinds != NULL; kinds++)
        if ((*kinds)->namespaced && (*kinds)->stored_as == NULL && kind_is_stored(*kinds))
            look(&held, rc, *kinds, names, look_at_most);
    struct json *status = json_get(ns, STR("status"));
    bool wanted = held.resources.len > 0 || json_get(status, STR("conditions")) != NULL;
    bool changed = false;
    if (wanted && status != NULL) {
        struct json *before = json_get(status, STR("conditions"));
        struct json *conditions =
            before != NULL ? json_clone(before, rc->arena) : json_array(rc->arena);
        set_all(conditions, &held, rc);
        changed = !json_eq(before, conditions);
        json_set(status, STR("conditions"), conditions);
    }
    buf_done(&held.resources);
    buf_done(&held.finalizers);
    return changed;
}
