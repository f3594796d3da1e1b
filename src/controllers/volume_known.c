/* volume_known.c - maps, each with lists for going through what is in them. */
#include "controllers/volume_known.h"

#include <stdlib.h>
#include <string.h>

void volumes_known_init(struct volumes_known *known)
{
    *known = (struct volumes_known){0};
    list_init(&known->free_volumes);
    list_init(&known->all_waiting);
}

static struct promised *promised_to(const struct volumes_known *known, str_t claim)
{
    struct map_node *node = claim.len == 0 ? NULL : map_find(&known->promised, claim);
    return node == NULL ? NULL : CONTAINER_OF(node, struct promised, by_claim);
}

struct list *known_volumes_of(const struct volumes_known *known, str_t claim)
{
    struct promised *promised = promised_to(known, claim);
    return promised == NULL ? NULL : &promised->volumes;
}

static struct list *list_for(struct volumes_known *known, str_t claim)
{
    struct promised *promised = promised_to(known, claim);
    if (claim.len == 0)
        return &known->free_volumes;
    if (promised != NULL)
        return &promised->volumes;
    promised = calloc(1, sizeof(*promised) + claim.len + 1);
    MUST(promised != NULL);
    memcpy(promised->key, claim.at, claim.len);
    list_init(&promised->volumes);
    map_add(&known->promised, (str_t){promised->key, claim.len}, &promised->by_claim);
    return &promised->volumes;
}

static void volume_free(struct volumes_known *known, struct known_volume *volume)
{
    struct promised *promised = promised_to(known, volume->facts.claim);
    map_remove(&known->volumes, &volume->by_name);
    list_remove(&volume->link);
    if (promised != NULL && promised->volumes.next == &promised->volumes) {
        map_remove(&known->promised, &promised->by_claim);
        free(promised);
    }
    arena_done(&volume->arena);
    free(volume);
}

static void waiting_free(struct volumes_known *known, struct waiting_claim *claim)
{
    map_remove(&known->waiting, &claim->by_key);
    list_remove(&claim->link);
    arena_done(&claim->arena);
    free(claim);
}

void volumes_known_done(struct volumes_known *known)
{
    for (size_t b = 0; b < known->volumes.n_buckets; b++)
        while (known->volumes.buckets[b] != NULL)
            volume_free(known,
                        CONTAINER_OF(known->volumes.buckets[b], struct known_volume, by_name));
    LIST_EACH(&known->all_waiting, link)
        waiting_free(known, CONTAINER_OF(link, struct waiting_claim, link));
    map_done(&known->volumes);
    map_done(&known->promised);
    map_done(&known->waiting);
}

void known_volume_drop(struct volumes_known *known, str_t name)
{
    struct map_node *node = map_find(&known->volumes, name);
    if (node != NULL)
        volume_free(known, CONTAINER_OF(node, struct known_volume, by_name));
}

struct known_volume *known_volume_set(struct volumes_known *known, str_t name,
                                      const struct json *volume)
{
    struct known_volume *at = calloc(1, sizeof(*at));
    MUST(at != NULL);
    known_volume_drop(known, name);
    volume_facts_read(volume, &at->arena, &at->facts);
    at->facts.name = arena_str(&at->arena, name);
    map_add(&known->volumes, at->facts.name, &at->by_name);
    list_add_before(list_for(known, at->facts.claim), &at->link);
    return at;
}

void waiting_claim_drop(struct volumes_known *known, str_t key)
{
    struct map_node *node = map_find(&known->waiting, key);
    if (node != NULL)
        waiting_free(known, CONTAINER_OF(node, struct waiting_claim, by_key));
}

struct waiting_claim *waiting_claim_set(struct volumes_known *known,
                                        const struct claim_facts *claim)
{
    struct map_node *node = map_find(&known->waiting, claim->key);
    if (node != NULL) {
        struct waiting_claim *there = CONTAINER_OF(node, struct waiting_claim, by_key);
        if (!str_eq(there->class, claim->class))
            there->class = arena_str(&there->arena, claim->class);
        if (!str_eq(there->volume, claim->volume))
            there->volume = arena_str(&there->arena, claim->volume);
        return there;
    }
    struct waiting_claim *at = calloc(1, sizeof(*at));
    MUST(at != NULL);
    at->class = arena_str(&at->arena, claim->class);
    at->volume = arena_str(&at->arena, claim->volume);
    map_add(&known->waiting, arena_str(&at->arena, claim->key), &at->by_key);
    list_add_before(&known->all_waiting, &at->link);
    return at;
}
