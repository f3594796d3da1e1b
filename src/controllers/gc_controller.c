/*
 * gc_controller.c - the garbage collector: what nobody owns any more goes, and owners that wait for
 * their dependents get their way.
 *
 * The graph tells whom a change concerns; every decision is made anew from the objects themselves.
 * Names in its queue are "resource/namespace/name".
 */
#include "control/cache.h"
#include "control/recorder.h"
#include "control/writer.h"
#include "controllers/controllers.h"
#include "controllers/gc_graph.h"
#include "controllers/gc_plan.h"
#include "kinds/kinds.h"

#include <stdlib.h>
#include <string.h>

enum { ORPHANS_PER_STEP = 500, REFS_MAX = 4096, AGAIN_MS = 100 };

struct gc {
    struct gc_graph graph;
    const struct sight *sight; /* While seen() runs. */
};

static void tell(void *self, str_t name)
{
    const struct sight *sight = ((struct gc *)self)->sight;
    sight->add(sight->queue, name);
}

static void *gc_open(void)
{
    struct gc *gc = calloc(1, sizeof(*gc));
    MUST(gc != NULL);
    gc->graph.self = gc;
    gc->graph.tell = tell;
    return gc;
}

static void gc_close(void *state)
{
    struct gc *gc = state;
    gc_graph_done(&gc->graph);
    free(gc);
}

/* --- what is seen --- */

static bool says(str_t json, const char *word)
{
    return memmem(json.at, json.len, word, strlen(word)) != NULL;
}

static bool has(const struct json *list, const char *text)
{
    JSON_EACH(list, item)
    if (str_eq(json_text(item, STR("")), str_from_z(text)))
        return true;
    return false;
}

static size_t refs_of(const struct json *meta, struct gc_ref **refs, struct arena *arena)
{
    const struct json *list = json_get(meta, STR("ownerReferences"));
    size_t n = json_count(list), i = 0;
    if (n > REFS_MAX)
        n = REFS_MAX;
    *refs = arena_array(arena, struct gc_ref, n + 1);
    JSON_EACH(list, ref)
    if (i < n)
        (*refs)[i++] = (struct gc_ref){json_get_text(ref, STR("uid")),
                                       json_is_true(json_get(ref, STR("blockOwnerDeletion")))};
    return n;
}

static void queue_dependents(const struct gc_owner *owner, const struct sight *sight)
{
    LIST_EACH(&owner->dependents, link)
        sight->add(sight->queue, CONTAINER_OF(link, struct gc_edge, link)->node->name);
}

/* An owner that has just gone, or begins to wait for its dependents. */
static void see_owner(struct gc *gc, const struct sight *sight, const struct json *meta, str_t name)
{
    struct gc_owner *owner = gc_graph_owner(&gc->graph, json_get_text(meta, STR("uid")));
    const struct json *finalizers = json_get(meta, STR("finalizers"));
    bool foreground = has(finalizers, "foregroundDeletion");
    if (sight->gone) {
        if (owner == NULL)
            return;
        owner->gone = true;
        queue_dependents(owner, sight);
        return;
    }
    if (json_get(meta, STR("deletionTimestamp")) == NULL ||
        (!foreground && !has(finalizers, "orphan")))
        return;
    sight->add(sight->queue, name);
    if (foreground && owner != NULL) {
        gc_owner_wait(owner, name);
        owner->foreground = true;
        queue_dependents(owner, sight);
    }
}

