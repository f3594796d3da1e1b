/*
 * rules.c - the table as text. Services are elements of maps, so that a thousand of them are two
 * maps and as many chains as there are different numbers of ends; rules of their own would take
 * the kernel three times as long.
 */
#include "podnet/rules.h"

#include "podnet/rules_priv.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STICKY_SLOTS = 64, ENDS_MAX = 1024 };

static const char *protocol_name(uint8_t protocol)
{
    return protocol == IPPROTO_UDP ? "udp" : protocol == IPPROTO_SCTP ? "sctp" : "tcp";
}

/* --- elements --- */

/* A way in: by an address and a port, or by a port at any of the machine's addresses. */
struct way {
    struct ip ip; /* Of none: the machine's. */
    uint8_t protocol;
    uint16_t port;
    bool sticky;
    const struct rules_end *ends;
    size_t n;
};

struct ways {
    struct way *at;
    size_t n, cap;
};

static void way_add(struct ways *ways, struct way way)
{
    if (way.n > ENDS_MAX)
        way.n = ENDS_MAX;
    if (ways->n == ways->cap) {
        ways->cap = ways->cap == 0 ? 64 : ways->cap * 2;
        ways->at = realloc(ways->at, ways->cap * sizeof(*ways->at));
        MUST(ways->at != NULL);
    }
    ways->at[ways->n++] = way;
}

static int by_door(const void *a, const void *b)
{
    const struct way *x = a, *y = b;
    int c = memcmp(&x->ip, &y->ip, sizeof(x->ip));
    c = c != 0 ? c : (int)x->protocol - y->protocol;
    return c != 0 ? c : (int)x->port - y->port;
}

/* Nftables refuses a map that has a key twice; who is first has it. */
static void sort_out(struct ways *ways)
{
    size_t n = 0;
    if (ways->n > 1)
        qsort(ways->at, ways->n, sizeof(*ways->at), by_door);
    for (size_t i = 0; i < ways->n; i++)
        if (n == 0 || by_door(&ways->at[n - 1], &ways->at[i]) != 0)
            ways->at[n++] = ways->at[i];
    ways->n = n;
}

static void ways_of(const struct rules *rules, const struct rules_port *ports, size_t n_ports,
                    struct ways *ways)
{
    for (size_t i = 0; i < n_ports; i++)
        way_add(ways, (struct way){.ip = ports[i].host_ip,
                                   .protocol = ports[i].protocol,
                                   .port = ports[i].host_port,
                                   .ends = &ports[i].end,
                                   .n = 1});
    for (size_t i = 0; i < rules->n_services; i++) {
        const struct rules_service *s = &rules->services[i];
        struct way way = {s->ip, s->protocol, s->port, s->sticky, s->ends, s->n};
        if (s->ip.family == 4)
            way_add(ways, way);
        way.ends = s->outer;
        way.n = s->n_outer;
        for (size_t k = 0; k < s->n_external; k++) {
            way.ip = s->external[k];
            if (way.ip.family == 4)
                way_add(ways, way);
        }
        way.ip = (struct ip){0};
        way.port = s->node_port;
        if (s->node_port != 0)
            way_add(ways, way);
    }
    sort_out(ways);
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

/* The end that this slot likes best, by rendezvous: when an end goes, only its slots move. */
static const struct rules_end *favourite(const struct way *way, unsigned slot)
{
    const struct rules_end *best = NULL;
    uint64_t most = 0;
    for (size_t i = 0; i < way->n; i++) {
        uint64_t is = (uint64_t)ip_v4_number(way->ends[i].ip) << 16 | way->ends[i].port;
        uint64_t score = mix(mix(is + 1) + slot);
        if (best == NULL || score > most) {
            best = &way->ends[i];
            most = score;
        }
    }
    return best;
}

static bool at_machine(const struct way *way)
{
    return way->ip.family != 4;
}

static void add_door(const struct way *way, struct buf *text)
{
    char ip[IP_TEXT_MAX];
    if (!at_machine(way))
        buf_printf(text, "%s . ", ip_text(way->ip, ip));
    buf_printf(text, "%s . %u", protocol_name(way->protocol), way->port);
}

static void add_ends(const struct way *way, struct buf *text)
{
    char ip[IP_TEXT_MAX];
    size_t n = way->sticky ? STICKY_SLOTS : way->n;
    for (size_t i = 0; i < n && way->n > 0; i++) {
        const struct rules_end *end = way->sticky ? favourite(way, (unsigned)i) : &way->ends[i];
        add_door(way, text);
        buf_printf(text, " . %zu : %s . %u, ", i, ip_text(end->ip, ip), end->port);
    }
}

/* --- maps and the chains that choose --- */

static const struct kind_of_door {
    bool machine, sticky;
    const char *name, *type, *key;
} doors[] = {
    {false, false, "service", "ipv4_addr . inet_proto . inet_service",
     "ip daddr . meta l4proto . th dport"},
    {false, true, "sticky", NULL, "ip daddr . meta l4proto . th dport"},
    {true, false, "port", "inet_proto . inet_service", "meta l4proto . th dport"},
    {true, true, "port_sticky", NULL, "meta l4proto . th dport"},
};

static bool is_of(const struct way *way, const struct kind_of_door *door)
{
    return at_machine(way) == door->machine && way->sticky == door->sticky && way->n > 0;
}

static void add_end_map(const struct ways *ways, const struct kind_of_door *door, struct buf *text)
{
    size_t start;
    /* A number is a number; nft 1.0.6 cannot list a map whose type says jhash. */
    buf_printf(text, " map %s_ends { typeof %s . numgen random mod 2 : ip daddr . th dport; ",
               door->name, door->key);
    buf_add(text, STR("elements = { "));
    start = text->len;
    for (size_t i = 0; i < ways->n; i++)
        if (is_of(&ways->at[i], door))
            add_ends(&ways->at[i], text);
    if (text->len == start) {
        text->len -= strlen("elements = { ");
        buf_add(text, STR("}\n"));
    } else {
        buf_add(text, STR("}; }\n"));
    }
}

static void add_choice(const struct kind_of_door *door, size_t n, struct buf *text)
{
    static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};
    buf_printf(text, " chain %s_%zu {\n", door->name, door->sticky ? STICKY_SLOTS : n);
    for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
        buf_printf(text, "  meta l4proto %s dnat ip to %s . ", protocol_name(protocols[i]),
                   door->key);
        if (door->sticky)
            buf_printf(text, "jhash ip saddr mod %d seed 0x64617679", STICKY_SLOTS);
        else
            buf_printf(text, "numgen random mod %zu", n);
        buf_printf(text, " map @%s_ends;\n", door->name);
    }
    buf_add(text, STR(" }\n"));
}

