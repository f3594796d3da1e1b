/* dns_zone.c - a name is taken apart from its end; each part decides who answers. */
#include "podnet/dns_zone.h"

#include <string.h>

enum { NAMES_MAX = 64, ALIASES_MAX = 8 };

struct asked {
    str_t domain;
    const struct dns_source *source;
    const struct dns_query *query;
    struct arena *arena;
    struct dns_writer *writer;
    str_t owner; /* Of addresses: "" or where an alias leads. */
    int aliases;
    str_t target; /* Of an alias that others know. */
    size_t found; /* Records that are there, also if not of the type that was asked for. */
};

static bool ends(str_t s, str_t tail, str_t *head)
{
    if (s.len < tail.len || memcmp(s.at + s.len - tail.len, tail.at, tail.len) != 0)
        return false;
    if (s.len > tail.len && tail.len > 0 && s.at[s.len - tail.len - 1] != '.')
        return false;
    *head = (str_t){s.at, s.len == tail.len ? 0 : s.len - tail.len - 1};
    return true;
}

/* The last label, and what is before it. */
static str_t cut_last(str_t s, str_t *head)
{
    size_t i = s.len;
    while (i > 0 && s.at[i - 1] != '.')
        i--;
    *head = (str_t){s.at, i == 0 ? 0 : i - 1};
    return (str_t){s.at + i, s.len - i};
}

static void add_ip(struct asked *asked, struct ip ip)
{
    enum dns_type type = ip.family == 4 ? DNS_A : DNS_AAAA;
    asked->found++;
    if (asked->query->type == type || asked->query->type == DNS_ANY)
        dns_add_address(asked->writer, DNS_ANSWER, asked->owner, DNS_TTL_S, ip);
}

/* --- services --- */

struct parts { /* _port._protocol.host.name.ns */
    str_t port, protocol, host, name, ns;
};

/* False: no such name can be. */
static bool take_apart(str_t name, struct parts *out)
{
    *out = (struct parts){0};
    out->ns = cut_last(name, &name);
    out->name = cut_last(name, &name);
    if (name.len == 0)
        return true;
    str_t last = cut_last(name, &name);
    if (name.len == 0) {
        out->host = last;
        return last.at[0] != '_';
    }
    out->protocol = last;
    out->port = cut_last(name, &name);
    if (name.len > 0 || out->protocol.len < 2 || out->protocol.at[0] != '_' || out->port.len < 2 ||
        out->port.at[0] != '_')
        return false;
    out->protocol = (str_t){out->protocol.at + 1, out->protocol.len - 1};
    out->port = (str_t){out->port.at + 1, out->port.len - 1};
    return true;
}

static bool port_fits(const struct dns_port *port, const struct parts *parts)
{
    return parts->protocol.len == 0 ||
           (str_eq(port->name, parts->port) && str_eq(port->protocol, parts->protocol));
}

str_t dns_end_host(const struct dns_end *end, struct arena *arena)
{
    if (end->hostname.len > 0)
        return end->hostname;
    char text[IP_TEXT_MAX];
    str_t host = arena_str(arena, str_from_z(ip_text(end->ip, text)));
    for (size_t i = 0; i < host.len; i++)
        if (host.at[i] == '.' || host.at[i] == ':')
            ((char *)host.at)[i] = '-';
    return host;
}

/* One name to ask for; where it leads is told too, so that nobody has to ask again. */
static void add_ports(struct asked *asked, const struct parts *parts, const struct dns_port *ports,
                      size_t n, uint16_t weight, str_t target)
{
    for (size_t i = 0; i < n; i++) {
        if (!port_fits(&ports[i], parts))
            continue;
        asked->found++;
        if (asked->query->type == DNS_SRV)
            dns_add_srv(asked->writer, DNS_TTL_S, weight, ports[i].port, target);
    }
}

static bool any_port(const struct dns_port *ports, size_t n, const struct parts *parts)
{
    for (size_t i = 0; i < n; i++)
        if (port_fits(&ports[i], parts))
            return true;
    return n == 0 && parts->protocol.len == 0;
}

static str_t service_name(const struct asked *asked, str_t host, const struct parts *parts)
{
    return arena_printf(asked->arena, STR_F "%s" STR_F "." STR_F ".svc." STR_F, STR_A(host),
                        host.len > 0 ? "." : "", STR_A(parts->name), STR_A(parts->ns),
                        STR_A(asked->domain));
}

