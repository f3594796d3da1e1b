/* net_pod.c - hostNetwork needs no network; the others get one of podnet. */
#include "node/net_pod.h"

#include "base/file.h"
#include "node/net_files.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 1 << 20 };

static void told(struct post *post)
{
    struct net_pod_call *call = CONTAINER_OF(post, struct net_pod_call, post);
    call->done(call);
}

static void added(struct podnet_call *podnet)
{
    struct net_pod_call *call = CONTAINER_OF(podnet, struct net_pod_call, call);
    call->r = podnet->r;
    call->err = podnet->err;
    if (podnet->r == 0) {
        (void)ip_text(podnet->address, call->out->ip);
        if (strlen(podnet->path) < sizeof(call->out->net))
            (void)snprintf(call->out->net, sizeof(call->out->net), "%.127s", podnet->path);
        else
            call->r = err_set(&call->err, ERR_INVALID, "the path '%s' is too long", podnet->path);
    }
    call->done(call);
}

static void read_sysctls(const struct json *pod, struct arena *arena, struct podnet_want *want)
{
    const struct json *list = json_at(pod, "spec.securityContext.sysctls");
    struct podnet_sysctl *all = arena_array(arena, struct podnet_sysctl, json_count(list) + 1);
    JSON_EACH(list, item)
    if (str_starts(json_get_text(item, STR("name")), STR("net")))
        all[want->n_sysctls++] =
            (struct podnet_sysctl){arena_str(arena, json_get_text(item, STR("name"))),
                                   arena_str(arena, json_get_text(item, STR("value")))};
    want->sysctls = all;
}

static uint8_t protocol_of(str_t name)
{
    return str_eq(name, STR("UDP"))    ? IPPROTO_UDP
           : str_eq(name, STR("SCTP")) ? IPPROTO_SCTP
                                       : IPPROTO_TCP;
}

static void read_ports(const struct json *containers, struct arena *arena, struct podnet_want *want)
{
    size_t n = want->n_ports;
    JSON_EACH(containers, container)
    n += json_count(json_get(container, STR("ports")));
    struct podnet_port *all = arena_array(arena, struct podnet_port, n + 1);
    if (want->n_ports > 0)
        memcpy(all, want->ports, want->n_ports * sizeof(*all));
    JSON_EACH(containers, container)
    {
        JSON_EACH(json_get(container, STR("ports")), port)
        {
            struct podnet_port *own = &all[want->n_ports];
            int64_t host, inner;
            str_t ip = json_get_text(port, STR("hostIP"));
            *own = (struct podnet_port){0};
            if (!json_to_i64(json_get(port, STR("hostPort")), &host) || host <= 0 ||
                !json_to_i64(json_get(port, STR("containerPort")), &inner) ||
                (ip.len > 0 && !ip_parse(ip, &own->host_ip)) || own->host_ip.family == 6)
                continue;
            if (own->host_ip.family == 4 && ip_v4_number(own->host_ip) == 0)
                own->host_ip = (struct ip){0};
            own->protocol = protocol_of(json_get_text(port, STR("protocol")));
            own->host_port = (uint16_t)host;
            own->pod_port = (uint16_t)inner;
            want->n_ports++;
        }
    }
    want->ports = all;
}

void net_pod_add(struct podnet *podnet, struct loop *loop, struct net_pod_call *call,
                 const struct json *pod, struct ground *out,
                 void (*done)(struct net_pod_call *call))
{
    *call = (struct net_pod_call){.done = done, .out = out};
    if (json_is_true(json_at(pod, "spec.hostNetwork"))) {
        call->post.run = told;
        loop_later(loop, &call->post);
        return;
    }
    call->want.id = arena_str(&call->arena, json_text(json_at(pod, "metadata.uid"), STR("")));
    read_sysctls(pod, &call->arena, &call->want);
    read_ports(json_at(pod, "spec.initContainers"), &call->arena, &call->want);
    read_ports(json_at(pod, "spec.containers"), &call->arena, &call->want);
    podnet_add(podnet, &call->call, &call->want, added);
}

static void removed(struct podnet_call *podnet)
{
    struct net_pod_call *call = CONTAINER_OF(podnet, struct net_pod_call, call);
    call->r = podnet->r;
    call->err = podnet->err;
    call->done(call);
}

void net_pod_remove(struct podnet *podnet, struct loop *loop, struct net_pod_call *call, str_t uid,
                    void (*done)(struct net_pod_call *call))
{
    (void)loop;
    *call = (struct net_pod_call){.done = done};
    podnet_remove(podnet, &call->call, uid, removed);
}

void net_pod_call_done(struct net_pod_call *call)
{
    arena_done(&call->arena);
}

static str_t read_file(const char *path, struct arena *arena)
{
    struct err err;
    str_t text;
    return file_read(arena, path, FILE_BYTES_MAX, &text, &err) == 0 ? text : STR("");
}

/* What is the same is left alone: containers have the file itself mounted. */
static int put(const char *dir, const char *name, str_t text, struct arena *arena, struct err *err)
{
    const char *path = arena_printf(arena, "%s/%s", dir, name).at;
    str_t old = read_file(path, arena);
    if (access(path, F_OK) == 0 && str_eq(old, text))
        return 0;
    return file_write(path, 0644, text, err);
}

int net_pod_files(struct podnet *podnet, const struct json *pod, const struct ground *ground,
                  const char *dir, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    char dns[IP_TEXT_MAX];
    struct net_names names = {
        .pod = pod,
        .hostname = str_from_z(ground->hostname),
        .ip = str_from_z(ground->ip),
        .host_hosts = read_file("/etc/hosts", &arena),
        .host_resolv = read_file("/etc/resolv.conf", &arena),
        .dns = str_from_z(ip_text(podnet_gateway(podnet), dns)),
    };
    int r = put(dir, "hosts", net_hosts(&names, &arena), &arena, err);
    if (r == 0)
        r = put(dir, "resolv.conf", net_resolv(&names, &arena), &arena, err);
    if (r == 0)
        r = put(dir, "hostname", arena_printf(&arena, "%s\n", ground->hostname), &arena, err);
    return r;
}