static void add_choices(const struct ways *ways, struct buf *text)
{
    for (size_t d = 0; d < ARRAY_LEN(doors); d++) {
        bool seen[ENDS_MAX + 1] = {0};
        for (size_t i = 0; i < ways->n; i++) {
            size_t n = doors[d].sticky ? STICKY_SLOTS : ways->at[i].n;
            if (!is_of(&ways->at[i], &doors[d]) || seen[n])
                continue;
            seen[n] = true;
            add_choice(&doors[d], n, text);
        }
    }
}

static void add_doors(const struct ways *ways, bool machine, struct buf *text)
{
    bool any = false;
    buf_printf(text, " map %s { type %s : verdict; ", machine ? "ports" : "services",
               machine ? doors[2].type : doors[0].type);
    for (size_t i = 0; i < ways->n; i++) {
        const struct way *way = &ways->at[i];
        if (at_machine(way) != machine || way->n == 0)
            continue;
        buf_add(text, any ? STR("") : STR("elements = { "));
        any = true;
        add_door(way, text);
        buf_printf(text, " : goto %s%s_%zu, ",
                   machine       ? "port"
                   : way->sticky ? ""
                                 : "service",
                   way->sticky ? (machine ? "_sticky" : "sticky") : "",
                   way->sticky ? STICKY_SLOTS : way->n);
    }
    buf_add(text, any ? STR("}; }\n") : STR("}\n"));
}

/* Those that lead nowhere: refused, not left to time out. */
static void add_closed(const struct ways *ways, bool machine, struct buf *text)
{
    bool any = false;
    buf_printf(text, " set %s { type %s; ", machine ? "closed_ports" : "closed",
               machine ? doors[2].type : doors[0].type);
    for (size_t i = 0; i < ways->n; i++) {
        if (at_machine(&ways->at[i]) != machine || ways->at[i].n > 0)
            continue;
        buf_add(text, any ? STR("") : STR("elements = { "));
        any = true;
        add_door(&ways->at[i], text);
        buf_add(text, STR(", "));
    }
    buf_add(text, any ? STR("}; }\n") : STR("}\n"));
}

