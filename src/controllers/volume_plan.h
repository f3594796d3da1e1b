/*
 * volume_plan.h - which PersistentVolume a claim may have, and what is written when it gets it.
 * Pure. https://kubernetes.io/docs/concepts/storage/persistent-volumes/
 */
#pragma once

#include "base/json.h"
#include "base/list.h"
#include "base/map.h"
#include "base/time.h"
#include "kube/quantity.h"

#define VOLUME_PROVISIONER "davy.dev/local" /* And its CSI driver; the node makes directories. */
#define BIND_COMPLETED "pv.kubernetes.io/bind-completed"
#define BOUND_BY_US "pv.kubernetes.io/bound-by-controller"
#define PROVISIONED_BY "pv.kubernetes.io/provisioned-by"
#define SELECTED_NODE "volume.kubernetes.io/selected-node"
#define CLAIM_PROTECTION "kubernetes.io/pvc-protection"
#define VOLUME_PROTECTION "kubernetes.io/pv-protection"
/* Held until the node has removed the directory; as external provisioners call theirs. */
#define VOLUME_CLEANUP "external-provisioner.volume.kubernetes.io/finalizer"

/* What of a volume is compared with claims, so that no tree is read for those that do not fit. */
struct volume_facts {
    str_t name, class, mode; /* volumeMode */
    str_t claim;             /* "namespace/name" it is or was promised to; "" : free. */
    str_t claim_uid;
    str_t phase; /* Of status. */
    quantity_t capacity;
    unsigned modes; /* Access modes, as bits. */
    bool ending;
};
/* Texts are copied into the arena. */
void volume_facts_read(const struct json *volume, struct arena *arena, struct volume_facts *out);

struct claim_facts {
    str_t ns, name, uid, class, mode, volume;
    str_t key; /* "namespace/name" */
    quantity_t request;
    unsigned modes;
    bool has_class; /* "" is one, too: that of volumes without. */
    bool bound;     /* Once and for ever; see BIND_COMPLETED. */
    bool ending;
    str_t node; /* That the scheduler has selected; "" : none. */
};
void claim_facts_read(const struct json *claim, struct arena *arena, struct claim_facts *out);

/* NULL: it will do. Else why not, in Kubernetes' words: "requested PV is too small". */
const char *volume_mismatch(const struct volume_facts *volume, const struct claim_facts *claim);
/* Is it promised to this claim, perhaps before there was one? */
bool volume_is_for(const struct volume_facts *volume, const struct claim_facts *claim);
/* Whether the selector of the claim has the volume's labels. */
bool volume_selected(const struct json *volume, const struct json *claim);
/* Whether it can be used on a node of these labels. */
bool volume_is_at(const struct json *volume, const struct json *node_labels);

/* spec.claimRef; and who chose. False: it says so already. */
bool volume_promise(struct json *volume, const struct json *claim, struct arena *arena);
/* spec.volumeName and the notes of who chose. False: they are there. */
bool claim_take(struct json *claim, str_t volume, struct arena *arena);
/* status: Bound, with what it got. False: it was. */
bool claim_become_bound(struct json *claim, const struct json *volume, struct arena *arena);
bool claim_set_phase(struct json *claim, const char *phase, struct arena *arena);
bool volume_set_phase(struct json *volume, const char *phase, const char *message, msec_t wall_ms,
                      struct arena *arena);
/* False: it is not there. */
bool finalizer_remove(struct json *object, const char *name, struct arena *arena);

/* "pvc-UID" */
str_t volume_name_for(const struct claim_facts *claim, struct arena *arena);
/* A new volume for the claim, of a class of ours, at the node with this hostname. */
struct json *volume_provision(const struct json *claim, const struct json *class, str_t hostname,
                              struct arena *arena);
