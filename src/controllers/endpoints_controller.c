/*
 * endpoints_controller.c - EndpointSlices and Endpoints of Services that have a selector.
 *
 * One controller keeps both, so that a Pod is looked at once. Not done, unlike Kubernetes': zones
 * and topology hints, and the annotation of the last change's time.
 */
#include "control/cache.h"
#include "control/writer.h"
#include "controllers/controllers.h"
#include "controllers/endpoints_index.h"
#include "controllers/endpoints_plan.h"
#include "controllers/pods.h"
#include "kinds/kinds.h"

#include <stdlib.h>

#define SLICES "endpointslices.discovery.k8s.io"
#define OVER_CAPACITY "endpoints.kubernetes.io/over-capacity"
#define LEADER "control-plane.alpha.kubernetes.io/leader"

/* --- what is seen --- */

static str_t key_of(str_t ns, str_t name, struct arena *arena)
{
    return arena_printf(arena, STR_F "/" STR_F, STR_A(ns), STR_A(name));
}

static void offer_pod(struct endpoints_index *index, str_t key, str_t json)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf text = {0};
    struct json *meta, *pod;
    struct err err;
    if (json_pick(json, STR("metadata"), &arena, &meta, &err) < 0)
        return;
    struct endpoints_pod *known = endpoints_index_pod(index, key, json_get(meta, STR("labels")));
    if (known == NULL || json_parse(json, &arena, &pod, &err) < 0)
        return;
    const struct json *brief = endpoints_brief(pod, &arena);
    if (brief != NULL)
        json_write(brief, &text);
    endpoints_pod_brief(index, known, buf_str(&text));
}

static void service_seen(struct endpoints_index *index, const struct sight *sight, str_t key)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *service = NULL;
    struct err err;
    if (!sight->gone)
        (void)json_parse(sight->json, &arena, &service, &err);
    bool ours = endpoints_are_ours(service);
    endpoints_index_service(index, key, ours ? json_at(service, "spec.selector") : NULL);
}

static void slice_seen(const struct sight *sight)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *meta;
    struct err err;
    if (json_pick(sight->json, STR("metadata"), &arena, &meta, &err) < 0)
        return;
    str_t service = json_get_text(json_get(meta, STR("labels")), STR(SLICE_SERVICE));
    const struct json *by = controller_of(meta);
    if (service.len > 0)
        sight->add(sight->queue, key_of(sight->ns, service, &arena));
    if (by != NULL && str_eq(json_get_text(by, STR("kind")), STR("Service")))
        sight->add(sight->queue, key_of(sight->ns, json_get_text(by, STR("name")), &arena));
}

static void endpoints_seen(void *state, const struct sight *sight)
{
    AUTO(arena_done) struct arena arena = {0};
    struct endpoints_index *index = state;
    index->self = sight->queue;
    index->tell = sight->add;
    if (str_eq(sight->resource, STR("pods"))) {
        if (index->services.n == 0)
            return;
        str_t key = key_of(sight->ns, sight->name, &arena);
        if (sight->gone)
            (void)endpoints_index_pod(index, key, NULL);
        else
            offer_pod(index, key, sight->json);
    } else if (str_eq(sight->resource, STR("services"))) {
        service_seen(index, sight, key_of(sight->ns, sight->name, &arena));
    } else if (str_eq(sight->resource, STR(SLICES))) {
        slice_seen(sight);
    } else if (str_eq(sight->resource, STR("endpoints"))) {
        str_t key = key_of(sight->ns, sight->name, &arena);
        if (sight->again || endpoints_index_find(index, key) != NULL)
            sight->add(sight->queue, key);
    }
}

static void *endpoints_open(void)
{
    void *state = calloc(1, sizeof(struct endpoints_index));
    MUST(state != NULL);
    return state;
}

static void endpoints_close(void *state)
{
    endpoints_index_done(state);
    free(state);
}

/* --- what is known --- */

/* For Services that are new, or select others now: once for all of a namespace. */
static void look_at_pods(struct reconcile *rc)
{
    struct endpoints_index *index = rc->state;
    size_t n = cache_count(rc->cache, STR("pods"), rc->ns);
    struct cache_name *names = arena_array(rc->arena, struct cache_name, n + 1);
    n = cache_names(rc->cache, STR("pods"), rc->ns, names, n, rc->arena);
    index->tell = NULL; /* Who is new is being looked at, or waits to be. */
    for (size_t i = 0; i < n; i++)
        offer_pod(index, key_of(rc->ns, names[i].name, rc->arena),
                  cache_text(rc->cache, STR("pods"), rc->ns, names[i].name));
    endpoints_index_seen(index, rc->ns);
}

