/*
 * rules_policy.c - NetworkPolicies: two chains that decide, one for what leaves a pod and one for
 * what comes to it, each of which drops what is about an isolated pod and allowed by no policy.
 *
 * `accept` ends only the chain of its hook, so a packet between two pods is decided in both. What
 * the machine itself sends to pods passes neither, and probes always work.
 */
#include "podnet/rules_priv.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

struct numbers {
    uint32_t *at;
    size_t n, cap;
};

static void numbers_add(struct numbers *numbers, const struct ip *ips, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ips[i].family != 4)
            continue;
        if (numbers->n == numbers->cap) {
            numbers->cap = numbers->cap == 0 ? 64 : numbers->cap * 2;
            numbers->at = realloc(numbers->at, numbers->cap * sizeof(*numbers->at));
            MUST(numbers->at != NULL);
        }
        numbers->at[numbers->n++] = ip_v4_number(ips[i]);
    }
}

/* " set NAME { type ipv4_addr; elements = { ... }; }", and the numbers are gone. */
static void add_set(const char *name, struct numbers *numbers, struct buf *text)
{
    char ip[IP_TEXT_MAX];
    if (numbers->n > 1)
        qsort(numbers->at, numbers->n, sizeof(*numbers->at), by_number);
    buf_printf(text, " set %s { type ipv4_addr; ", name);
    for (size_t i = 0; i < numbers->n; i++)
        if (i == 0 || numbers->at[i] != numbers->at[i - 1])
            buf_printf(text, "%s%s, ", i == 0 ? "elements = { " : "",
                       ip_text(ip_v4(numbers->at[i]), ip));
    buf_add(text, numbers->n > 0 ? STR("}; }\n") : STR("}\n"));
    free(numbers->at);
    *numbers = (struct numbers){0};
}

static void add_port(const struct rules_range *range, struct buf *text)
{
    if (range->protocol == 0)
        return;
    const char *name = range->protocol == IPPROTO_UDP    ? "udp"
                       : range->protocol == IPPROTO_SCTP ? "sctp"
                                                         : "tcp";
    if (range->port == 0)
        buf_printf(text, "meta l4proto %s ", name);
    else if (range->last > range->port)
        buf_printf(text, "%s dport %u-%u ", name, range->port, range->last);
    else
        buf_printf(text, "%s dport %u ", name, range->port);
}

/* One rule for each port: there are few, and each says what it is in `nft list`. */
static void add_accepts(const struct rules_pass *pass, const char *peer, struct buf *text)
{
    if (pass->any_port)
        buf_printf(text, "  %saccept;\n", peer);
    for (size_t i = 0; i < pass->n_ports && !pass->any_port; i++) {
        buf_printf(text, "  %s", peer);
        add_port(&pass->ports[i], text);
        buf_add(text, STR("accept;\n"));
    }
}

static void add_pass_sets(const struct rules_pass *pass, size_t p, size_t i, struct buf *text)
{
    char name[64];
    struct numbers peers = {0};
    if (pass->any_peer)
        return;
    numbers_add(&peers, pass->peers, pass->n_peers);
    (void)snprintf(name, sizeof(name), "p%zu_%zu_peers", p, i);
    add_set(name, &peers, text);
}

/* "ip saddr 10.0.0.0/8 ip saddr != { 10.1.0.0/16, } accept" */
static void add_block(const struct rules_block *block, const struct rules_pass *pass,
                      const char *field, struct buf *text)
{
    AUTO(buf_done) struct buf peer = {0};
    char cidr[CIDR_TEXT_MAX];
    bool any = false;
    if (block->cidr.ip.family != 4)
        return;
    buf_printf(&peer, "ip %s %s ", field, cidr_text(cidr_base(block->cidr), cidr));
    for (size_t i = 0; i < block->n_except; i++) {
        struct cidr except = cidr_base(block->except[i]);
        if (except.ip.family != 4)
            continue;
        if (!any)
            buf_printf(&peer, "ip %s != { ", field);
        any = true;
        buf_printf(&peer, "%s, ", cidr_text(except, cidr));
    }
    buf_add(&peer, any ? STR("} ") : STR(""));
    buf_add_char(&peer, '\0');
    add_accepts(pass, peer.at, text);
}

static void add_pass(const struct rules_pass *pass, const char *field, size_t p, size_t i,
                     struct buf *text)
{
    char peer[64];
    if (pass->any_peer) {
        add_accepts(pass, "", text);
        return;
    }
    (void)snprintf(peer, sizeof(peer), "ip %s @p%zu_%zu_peers ", field, p, i);
    if (pass->n_peers > 0)
        add_accepts(pass, peer, text);
    for (size_t k = 0; k < pass->n_blocks; k++)
        add_block(&pass->blocks[k], pass, field, text);
}

static void add_policy(const struct rules_policy *policy, size_t p, struct buf *text)
{
    struct numbers pods = {0};
    char name[64];
    numbers_add(&pods, policy->pods, policy->n_pods);
    (void)snprintf(name, sizeof(name), "p%zu_pods", p);
    add_set(name, &pods, text);
    for (size_t i = 0; i < policy->n_passes; i++)
        add_pass_sets(&policy->passes[i], p, i, text);
    buf_printf(text, " chain p%zu {\n", p);
    for (size_t i = 0; i < policy->n_passes; i++)
        add_pass(&policy->passes[i], policy->ingress ? "saddr" : "daddr", p, i, text);
    buf_add(text, STR(" }\n"));
}

static void add_direction(const struct rules *rules, bool ingress, struct buf *text)
{
    const char *field = ingress ? "daddr" : "saddr", *name = ingress ? "ingress" : "egress";
    struct numbers isolated = {0};
    char set[64];
    for (size_t i = 0; i < rules->n_policies; i++)
        if (rules->policies[i].ingress == ingress)
            numbers_add(&isolated, rules->policies[i].pods, rules->policies[i].n_pods);
    (void)snprintf(set, sizeof(set), "%s_isolated", name);
    add_set(set, &isolated, text);
    buf_printf(text, " chain %s {\n  ct state established,related accept;\n", name);
    buf_add(text, STR("  ip saddr . ip daddr @mirror accept;\n")); /* Itself, it always reaches. */
    buf_printf(text, "  ip %s != @%s accept;\n", field, set);
    for (size_t i = 0; i < rules->n_policies; i++)
        if (rules->policies[i].ingress == ingress)
            buf_printf(text, "  ip %s @p%zu_pods jump p%zu;\n", field, i, i);
    buf_add(text, STR("  drop;\n }\n"));
}

void rules_add_policies(const struct rules_net *net, const struct rules *rules, struct buf *text)
{
    char gateway[IP_TEXT_MAX];
    if (rules->n_policies == 0)
        return;
    for (size_t i = 0; i < rules->n_policies; i++)
        add_policy(&rules->policies[i], i, text);
    add_direction(rules, false, text);
    add_direction(rules, true, text);
    buf_add(text, STR(" chain may_leave {\n  type filter hook forward priority -5; policy "
                      "accept;\n  jump egress;\n }\n"));
    buf_add(text, STR(" chain may_enter {\n  type filter hook forward priority -4; policy "
                      "accept;\n  jump ingress;\n }\n"));
    /* The names of the cluster are answered by the machine, where others have pods for it. */
    buf_printf(text,
               " chain may_reach_machine {\n  type filter hook input priority -5; policy accept;\n"
               "  ip daddr %s meta l4proto { tcp, udp } th dport 53 accept;\n  iifname \"%s\" jump "
               "egress;\n }\n",
               ip_text(net->gateway, gateway), net->bridge);
}
