/* pods.c - who controls what, by references and selectors. */
#include "controllers/pods.h"

#include "kinds/rules.h"
#include "kube/meta.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* --- expectations --- */

struct expected {
    struct map_node by_name;
    struct expecting *owner;
    char name[];
};

struct expecting {
    struct map_node by_owner;
    size_t n;
    char name[];
};

static void *named(size_t size, str_t name)
{
    char *it = calloc(1, size + name.len + 1);
    MUST(it != NULL);
    memcpy(it + size, name.at, name.len);
    return it;
}

void expectations_met(struct expectations *e, str_t name)
{
    struct map_node *node = map_find(&e->by_name, name);
    if (node == NULL)
        return;
    struct expected *expected = CONTAINER_OF(node, struct expected, by_name);
    struct expecting *owner = expected->owner;
    map_remove(&e->by_name, node);
    free(expected);
    if (--owner->n == 0) {
        map_remove(&e->by_owner, &owner->by_owner);
        free(owner);
    }
}

void expectations_clear(struct expectations *e)
{
    for (size_t i = 0; i < e->by_name.n_buckets; i++)
        while (e->by_name.buckets[i] != NULL)
            expectations_met(e, e->by_name.buckets[i]->key);
}

void expectations_done(struct expectations *e)
{
    expectations_clear(e);
    map_done(&e->by_name);
    map_done(&e->by_owner);
}

void expectations_add(struct expectations *e, str_t name, str_t owner_name)
{
    struct map_node *node = map_find(&e->by_owner, owner_name);
    struct expecting *owner = node == NULL ? NULL : CONTAINER_OF(node, struct expecting, by_owner);
    if (expectations_has(e, name))
        return;
    if (owner == NULL) {
        owner = named(sizeof(*owner), owner_name);
        map_add(&e->by_owner, (str_t){owner->name, owner_name.len}, &owner->by_owner);
    }
    struct expected *expected = named(sizeof(*expected), name);
    expected->owner = owner;
    owner->n++;
    map_add(&e->by_name, (str_t){expected->name, name.len}, &expected->by_name);
}

bool expectations_has(const struct expectations *e, str_t name)
{
    return map_find(&e->by_name, name) != NULL;
}

size_t expectations_of(const struct expectations *e, str_t owner)
{
    struct map_node *node = map_find(&e->by_owner, owner);
    return node == NULL ? 0 : CONTAINER_OF(node, struct expecting, by_owner)->n;
}

/* --- whose is it --- */

const struct json *controller_of(const struct json *meta)
{
    JSON_EACH(json_get(meta, STR("ownerReferences")), ref)
    if (json_is_true(json_get(ref, STR("controller"))))
        return ref;
    return NULL;
}

static struct json *reference_to(const struct json *owner, const struct kind *kind,
                                 struct arena *arena)
{
    struct json *ref = json_object(arena);
    const struct json *meta = json_get(owner, STR("metadata"));
    json_add(ref, STR("apiVersion"), json_string(arena, kind_api_version(kind, arena)));
    json_add(ref, STR("kind"), json_string(arena, str_from_z(kind->name)));
    json_add(ref, STR("name"), json_string(arena, json_get_text(meta, STR("name"))));
    json_add(ref, STR("uid"), json_string(arena, json_get_text(meta, STR("uid"))));
    json_add(ref, STR("controller"), json_bool(arena, true));
    json_add(ref, STR("blockOwnerDeletion"), json_bool(arena, true));
    return ref;
}

struct json *controlled_meta(const struct json *owner, const struct kind *owner_kind, str_t name,
                             struct arena *arena)
{
    struct json *meta = json_object(arena);
    json_add(meta, STR("name"), json_string(arena, name));
    json_add(meta, STR("namespace"),
             json_string(arena, json_text(json_at(owner, "metadata.namespace"), STR(""))));
    json_add(meta, STR("ownerReferences"),
             json_add(json_array(arena), STR(""), reference_to(owner, owner_kind, arena)));
    return meta;
}

static int adopt(struct reconcile *rc, const struct kind *kind, struct json *object,
                 const struct json *owner, const struct kind *owner_kind, struct err *err)
{
    struct json *meta = json_get(object, STR("metadata"));
    struct json *refs = json_get(meta, STR("ownerReferences"));
    if (refs == NULL)
        json_add(meta, STR("ownerReferences"), refs = json_array(rc->arena));
    json_add(refs, STR(""), reference_to(owner, owner_kind, rc->arena));
    return rc->writer->update(rc->writer->self, kind, "", object, err);
}

