/*
 * volume_provision.c - a volume for a claim that found none. Ours are directories that the node
 * makes when a pod first needs them, so provisioning is one object; others' provisioners are told.
 */
#include "controllers/volume_binder.h"
#include "kinds/rules.h"

static const char *const provisioner_notes[] = {"volume.beta.kubernetes.io/storage-provisioner",
                                                "volume.kubernetes.io/storage-provisioner"};

static int fail(struct reconcile *rc, const struct provision *p, str_t message)
{
    volume_tell(rc, p, true, "ProvisioningFailed", message);
    return 0;
}

/* Who is to make it is noted on the claim. 1: written now, to be looked at again. */
static int note_provisioner(struct reconcile *rc, const struct provision *p, str_t by,
                            struct err *err)
{
    struct json *notes =
        rule_member(json_get(p->claim, STR("metadata")), STR("annotations"), rc->arena);
    bool changed = false;
    for (size_t i = 0; i < ARRAY_LEN(provisioner_notes); i++) {
        str_t note = str_from_z(provisioner_notes[i]);
        if (str_eq(json_get_text(notes, note), by))
            continue;
        json_set(notes, note, json_string(rc->arena, by));
        changed = true;
    }
    if (!changed)
        return 0;
    int r = rc->writer->update(rc->writer->self, &kind_persistentvolumeclaim, "", p->claim, err);
    return r < 0 ? r : 1;
}

/* The one that was selected, or any that pods can go to. NULL: none. */
static const struct json *node_for(struct reconcile *rc, const struct claim_facts *claim)
{
    enum { NODES_MAX = 64 };
    struct cache_name names[NODES_MAX];
    if (claim->node.len > 0)
        return cache_get(rc->cache, STR("nodes"), STR(""), claim->node, rc->arena);
    size_t n = cache_names(rc->cache, STR("nodes"), STR(""), names, NODES_MAX, rc->arena);
    for (size_t i = 0; i < n; i++) {
        const struct json *node =
            cache_get(rc->cache, STR("nodes"), STR(""), names[i].name, rc->arena);
        if (node != NULL && !json_is_true(json_at(node, "spec.unschedulable")))
            return node;
    }
    return NULL;
}

static str_t refusal(struct reconcile *rc, const struct provision *p)
{
    const char *why = NULL;
    str_t class = p->facts->class;
    if (str_eq(p->facts->mode, STR("Block")))
        why = "block volume provisioning is not supported";
    else if (json_first(json_at(p->claim, "spec.selector")) != NULL)
        why = "claim Selector is not supported";
    else if (json_at(p->claim, "spec.dataSource") != NULL ||
             json_at(p->claim, "spec.dataSourceRef") != NULL)
        why = "volume sources are not supported";
    return why == NULL
               ? STR("")
               : arena_printf(rc->arena,
                              "failed to provision volume with StorageClass \"" STR_F "\": %s",
                              STR_A(class), why);
}

/* The node went before the volume was there: the scheduler is to choose another. */
static int select_again(struct reconcile *rc, const struct provision *p, struct err *err)
{
    (void)json_remove(json_at(p->claim, "metadata.annotations"), STR(SELECTED_NODE));
    return rc->writer->update(rc->writer->self, &kind_persistentvolumeclaim, "", p->claim, err);
}

static int make(struct reconcile *rc, const struct provision *p, const struct json *class,
                struct err *err)
{
    str_t why = refusal(rc, p);
    if (why.len > 0)
        return fail(rc, p, why);
    const struct json *node = node_for(rc, p->facts);
    if (node == NULL && p->facts->node.len > 0)
        return select_again(rc, p, err);
    if (node == NULL) {
        p->waiting->needs_node = true;
        volume_tell(rc, p, false, "ExternalProvisioning",
                    STR("Waiting for a node on which the volume can be made"));
        return 0;
    }
    str_t name = json_text(json_at(node, "metadata.name"), STR(""));
    str_t hostname = json_get_text(json_at(node, "metadata.labels"), STR("kubernetes.io/hostname"));
    struct json *volume =
        volume_provision(p->claim, class, hostname.len > 0 ? hostname : name, rc->arena);
    int r = rc->writer->create(rc->writer->self, &kind_persistentvolume, volume, err);
    if (r == ERR_EXISTS)
        return 0; /* It is on its way. */
    str_t made = volume_name_for(p->facts, rc->arena);
    if (r == 0)
        volume_tell(rc, p, false, "ProvisioningSucceeded",
                    arena_printf(rc->arena, "Successfully provisioned volume " STR_F, STR_A(made)));
    return r;
}

int volume_provision_for(struct reconcile *rc, const struct provision *p, struct err *err)
{
    const struct json *class = volume_class(rc, p->facts->class);
    str_t by = json_get_text(class, STR("provisioner")), name = p->facts->class;
    if (class == NULL)
        return fail(rc, p,
                    arena_printf(rc->arena, "storageclass.storage.k8s.io \"" STR_F "\" not found",
                                 STR_A(name)));
    if (str_starts(by, STR("kubernetes.io/")))
        return fail(rc, p,
                    arena_printf(rc->arena, "no volume plugin matched name: " STR_F, STR_A(by)));
    int r = note_provisioner(rc, p, by, err);
    if (r != 0)
        return r < 0 ? r : 0;
    if (str_eq(by, STR(VOLUME_PROVISIONER)))
        return make(rc, p, class, err);
    volume_tell(rc, p, false, "ExternalProvisioning",
                arena_printf(rc->arena,
                             "Waiting for a volume to be created either by the external "
                             "provisioner '" STR_F
                             "' or manually by the system administrator. If volume creation is "
                             "delayed, please verify that the provisioner is running and correctly "
                             "registered.",
                             STR_A(by)));
    return 0;
}
