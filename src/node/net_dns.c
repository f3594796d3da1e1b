/* net_dns.c - three reflectors feed the names; nothing here wakes up while nothing changes. */
#include "node/net_dns.h"

#include "control/reflector.h"
#include "kinds/kinds.h"
#include "node/dns_names.h"
#include "podnet/dns.h"

#include <stdlib.h>

enum { KINDS = DNS_NAMES_NS + 1, AGAIN_MS = 5000, DNS_PORT = 53 };

struct follower {
    struct net_dns *dns;
    struct reflector *reflector;
    enum dns_names_kind kind;
};

struct net_dns {
    struct net_dns_settings settings;
    struct dns_names *names;
    struct dns *server;
    struct timer again;
    bool told;
    struct follower followers[KINDS];
};

static void set(void *self, const struct reflected *object, bool is_new)
{
    const struct follower *f = self;
    (void)is_new;
    dns_names_set(f->dns->names, f->kind, object->ns, object->name, object->text);
}

static void gone(void *self, const struct reflected *object)
{
    const struct follower *f = self;
    dns_names_gone(f->dns->names, f->kind, object->ns, object->name);
}

static void synced(void *self)
{
    const struct follower *f = self;
    dns_names_synced(f->dns->names, f->kind);
}

static void listen_again(struct timer *timer);

static void open_server(struct net_dns *dns)
{
    struct dns_settings settings = {.loop = dns->settings.loop,
                                    .address = dns->settings.address,
                                    .port = dns->settings.port,
                                    .domain = STR("cluster.local"),
                                    .resolv = "/etc/resolv.conf",
                                    .source = dns_names_source(dns->names)};
    struct err err;
    if (settings.port == 0)
        settings.port = DNS_PORT;
    if (dns_open(&settings, &dns->server, &err) == 0)
        return;
    if (!dns->told)
        log_error(dns->settings.log, "no dns", F_STR("error", str_from_z(err.text)));
    dns->told = true;
    timer_set(dns->settings.loop, &dns->again, AGAIN_MS, listen_again);
}

static void listen_again(struct timer *timer)
{
    open_server(CONTAINER_OF(timer, struct net_dns, again));
}

void net_dns_new(const struct net_dns_settings *settings, struct net_dns **out)
{
    static const struct kind *const kinds[KINDS] = {
        [DNS_NAMES_SERVICE] = &kind_service,
        [DNS_NAMES_SLICE] = &kind_endpointslice,
        [DNS_NAMES_NS] = &kind_namespace,
    };
    struct net_dns *dns = calloc(1, sizeof(*dns));
    MUST(dns != NULL);
    dns->settings = *settings;
    dns->names = dns_names_new();
    open_server(dns);
    for (int i = 0; i < KINDS; i++) {
        struct follower *f = &dns->followers[i];
        *f = (struct follower){.dns = dns, .kind = (enum dns_names_kind)i};
        struct reflector_settings follow = {.remote = settings->remote,
                                            .log = settings->log,
                                            .kind = kinds[i],
                                            .self = f,
                                            .set = set,
                                            .gone = gone,
                                            .synced = synced};
        f->reflector = reflector_new(&follow);
    }
    *out = dns;
}

void net_dns_free(struct net_dns *dns)
{
    if (dns == NULL)
        return;
    for (int i = 0; i < KINDS; i++)
        reflector_free(dns->followers[i].reflector);
    timer_stop(&dns->again);
    dns_close(dns->server);
    dns_names_free(dns->names);
    free(dns);
}
