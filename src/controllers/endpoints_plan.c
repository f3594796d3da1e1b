/* endpoints_plan.c - briefs of Pods, and which of them serve the same ports. */
#include "controllers/endpoints_plan.h"

#include "controllers/pods.h"

#include <string.h>

static void add_text(struct json *object, const char *key, str_t text, struct arena *arena)
{
    if (text.len > 0)
        json_add(object, str_from_z(key), json_string(arena, arena_str(arena, text)));
}

/* --- a Pod in brief --- */

static void brief_named_ports(const struct json *containers, bool sidecars, struct json *ports,
                              struct arena *arena)
{
    JSON_EACH(containers, container)
    {
        if (sidecars && !str_eq(json_get_text(container, STR("restartPolicy")), STR("Always")))
            continue; /* It ends before the Pod serves anybody. */
        JSON_EACH(json_get(container, STR("ports")), port)
        if (json_get_text(port, STR("name")).len > 0) {
            struct json *it = json_object(arena);
            add_text(it, "name", json_get_text(port, STR("name")), arena);
            add_text(it, "protocol", json_text(json_get(port, STR("protocol")), STR("TCP")), arena);
            json_add(it, STR("port"), json_int(arena, json_number(port, "containerPort", 0)));
            json_add(ports, STR(""), it);
        }
    }
}

struct json *endpoints_brief(const struct json *pod, struct arena *arena)
{
    const struct json *meta = json_get(pod, STR("metadata")), *spec = json_get(pod, STR("spec"));
    const struct json *status = json_get(pod, STR("status"));
    str_t phase = json_get_text(status, STR("phase"));
    struct json *brief = json_object(arena), *ips = json_array(arena), *ports = json_array(arena);
    JSON_EACH(json_get(status, STR("podIPs")), each)
    json_add(ips, STR(""), json_string(arena, arena_str(arena, json_get_text(each, STR("ip")))));
    str_t ip = json_get_text(status, STR("podIP"));
    if (ips->first == NULL && ip.len > 0)
        json_add(ips, STR(""), json_string(arena, arena_str(arena, ip)));
    if (ips->first == NULL || str_eq(phase, STR("Failed")) || str_eq(phase, STR("Succeeded")))
        return NULL;
    add_text(brief, "name", json_get_text(meta, STR("name")), arena);
    add_text(brief, "uid", json_get_text(meta, STR("uid")), arena);
    add_text(brief, "node", json_get_text(spec, STR("nodeName")), arena);
    add_text(brief, "hostname", json_get_text(spec, STR("hostname")), arena);
    add_text(brief, "subdomain", json_get_text(spec, STR("subdomain")), arena);
    json_add(brief, STR("ips"), ips);
    json_add(brief, STR("ready"), json_bool(arena, pod_is_ready(pod)));
    json_add(brief, STR("ending"),
             json_bool(arena, json_get(meta, STR("deletionTimestamp")) != NULL));
    brief_named_ports(json_get(spec, STR("containers")), false, ports, arena);
    brief_named_ports(json_get(spec, STR("initContainers")), true, ports, arena);
    json_add(brief, STR("ports"), ports);
    return brief;
}

str_t brief_address(const struct json *brief, str_t family)
{
    bool six = str_eq(family, STR("IPv6"));
    JSON_EACH(json_get(brief, STR("ips")), each)
    {
        str_t ip = json_text(each, STR(""));
        if (ip.len > 0 && (memchr(ip.at, ':', ip.len) != NULL) == six)
            return ip;
    }
    return STR("");
}

str_t brief_host(const struct json *service, const struct json *brief)
{
    str_t name = json_text(json_at(service, "metadata.name"), STR(""));
    bool asks = str_eq(json_get_text(brief, STR("subdomain")), name);
    return asks ? json_get_text(brief, STR("hostname")) : STR("");
}

struct json *brief_target(const struct json *service, const struct json *brief, struct arena *arena)
{
    struct json *it = json_object(arena);
    add_text(it, "kind", STR("Pod"), arena);
    add_text(it, "namespace", json_text(json_at(service, "metadata.namespace"), STR("")), arena);
    add_text(it, "name", json_get_text(brief, STR("name")), arena);
    add_text(it, "uid", json_get_text(brief, STR("uid")), arena);
    return it;
}

/* 0: this Pod has no port of that name. */
static int64_t port_in(const struct json *brief, const struct json *target, str_t protocol)
{
    int64_t number;
    if (json_to_i64(target, &number))
        return number;
    str_t name = json_text(target, STR(""));
    JSON_EACH(json_get(brief, STR("ports")), port)
    if (str_eq(json_get_text(port, STR("name")), name) &&
        str_eq(json_get_text(port, STR("protocol")), protocol))
        return json_number(port, "port", 0);
    return 0;
}

