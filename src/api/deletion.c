/* deletion.c - finalizers by propagation policy first, then how long it may take. */
#include "api/deletion.h"

#include "kinds/kinds.h"
#include "kube/meta.h"

enum { MS = 1000 };

static const str_t orphan = STR("orphan"), foreground = STR("foregroundDeletion");

struct deletion_wish deletion_wish_of(const struct json *options)
{
    struct deletion_wish wish = {.policy = PROPAGATE_UNSAID};
    const struct json *keep = json_get(options, STR("orphanDependents"));
    str_t policy = json_get_text(options, STR("propagationPolicy"));
    wish.has_grace = json_to_i64(json_get(options, STR("gracePeriodSeconds")), &wish.grace_s);
    if (keep != NULL && keep->type == JSON_BOOL)
        wish.policy = json_is_true(keep) ? PROPAGATE_ORPHAN : PROPAGATE_BACKGROUND;
    else if (str_eq(policy, STR("Orphan")))
        wish.policy = PROPAGATE_ORPHAN;
    else if (str_eq(policy, STR("Foreground")))
        wish.policy = PROPAGATE_FOREGROUND;
    else if (str_eq(policy, STR("Background")))
        wish.policy = PROPAGATE_BACKGROUND;
    if (wish.has_grace && wish.grace_s < 0)
        wish.grace_s = 1;
    return wish;
}

bool deletion_orphans(const struct kind *kind)
{
    return kind == &kind_job || kind == &kind_replicationcontroller;
}

static bool has(const struct json *list, str_t text)
{
    JSON_EACH(list, item)
    if (str_eq(json_text(item, STR("")), text))
        return true;
    return false;
}

/* What was said; else what an earlier deletion has left on the object; else the kind's habit. */
static enum propagation policy_of(const struct kind *kind, const struct deletion_wish *wish,
                                  const struct json *finalizers)
{
    if (kind == &kind_event || kind == &kind_event_v1)
        return PROPAGATE_BACKGROUND; /* The garbage collector does not look at these. */
    if (wish->policy != PROPAGATE_UNSAID)
        return wish->policy;
    if (has(finalizers, orphan))
        return PROPAGATE_ORPHAN;
    if (has(finalizers, foreground))
        return PROPAGATE_FOREGROUND;
    return deletion_orphans(kind) ? PROPAGATE_ORPHAN : PROPAGATE_BACKGROUND;
}

/* True: they are others now. */
static bool set_finalizers(struct json *meta, enum propagation policy, struct arena *arena)
{
    const struct json *were = json_get(meta, STR("finalizers"));
    struct json *are = json_array(arena);
    JSON_EACH(were, item)
    if (!str_eq(json_text(item, STR("")), orphan) && !str_eq(json_text(item, STR("")), foreground))
        json_add(are, STR(""), json_clone(item, arena));
    if (policy == PROPAGATE_ORPHAN)
        json_add(are, STR(""), json_string(arena, orphan));
    else if (policy == PROPAGATE_FOREGROUND)
        json_add(are, STR(""), json_string(arena, foreground));
    if (were != NULL ? json_eq(were, are) : are->first == NULL)
        return false;
    if (are->first != NULL)
        json_set(meta, STR("finalizers"), are);
    else
        (void)json_remove(meta, STR("finalizers"));
    return true;
}

/* Somebody who waits for a change of spec must see that this one is ending. */
static void count_generation(struct json *meta, struct arena *arena)
{
    int64_t generation;
    if (json_to_i64(json_get(meta, STR("generation")), &generation) && generation > 0)
        json_set(meta, STR("generation"), json_int(arena, generation + 1));
}

static void mark(const struct kind *kind, struct json *object, msec_t at_ms, int64_t grace_s,
                 struct arena *arena)
{
    struct json *meta = json_get(object, STR("metadata"));
    if (json_get(meta, STR("deletionTimestamp")) == NULL)
        count_generation(meta, arena);
    json_set(meta, STR("deletionTimestamp"), json_string(arena, time_text(at_ms, arena)));
    if (kind != &kind_namespace) {
        json_set(meta, STR("deletionGracePeriodSeconds"), json_int(arena, grace_s));
        return;
    }
    struct json *status = json_get(object, STR("status"));
    if (status == NULL || status->type != JSON_OBJECT)
        json_set(object, STR("status"), status = json_object(arena));
    json_set(status, STR("phase"), json_string(arena, STR("Terminating")));
}

/* How long this Pod may take from now on. */
static int64_t pod_grace_s(const struct json *pod, const struct deletion_wish *wish)
{
    int64_t grace_s = 0;
    str_t phase = json_text(json_at(pod, "status.phase"), STR(""));
    if (wish->has_grace)
        grace_s = wish->grace_s;
    else
        (void)json_to_i64(json_at(pod, "spec.terminationGracePeriodSeconds"), &grace_s);
    if (json_text(json_at(pod, "spec.nodeName"), STR("")).len == 0 ||
        str_eq(phase, STR("Failed")) || str_eq(phase, STR("Succeeded")))
        return 0; /* Nothing runs that could need time. */
    return grace_s < 0 ? 1 : grace_s;
}

static bool waits(const struct json *object)
{
    return json_count(json_at(object, "metadata.finalizers")) > 0 ||
           json_count(json_at(object, "spec.finalizers")) > 0;
}

/* A Pod that is ending already: only a shorter time is news. */
static enum deletion_step shorten(const struct kind *kind, const struct deletion_wish *wish,
                                  struct json *pod, struct arena *arena)
{
    int64_t was_s, now_s = wish->grace_s;
    msec_t end_ms;
    const struct json *meta = json_get(pod, STR("metadata"));
    if (!json_to_i64(json_get(meta, STR("deletionGracePeriodSeconds")), &was_s))
        return waits(pod) ? DELETION_NOTHING : DELETION_REMOVE;
    if (!wish->has_grace || now_s >= was_s)
        return DELETION_NOTHING;
    if (now_s == 0 && !waits(pod))
        return DELETION_REMOVE;
    if (time_parse(json_get_text(meta, STR("deletionTimestamp")), &end_ms))
        mark(kind, pod, end_ms - was_s * MS + now_s * MS, now_s, arena);
    return DELETION_MARK;
}

enum deletion_step deletion_next(const struct kind *kind, const struct deletion_wish *wish,
                                 msec_t wall_ms, struct json *object, struct arena *arena)
{
    struct json *meta = json_get(object, STR("metadata"));
    bool marked = json_get(meta, STR("deletionTimestamp")) != NULL, pod = kind == &kind_pod;
    if (pod && marked)
        return shorten(kind, wish, object, arena);
    bool changed =
        set_finalizers(meta, policy_of(kind, wish, json_get(meta, STR("finalizers"))), arena);
    int64_t grace_s = pod ? pod_grace_s(object, wish) : 0;
    if (!waits(object) && grace_s == 0)
        return DELETION_REMOVE;
    if (!marked)
        mark(kind, object, wall_ms + grace_s * MS, grace_s, arena);
    return marked && !changed ? DELETION_NOTHING : DELETION_MARK;
}

bool deletion_is_over(const struct json *object)
{
    int64_t grace_s = 0;
    (void)json_to_i64(json_at(object, "metadata.deletionGracePeriodSeconds"), &grace_s);
    return json_at(object, "metadata.deletionTimestamp") != NULL && grace_s == 0 && !waits(object);
}
