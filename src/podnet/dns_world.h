/* dns_world.h - a small cluster for tests of DNS: Services of each sort, as tables. */
#pragma once

#include "podnet/dns_zone.h"

static const struct dns_port web_ports[] = {{STR("http"), STR("tcp"), 80},
                                            {STR("metrics"), STR("tcp"), 9090}};
static const struct dns_port end_ports[] = {{STR("http"), STR("tcp"), 8080}};

static const struct dns_end world_ends[] = {
    {{4, {10, 88, 0, 5}}, STR("db-0"), end_ports, 1},
    {{4, {10, 88, 0, 6}}, STR(""), end_ports, 1},
};

static bool world_ready(void *self)
{
    return self == NULL;
}

static bool world_has_ns(void *self, str_t ns)
{
    (void)self;
    return str_eq(ns, STR("default")) || str_eq(ns, STR("empty"));
}

static bool world_service(void *self, str_t ns, str_t name, bool all, struct arena *arena,
                          struct dns_service *out)
{
    (void)self, (void)all;
    if (!str_eq(ns, STR("default")))
        return false;
    *out = (struct dns_service){0};
    if (str_eq(name, STR("web")))
        *out = (struct dns_service){
            .ips = {{4, {10, 96, 0, 9}}}, .n_ips = 1, .ports = web_ports, .n_ports = 2};
    else if (str_eq(name, STR("db")))
        *out = (struct dns_service){.ends = world_ends, .n_ends = 2};
    else if (str_eq(name, STR("many"))) {
        struct dns_end *many = arena_array(arena, struct dns_end, 300);
        for (unsigned i = 0; i < 300; i++)
            many[i] = (struct dns_end){.ip = ip_v4(0x0a580100 + i)};
        *out = (struct dns_service){.ends = many, .n_ends = 300};
    } else if (str_eq(name, STR("outside")))
        out->external = STR("www.example.org");
    else if (str_eq(name, STR("upstream")))
        out->external = STR("web.default.svc.other.test");
    else if (str_eq(name, STR("inside")))
        out->external = STR("web.default.svc.cluster.local.");
    else if (str_eq(name, STR("loop")))
        out->external = STR("loop.default.svc.cluster.local");
    else
        return str_eq(name, STR("nobody"));
    return true;
}

static size_t world_names(void *self, struct ip ip, struct arena *arena, str_t *out, size_t most)
{
    (void)self, (void)arena, (void)most;
    if (!ip_eq(ip, world_ends[0].ip))
        return 0;
    out[0] = STR("db-0.db.default");
    return 1;
}

static struct dns_source dns_world(void)
{
    return (struct dns_source){.ready = world_ready,
                               .has_ns = world_has_ns,
                               .service = world_service,
                               .names = world_names};
}
