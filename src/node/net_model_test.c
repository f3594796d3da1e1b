/* net_model_test.c - objects of Kubernetes, and the rules that come of them. */
#include "base/json.h"
#include "node/net_model.h"
#include "testkit/test.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static void give(struct net_model *model, enum net_kind kind, const char *ns, const char *name,
                 const char *text)
{
    AUTO(arena_done) struct arena arena = {0};
    char *json = (char *)arena_str(&arena, arena_printf(&arena, "%s", text)).at;
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++) /* ' is easier to read in C. */
        if (json[i] == '\'')
            json[i] = '"';
    net_model_set(
        model, kind,
        &(struct net_object){
            str_from_z(ns), str_from_z(name), arena_printf(&arena, "uid-%s", name), {json, n}});
}

static str_t ends_text(const struct rules_end *ends, size_t n, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    char ip[IP_TEXT_MAX];
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "%s%s:%u", i == 0 ? "" : " ", ip_text(ends[i].ip, ip), ends[i].port);
    return arena_str(arena, buf_str(&out));
}

#define SLICE(name_, text)                                                                         \
    "{'metadata':{'labels':{'kubernetes.io/service-name':'" name_ "'}}," text "}"
#define SERVICE(text) "{'spec':{'clusterIP':'10.96.0.7','clusterIPs':['10.96.0.7']," text "}}"

TEST(net_model_services_lead_to_the_ports_of_their_slices)
{
    AUTO(arena_done) struct arena arena = {0};
    struct net_model *model = net_model_new("here", "0.0.0.0:6443");
    struct rules rules;
    give(model, NET_SERVICE, "a", "web",
         SERVICE("'ports':[{'name':'http','port':80,'nodePort':30080},{'name':'dns','protocol':"
                 "'UDP','port':53}],'externalIPs':['1.2.3.4'],'sessionAffinity':'ClientIP'"));
    give(model, NET_SERVICE, "a", "none", "{'spec':{'clusterIP':'None','ports':[{'port':1}]}}");
    give(model, NET_SERVICE, "a", "out", "{'spec':{'type':'ExternalName','externalName':'x'}}");
    give(model, NET_SLICE, "a", "web-1",
         SLICE("web", "'ports':[{'name':'http','port':8080},{'name':'dns','protocol':'UDP','port':"
                      "5353}],'endpoints':[{'addresses':['10.88.0.2'],'conditions':{'ready':true}},"
                      "{'addresses':['10.88.0.3'],'conditions':{'ready':false}}]"));
    give(
        model, NET_SLICE, "b", "web-1",
        SLICE("web", "'ports':[{'name':'http','port':1}],'endpoints':[{'addresses':['9.9.9.9']}]"));
    net_model_rules(model, NULL, &arena, &rules);
    CHECK_INT(rules.n_services, 2);
    const struct rules_service *http = &rules.services[0], *dns = &rules.services[1];
    CHECK_STR(ends_text(http->ends, http->n, &arena), "10.88.0.2:8080");
    CHECK_INT(http->node_port, 30080);
    CHECK(http->sticky && http->n_external == 1);
    CHECK_INT(dns->protocol, IPPROTO_UDP);
    CHECK_STR(ends_text(dns->ends, dns->n, &arena), "10.88.0.2:5353");
    net_model_gone(model, NET_SLICE, STR("a"), STR("web-1"));
    net_model_rules(model, NULL, &arena, &rules);
    CHECK_INT(rules.services[0].n, 0);
    net_model_free(model);
}

TEST(net_model_ends_that_go_serve_when_there_are_no_others)
{
    AUTO(arena_done) struct arena arena = {0};
    struct net_model *model = net_model_new("here", "0.0.0.0:6443");
    struct rules rules;
    give(model, NET_SERVICE, "a", "web",
         SERVICE("'ports':[{'port':80}],'externalTrafficPolicy':'Local'"));
    give(model, NET_SLICE, "a", "web-1",
         SLICE("web", "'ports':[{'port':80}],'endpoints':[{'addresses':['10.88.0.2'],'nodeName':"
                      "'here','conditions':{'ready':false,'serving':true,'terminating':true}}]"));
    net_model_rules(model, NULL, &arena, &rules);
    CHECK_STR(ends_text(rules.services[0].ends, rules.services[0].n, &arena), "10.88.0.2:80");
    give(model, NET_SLICE, "a", "web-2",
         SLICE("web", "'ports':[{'port':80}],'endpoints':[{'addresses':['10.88.0.3'],'nodeName':"
                      "'there'}]"));
    net_model_rules(model, NULL, &arena, &rules);
    CHECK_STR(ends_text(rules.services[0].ends, rules.services[0].n, &arena), "10.88.0.3:80");
    /* From outside only those of this node. */
    CHECK_STR(ends_text(rules.services[0].outer, rules.services[0].n_outer, &arena),
              "10.88.0.2:80");
    net_model_free(model);
}

