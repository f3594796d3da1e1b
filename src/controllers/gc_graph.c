/* gc_graph.c - two maps and the edges between their items. */
#include "controllers/gc_graph.h"

#include <stdlib.h>
#include <string.h>

enum { WALK_MAX = 4096 };

static char *copy_of(str_t text)
{
    char *copy = malloc(text.len + 1);
    MUST(copy != NULL);
    if (text.len > 0)
        memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    return copy;
}

static void owner_free(struct gc_graph *graph, struct gc_owner *owner)
{
    map_remove(&graph->owners, &owner->by_uid);
    free(owner->waits);
    free(owner);
}

static void node_free(struct gc_graph *graph, struct gc_node *node)
{
    map_remove(&graph->nodes, &node->by_name);
    for (size_t i = 0; i < node->n; i++) {
        struct gc_owner *owner = node->edges[i].owner;
        list_remove(&node->edges[i].link);
        if (owner->waits != NULL)
            graph->tell(graph->self, str_from_z(owner->waits));
        if (!list_in(&owner->dependents))
            owner_free(graph, owner);
    }
    free((char *)node->name.at);
    free((char *)node->uid.at);
    free(node->edges);
    free(node);
}

static struct gc_node *node_find(const struct gc_graph *graph, str_t name)
{
    struct map_node *found = map_find(&graph->nodes, name);
    return found == NULL ? NULL : CONTAINER_OF(found, struct gc_node, by_name);
}

static void quiet(void *self, str_t name)
{
    (void)self;
    (void)name;
}

void gc_graph_done(struct gc_graph *graph)
{
    graph->tell = quiet;
    for (size_t i = 0; i < graph->nodes.n_buckets; i++)
        while (graph->nodes.buckets[i] != NULL)
            node_free(graph, CONTAINER_OF(graph->nodes.buckets[i], struct gc_node, by_name));
    map_done(&graph->nodes);
    map_done(&graph->owners);
}

struct gc_owner *gc_graph_owner(const struct gc_graph *graph, str_t uid)
{
    struct map_node *found = map_find(&graph->owners, uid);
    return found == NULL ? NULL : CONTAINER_OF(found, struct gc_owner, by_uid);
}

static struct gc_owner *owner_get(struct gc_graph *graph, str_t uid)
{
    struct gc_owner *owner = gc_graph_owner(graph, uid);
    if (owner != NULL)
        return owner;
    owner = calloc(1, sizeof(*owner) + uid.len + 1);
    MUST(owner != NULL);
    if (uid.len > 0)
        memcpy(owner->uid, uid.at, uid.len);
    list_init(&owner->dependents);
    map_add(&graph->owners, (str_t){owner->uid, uid.len}, &owner->by_uid);
    return owner;
}

static bool same(const struct gc_node *node, str_t uid, const struct gc_ref *refs, size_t n)
{
    if (node == NULL)
        return n == 0;
    if (node->n != n || !str_eq(node->uid, uid))
        return false;
    for (size_t i = 0; i < n; i++)
        if (node->edges[i].blocks != refs[i].blocks ||
            !str_eq(node->edges[i].owner->by_uid.key, refs[i].uid))
            return false;
    return true;
}

bool gc_graph_put(struct gc_graph *graph, str_t name, str_t uid, const struct gc_ref *refs,
                  size_t n)
{
    struct gc_node *old = node_find(graph, name);
    if (same(old, uid, refs, n))
        return false;
    struct gc_node *node = NULL;
    if (n > 0) {
        node = calloc(1, sizeof(*node));
        MUST(node != NULL);
        *node = (struct gc_node){.name = {copy_of(name), name.len}, .uid = {copy_of(uid), uid.len}};
        node->edges = calloc(n, sizeof(*node->edges));
        MUST(node->edges != NULL);
    }
    for (size_t i = 0; i < n; i++) { /* Before the old ones go: what is known of owners stays. */
        struct gc_owner *owner = owner_get(graph, refs[i].uid);
        node->edges[i] = (struct gc_edge){.owner = owner, .node = node, .blocks = refs[i].blocks};
        list_add_before(&owner->dependents, &node->edges[i].link);
        node->n++;
    }
    if (old != NULL)
        node_free(graph, old);
    if (node != NULL)
        map_add(&graph->nodes, node->name, &node->by_name);
    return true;
}

bool gc_graph_has(const struct gc_graph *graph, str_t name)
{
    return map_find(&graph->nodes, name) != NULL;
}

void gc_owner_wait(struct gc_owner *owner, str_t name)
{
    if (owner->waits == NULL)
        owner->waits = copy_of(name);
}

/* Does a chain of waiting, blocking dependents lead from this uid to `target`? */
static bool leads_to(struct gc_graph *graph, struct gc_owner *from, const struct gc_owner *target)
{
    struct gc_owner *stack[WALK_MAX];
    size_t depth = 1, steps = 0;
    stack[0] = from;
    graph->visits++;
    while (depth > 0) {
        struct gc_owner *owner = stack[--depth];
        if (owner == target)
            return true;
        LIST_EACH(&owner->dependents, link) {
            const struct gc_edge *edge = CONTAINER_OF(link, struct gc_edge, link);
            struct gc_owner *next = gc_graph_owner(graph, edge->node->uid);
            if (++steps == WALK_MAX)
                return false;
            if (next == NULL || !edge->blocks || next->visit == graph->visits)
                continue;
            if (!next->foreground)
                continue;
            next->visit = graph->visits;
            stack[depth++] = next;
        }
    }
    return false;
}

bool gc_graph_blocked(struct gc_graph *graph, const struct gc_owner *owner)
{
    if (owner == NULL)
        return false;
    LIST_EACH(&owner->dependents, link) {
        const struct gc_edge *edge = CONTAINER_OF(link, struct gc_edge, link);
        struct gc_owner *next = gc_graph_owner(graph, edge->node->uid);
        if (!edge->blocks || next == owner)
            continue;
        if (next == NULL || !next->foreground || !leads_to(graph, next, owner))
            return true; /* One is enough to wait for. */
    }
    return false;
}

bool gc_graph_dependent_waits(const struct gc_graph *graph, const struct gc_owner *owner)
{
    size_t steps = 0;
    LIST_EACH(&owner->dependents, link) {
        const struct gc_owner *next =
            gc_graph_owner(graph, CONTAINER_OF(link, struct gc_edge, link)->node->uid);
        if (++steps == WALK_MAX)
            return false;
        if (next != NULL && next != owner && next->foreground)
            return true;
    }
    return false;
}
