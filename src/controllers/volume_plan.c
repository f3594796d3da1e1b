/* volume_plan.c - comparisons in Kubernetes' order, and the fields that a binding is made of. */
#include "controllers/volume_plan.h"

#include "controllers/scheduler_filter.h"
#include "kinds/rules.h"

static str_t text_at(const struct json *json, const char *path)
{
    return json_text(json_at(json, path), STR(""));
}

static str_t copy_at(const struct json *json, const char *path, struct arena *arena)
{
    return arena_str(arena, text_at(json, path));
}

static unsigned modes_of(const struct json *list)
{
    static const char *const names[] = {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany",
                                        "ReadWriteOncePod"};
    unsigned bits = 0;
    JSON_EACH(list, mode)
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(json_text(mode, STR("")), str_from_z(names[i])))
            bits |= 1U << i;
    return bits;
}

static str_t note_of(const struct json *object, const char *name)
{
    return json_get_text(json_at(object, "metadata.annotations"), str_from_z(name));
}

static quantity_t amount_at(const struct json *json, const char *path)
{
    quantity_t q;
    return quantity_parse(text_at(json, path), &q) ? q : quantity_of(0);
}

/* --- what is read --- */

void volume_facts_read(const struct json *volume, struct arena *arena, struct volume_facts *out)
{
    const struct json *ref = json_at(volume, "spec.claimRef");
    str_t ns = json_get_text(ref, STR("namespace")), name = json_get_text(ref, STR("name"));
    *out = (struct volume_facts){
        .name = copy_at(volume, "metadata.name", arena),
        .class = copy_at(volume, "spec.storageClassName", arena),
        .mode = copy_at(volume, "spec.volumeMode", arena),
        .claim =
            ref == NULL ? STR("") : arena_printf(arena, STR_F "/" STR_F, STR_A(ns), STR_A(name)),
        .claim_uid = copy_at(ref, "uid", arena),
        .phase = copy_at(volume, "status.phase", arena),
        .capacity = amount_at(volume, "spec.capacity.storage"),
        .modes = modes_of(json_at(volume, "spec.accessModes")),
        .ending = json_at(volume, "metadata.deletionTimestamp") != NULL,
    };
}

void claim_facts_read(const struct json *claim, struct arena *arena, struct claim_facts *out)
{
    *out = (struct claim_facts){
        .ns = copy_at(claim, "metadata.namespace", arena),
        .name = copy_at(claim, "metadata.name", arena),
        .uid = copy_at(claim, "metadata.uid", arena),
        .class = copy_at(claim, "spec.storageClassName", arena),
        .mode = copy_at(claim, "spec.volumeMode", arena),
        .volume = copy_at(claim, "spec.volumeName", arena),
        .request = amount_at(claim, "spec.resources.requests.storage"),
        .modes = modes_of(json_at(claim, "spec.accessModes")),
        .has_class = json_at(claim, "spec.storageClassName") != NULL,
        .bound = note_of(claim, BIND_COMPLETED).len > 0,
        .ending = json_at(claim, "metadata.deletionTimestamp") != NULL,
        .node = arena_str(arena, note_of(claim, SELECTED_NODE)),
    };
    out->key = arena_printf(arena, STR_F "/" STR_F, STR_A(out->ns), STR_A(out->name));
}

/* --- what fits --- */

const char *volume_mismatch(const struct volume_facts *volume, const struct claim_facts *claim)
{
    if (quantity_cmp(volume->capacity, claim->request) < 0)
        return "requested PV is too small";
    if (!str_eq(volume->class, claim->class))
        return "storageClassName does not match";
    if (!str_eq(volume->mode, claim->mode))
        return "incompatible volumeMode";
    if ((volume->modes & claim->modes) != claim->modes)
        return "incompatible accessMode";
    return NULL;
}

bool volume_is_for(const struct volume_facts *volume, const struct claim_facts *claim)
{
    return str_eq(volume->claim, claim->key) &&
           (volume->claim_uid.len == 0 || str_eq(volume->claim_uid, claim->uid));
}

