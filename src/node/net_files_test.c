/* net_files_test.c - the files as kubelet writes them. */
#include "node/net_files.h"
#include "testkit/test.h"

static struct json *pod(const char *spec, struct arena *arena)
{
    struct json *tree;
    struct err err;
    str_t text = arena_printf(
        arena, "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"spec\":{%s}}", spec);
    MUST(json_parse(text, arena, &tree, &err) == 0);
    return tree;
}

static struct net_names names(const char *spec, struct arena *arena)
{
    return (struct net_names){
        .pod = pod(spec, arena),
        .hostname = STR("web"),
        .ip = STR("10.88.0.7"),
        .host_hosts = STR("127.0.0.1 localhost\n"),
        .host_resolv = STR("# a comment\ndomain old\nsearch\texample.com  lan\n"
                           "nameserver 192.0.2.53\nnameserver 192.0.2.54\noptions edns0 ndots:2\n"),
        .dns = STR("10.88.0.1")};
}

TEST(hosts_of_a_pod)
{
    AUTO(arena_done) struct arena arena = {0};
    struct net_names plain = names("", &arena);
    struct net_names sub =
        names("\"subdomain\":\"db\",\"hostAliases\":[{\"ip\":\"1.2.3.4\",\"hostnames\":[\"a\","
              "\"b.c\"]}]",
              &arena);
    struct net_names host = names("", &arena);
    str_t text = net_hosts(&plain, &arena);
    CHECK(str_starts(text, STR("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n")));
    str_t end = STR("10.88.0.7\tweb\n");
    CHECK(str_eq((str_t){text.at + text.len - end.len, end.len}, end));
    text = net_hosts(&sub, &arena);
    end = STR("10.88.0.7\tweb.db.shop.svc.cluster.local\tweb\n\n# Entries added by HostAliases.\n"
              "1.2.3.4\ta\tb.c\n");
    CHECK(str_eq((str_t){text.at + text.len - end.len, end.len}, end));
    host.ip = STR("");
    CHECK_STR(net_hosts(&host, &arena),
              "# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n");
}

TEST(resolv_conf_by_policy)
{
    static const char own[] = "\"dnsConfig\":{\"nameservers\":[\"8.8.8.8\"],\"searches\":[\"x.y\"],"
                              "\"options\":[{\"name\":\"ndots\",\"value\":\"1\"},{\"name\":"
                              "\"rotate\"}]}";
    AUTO(arena_done) struct arena arena = {0};
    struct net_names cluster = names("", &arena);
    CHECK_STR(net_resolv(&cluster, &arena),
              "search shop.svc.cluster.local svc.cluster.local cluster.local example.com lan\n"
              "nameserver 10.88.0.1\noptions ndots:5\n");
    struct net_names host = names("\"dnsPolicy\":\"Default\"", &arena);
    CHECK_STR(net_resolv(&host, &arena),
              "search example.com lan\nnameserver 192.0.2.53\nnameserver 192.0.2.54\n"
              "options edns0 ndots:2\n");
    struct net_names none =
        names(arena_printf(&arena, "\"dnsPolicy\":\"None\",%s", own).at, &arena);
    CHECK_STR(net_resolv(&none, &arena),
              "search x.y\nnameserver 8.8.8.8\noptions ndots:1 rotate\n");
    struct net_names both = names(own, &arena);
    CHECK_STR(net_resolv(&both, &arena),
              "search shop.svc.cluster.local svc.cluster.local cluster.local example.com lan x.y\n"
              "nameserver 10.88.0.1\nnameserver 8.8.8.8\noptions ndots:1 rotate\n");
    both.ip = STR(""); /* With the host's network ClusterFirst means Default. */
    CHECK_STR(net_resolv(&both, &arena),
              "search example.com lan x.y\nnameserver 192.0.2.53\nnameserver 192.0.2.54\n"
              "nameserver 8.8.8.8\noptions edns0 ndots:1 rotate\n");
}