TEST(net_model_the_api_is_a_service_too)
{
    AUTO(arena_done) struct arena arena = {0};
    struct net_model *model = net_model_new("here", "0.0.0.0:6443");
    struct rules rules;
    give(model, NET_SERVICE, "default", "kubernetes", SERVICE("'ports':[{'port':443}]"));
    net_model_rules(model, NULL, &arena, &rules);
    CHECK_STR(ends_text(rules.services[0].ends, rules.services[0].n, &arena), "127.0.0.1:6443");
    give(model, NET_SLICE, "default", "kubernetes",
         SLICE("kubernetes", "'ports':[{'port':1}],'endpoints':[{'addresses':['9.9.9.9']}]"));
    net_model_rules(model, NULL, &arena, &rules);
    CHECK_STR(ends_text(rules.services[0].ends, rules.services[0].n, &arena), "9.9.9.9:1");
    net_model_free(model);
}

/* --- policies --- */

static void give_town(struct net_model *model)
{
    give(model, NET_NAMESPACE, "", "a", "{'metadata':{'labels':{'team':'a'}}}");
    give(model, NET_NAMESPACE, "", "b", "{'metadata':{'labels':{'team':'b'}}}");
    give(model, NET_POD, "a", "web",
         "{'metadata':{'labels':{'app':'web'}},'spec':{'containers':[{'ports':[{'name':'http',"
         "'containerPort':8080}]}]},'status':{'podIP':'10.88.0.2'}}");
    give(model, NET_POD, "a", "web2",
         "{'metadata':{'labels':{'app':'web'}},'spec':{'containers':[{'ports':[{'name':'http',"
         "'containerPort':9090}]}]},'status':{'podIP':'10.88.0.3'}}");
    give(model, NET_POD, "a", "db",
         "{'metadata':{'labels':{'app':'db'}},'spec':{},'status':{'podIP':'10.88.0.4'}}");
    give(model, NET_POD, "b", "db",
         "{'metadata':{'labels':{'app':'db'}},'spec':{},'status':{'podIP':'10.88.0.5'}}");
    give(model, NET_POD, "a", "host",
         "{'metadata':{'labels':{'app':'web'}},'spec':{'hostNetwork':true},'status':{'podIP':"
         "'192.0.2.1'}}");
    give(model, NET_POD, "a", "over",
         "{'metadata':{'labels':{'app':'web'}},'spec':{},'status':{'podIP':'10.88.0.9','phase':"
         "'Succeeded'}}");
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ip));
}

static str_t ips_text(const struct ip *ips, size_t n, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    char ip[IP_TEXT_MAX];
    struct ip *sorted = arena_array(arena, struct ip, n + 1);
    if (n > 0)
        memcpy(sorted, ips, n * sizeof(*ips));
    qsort(sorted, n, sizeof(*sorted), by_bytes);
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "%s%s", i == 0 ? "" : " ", ip_text(sorted[i], ip));
    return arena_str(arena, buf_str(&out));
}

TEST(net_model_policies_select_pods_and_peers)
{
    AUTO(arena_done) struct arena arena = {0};
    struct net_model *model = net_model_new("here", "0.0.0.0:6443");
    struct rules rules;
    give_town(model);
    give(model, NET_POLICY, "a", "p",
         "{'spec':{'podSelector':{'matchLabels':{'app':'web'}},'policyTypes':['Ingress'],'ingress':"
         "[{'from':[{'podSelector':{'matchLabels':{'app':'db'}}},{'ipBlock':{'cidr':'10.0.0.0/8',"
         "'except':['10.1.0.0/16']}}],'ports':[{'port':80,'endPort':90},{'protocol':'UDP'}]},"
         "{'from':[{'namespaceSelector':{'matchLabels':{'team':'b'}}}]}]}}");
    net_model_rules(model, NULL, &arena, &rules);
    CHECK_INT(rules.n_policies, 1);
    const struct rules_policy *p = &rules.policies[0];
    CHECK(p->ingress);
    CHECK_STR(ips_text(p->pods, p->n_pods, &arena), "10.88.0.2 10.88.0.3");
    CHECK_INT(p->n_passes, 2);
    CHECK_STR(ips_text(p->passes[0].peers, p->passes[0].n_peers, &arena), "10.88.0.4");
    CHECK_INT(p->passes[0].n_blocks, 1);
    CHECK_INT(p->passes[0].blocks[0].n_except, 1);
    CHECK_INT(p->passes[0].n_ports, 2);
    CHECK_INT(p->passes[0].ports[0].last, 90);
    CHECK(p->passes[0].ports[1].protocol == IPPROTO_UDP && p->passes[0].ports[1].port == 0);
    CHECK_STR(ips_text(p->passes[1].peers, p->passes[1].n_peers, &arena), "10.88.0.5");
    CHECK(p->passes[1].any_port && !p->passes[1].any_peer);
    net_model_free(model);
}