static int by_address(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Who reaches itself through a Service sees the gateway, else it would answer itself directly. */
static void add_mirror(const struct ways *ways, const struct rules_net *net, struct buf *text)
{
    char ip[IP_TEXT_MAX];
    size_t n = 0, k = 0;
    for (size_t i = 0; i < ways->n; i++)
        n += ways->at[i].n;
    uint32_t *all = calloc(n + 1, sizeof(*all));
    MUST(all != NULL);
    for (size_t i = 0; i < ways->n; i++)
        for (size_t e = 0; e < ways->at[i].n; e++)
            if (cidr_has(net->pods, ways->at[i].ends[e].ip))
                all[k++] = ip_v4_number(ways->at[i].ends[e].ip);
    qsort(all, k, sizeof(*all), by_address);
    buf_add(text, STR(" set mirror { type ipv4_addr . ipv4_addr; "));
    if (k > 0)
        buf_add(text, STR("elements = { "));
    for (size_t i = 0; i < k; i++)
        if (i == 0 || all[i] != all[i - 1])
            buf_printf(text, "%s . %s, ", ip_text(ip_v4(all[i]), ip), ip);
    buf_add(text, k > 0 ? STR("}; }\n") : STR("}\n"));
    free(all);
}

/* --- the table --- */

static void add_ways(const struct ways *ways, const struct rules_net *net, struct buf *text)
{
    for (size_t d = 0; d < ARRAY_LEN(doors); d++)
        add_end_map(ways, &doors[d], text);
    add_choices(ways, text);
    add_doors(ways, false, text);
    add_doors(ways, true, text);
    add_closed(ways, false, text);
    add_closed(ways, true, text);
    add_mirror(ways, net, text);
}

/* Several Davys may live on one machine: the pods of another are its own business. */
static void add_foreign(const struct rules_net *net, struct buf *text)
{
    buf_printf(text, "  iifname \"davy*\" iifname != \"%s\" accept;\n", net->bridge);
}

static void add_nat(const struct rules_net *net, struct buf *text)
{
    char pods[CIDR_TEXT_MAX];
    static const char *const hooks[] = {"prerouting priority dstnat", "output priority -100"};
    static const char *const names[] = {"nat_in", "nat_own"};
    (void)cidr_text(cidr_base(net->pods), pods);
    for (size_t i = 0; i < ARRAY_LEN(hooks); i++) {
        buf_printf(text, " chain %s {\n  type nat hook %s; policy accept;\n", names[i], hooks[i]);
        add_foreign(net, text);
        buf_add(text, STR("  ip daddr . meta l4proto . th dport vmap @services;\n"
                          "  fib daddr type local meta l4proto . th dport vmap @ports;\n }\n"));
    }
    buf_printf(text,
               " chain nat_out {\n  type nat hook postrouting priority srcnat; policy accept;\n"
               "  ct status dnat ip saddr . ip daddr @mirror masquerade;\n"
               "  oifname \"%s\" ip saddr 127.0.0.0/8 masquerade;\n"
               "  ip saddr %s ip daddr != %s oifname != \"%s\" masquerade;\n }\n",
               net->bridge, pods, pods, net->bridge);
}

/* With a reset, where there is one: of an ICMP error TCP takes notice only a second later. */
static void add_refusal(const char *what, struct buf *text)
{
    buf_printf(text, "  %s meta l4proto tcp reject with tcp reset;\n  %s reject;\n", what, what);
}

/*
 * 127.0.0.1:PORT may lead to a pod, so the kernel is told to let such packets out to the bridge;
 * what comes from there with such an address was made by somebody who means no good.
 */
static void add_martians(const struct rules_net *net, struct buf *text)
{
    buf_printf(text,
               " chain martians {\n  type filter hook prerouting priority raw; policy accept;\n"
               "  iifname \"%s\" ip daddr 127.0.0.0/8 drop;\n"
               "  iifname \"%s\" ip saddr 127.0.0.0/8 drop;\n }\n",
               net->bridge, net->bridge);
}

static void add_refusals(const struct rules_net *net, struct buf *text)
{
    static const char *const hooks[] = {"forward", "output", "input"};
    char cidr[CIDR_TEXT_MAX], unknown[128];
    (void)snprintf(unknown, sizeof(unknown), "ip daddr %s fib daddr type != local",
                   cidr_text(cidr_base(net->services), cidr));
    for (size_t i = 0; i < ARRAY_LEN(hooks); i++) {
        buf_printf(text,
                   " chain refuse_%s {\n  type filter hook %s priority -10; policy accept;\n"
                   "  ct state != new accept;\n",
                   hooks[i], hooks[i]);
        add_foreign(net, text);
        add_refusal("ip daddr . meta l4proto . th dport @closed", text);
        if (strcmp(hooks[i], "forward") != 0)
            add_refusal("fib daddr type local meta l4proto . th dport @closed_ports", text);
        if (strcmp(hooks[i], "input") != 0 && net->services.ip.family == 4)
            add_refusal(unknown, text);
        buf_add(text, STR(" }\n"));
    }
}

void rules_end_text(const char *table, struct buf *text)
{
    /* Adding what is there changes nothing; so the deletion always finds it. */
    buf_printf(text, "table ip %s\ndelete table ip %s\n", table, table);
}

void rules_text(const struct rules_net *net, const struct rules *rules,
                const struct rules_port *ports, size_t n_ports, struct buf *text)
{
    struct ways ways = {0};
    ways_of(rules, ports, n_ports, &ways);
    rules_end_text(net->table, text);
    buf_printf(text, "table ip %s {\n", net->table);
    add_ways(&ways, net, text);
    add_nat(net, text);
    add_martians(net, text);
    add_refusals(net, text);
    rules_add_policies(net, rules, text);
    buf_add(text, STR("}\n"));
    free(ways.at);
}