static int release(struct reconcile *rc, const struct kind *kind, struct json *object, str_t uid,
                   struct err *err)
{
    struct json *meta = json_get(object, STR("metadata")), *kept = json_array(rc->arena);
    JSON_EACH(json_get(meta, STR("ownerReferences")), ref)
    if (!str_eq(json_get_text(ref, STR("uid")), uid))
        json_add(kept, STR(""), json_clone(ref, rc->arena));
    if (kept->first != NULL)
        json_set(meta, STR("ownerReferences"), kept);
    else
        (void)json_remove(meta, STR("ownerReferences"));
    return rc->writer->update(rc->writer->self, kind, "", object, err);
}

int claim(struct reconcile *rc, const struct kind *kind, const struct json *owner,
          const struct kind *owner_kind, const struct json *selector, struct claimed *out,
          struct err *err)
{
    str_t uid = json_text(json_at(owner, "metadata.uid"), STR(""));
    bool ending = json_at(owner, "metadata.deletionTimestamp") != NULL;
    struct claimed found;
    found.n = cache_owned(rc->cache, kind_resource(kind, rc->arena), rc->ns, uid,
                          ending ? NULL : selector, rc->arena, &found.at);
    out->n = 0;
    out->at = found.at;
    for (size_t i = 0; i < found.n; i++) {
        struct json *object = found.at[i];
        const struct json *meta = json_get(object, STR("metadata"));
        bool marked = json_get(meta, STR("deletionTimestamp")) != NULL;
        bool selected = selects(selector, json_get(meta, STR("labels")));
        bool ours = controller_of(meta) != NULL;
        int r = 0;
        if (ours && (selected || ending))
            out->at[out->n++] = object;
        else if (ours)
            r = release(rc, kind, object, uid, err);
        else if (selected && !marked && !ending) {
            r = adopt(rc, kind, object, owner, owner_kind, err);
            if (r == 0)
                out->at[out->n++] = object;
        }
        if (r < 0 && r != ERR_NOT_FOUND)
            return err_wrap(err, "claim");
    }
    return 0;
}

/* --- of one Pod --- */

bool pod_is_active(const struct json *pod)
{
    str_t phase = json_text(json_at(pod, "status.phase"), STR(""));
    return json_at(pod, "metadata.deletionTimestamp") == NULL && !str_eq(phase, STR("Succeeded")) &&
           !str_eq(phase, STR("Failed"));
}

struct json *condition_of(const struct json *status, const char *type)
{
    JSON_EACH(json_get(status, STR("conditions")), condition)
    if (str_eq(json_get_text(condition, STR("type")), str_from_z(type)))
        return condition;
    return NULL;
}

bool pod_is_ready(const struct json *pod)
{
    const struct json *ready = condition_of(json_get(pod, STR("status")), "Ready");
    return str_eq(json_get_text(ready, STR("status")), STR("True"));
}

bool pod_is_available(const struct json *pod, int64_t min_ready_s, msec_t wall_ms, msec_t *left_ms)
{
    const struct json *ready = condition_of(json_get(pod, STR("status")), "Ready");
    msec_t since_ms;
    *left_ms = 0;
    if (!pod_is_ready(pod))
        return false;
    if (min_ready_s == 0)
        return true;
    if (!time_parse(json_get_text(ready, STR("lastTransitionTime")), &since_ms))
        return false;
    *left_ms = since_ms + min_ready_s * 1000 - wall_ms;
    return *left_ms <= 0;
}

int64_t json_number(const struct json *json, const char *path, int64_t otherwise)
{
    int64_t value = otherwise;
    (void)json_to_i64(json_at(json, path), &value);
    return value;
}

str_t random_suffix(struct arena *arena)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789"; /* No words, no look-alikes. */
    enum { CHARS = 5 };
    unsigned char dice[CHARS];
    char tail[CHARS + 1] = {0};
    MUST(getrandom(dice, sizeof(dice), 0) == (ssize_t)sizeof(dice));
    for (int i = 0; i < CHARS; i++)
        tail[i] = letters[dice[i] % (sizeof(letters) - 1)];
    return arena_printf(arena, "%s", tail);
}