TEST(net_model_policies_deny_both_ways_by_what_they_do_not_say)
{
    AUTO(arena_done) struct arena arena = {0};
    struct net_model *model = net_model_new("here", "0.0.0.0:6443");
    struct rules rules;
    give_town(model);
    give(model, NET_POLICY, "a", "p",
         "{'spec':{'podSelector':{},'policyTypes':['Ingress','Egress'],'egress':[{}]}}");
    net_model_rules(model, NULL, &arena, &rules);
    CHECK_INT(rules.n_policies, 2);
    CHECK(rules.policies[0].ingress && rules.policies[0].n_passes == 0);
    CHECK(!rules.policies[1].ingress && rules.policies[1].n_passes == 1);
    CHECK_INT(rules.policies[1].n_pods, 3);
    CHECK(rules.policies[1].passes[0].any_peer && rules.policies[1].passes[0].any_port);
    net_model_free(model);
}

TEST(net_model_names_of_ports_are_those_of_whom_it_goes_to)
{
    AUTO(arena_done) struct arena arena = {0};
    struct net_model *model = net_model_new("here", "0.0.0.0:6443");
    struct rules rules;
    give_town(model);
    give(model, NET_POLICY, "a", "in",
         "{'spec':{'podSelector':{'matchLabels':{'app':'web'}},'ingress':[{'ports':[{'port':"
         "'http'}]}]}}");
    net_model_rules(model, NULL, &arena, &rules);
    CHECK_INT(rules.n_policies, 2); /* One for each pod. */
    unsigned sum = 0;
    for (size_t i = 0; i < rules.n_policies; i++) {
        CHECK(rules.policies[i].n_pods == 1 && rules.policies[i].passes[0].n_ports == 1);
        sum += rules.policies[i].passes[0].ports[0].port;
    }
    CHECK_INT(sum, 8080 + 9090);
    net_model_gone(model, NET_POLICY, STR("a"), STR("in"));
    give(model, NET_POLICY, "a", "out",
         "{'spec':{'podSelector':{'matchLabels':{'app':'db'}},'policyTypes':['Egress'],'egress':["
         "{'to':[{'podSelector':{}}],'ports':[{'port':'http'}]}]}}");
    net_model_rules(model, NULL, &arena, &rules);
    CHECK_INT(rules.n_policies, 1);
    CHECK_INT(rules.policies[0].n_passes, 2);
    CHECK(!rules.policies[0].passes[0].any_port);
    net_model_free(model);
}

static bool address(void *self, str_t uid, struct ip *out)
{
    (void)self;
    *out = ip_v4(0x0a580063);
    return str_eq(uid, STR("uid-new"));
}

TEST(net_model_a_pod_is_guarded_before_its_status_has_its_address)
{
    AUTO(arena_done) struct arena arena = {0};
    struct net_model *model = net_model_new("here", "0.0.0.0:6443");
    struct net_addresses addresses = {NULL, address};
    struct rules rules;
    give(model, NET_POD, "a", "new", "{'metadata':{},'spec':{}}");
    give(model, NET_POD, "a", "other", "{'metadata':{},'spec':{}}");
    give(model, NET_POLICY, "a", "deny", "{'spec':{'podSelector':{}}}");
    net_model_rules(model, &addresses, &arena, &rules);
    CHECK_INT(rules.n_policies, 1);
    CHECK_STR(ips_text(rules.policies[0].pods, rules.policies[0].n_pods, &arena), "10.88.0.99");
    net_model_free(model);
}