bool volume_selected(const struct json *volume, const struct json *claim)
{
    const struct json *selector = json_at(claim, "spec.selector");
    return json_first(selector) == NULL || selects(selector, json_at(volume, "metadata.labels"));
}

bool volume_is_at(const struct json *volume, const struct json *node_labels)
{
    const struct json *required = json_at(volume, "spec.nodeAffinity.required");
    struct sched_node node = {.labels = node_labels};
    return required == NULL || sched_terms_match(required, &node);
}

/* --- what is written --- */

static void set_text(struct json *object, const char *name, str_t value, struct arena *arena)
{
    json_set(object, str_from_z(name), json_string(arena, value));
}

static struct json *notes_of(struct json *object, struct arena *arena)
{
    return rule_member(rule_member(object, STR("metadata"), arena), STR("annotations"), arena);
}

bool volume_promise(struct json *volume, const struct json *claim, struct arena *arena)
{
    struct json *spec = rule_member(volume, STR("spec"), arena), *ref = json_object(arena);
    const struct json *was = json_get(spec, STR("claimRef"));
    str_t uid = text_at(claim, "metadata.uid");
    if (was != NULL && str_eq(json_get_text(was, STR("uid")), uid))
        return false;
    set_text(ref, "kind", STR("PersistentVolumeClaim"), arena);
    set_text(ref, "apiVersion", STR("v1"), arena);
    set_text(ref, "namespace", text_at(claim, "metadata.namespace"), arena);
    set_text(ref, "name", text_at(claim, "metadata.name"), arena);
    set_text(ref, "uid", uid, arena);
    set_text(ref, "resourceVersion", text_at(claim, "metadata.resourceVersion"), arena);
    json_set(spec, STR("claimRef"), ref);
    if (was == NULL) /* Else a person had promised it. */
        set_text(notes_of(volume, arena), BOUND_BY_US, STR("yes"), arena);
    return true;
}

bool claim_take(struct json *claim, str_t volume, struct arena *arena)
{
    struct json *spec = rule_member(claim, STR("spec"), arena), *notes = notes_of(claim, arena);
    bool named = str_eq(json_get_text(spec, STR("volumeName")), volume);
    if (named && json_get(notes, STR(BIND_COMPLETED)) != NULL)
        return false;
    if (!named)
        set_text(notes, BOUND_BY_US, STR("yes"), arena);
    set_text(notes, BIND_COMPLETED, STR("yes"), arena);
    set_text(spec, "volumeName", volume, arena);
    return true;
}

bool claim_become_bound(struct json *claim, const struct json *volume, struct arena *arena)
{
    static const struct {
        const char *name, *from;
    } copied[] = {{"accessModes", "spec.accessModes"}, {"capacity", "spec.capacity"}};
    struct json *was = rule_member(claim, STR("status"), arena), *status = json_clone(was, arena);
    set_text(status, "phase", STR("Bound"), arena);
    for (size_t i = 0; i < ARRAY_LEN(copied); i++) {
        const struct json *value = json_at(volume, copied[i].from);
        if (value != NULL)
            json_set(status, str_from_z(copied[i].name), json_clone(value, arena));
    }
    if (json_eq(was, status))
        return false;
    json_set(claim, STR("status"), status);
    return true;
}

bool claim_set_phase(struct json *claim, const char *phase, struct arena *arena)
{
    struct json *status = rule_member(claim, STR("status"), arena);
    if (str_eq(json_get_text(status, STR("phase")), str_from_z(phase)))
        return false;
    set_text(status, "phase", str_from_z(phase), arena);
    return true;
}