static void gc_seen(void *state, const struct sight *sight)
{
    struct gc *gc = state;
    AUTO(arena_done) struct arena arena = {0};
    struct gc_ref *refs;
    struct json *meta;
    struct err err;
    if (str_eq(sight->resource, STR("events")))
        return; /* They are many, own nothing, and end by themselves. */
    str_t name = arena_printf(&arena, STR_F "/" STR_F "/" STR_F, STR_A(sight->resource),
                              STR_A(sight->ns), STR_A(sight->name));
    if (!sight->gone && !says(sight->json, "\"ownerReferences\"") &&
        !says(sight->json, "\"deletionTimestamp\"") && !gc_graph_has(&gc->graph, name))
        return; /* Nearly everything. */
    if (json_pick(sight->json, STR("metadata"), &arena, &meta, &err) < 0)
        return;
    gc->sight = sight;
    size_t n = sight->gone ? 0 : refs_of(meta, &refs, &arena);
    bool changed =
        gc_graph_put(&gc->graph, name, json_get_text(meta, STR("uid")), n > 0 ? refs : NULL, n);
    if (n > 0 && (changed || sight->again))
        sight->add(sight->queue, name);
    see_owner(gc, sight, meta, name);
    gc->sight = NULL;
}

/* --- one object --- */

struct work {
    struct reconcile *rc;
    struct gc *gc;
    const struct kind *kind;
    str_t ns, name, key;
    struct json *meta;
    struct gc_owner *owner; /* It, as an owner; NULL: it owns nothing. */
};

enum owner_state { OWNER_SOLID, OWNER_ABSENT, OWNER_WAITING, OWNER_INVALID };

static enum owner_state owner_state(const struct work *work, const struct json *ref)
{
    str_t group, version, uid = json_get_text(ref, STR("uid"));
    const struct reconcile *rc = work->rc;
    const struct gc_owner *known = gc_graph_owner(&work->gc->graph, uid);
    if (!str_cut(json_get_text(ref, STR("apiVersion")), '/', &group, &version)) {
        version = group;
        group = STR("");
    }
    const struct kind *kind =
        kind_by_name(rc->kinds, group, version, json_get_text(ref, STR("kind")));
    if (kind != NULL && kind->namespaced && work->ns.len == 0)
        return OWNER_INVALID;
    if (known != NULL && known->gone)
        return OWNER_ABSENT;
    if (kind == NULL)
        return OWNER_SOLID; /* Of a kind we do not know nobody can say that it is not there. */
    const struct json *meta = cache_meta(rc->cache, kind_stored_resource(kind, rc->arena),
                                         kind->namespaced ? work->ns : STR(""),
                                         json_get_text(ref, STR("name")), rc->arena);
    if (meta == NULL || !str_eq(json_get_text(meta, STR("uid")), uid))
        return OWNER_ABSENT;
    bool waits = json_get(meta, STR("deletionTimestamp")) != NULL &&
                 has(json_get(meta, STR("finalizers")), "foregroundDeletion");
    return waits ? OWNER_WAITING : OWNER_SOLID;
}

/* Does another dependent of the same owner live elsewhere? Then this one names the wrong place. */
static bool in_wrong_namespace(const struct work *work, const struct json *ref)
{
    enum { LOOK_AT = 16 };
    const struct gc_owner *owner = gc_graph_owner(&work->gc->graph, json_get_text(ref, STR("uid")));
    int n = 0;
    if (owner == NULL || owner->gone)
        return false;
    LIST_EACH(&owner->dependents, link) {
        str_t resource, rest, ns, name;
        str_cut(CONTAINER_OF(link, struct gc_edge, link)->node->name, '/', &resource, &rest);
        str_cut(rest, '/', &ns, &name);
        if (++n > LOOK_AT)
            return false;
        if (!str_eq(ns, work->ns))
            return true;
    }
    return false;
}

static void say_invalid(const struct work *work, const struct json *ref)
{
    struct arena *arena = work->rc->arena;
    str_t api = json_get_text(ref, STR("apiVersion")), kind = json_get_text(ref, STR("kind"));
    str_t name = json_get_text(ref, STR("name")), uid = json_get_text(ref, STR("uid"));
    str_t message = arena_printf(arena,
                                 "ownerRef [" STR_F "/" STR_F ", namespace: " STR_F ", name: " STR_F
                                 ", uid: " STR_F "] does not exist in namespace \"" STR_F "\"",
                                 STR_A(api), STR_A(kind), STR_A(work->ns), STR_A(name), STR_A(uid),
                                 STR_A(work->ns));
    recorder_event(work->rc, &(struct record){.about = work->kind,
                                              .meta = work->meta,
                                              .warning = true,
                                              .reason = "OwnerRefInvalidNamespace",
                                              .message = message,
                                              .component = "garbage-collector-controller"});
}