static void add_own(struct asked *asked, const struct parts *parts,
                    const struct dns_service *service)
{
    str_t target = service_name(asked, STR(""), parts);
    if (!any_port(service->ports, service->n_ports, parts))
        return;
    add_ports(asked, parts, service->ports, service->n_ports, 100, target);
    for (size_t i = 0; i < service->n_ips; i++) {
        add_ip(asked, service->ips[i]);
        if (asked->query->type == DNS_SRV)
            dns_add_address(asked->writer, DNS_ADDITIONAL, target, DNS_TTL_S, service->ips[i]);
    }
}

/* Each end, beginning somewhere else each time, since most clients take the first. */
static void add_ends(struct asked *asked, const struct parts *parts,
                     const struct dns_service *service)
{
    size_t n = service->n_ends, first = n == 0 ? 0 : asked->query->id % n;
    uint16_t weight = (uint16_t)(n == 0 || n > 100 ? 1 : 100 / n);
    for (int pass = 0; pass < 2; pass++) /* Additional records are behind all answers. */
        for (size_t i = 0; i < n; i++) {
            const struct dns_end *end = &service->ends[(first + i) % n];
            str_t host = dns_end_host(end, asked->arena);
            if ((parts->host.len > 0 && !str_eq(host, parts->host)) ||
                !any_port(end->ports, end->n_ports, parts))
                continue;
            str_t target = service_name(asked, host, parts);
            if (pass == 0) {
                add_ports(asked, parts, end->ports, end->n_ports, weight, target);
                add_ip(asked, end->ip);
            } else if (asked->query->type == DNS_SRV) {
                dns_add_address(asked->writer, DNS_ADDITIONAL, target, DNS_TTL_S, end->ip);
            }
        }
}

static enum dns_code answer_name(struct asked *asked, str_t name);

/* Who asks for an address does not ask again for that of the alias. */
static enum dns_code add_alias(struct asked *asked, str_t external)
{
    str_t inner;
    asked->found++;
    if (external.at[external.len - 1] == '.')
        external.len--;
    dns_add_name(asked->writer, DNS_ANSWER, asked->owner, DNS_CNAME, DNS_TTL_S, external);
    if (asked->query->type == DNS_CNAME)
        return DNS_FINE;
    if (!ends(external, asked->domain, &inner)) {
        asked->target = external;
        return DNS_FINE;
    }
    asked->owner = external;
    return asked->aliases++ < ALIASES_MAX ? answer_name(asked, inner) : DNS_FAILED;
}

static enum dns_code answer_service(struct asked *asked, str_t name)
{
    const struct dns_source *source = asked->source;
    struct dns_service service = {0};
    struct parts parts;
    if (name.len == 0)
        return DNS_FINE;
    if (!take_apart(name, &parts) || !source->has_ns(source->self, parts.ns))
        return DNS_NO_NAME;
    if (parts.name.len == 0)
        return DNS_FINE;
    if (!source->service(source->self, parts.ns, parts.name, parts.host.len > 0, asked->arena,
                         &service))
        return DNS_NO_NAME;
    if (service.external.len > 0)
        return parts.host.len > 0 || parts.protocol.len > 0 ? DNS_NO_NAME
                                                            : add_alias(asked, service.external);
    if (service.n_ips > 0 && parts.host.len == 0)
        add_own(asked, &parts, &service);
    else
        add_ends(asked, &parts, &service);
    return asked->found > 0 ? DNS_FINE : DNS_NO_NAME;
}

/* --- pods --- */

static enum dns_code answer_pod(struct asked *asked, str_t name)
{
    const struct dns_source *source = asked->source;
    char text[IP_TEXT_MAX];
    struct ip ip;
    if (name.len == 0)
        return DNS_FINE;
    str_t ns = cut_last(name, &name);
    if (!source->has_ns(source->self, ns))
        return DNS_NO_NAME;
    if (name.len == 0)
        return DNS_FINE;
    if (name.len >= sizeof(text))
        return DNS_NO_NAME;
    for (int v6 = 0; v6 < 2; v6++) {
        char between = v6 != 0 ? ':' : '.';
        for (size_t i = 0; i < name.len; i++)
            if (name.at[i] == '-')
                text[i] = between;
            else
                text[i] = name.at[i];
        if (memchr(name.at, '.', name.len) == NULL && memchr(name.at, ':', name.len) == NULL &&
            ip_parse((str_t){text, name.len}, &ip)) {
            add_ip(asked, ip);
            return DNS_FINE;
        }
    }
    return DNS_NO_NAME;
}

