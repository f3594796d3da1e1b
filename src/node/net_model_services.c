/*
 * net_model_services.c - Services and their slices become ways in. Ends that are ready are taken;
 * when there are none, those that go but still serve, as kube-proxy does.
 */
#include "node/net_model_priv.h"

struct gathered { /* Slices of one Service. */
    struct map_node node;
    const struct net_slice *slice;
    struct gathered *more;
};

static void gather(const struct net_model *model, struct arena *arena, struct map *map)
{
    NET_EACH(&model->things[NET_SLICE], thing)
    {
        struct gathered *g = arena_new(arena, struct gathered);
        struct map_node *node = map_find(map, thing->slice.service);
        g->slice = &thing->slice;
        if (node == NULL) {
            map_add(map, thing->slice.service, &g->node);
            continue;
        }
        struct gathered *first = CONTAINER_OF(node, struct gathered, node);
        g->more = first->more;
        first->more = g;
    }
}

static size_t add_ends(const struct net_slice *slice, const struct net_service_port *port,
                       bool local, bool draining, struct rules_end *out)
{
    size_t n = 0;
    for (size_t i = 0; i < slice->n_ports; i++) {
        const struct net_slice_port *own = &slice->ports[i];
        if (!str_eq(own->name, port->name) || own->protocol != port->protocol)
            continue;
        for (size_t k = 0; k < slice->n_ends; k++) {
            const struct net_end *end = &slice->ends[k];
            bool wanted = draining ? end->draining : end->ready;
            if (!wanted || (local && !end->local))
                continue;
            if (out != NULL)
                out[n] = (struct rules_end){end->ip, own->port};
            n++;
        }
    }
    return n;
}

static size_t all_ends(const struct gathered *slices, const struct net_service_port *port,
                       bool local, struct arena *arena, const struct rules_end **out)
{
    for (int draining = 0; draining < 2; draining++) {
        size_t n = 0;
        for (const struct gathered *g = slices; g != NULL; g = g->more)
            n += add_ends(g->slice, port, local, draining == 1, NULL);
        if (n == 0)
            continue;
        struct rules_end *ends = arena_array(arena, struct rules_end, n);
        n = 0;
        for (const struct gathered *g = slices; g != NULL; g = g->more)
            n += add_ends(g->slice, port, local, draining == 1, ends + n);
        *out = ends;
        return n;
    }
    *out = NULL;
    return 0;
}

static void add_service(const struct net_service *s, const struct gathered *slices,
                        struct arena *arena, struct rules_service *out)
{
    for (size_t i = 0; i < s->n_ports; i++) {
        const struct net_service_port *port = &s->ports[i];
        out[i] = (struct rules_service){.ip = s->ip,
                                        .external = s->external,
                                        .n_external = s->n_external,
                                        .protocol = port->protocol,
                                        .port = port->port,
                                        .node_port = port->node_port,
                                        .sticky = s->sticky};
        out[i].n = all_ends(slices, port, s->inner_local, arena, &out[i].ends);
        if (s->inner_local == s->outer_local) {
            out[i].outer = out[i].ends;
            out[i].n_outer = out[i].n;
        } else {
            out[i].n_outer = all_ends(slices, port, s->outer_local, arena, &out[i].outer);
        }
    }
}

static void lead_to_api(const struct net_model *model, struct rules_service *services, size_t n)
{
    for (size_t i = 0; i < n && model->api.port != 0; i++) {
        services[i].ends = services[i].outer = &model->api;
        services[i].n = services[i].n_outer = 1;
    }
}

void net_model_services(const struct net_model *model, struct arena *arena, struct rules *out)
{
    AUTO(map_done) struct map slices = {0};
    size_t n = 0;
    gather(model, arena, &slices);
    NET_EACH(&model->things[NET_SERVICE], thing) n += thing->service.n_ports;
    struct rules_service *services = arena_array(arena, struct rules_service, n + 1);
    NET_EACH(&model->things[NET_SERVICE], service)
    {
        struct map_node *node = map_find(&slices, service->node.key);
        const struct gathered *own =
            node == NULL ? NULL : CONTAINER_OF(node, struct gathered, node);
        add_service(&service->service, own, arena, services + out->n_services);
        if (own == NULL && str_eq(service->node.key, STR("default/kubernetes")))
            lead_to_api(model, services + out->n_services, service->service.n_ports);
        out->n_services += service->service.n_ports;
    }
    out->services = services;
}