static struct json *ports_of(const struct json *service, const struct json *brief,
                             struct arena *arena)
{
    struct json *ports = json_array(arena);
    size_t n = 0;
    JSON_EACH(json_at(service, "spec.ports"), port)
    {
        if (n++ == SERVICE_PORTS_MAX)
            break; /* A slice may not have more. */
        const struct json *target = json_get(port, STR("targetPort"));
        str_t protocol = json_text(json_get(port, STR("protocol")), STR("TCP"));
        target = target == NULL ? json_get(port, STR("port")) : target;
        int64_t number = port_in(brief, target, protocol);
        if (number == 0)
            continue;
        struct json *it = json_object(arena);
        json_add(it, STR("name"), json_string(arena, json_get_text(port, STR("name"))));
        add_text(it, "protocol", protocol, arena);
        json_add(it, STR("port"), json_int(arena, number));
        add_text(it, "appProtocol", json_get_text(port, STR("appProtocol")), arena);
        json_add(ports, STR(""), it);
    }
    return ports;
}

bool endpoints_are_ours(const struct json *service)
{
    return json_count(json_at(service, "spec.selector")) > 0 &&
           !str_eq(json_text(json_at(service, "spec.type"), STR("")), STR("ExternalName"));
}

struct json *endpoints_labels(const struct json *service, struct arena *arena)
{
    const struct json *own = json_at(service, "metadata.labels");
    struct json *labels = own == NULL ? json_object(arena) : json_clone(own, arena);
    str_t ip = json_text(json_at(service, "spec.clusterIP"), STR(""));
    (void)json_remove(labels, STR(HEADLESS));
    if (ip.len == 0 || str_eq(ip, STR("None")))
        json_add(labels, STR(HEADLESS), json_string(arena, STR("")));
    return labels;
}

/* --- Pods of the same ports --- */

static struct port_class *class_new(struct port_classes *classes, struct json *ports, str_t text)
{
    struct arena *arena = classes->arena;
    struct port_class *class = arena_new(arena, struct port_class);
    class->ports = ports;
    class->text = arena_str(arena, text);
    map_add(&classes->by_ports, class->text, &class->by_ports);
    if (classes->n == classes->cap) {
        classes->cap = classes->n * 2 + 4;
        struct port_class **more = arena_array(arena, struct port_class *, classes->cap);
        if (classes->n > 0)
            memcpy(more, classes->at, classes->n * sizeof(struct port_class *));
        classes->at = more;
    }
    classes->at[classes->n++] = class;
    return class;
}

static struct port_class *class_of(struct port_classes *classes, const struct json *service,
                                   const struct json *brief)
{
    AUTO(buf_done) struct buf names = {0};
    AUTO(buf_done) struct buf text = {0};
    struct arena *arena = classes->arena;
    json_write(json_get(brief, STR("ports")), &names);
    struct map_node *node = map_find(&classes->by_names, buf_str(&names));
    if (node != NULL)
        return CONTAINER_OF(node, struct port_names, by_names)->class;
    struct port_names *known = arena_new(arena, struct port_names);
    struct json *ports = ports_of(service, brief, arena);
    json_write(ports, &text);
    node = map_find(&classes->by_ports, buf_str(&text));
    known->class = node == NULL ? class_new(classes, ports, buf_str(&text))
                                : CONTAINER_OF(node, struct port_class, by_ports);
    map_add(&classes->by_names, arena_str(arena, buf_str(&names)), &known->by_names);
    return known->class;
}

void port_classes_init(struct port_classes *classes, const struct endpoints_view *view,
                       struct arena *arena)
{
    *classes = (struct port_classes){.arena = arena};
    bool any = json_count(json_at(view->service, "spec.ports")) == 0;
    for (size_t i = 0; i < view->n; i++) {
        struct port_class *class = class_of(classes, view->service, view->briefs[i]);
        if (!any && class->ports->first == NULL)
            continue; /* It serves none of the Service's ports. */
        struct port_class_pod *pod = arena_new(arena, struct port_class_pod);
        pod->brief = view->briefs[i];
        *(class->last == NULL ? &class->first : &class->last->next) = pod;
        class->last = pod;
        class->n++;
    }
}

void port_classes_done(struct port_classes *classes)
{
    map_done(&classes->by_names);
    map_done(&classes->by_ports);
}