static int by_name(const void *a, const void *b)
{
    const struct json *x = *(struct json *const *)a, *y = *(struct json *const *)b;
    return str_cmp(json_get_text(x, STR("name")), json_get_text(y, STR("name")));
}

static void see_pods(struct reconcile *rc, const struct endpoints_service *service,
                     struct endpoints_view *view)
{
    struct json **briefs = arena_array(rc->arena, struct json *, service->n_members + 1);
    LIST_EACH(&service->members, link) {
        struct err err;
        const struct endpoints_pod *pod =
            CONTAINER_OF(link, struct endpoints_member, in_service)->pod;
        if (pod->brief == NULL || pod->brief[0] == '\0')
            continue;
        /* The text must outlive what is made of it. */
        str_t text = arena_str(rc->arena, str_from_z(pod->brief));
        MUST(json_parse(text, rc->arena, &briefs[view->n++], &err) == 0);
    }
    qsort(briefs, view->n, sizeof(struct json *), by_name);
    view->briefs = (const struct json *const *)briefs;
}

static void see_slices(struct reconcile *rc, struct endpoints_view *view)
{
    struct arena *arena = rc->arena;
    struct json *selector = json_object(arena), *labels = json_object(arena), **slices;
    str_t uid = json_text(json_at(view->service, "metadata.uid"), STR(""));
    json_add(labels, STR(SLICE_SERVICE), json_string(arena, rc->name));
    json_add(labels, STR(SLICE_MANAGED_BY), json_string(arena, STR(SLICE_MANAGER)));
    json_add(selector, STR("matchLabels"), labels);
    size_t n = cache_owned(rc->cache, STR(SLICES), rc->ns, uid, selector, arena, &slices);
    view->slices = slices;
    for (size_t i = 0; i < n; i++) {
        const struct json *meta = json_get(slices[i], STR("metadata"));
        str_t by = json_get_text(json_get(meta, STR("labels")), STR(SLICE_MANAGED_BY));
        if (json_get(meta, STR("deletionTimestamp")) == NULL &&
            (by.len == 0 || str_eq(by, STR(SLICE_MANAGER))))
            slices[view->n_slices++] = slices[i];
    }
}

static bool is_taken(void *self, str_t name)
{
    struct reconcile *rc = self;
    return cache_text(rc->cache, STR(SLICES), rc->ns, name).len > 0;
}

/* --- steps --- */

static int do_step(struct reconcile *rc, const struct slice_step *step, struct err *err)
{
    const struct json *meta = json_get(step->slice, STR("metadata"));
    struct removal removal = {.uid = json_get_text(meta, STR("uid"))};
    int r = 0;
    switch (step->verb) {
    case SLICE_CREATE:
        r = rc->writer->create(rc->writer->self, &kind_endpointslice, step->slice, err);
        return r == ERR_EXISTS ? 0 : r; /* It is on its way, and brings us back. */
    case SLICE_UPDATE:
        return rc->writer->update(rc->writer->self, &kind_endpointslice, "", step->slice, err);
    case SLICE_DELETE:
        r = rc->writer->remove_if(rc->writer->self, &kind_endpointslice, rc->ns,
                                  json_get_text(meta, STR("name")), &removal, err);
        return r == ERR_NOT_FOUND ? 0 : r;
    }
    return r;
}

static struct json *annotations_of(const struct json *there, bool cut, struct arena *arena)
{
    const struct json *was = json_at(there, "metadata.annotations");
    struct json *it = was == NULL ? json_object(arena) : json_clone(was, arena);
    if (cut)
        json_set(it, STR(OVER_CAPACITY), json_string(arena, STR("truncated")));
    else
        (void)json_remove(it, STR(OVER_CAPACITY));
    return it;
}

static void set_or_remove(struct json *object, const char *name, struct json *value)
{
    if (json_first(value) != NULL)
        json_set(object, str_from_z(name), value);
    else if (json_first(json_get(object, str_from_z(name))) != NULL)
        (void)json_remove(object, str_from_z(name));
}

