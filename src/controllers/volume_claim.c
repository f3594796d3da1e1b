/*
 * volume_claim.c - a claim finds its volume, one write at a time: the volume is promised first,
 * then the claim takes it, then its status says so. Whoever is killed in between goes on from
 * there.
 */
#include "controllers/volume_binder.h"
#include "kinds/rules.h"

enum { CLASSES_MAX = 256 };

#define DEFAULT_CLASS "storageclass.kubernetes.io/is-default-class"

static struct json *volume_get(struct reconcile *rc, str_t name)
{
    return cache_get(rc->cache, STR("persistentvolumes"), STR(""), name, rc->arena);
}

const struct json *volume_class(struct reconcile *rc, str_t name)
{
    return name.len == 0 ? NULL
                         : cache_get(rc->cache, STR("storageclasses.storage.k8s.io"), STR(""), name,
                                     rc->arena);
}

static uint64_t hash_of(const char *reason, str_t text)
{
    uint64_t hash = 14695981039346656037ULL;
    for (; *reason != '\0'; reason++) /* FNV-1a. */
        hash = (hash ^ (unsigned char)*reason) * 1099511628211ULL;
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.at[i]) * 1099511628211ULL;
    return hash;
}

void volume_tell(struct reconcile *rc, const struct provision *p, bool warning, const char *reason,
                 str_t message)
{
    uint64_t told = hash_of(reason, message);
    if (p->waiting != NULL && p->waiting->told == told)
        return;
    if (p->waiting != NULL)
        p->waiting->told = told;
    recorder_event(rc, &(struct record){.about = &kind_persistentvolumeclaim,
                                        .meta = json_get(p->claim, STR("metadata")),
                                        .warning = warning,
                                        .reason = reason,
                                        .message = message,
                                        .component = "persistentvolume-controller"});
}

static int write_claim(struct reconcile *rc, const char *part, const struct json *claim,
                       struct err *err)
{
    return rc->writer->update(rc->writer->self, &kind_persistentvolumeclaim, part, claim, err);
}

/* --- one that has its volume --- */

static int lose(struct reconcile *rc, const struct provision *p, const char *reason,
                const char *message, struct err *err)
{
    if (!claim_set_phase(p->claim, "Lost", rc->arena))
        return 0;
    int r = write_claim(rc, "status", p->claim, err);
    if (r == 0)
        volume_tell(rc, p, true, reason, str_from_z(message));
    return r;
}

/* A directory has no size: what is asked for in addition is given at once. */
static bool grow(struct reconcile *rc, struct json *volume, const struct claim_facts *claim)
{
    struct volume_facts facts;
    volume_facts_read(volume, rc->arena, &facts);
    bool ours =
        str_eq(json_text(json_at(volume, "spec.csi.driver"), STR("")), STR(VOLUME_PROVISIONER));
    if (!ours || quantity_cmp(facts.capacity, claim->request) >= 0)
        return false;
    struct json *capacity = rule_member(json_get(volume, STR("spec")), STR("capacity"), rc->arena);
    json_set(capacity, STR("storage"),
             json_string(rc->arena, quantity_text(claim->request, rc->arena)));
    return true;
}

static int sync_bound(struct reconcile *rc, const struct provision *p, struct err *err)
{
    struct volume_facts facts;
    struct json *volume = volume_get(rc, p->facts->volume);
    if (volume == NULL)
        return lose(rc, p, "ClaimLost",
                    "Bound claim has lost its PersistentVolume. Data on the volume is lost!", err);
    volume_facts_read(volume, rc->arena, &facts);
    if (facts.claim.len > 0 && !volume_is_for(&facts, p->facts))
        return lose(rc, p, "ClaimMisbound",
                    "Two claims are bound to the same volume, this one is bound incorrectly", err);
    if (volume_promise(volume, p->claim, rc->arena) || grow(rc, volume, p->facts))
        return rc->writer->update(rc->writer->self, &kind_persistentvolume, "", volume, err);
    if (!claim_become_bound(p->claim, volume, rc->arena))
        return 0;
    return write_claim(rc, "status", p->claim, err);
}

/* --- one that has none yet --- */

/* The volume is promised; when that is committed the claim is looked at again and takes it. */
static int bind(struct reconcile *rc, const struct provision *p, struct json *volume,
                struct err *err)
{
    str_t name = json_text(json_at(volume, "metadata.name"), STR(""));
    if (volume_promise(volume, p->claim, rc->arena))
        return rc->writer->update(rc->writer->self, &kind_persistentvolume, "", volume, err);
    if (claim_take(p->claim, name, rc->arena))
        return write_claim(rc, "", p->claim, err);
    return 0;
}

/* It names the volume that it wants. */
static int sync_named(struct reconcile *rc, const struct provision *p, struct err *err)
{
    struct volume_facts facts;
    str_t name = p->facts->volume;
    struct json *volume = volume_get(rc, name);
    if (volume == NULL)
        return 0; /* It may come. */
    volume_facts_read(volume, rc->arena, &facts);
    const char *why = facts.claim.len == 0 ? volume_mismatch(&facts, p->facts) : NULL;
    if (why != NULL) {
        volume_tell(rc, p, true, "VolumeMismatch",
                    arena_printf(rc->arena, "Cannot bind to requested volume \"" STR_F "\": %s",
                                 STR_A(name), why));
        return 0;
    }
    if (facts.claim.len > 0 && !volume_is_for(&facts, p->facts)) {
        volume_tell(rc, p, true, "FailedBinding",
                    arena_printf(rc->arena,
                                 "volume \"" STR_F "\" already bound to a different claim.",
                                 STR_A(name)));
        return 0;
    }
    return bind(rc, p, volume, err);
}