bool volume_set_phase(struct json *volume, const char *phase, const char *message, msec_t wall_ms,
                      struct arena *arena)
{
    struct json *status = rule_member(volume, STR("status"), arena);
    bool same = str_eq(json_get_text(status, STR("phase")), str_from_z(phase));
    if (same && str_eq(json_get_text(status, STR("message")), str_from_z(message)))
        return false;
    set_text(status, "phase", str_from_z(phase), arena);
    if (message[0] != '\0')
        set_text(status, "message", str_from_z(message), arena);
    else
        (void)json_remove(status, STR("message"));
    if (!same)
        set_text(status, "lastPhaseTransitionTime", time_text(wall_ms, arena), arena);
    return true;
}

bool finalizer_remove(struct json *object, const char *name, struct arena *arena)
{
    struct json *meta = json_get(object, STR("metadata")), *kept = json_array(arena);
    const struct json *was = json_get(meta, STR("finalizers"));
    JSON_EACH(was, each)
    if (!str_eq(json_text(each, STR("")), str_from_z(name)))
        json_add(kept, STR(""), json_clone(each, arena));
    if (json_count(kept) == json_count(was))
        return false;
    if (kept->first != NULL)
        json_set(meta, STR("finalizers"), kept);
    else
        (void)json_remove(meta, STR("finalizers"));
    return true;
}

/* --- a new one --- */

str_t volume_name_for(const struct claim_facts *claim, struct arena *arena)
{
    return arena_printf(arena, "pvc-" STR_F, STR_A(claim->uid));
}

static struct json *only_at(str_t hostname, struct arena *arena)
{
    struct json *expression = json_object(arena), *term = json_object(arena);
    struct json *affinity = json_object(arena), *required = json_object(arena);
    set_text(expression, "key", STR("kubernetes.io/hostname"), arena);
    set_text(expression, "operator", STR("In"), arena);
    json_add(expression, STR("values"),
             json_add(json_array(arena), STR(""), json_string(arena, hostname)));
    json_add(term, STR("matchExpressions"), json_add(json_array(arena), STR(""), expression));
    json_add(required, STR("nodeSelectorTerms"), json_add(json_array(arena), STR(""), term));
    return json_add(affinity, STR("required"), required);
}

static void copy(struct json *to, const char *name, const struct json *value, struct arena *arena)
{
    if (value != NULL)
        json_add(to, str_from_z(name), json_clone(value, arena));
}

struct json *volume_provision(const struct json *claim, const struct json *class, str_t hostname,
                              struct arena *arena)
{
    struct claim_facts facts;
    claim_facts_read(claim, arena, &facts);
    str_t name = volume_name_for(&facts, arena);
    struct json *volume = json_object(arena), *meta = json_object(arena);
    struct json *spec = json_object(arena), *csi = json_object(arena);
    struct json *notes = json_object(arena);
    set_text(notes, PROVISIONED_BY, STR(VOLUME_PROVISIONER), arena);
    set_text(meta, "name", name, arena);
    json_add(meta, STR("annotations"), notes);
    json_add(meta, STR("finalizers"),
             json_add(json_array(arena), STR(""), json_string(arena, STR(VOLUME_CLEANUP))));
    set_text(csi, "driver", STR(VOLUME_PROVISIONER), arena);
    set_text(csi, "volumeHandle", name, arena);
    json_add(spec, STR("csi"), csi);
    copy(spec, "capacity", json_at(claim, "spec.resources.requests"), arena);
    copy(spec, "accessModes", json_at(claim, "spec.accessModes"), arena);
    copy(spec, "volumeMode", json_at(claim, "spec.volumeMode"), arena);
    copy(spec, "mountOptions", json_get(class, STR("mountOptions")), arena);
    set_text(spec, "storageClassName", facts.class, arena);
    str_t policy = json_text(json_get(class, STR("reclaimPolicy")), STR("Delete"));
    set_text(spec, "persistentVolumeReclaimPolicy", policy, arena);
    json_add(spec, STR("nodeAffinity"), only_at(hostname, arena));
    json_add(volume, STR("metadata"), meta);
    json_add(volume, STR("spec"), spec);
    (void)volume_promise(volume, claim, arena);
    (void)json_remove(notes, STR(BOUND_BY_US)); /* It was made for it, not chosen. */
    return volume;
}