/* False: it has a reference that can never be followed, and is left alone. */
static bool see(const struct work *work, struct gc_view *view)
{
    const struct json *finalizers = json_get(work->meta, STR("finalizers"));
    *view = (struct gc_view){
        .marked = json_get(work->meta, STR("deletionTimestamp")) != NULL,
        .orphan = has(finalizers, "orphan"),
        .foreground = has(finalizers, "foregroundDeletion"),
        .dependents = work->owner != NULL,
        .blocked = gc_graph_blocked(&work->gc->graph, work->owner),
        .circle = work->owner != NULL && gc_graph_dependent_waits(&work->gc->graph, work->owner),
    };
    if (view->marked)
        return true;
    JSON_EACH(json_get(work->meta, STR("ownerReferences")), ref)
    {
        view->blocks = view->blocks || json_is_true(json_get(ref, STR("blockOwnerDeletion")));
        switch (owner_state(work, ref)) {
        case OWNER_SOLID:
            view->solid++;
            break;
        case OWNER_ABSENT:
            view->absent++;
            if (in_wrong_namespace(work, ref))
                say_invalid(work, ref);
            break;
        case OWNER_WAITING:
            view->waiting++;
            break;
        case OWNER_INVALID:
            say_invalid(work, ref);
            return false;
        }
    }
    return true;
}

/* --- steps --- */

static struct json *whole(const struct work *work)
{
    return cache_get(work->rc->cache, kind_resource(work->kind, work->rc->arena), work->ns,
                     work->name, work->rc->arena);
}

static int write_back(const struct work *work, struct json *object, struct err *err)
{
    return work->rc->writer->update(work->rc->writer->self, work->kind, "", object, err);
}

static int end_finalizer(const struct work *work, const char *name, struct err *err)
{
    struct json *object = whole(work), *meta = json_get(object, STR("metadata"));
    struct json *kept = json_array(work->rc->arena);
    JSON_EACH(json_get(meta, STR("finalizers")), item)
    if (!str_eq(json_text(item, STR("")), str_from_z(name)))
        json_add(kept, STR(""), json_clone(item, work->rc->arena));
    if (kept->first != NULL)
        json_set(meta, STR("finalizers"), kept);
    else
        (void)json_remove(meta, STR("finalizers"));
    return write_back(work, object, err);
}

/* Without references to `uid`, or, if that is "", to owners that are gone or waiting. */
static void drop_refs(const struct work *work, struct json *meta, str_t uid)
{
    struct json *kept = json_array(work->rc->arena);
    JSON_EACH(json_get(meta, STR("ownerReferences")), ref)
    {
        bool drop = uid.len > 0 ? str_eq(json_get_text(ref, STR("uid")), uid)
                                : owner_state(work, ref) != OWNER_SOLID;
        if (!drop)
            json_add(kept, STR(""), json_clone(ref, work->rc->arena));
    }
    if (kept->first != NULL)
        json_set(meta, STR("ownerReferences"), kept);
    else
        (void)json_remove(meta, STR("ownerReferences"));
}

static bool work_of(struct reconcile *rc, str_t key, struct work *work)
{
    str_t resource, rest;
    *work = (struct work){.rc = rc, .gc = rc->state, .key = key};
    str_cut(key, '/', &resource, &rest);
    str_cut(rest, '/', &work->ns, &work->name);
    work->kind = kind_by_resource(rc->kinds, resource);
    if (work->kind != NULL)
        work->meta = cache_meta(rc->cache, resource, work->ns, work->name, rc->arena);
    return work->meta != NULL;
}

