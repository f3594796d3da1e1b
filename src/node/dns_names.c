/*
 * dns_names.c - a map for each kind; the slices of a Service hang in a list at its name, which is
 * there also while the Service is not.
 */
#include "node/dns_names.h"

#include "base/json.h"
#include "base/list.h"
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

enum { KINDS = DNS_NAMES_NS + 1 };

struct thing {            /* An object, of any kind. */
    struct map_node node; /* By "ns/name". */
    struct arena arena;   /* With all below, and the key. */
    struct dns_service service;
    /* Of a slice: */
    struct list link; /* At its home. */
    struct home *home;
    struct dns_end *ends;
    size_t n_ends;
};

struct home {             /* Of slices. */
    struct map_node node; /* By "ns/name" of the Service. */
    struct list slices;
    str_t key;
};

struct dns_names {
    struct map things[KINDS];
    struct map homes;
    bool synced[KINDS];
};

struct dns_names *dns_names_new(void)
{
    struct dns_names *names = calloc(1, sizeof(*names));
    MUST(names != NULL);
    return names;
}

static str_t key_of(str_t ns, str_t name, struct arena *arena)
{
    return arena_printf(arena, STR_F "/" STR_F, STR_A(ns), STR_A(name));
}

static struct thing *thing_of(struct map_node *node)
{
    return node == NULL ? NULL : CONTAINER_OF(node, struct thing, node);
}

/* --- homes --- */

static struct home *home_get(struct dns_names *names, str_t key)
{
    struct map_node *node = map_find(&names->homes, key);
    if (node != NULL)
        return CONTAINER_OF(node, struct home, node);
    struct home *home = calloc(1, sizeof(*home) + key.len);
    MUST(home != NULL);
    home->key = (str_t){memcpy(home + 1, key.at, key.len), key.len};
    list_init(&home->slices);
    map_add(&names->homes, home->key, &home->node);
    return home;
}

static void thing_free(struct dns_names *names, enum dns_names_kind kind, struct thing *thing)
{
    struct home *home = thing->home;
    map_remove(&names->things[kind], &thing->node);
    list_remove(&thing->link);
    if (home != NULL && !list_in(&home->slices)) {
        map_remove(&names->homes, &home->node);
        free(home);
    }
    arena_done(&thing->arena);
    free(thing);
}

void dns_names_free(struct dns_names *names)
{
    if (names == NULL)
        return;
    for (int kind = 0; kind < KINDS; kind++) {
        struct map *map = &names->things[kind];
        for (size_t i = 0; i < map->n_buckets; i++)
            while (map->buckets[i] != NULL)
                thing_free(names, (enum dns_names_kind)kind, thing_of(map->buckets[i]));
        map_done(map);
    }
    map_done(&names->homes);
    free(names);
}

/* --- reading --- */

static str_t lower(str_t s, struct arena *arena)
{
    str_t out = arena_str(arena, s);
    for (size_t i = 0; i < out.len; i++)
        if (out.at[i] >= 'A' && out.at[i] <= 'Z')
            ((char *)out.at)[i] += 'a' - 'A';
    return out;
}

static size_t read_ports(const struct json *ports, struct arena *arena, const struct dns_port **out)
{
    struct dns_port *all = arena_array(arena, struct dns_port, json_count(ports));
    size_t n = 0;
    JSON_EACH(ports, port)
    {
        int64_t number = 0;
        str_t protocol = json_get_text(port, STR("protocol"));
        if (!json_to_i64(json_get(port, STR("port")), &number) || number <= 0 || number > 65535)
            continue;
        all[n++] = (struct dns_port){
            .name = lower(json_get_text(port, STR("name")), arena),
            .protocol = lower(protocol.len == 0 ? STR("tcp") : protocol, arena),
            .port = (uint16_t)number,
        };
    }
    *out = all;
    return n;
}