/* Labels of the node that was selected; NULL: none was, or it is gone. */
static const struct json *labels_at(struct reconcile *rc, str_t node)
{
    const struct json *object =
        node.len == 0 ? NULL : cache_get(rc->cache, STR("nodes"), STR(""), node, rc->arena);
    return json_at(object, "metadata.labels");
}

/* What the short facts do not tell. */
static bool fits_indeed(struct reconcile *rc, const struct provision *p, str_t name,
                        const struct json *labels)
{
    const struct json *volume = volume_get(rc, name);
    return volume != NULL && volume_selected(volume, p->claim) &&
           (p->facts->node.len == 0 || volume_is_at(volume, labels));
}

/* The one that has its uid, else one that a person promised to whoever has its name. */
static const struct known_volume *find_promised(const struct provision *p, struct list *volumes)
{
    const struct known_volume *best = NULL;
    if (volumes == NULL)
        return NULL;
    LIST_EACH(volumes, link) {
        const struct known_volume *one = CONTAINER_OF(link, struct known_volume, link);
        const struct volume_facts *facts = &one->facts;
        if (!volume_is_for(facts, p->facts))
            continue;
        if (facts->claim_uid.len > 0)
            return one;
        if (quantity_cmp(facts->capacity, p->facts->request) >= 0 &&
            str_eq(facts->mode, p->facts->mode))
            best = one;
    }
    return best;
}

/* The smallest that will do. */
static const struct known_volume *find_free(struct reconcile *rc, const struct provision *p,
                                            struct list *volumes)
{
    const struct known_volume *best = NULL;
    const struct json *labels = labels_at(rc, p->facts->node);
    LIST_EACH(volumes, link) {
        const struct known_volume *one = CONTAINER_OF(link, struct known_volume, link);
        const struct volume_facts *facts = &one->facts;
        if (facts->ending || !str_eq(facts->phase, STR("Available")) ||
            volume_mismatch(facts, p->facts) != NULL ||
            (best != NULL && quantity_cmp(facts->capacity, best->facts.capacity) >= 0))
            continue;
        if (fits_indeed(rc, p, facts->name, labels))
            best = one;
    }
    return best;
}

/* NULL: none. */
static struct json *find_volume(struct reconcile *rc, const struct provision *p, bool may_choose)
{
    struct volumes_known *known = rc->state;
    const struct known_volume *found = find_promised(p, known_volumes_of(known, p->facts->key));
    if (found == NULL && may_choose)
        found = find_free(rc, p, &known->free_volumes);
    return found == NULL ? NULL : volume_get(rc, found->facts.name);
}

static int sync_unnamed(struct reconcile *rc, const struct provision *p, struct err *err)
{
    const struct json *class = volume_class(rc, p->facts->class);
    bool waits = p->facts->node.len == 0 && str_eq(json_get_text(class, STR("volumeBindingMode")),
                                                   STR("WaitForFirstConsumer"));
    struct json *volume = find_volume(rc, p, !waits);
    if (volume != NULL)
        return bind(rc, p, volume, err);
    if (waits) {
        volume_tell(rc, p, false, "WaitForFirstConsumer",
                    STR("waiting for first consumer to be created before binding"));
        return 0;
    }
    if (p->facts->class.len > 0)
        return volume_provision_for(rc, p, err);
    volume_tell(rc, p, false, "FailedBinding",
                STR("no persistent volumes available for this claim and no storage class is set"));
    return 0;
}

/* A claim of before there was a default class gets the one that there is now. */
static str_t default_class(struct reconcile *rc)
{
    struct cache_name *names = arena_array(rc->arena, struct cache_name, CLASSES_MAX);
    size_t n = cache_names(rc->cache, STR("storageclasses.storage.k8s.io"), STR(""), names,
                           CLASSES_MAX, rc->arena);
    str_t best = STR(""), created = STR("");
    for (size_t i = 0; i < n; i++) {
        const struct json *meta = json_get(volume_class(rc, names[i].name), STR("metadata"));
        str_t its = json_get_text(meta, STR("creationTimestamp"));
        if (str_eq(json_get_text(json_get(meta, STR("annotations")), STR(DEFAULT_CLASS)),
                   STR("true")) &&
            (best.len == 0 || str_cmp(its, created) > 0)) {
            best = names[i].name;
            created = its;
        }
    }
    return best;
}

static int sync_waiting(struct reconcile *rc, struct provision *p, struct err *err)
{
    if (p->facts->ending)
        return 0;
    p->waiting = waiting_claim_set(rc->state, p->facts);
    p->waiting->needs_node = false;
    if (p->facts->volume.len > 0)
        return sync_named(rc, p, err);
    str_t class = p->facts->has_class ? STR("") : default_class(rc);
    if (class.len == 0)
        return sync_unnamed(rc, p, err);
    json_set(json_get(p->claim, STR("spec")), STR("storageClassName"),
             json_string(rc->arena, class));
    return write_claim(rc, "", p->claim, err);
}

int volume_claim_reconcile(struct reconcile *rc, struct err *err)
{
    struct claim_facts facts;
    struct provision p = {.facts = &facts};
    str_t key = arena_printf(rc->arena, STR_F "/" STR_F, STR_A(rc->ns), STR_A(rc->name));
    p.claim = cache_get(rc->cache, STR("persistentvolumeclaims"), rc->ns, rc->name, rc->arena);
    if (p.claim != NULL)
        claim_facts_read(p.claim, rc->arena, &facts);
    if (p.claim != NULL && !facts.bound)
        return sync_waiting(rc, &p, err);
    waiting_claim_drop(rc->state, key);
    return p.claim == NULL ? 0 : sync_bound(rc, &p, err);
}