static int write_endpoints(struct reconcile *rc, const struct endpoints_view *view, struct err *err)
{
    struct arena *arena = rc->arena;
    bool cut;
    struct json *subsets = endpoints_subsets(view, &cut, arena);
    struct json *was = cache_get(rc->cache, STR("endpoints"), rc->ns, rc->name, arena);
    struct json *is = was == NULL ? json_object(arena) : json_clone(was, arena);
    struct json *meta = json_get(is, STR("metadata"));
    if (was == NULL) {
        meta = json_object(arena);
        json_add(meta, STR("name"), json_string(arena, rc->name));
        json_add(meta, STR("namespace"), json_string(arena, rc->ns));
        json_add(is, STR("metadata"), meta);
    }
    set_or_remove(meta, "labels", endpoints_labels(view->service, arena));
    set_or_remove(meta, "annotations", annotations_of(was, cut, arena));
    set_or_remove(is, "subsets", subsets);
    if (was != NULL && json_eq(was, is))
        return 0;
    if (was != NULL)
        return rc->writer->update(rc->writer->self, &kind_endpoints, "", is, err);
    int r = rc->writer->create(rc->writer->self, &kind_endpoints, is, err);
    return r == ERR_EXISTS ? 0 : r;
}

/* Slices have an owner and end with it; Endpoints have none. Those of elections are no Service's.
 */
static int remove_endpoints(struct reconcile *rc, struct err *err)
{
    const struct json *meta = cache_meta(rc->cache, STR("endpoints"), rc->ns, rc->name, rc->arena);
    if (meta == NULL || json_get(json_get(meta, STR("annotations")), STR(LEADER)) != NULL ||
        json_get(meta, STR("deletionTimestamp")) != NULL)
        return 0;
    struct removal removal = {.uid = json_get_text(meta, STR("uid"))};
    int r =
        rc->writer->remove_if(rc->writer->self, &kind_endpoints, rc->ns, rc->name, &removal, err);
    return r == ERR_NOT_FOUND ? 0 : r;
}

static bool namespace_ends(struct reconcile *rc)
{
    const struct json *meta = cache_meta(rc->cache, STR("namespaces"), STR(""), rc->ns, rc->arena);
    return meta == NULL || json_get(meta, STR("deletionTimestamp")) != NULL;
}

/*
 * Each look costs as much as there are Pods, and when a large Service rolls they change one by one:
 * then the looks keep a distance that grows with it. The first change is told at once.
 */
static bool must_wait(struct reconcile *rc, struct endpoints_service *service)
{
    enum { SMALL = 100, PODS_PER_MS = 10, WAIT_MAX_MS = 1000 };
    msec_t now_ms = rc->clock->mono_ms(rc->clock);
    if (service->due_ms > now_ms) {
        rc->again_in_ms = service->due_ms - now_ms;
        return true;
    }
    msec_t wait_ms = (msec_t)(service->n_members / PODS_PER_MS);
    if (service->n_members > SMALL)
        service->due_ms = now_ms + (wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS);
    return false;
}

static int endpoints_reconcile(struct reconcile *rc, struct err *err)
{
    struct endpoints_view view = {.self = rc, .taken = is_taken};
    struct endpoints_service *service =
        endpoints_index_find(rc->state, key_of(rc->ns, rc->name, rc->arena));
    if (service != NULL && must_wait(rc, service))
        return 0;
    view.service = cache_get(rc->cache, STR("services"), rc->ns, rc->name, rc->arena);
    if (view.service == NULL)
        return remove_endpoints(rc, err);
    if (service == NULL || json_at(view.service, "metadata.deletionTimestamp") != NULL ||
        namespace_ends(rc))
        return 0;
    if (list_in(&service->unseen))
        look_at_pods(rc);
    see_pods(rc, service, &view);
    see_slices(rc, &view);
    struct slice_step *steps;
    size_t n = slices_plan(&view, &steps, rc->arena);
    for (size_t i = 0; i < n; i++) {
        int r = do_step(rc, &steps[i], err);
        if (r < 0)
            return err_wrap(err, "slice");
    }
    return write_endpoints(rc, &view, err);
}

const struct controller endpoints_controller = {
    .name = "endpoints",
    .primary = &kind_service,
    .reconcile = endpoints_reconcile,
    .seen = endpoints_seen,
    .open = endpoints_open,
    .close = endpoints_close,
};