static void read_service(const struct json *object, struct thing *thing)
{
    const struct json *spec = json_get(object, STR("spec"));
    struct dns_service *service = &thing->service;
    if (str_eq(json_get_text(spec, STR("type")), STR("ExternalName"))) {
        service->external = lower(json_get_text(spec, STR("externalName")), &thing->arena);
        return;
    }
    service->n_ports = read_ports(json_get(spec, STR("ports")), &thing->arena, &service->ports);
    JSON_EACH(json_get(spec, STR("clusterIPs")), text)
    if (service->n_ips < ARRAY_LEN(service->ips) &&
        ip_parse(json_text(text, STR("")), &service->ips[service->n_ips]))
        service->n_ips++;
    if (service->n_ips == 0 && ip_parse(json_get_text(spec, STR("clusterIP")), &service->ips[0]))
        service->n_ips = 1;
}

static size_t count_addresses(const struct json *ends)
{
    size_t n = 0;
    JSON_EACH(ends, end)
    n += json_count(json_get(end, STR("addresses")));
    return n;
}

/* Those that are ready; a slice says so also of others, where the Service wants them told. */
static void read_slice(struct dns_names *names, str_t ns, const struct json *object,
                       struct thing *thing)
{
    const struct json *labels = json_at(object, "metadata.labels"), *ends, *ready;
    str_t service = json_get_text(labels, STR("kubernetes.io/service-name"));
    const struct dns_port *ports;
    size_t n_ports = read_ports(json_get(object, STR("ports")), &thing->arena, &ports);
    ends = json_get(object, STR("endpoints"));
    thing->home = home_get(names, key_of(ns, service, &thing->arena));
    list_add_before(&thing->home->slices, &thing->link);
    thing->ends = arena_array(&thing->arena, struct dns_end, count_addresses(ends));
    JSON_EACH(ends, end)
    {
        ready = json_at(end, "conditions.ready");
        if (ready != NULL && ready->type == JSON_BOOL && !ready->boolean)
            continue;
        str_t hostname = lower(json_get_text(end, STR("hostname")), &thing->arena);
        JSON_EACH(json_get(end, STR("addresses")), text)
        {
            struct dns_end *out = &thing->ends[thing->n_ends];
            if (!ip_parse(json_text(text, STR("")), &out->ip))
                continue;
            out->hostname = hostname;
            out->ports = ports;
            out->n_ports = n_ports;
            thing->n_ends++;
        }
    }
}

void dns_names_set(struct dns_names *names, enum dns_names_kind kind, str_t ns, str_t name,
                   str_t text)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *object = NULL;
    struct err ignored;
    dns_names_gone(names, kind, ns, name);
    if (kind != DNS_NAMES_NS && json_parse(text, &arena, &object, &ignored) < 0)
        return;
    struct thing *thing = calloc(1, sizeof(*thing));
    MUST(thing != NULL);
    if (kind == DNS_NAMES_SERVICE)
        read_service(object, thing);
    else if (kind == DNS_NAMES_SLICE)
        read_slice(names, ns, object, thing);
    map_add(&names->things[kind], key_of(ns, name, &thing->arena), &thing->node);
}

void dns_names_gone(struct dns_names *names, enum dns_names_kind kind, str_t ns, str_t name)
{
    AUTO(arena_done) struct arena arena = {0};
    struct thing *thing = thing_of(map_find(&names->things[kind], key_of(ns, name, &arena)));
    if (thing != NULL)
        thing_free(names, kind, thing);
}

void dns_names_synced(struct dns_names *names, enum dns_names_kind kind)
{
    names->synced[kind] = true;
}

/* --- being asked --- */

static bool ready(void *self)
{
    const struct dns_names *names = self;
    return names->synced[DNS_NAMES_SERVICE] && names->synced[DNS_NAMES_SLICE] &&
           names->synced[DNS_NAMES_NS];
}

