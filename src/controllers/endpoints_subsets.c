/* endpoints_subsets.c - Endpoints: a subset for each class of Pods that serve the same ports. */
#include "controllers/endpoints_plan.h"

#include <stdlib.h>

struct reached {
    const struct json *brief;
    str_t ip, uid;
    bool ready;
};

static int by_ip(const void *a, const void *b)
{
    const struct reached *x = a, *y = b;
    int order = str_cmp(x->ip, y->ip);
    return order != 0 ? order : str_cmp(x->uid, y->uid);
}

static str_t first_family(const struct json *service)
{
    const struct json *family = json_first(json_at(service, "spec.ipFamilies"));
    return json_text(family, STR("IPv4"));
}

/* Pods that end are out, unless the Service wants them all. */
static struct reached *reached_in(const struct endpoints_view *view, const struct port_class *class,
                                  size_t *n, struct arena *arena)
{
    bool all = json_is_true(json_at(view->service, "spec.publishNotReadyAddresses"));
    struct reached *out = arena_array(arena, struct reached, class->n + 1);
    for (const struct port_class_pod *pod = class->first; pod != NULL; pod = pod->next) {
        str_t ip = brief_address(pod->brief, first_family(view->service));
        if (ip.len == 0 || (json_is_true(json_get(pod->brief, STR("ending"))) && !all))
            continue;
        bool ready = all || json_is_true(json_get(pod->brief, STR("ready")));
        out[(*n)++] =
            (struct reached){pod->brief, ip, json_get_text(pod->brief, STR("uid")), ready};
    }
    qsort(out, *n, sizeof(*out), by_ip);
    return out;
}

static struct json *address_of(const struct json *service, const struct reached *reached,
                               struct arena *arena)
{
    struct json *it = json_object(arena);
    str_t host = brief_host(service, reached->brief);
    str_t node = json_get_text(reached->brief, STR("node"));
    json_add(it, STR("ip"), json_string(arena, reached->ip));
    if (host.len > 0)
        json_add(it, STR("hostname"), json_string(arena, host));
    if (node.len > 0)
        json_add(it, STR("nodeName"), json_string(arena, node));
    json_add(it, STR("targetRef"), brief_target(service, reached->brief, arena));
    return it;
}

/* A port without a name has no such field here, and an empty one in a slice. */
static struct json *subset_ports(const struct port_class *class, struct arena *arena)
{
    struct json *ports = json_clone(class->ports, arena);
    JSON_EACH(ports, port)
    if (json_get_text(port, STR("name")).len == 0)
        (void)json_remove(port, STR("name"));
    return ports;
}

struct class_addresses {
    struct reached *at;
    size_t n;
    struct json *ready, *others;
};

static void take(const struct json *service, struct class_addresses *addresses, bool ready,
                 size_t *room, bool *cut, struct arena *arena)
{
    for (size_t i = 0; i < addresses->n; i++) {
        if (addresses->at[i].ready != ready)
            continue;
        if (*room == 0) {
            *cut = true;
            return;
        }
        (*room)--;
        json_add(ready ? addresses->ready : addresses->others, STR(""),
                 address_of(service, &addresses->at[i], arena));
    }
}

struct json *endpoints_subsets(const struct endpoints_view *view, bool *cut, struct arena *arena)
{
    AUTO(port_classes_done) struct port_classes classes;
    struct json *subsets = json_array(arena);
    size_t room = ENDPOINTS_ADDRESSES_MAX;
    *cut = false;
    port_classes_init(&classes, view, arena);
    struct class_addresses *of = arena_array(arena, struct class_addresses, classes.n + 1);
    for (size_t i = 0; i < classes.n; i++) {
        of[i].at = reached_in(view, classes.at[i], &of[i].n, arena);
        of[i].ready = json_array(arena);
        of[i].others = json_array(arena);
        take(view->service, &of[i], true, &room, cut, arena);
    }
    for (size_t i = 0; i < classes.n; i++) {
        take(view->service, &of[i], false, &room, cut, arena);
        if (of[i].ready->first == NULL && of[i].others->first == NULL)
            continue;
        struct json *subset = json_object(arena);
        if (of[i].ready->first != NULL)
            json_add(subset, STR("addresses"), of[i].ready);
        if (of[i].others->first != NULL)
            json_add(subset, STR("notReadyAddresses"), of[i].others);
        if (classes.at[i]->ports->first != NULL)
            json_add(subset, STR("ports"), subset_ports(classes.at[i], arena));
        json_add(subsets, STR(""), subset);
    }
    return subsets;
}
