/*
 * node_controller.c - nodes that have fallen silent are Unknown, and taints say who is not well.
 *
 * A node lives as long as its Lease is renewed. How long it has been silent is measured by our own
 * clock from when the last renewal was seen, so that clocks need not agree, and a restart of ours
 * gives everybody the whole time again. A node that never had a Lease is nobody's we know: others
 * keep its conditions.
 *
 * Pods of a silent node are left as they are. Their containers go on, on the machine that is the
 * only one there is: to call them not ready, or to evict them, would take away what still works.
 */
#include "base/map.h"
#include "control/cache.h"
#include "control/recorder.h"
#include "control/writer.h"
#include "controllers/controllers.h"
#include "controllers/node_plan.h"
#include "kinds/kinds.h"

#include <stdlib.h>
#include <string.h>

#define LEASES "leases.coordination.k8s.io"
#define LEASE_NS "kube-node-lease"

struct sign { /* Of life, of a node. */
    struct map_node node;
    char renewed[40]; /* spec.renewTime of its Lease; "" : it never had one. */
    msec_t seen_ms;
    char name[];
};

static void *signs_open(void)
{
    struct map *signs = calloc(1, sizeof(*signs));
    MUST(signs != NULL);
    return signs;
}

static struct sign *sign_of(struct map_node *node)
{
    return CONTAINER_OF(node, struct sign, node);
}

static void signs_close(void *state)
{
    struct map *signs = state;
    for (size_t i = 0; i < signs->n_buckets; i++)
        for (struct map_node *node = signs->buckets[i], *next; node != NULL; node = next) {
            next = node->next;
            free(sign_of(node));
        }
    map_done(signs);
    free(signs);
}

static void forget(struct map *signs, str_t name)
{
    struct map_node *node = map_find(signs, name);
    if (node == NULL)
        return;
    map_remove(signs, node);
    free(sign_of(node));
}

static struct sign *sign_get(struct map *signs, str_t name)
{
    struct map_node *node = map_find(signs, name);
    if (node != NULL)
        return sign_of(node);
    struct sign *sign = calloc(1, sizeof(*sign) + name.len + 1);
    MUST(sign != NULL);
    memcpy(sign->name, name.at, name.len);
    map_add(signs, (str_t){sign->name, name.len}, &sign->node);
    return sign;
}

static void node_seen(void *state, const struct sight *sight)
{
    AUTO(arena_done) struct arena arena = {0};
    (void)state;
    if (str_eq(sight->resource, STR(LEASES)) && str_eq(sight->ns, STR(LEASE_NS)))
        sight->add(sight->queue, arena_printf(&arena, "/" STR_F, STR_A(sight->name)));
}

/* How long nothing was heard; -1: nothing is expected of it. */
static msec_t silence_ms(struct reconcile *rc)
{
    struct sign *sign = sign_get(rc->state, rc->name);
    const struct json *lease =
        cache_get(rc->cache, STR(LEASES), STR(LEASE_NS), rc->name, rc->arena);
    str_t renewed = json_text(json_at(lease, "spec.renewTime"), STR(""));
    msec_t now_ms = rc->clock->mono_ms(rc->clock);
    if (renewed.len > 0 && renewed.len < sizeof(sign->renewed) &&
        !str_eq(renewed, str_from_z(sign->renewed))) {
        memcpy(sign->renewed, renewed.at, renewed.len);
        sign->renewed[renewed.len] = '\0';
        sign->seen_ms = now_ms;
    }
    return sign->renewed[0] == '\0' ? -1 : now_ms - sign->seen_ms;
}

static void tell(struct reconcile *rc, const struct json *node)
{
    struct record record = {
        .about = &kind_node,
        .meta = json_get(node, STR("metadata")),
        .reason = "NodeNotReady",
        .message =
            arena_printf(rc->arena, "Node " STR_F " status is now: NodeNotReady", STR_A(rc->name)),
        .component = "node-controller"};
    recorder_event(rc, &record);
}

static int node_reconcile(struct reconcile *rc, struct err *err)
{
    struct json *node = cache_get(rc->cache, STR("nodes"), STR(""), rc->name, rc->arena);
    msec_t wall_ms = rc->clock->wall_ms(rc->clock);
    if (node == NULL) {
        forget(rc->state, rc->name);
        return 0;
    }
    msec_t silent_ms = silence_ms(rc);
    bool was_well = node_is_well(node);
    if (silent_ms >= NODE_GRACE_MS && node_lose(node, wall_ms, rc->arena)) {
        int r = rc->writer->update(rc->writer->self, &kind_node, "status", node, err);
        if (r == 0 && was_well)
            tell(rc, node);
        return r; /* Its taints follow, when that is committed. */
    }
    if (silent_ms >= 0 && silent_ms < NODE_GRACE_MS)
        rc->again_in_ms = NODE_GRACE_MS - silent_ms;
    if (!node_taint(node, wall_ms, rc->arena))
        return 0;
    return rc->writer->update(rc->writer->self, &kind_node, "", node, err);
}

const struct controller node_controller = {
    .name = "node",
    .primary = &kind_node,
    .reconcile = node_reconcile,
    .seen = node_seen,
    .open = signs_open,
    .close = signs_close,
};