static bool has_ns(void *self, str_t ns)
{
    AUTO(arena_done) struct arena arena = {0};
    const struct dns_names *names = self;
    return map_find(&names->things[DNS_NAMES_NS], key_of(STR(""), ns, &arena)) != NULL;
}

static void add_ends(const struct dns_names *names, str_t key, struct arena *arena,
                     struct dns_service *out)
{
    struct map_node *node = map_find(&names->homes, key);
    if (node == NULL)
        return;
    struct home *home = CONTAINER_OF(node, struct home, node);
    size_t n = 0;
    LIST_EACH(&home->slices, item)
        n += CONTAINER_OF(item, struct thing, link)->n_ends;
    struct dns_end *ends = arena_array(arena, struct dns_end, n);
    out->ends = ends;
    LIST_EACH(&home->slices, item) {
        const struct thing *slice = CONTAINER_OF(item, struct thing, link);
        for (size_t i = 0; i < slice->n_ends; i++)
            ends[out->n_ends++] = slice->ends[i];
    }
}

static bool service(void *self, str_t ns, str_t name, bool ends, struct arena *arena,
                    struct dns_service *out)
{
    const struct dns_names *names = self;
    str_t key = key_of(ns, name, arena);
    const struct thing *thing = thing_of(map_find(&names->things[DNS_NAMES_SERVICE], key));
    if (thing == NULL)
        return false;
    *out = thing->service;
    if (out->external.len == 0 && (ends || out->n_ips == 0))
        add_ends(names, key, arena, out);
    return true;
}

/* "ns/name" as "name.ns", behind the host if there is one. */
static str_t full_name(str_t host, str_t key, struct arena *arena)
{
    str_t ns, name;
    (void)str_cut(key, '/', &ns, &name);
    return arena_printf(arena, STR_F "%s" STR_F "." STR_F, STR_A(host), host.len > 0 ? "." : "",
                        STR_A(name), STR_A(ns));
}

static size_t names_of_ends(const struct dns_names *names, struct ip ip, struct arena *arena,
                            str_t *out, size_t most)
{
    const struct map *homes = &names->homes;
    size_t n = 0;
    for (size_t i = 0; i < homes->n_buckets; i++)
        for (struct map_node *node = homes->buckets[i]; node != NULL; node = node->next) {
            struct home *home = CONTAINER_OF(node, struct home, node);
            const struct thing *thing =
                thing_of(map_find(&names->things[DNS_NAMES_SERVICE], home->key));
            if (thing == NULL)
                continue;
            LIST_EACH(&home->slices, item) {
                const struct thing *slice = CONTAINER_OF(item, struct thing, link);
                for (size_t e = 0; e < slice->n_ends && n < most; e++)
                    if (ip_eq(slice->ends[e].ip, ip) &&
                        (thing->service.n_ips == 0 || slice->ends[e].hostname.len > 0))
                        out[n++] =
                            full_name(dns_end_host(&slice->ends[e], arena), home->key, arena);
            }
        }
    return n;
}

/* Who asks for the name of an address is rare, so it is looked for. */
static size_t names_of(void *self, struct ip ip, struct arena *arena, str_t *out, size_t most)
{
    const struct dns_names *names = self;
    const struct map *services = &names->things[DNS_NAMES_SERVICE];
    for (size_t i = 0; i < services->n_buckets; i++)
        for (struct map_node *node = services->buckets[i]; node != NULL; node = node->next) {
            const struct dns_service *one = &thing_of(node)->service;
            for (size_t k = 0; k < one->n_ips; k++)
                if (ip_eq(one->ips[k], ip)) {
                    out[0] = full_name(STR(""), node->key, arena);
                    return 1;
                }
        }
    return names_of_ends(names, ip, arena, out, most);
}

struct dns_source dns_names_source(struct dns_names *names)
{
    return (struct dns_source){
        .self = names, .ready = ready, .has_ns = has_ns, .service = service, .names = names_of};
}