static int orphan_one(struct reconcile *rc, str_t key, str_t uid, struct err *err)
{
    struct work work;
    if (!work_of(rc, key, &work))
        return 0;
    struct json *object = whole(&work);
    drop_refs(&work, json_get(object, STR("metadata")), uid);
    int r = write_back(&work, object, err);
    if (r == ERR_CONFLICT || r == ERR_NOT_FOUND) {
        rc->again_in_ms = AGAIN_MS; /* Somebody else was faster, or we were, just now. */
        return 0;
    }
    return r;
}

static int orphan_some(const struct work *work, struct err *err)
{
    str_t *keys = arena_array(work->rc->arena, str_t, ORPHANS_PER_STEP);
    size_t n = 0;
    gc_owner_wait(work->owner, work->key);
    LIST_EACH(&work->owner->dependents, link)
        if (n < ORPHANS_PER_STEP)
            keys[n++] =
                arena_str(work->rc->arena, CONTAINER_OF(link, struct gc_edge, link)->node->name);
    for (size_t i = 0; i < n; i++) {
        int r = orphan_one(work->rc, keys[i], json_get_text(work->meta, STR("uid")), err);
        if (r < 0)
            return err_wrap(err, "orphan '" STR_F "'", STR_A(keys[i]));
    }
    return 0;
}

static int drop_some(const struct work *work, struct err *err)
{
    struct json *object = whole(work);
    drop_refs(work, json_get(object, STR("metadata")), STR(""));
    return write_back(work, object, err);
}

static int unblock(const struct work *work, struct err *err)
{
    struct json *object = whole(work);
    JSON_EACH(json_at(object, "metadata.ownerReferences"), ref)
    json_set(ref, STR("blockOwnerDeletion"), json_bool(work->rc->arena, false));
    return write_back(work, object, err);
}

static int delete_it(const struct work *work, const char *policy, struct err *err)
{
    struct removal removal = {.uid = json_get_text(work->meta, STR("uid")),
                              .rv = json_get_text(work->meta, STR("resourceVersion")),
                              .policy = policy};
    int r = work->rc->writer->remove_if(work->rc->writer->self, work->kind, work->ns, work->name,
                                        &removal, err);
    return r == ERR_NOT_FOUND ? 0 : r; /* It is on its way. */
}

static int gc_reconcile(struct reconcile *rc, struct err *err)
{
    struct work work;
    struct gc_view view;
    str_t key = arena_printf(rc->arena, STR_F "/" STR_F, STR_A(rc->ns), STR_A(rc->name));
    if (!work_of(rc, key, &work))
        return 0;
    work.owner = gc_graph_owner(&work.gc->graph, json_get_text(work.meta, STR("uid")));
    if (!see(&work, &view))
        return 0;
    switch (gc_next(&view)) {
    case GC_NOTHING:
        return 0;
    case GC_WAIT:
        gc_owner_wait(work.owner, key);
        work.owner->foreground = true;
        return 0;
    case GC_ORPHAN:
        return orphan_some(&work, err);
    case GC_END_ORPHAN:
        return end_finalizer(&work, "orphan", err);
    case GC_END_FOREGROUND:
        return end_finalizer(&work, "foregroundDeletion", err);
    case GC_DROP_REFS:
        return drop_some(&work, err);
    case GC_UNBLOCK:
        return unblock(&work, err);
    case GC_DELETE_BACKGROUND:
        return delete_it(&work, "Background", err);
    case GC_DELETE_FOREGROUND:
        return delete_it(&work, "Foreground", err);
    case GC_DELETE_ORPHAN:
        return delete_it(&work, "Orphan", err);
    }
    return 0;
}

const struct controller gc_controller = {
    .name = "garbage-collector",
    .reconcile = gc_reconcile,
    .seen = gc_seen,
    .open = gc_open,
    .close = gc_close,
};
