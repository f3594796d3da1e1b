/*
 * volume_known.h - what the binder of volumes knows without reading: every volume in short, and
 * which claims wait. So that neither a claim nor a volume that comes makes it read all others.
 */
#pragma once

#include "controllers/volume_plan.h"

struct known_volume {
    struct map_node by_name;
    struct list link;   /* Of those that are free, or of those promised to one claim. */
    struct arena arena; /* Of the facts. */
    struct volume_facts facts;
};

struct promised {             /* To one claim: hardly ever more than one. */
    struct map_node by_claim; /* "namespace/name" */
    struct list volumes;
    char key[];
};

struct waiting_claim {
    struct map_node by_key; /* "namespace/name" */
    struct list link;
    uint64_t told;   /* A hash of the last Event: the same is not said with each look. */
    bool needs_node; /* What it waits for is a node. */
    struct arena arena;
    str_t class, volume;
};

struct volumes_known {
    struct map volumes, promised, waiting;
    struct list free_volumes, all_waiting;
};

void volumes_known_init(struct volumes_known *known);
void volumes_known_done(struct volumes_known *known);

struct known_volume *known_volume_set(struct volumes_known *known, str_t name,
                                      const struct json *volume);
void known_volume_drop(struct volumes_known *known, str_t name);
/* The list of those promised to this claim; NULL: none are. */
struct list *known_volumes_of(const struct volumes_known *known, str_t claim);

/* Made when it is not there; it waits for what the claim says now. */
struct waiting_claim *waiting_claim_set(struct volumes_known *known,
                                        const struct claim_facts *claim);
void waiting_claim_drop(struct volumes_known *known, str_t key);
