/* rules_copy.c - array by array. */
#include "podnet/rules_copy.h"

#include <string.h>

/* Of nothing it is NULL. */
static void *copy(struct arena *arena, const void *from, size_t n, size_t size)
{
    if (n == 0)
        return NULL;
    void *to = arena_bytes_n(arena, size, n);
    memcpy(to, from, n * size);
    return to;
}

#define COPY(arena, from, n) copy((arena), (from), (n), sizeof(*(from)))

static const struct rules_pass *copy_passes(const struct rules_policy *policy, struct arena *arena)
{
    struct rules_pass *passes = COPY(arena, policy->passes, policy->n_passes);
    for (size_t i = 0; i < policy->n_passes; i++) {
        struct rules_pass *pass = &passes[i];
        pass->peers = COPY(arena, pass->peers, pass->n_peers);
        struct rules_block *blocks = COPY(arena, pass->blocks, pass->n_blocks);
        for (size_t k = 0; k < pass->n_blocks; k++)
            blocks[k].except = COPY(arena, blocks[k].except, blocks[k].n_except);
        pass->blocks = blocks;
        pass->ports = COPY(arena, pass->ports, pass->n_ports);
    }
    return passes;
}

void rules_copy(const struct rules *from, struct arena *arena, struct rules *to)
{
    struct rules_service *services = COPY(arena, from->services, from->n_services);
    struct rules_policy *policies = COPY(arena, from->policies, from->n_policies);
    for (size_t i = 0; i < from->n_services; i++) {
        struct rules_service *s = &services[i];
        s->external = COPY(arena, s->external, s->n_external);
        s->ends = COPY(arena, s->ends, s->n);
        s->outer = COPY(arena, s->outer, s->n_outer);
    }
    for (size_t i = 0; i < from->n_policies; i++) {
        policies[i].pods = COPY(arena, policies[i].pods, policies[i].n_pods);
        policies[i].passes = copy_passes(&from->policies[i], arena);
    }
    *to = (struct rules){services, from->n_services, policies, from->n_policies};
}