/* --- from addresses to names --- */

static bool reverse_ip(str_t name, struct ip *out)
{
    struct ip ip = {0};
    str_t head;
    if (ends(name, STR("in-addr.arpa"), &head)) {
        char text[IP_TEXT_MAX];
        size_t len = 0;
        for (int i = 0; i < 4; i++) {
            str_t part = cut_last(head, &head);
            if (part.len == 0 || part.len > 3)
                return false;
            memcpy(text + len, part.at, part.len);
            len += part.len;
            text[len++] = '.';
        }
        return head.len == 0 && ip_parse((str_t){text, len - 1}, out);
    }
    if (!ends(name, STR("ip6.arpa"), &head) || head.len != 63)
        return false;
    ip.family = 6;
    for (size_t i = 0; i < 32; i++) {
        static const char digits[] = "0123456789abcdef";
        char c = head.at[62 - 2 * i];
        const char *digit = c == '\0' ? NULL : strchr(digits, c);
        if (digit == NULL || (i < 31 && head.at[61 - 2 * i] != '.'))
            return false;
        ip.bytes[i / 2] = (uint8_t)(ip.bytes[i / 2] << 4 | (digit - digits));
    }
    *out = ip;
    return true;
}

static enum dns_outcome answer_reverse(struct asked *asked, struct ip ip)
{
    const struct dns_source *source = asked->source;
    str_t names[NAMES_MAX];
    size_t n = source->names(source->self, ip, asked->arena, names, NAMES_MAX);
    if (n == 0)
        return DNS_NOT_OURS;
    for (size_t i = 0; i < n && (asked->query->type == DNS_PTR || asked->query->type == DNS_ANY);
         i++) {
        str_t name =
            arena_printf(asked->arena, STR_F ".svc." STR_F, STR_A(names[i]), STR_A(asked->domain));
        dns_add_name(asked->writer, DNS_ANSWER, STR(""), DNS_PTR, DNS_TTL_S, name);
    }
    return DNS_ANSWERED;
}

/* --- all of it --- */

static enum dns_code answer_apex(const struct asked *asked)
{
    str_t server = arena_printf(asked->arena, "ns.dns." STR_F, STR_A(asked->domain));
    if (asked->query->type == DNS_SOA)
        dns_add_soa(asked->writer, DNS_ANSWER, asked->domain, DNS_TTL_S);
    else if (asked->query->type == DNS_NS)
        dns_add_name(asked->writer, DNS_ANSWER, STR(""), DNS_NS, DNS_TTL_S, server);
    return DNS_FINE;
}

/* `name` is what is before the domain. */
static enum dns_code answer_name(struct asked *asked, str_t name)
{
    str_t rest;
    if (name.len == 0)
        return answer_apex(asked);
    str_t branch = cut_last(name, &rest);
    if (str_eq(branch, STR("svc")))
        return answer_service(asked, rest);
    if (str_eq(branch, STR("pod")))
        return answer_pod(asked, rest);
    return DNS_NO_NAME;
}

enum dns_outcome dns_zone_answer(str_t domain, const struct dns_source *source,
                                 const struct dns_query *query, struct arena *arena,
                                 struct dns_writer *writer, enum dns_code *code, str_t *target)
{
    struct asked asked = {domain, source, query, arena, writer, .found = 0};
    str_t name = {query->name.text, query->name.len}, inner;
    struct ip ip;
    *code = DNS_FINE;
    if (ends(name, domain, &inner)) {
        *code = answer_name(&asked, inner);
    } else {
        enum dns_outcome outcome =
            reverse_ip(name, &ip) ? answer_reverse(&asked, ip) : DNS_NOT_OURS;
        if (outcome == DNS_NOT_OURS)
            return outcome;
    }
    *target = asked.target;
    if (asked.target.len > 0)
        return DNS_ALIAS;
    if (writer->counts[DNS_ANSWER] == 0 && !writer->cut)
        dns_add_soa(writer, DNS_AUTHORITY, domain, DNS_TTL_S);
    return DNS_ANSWERED;
}
