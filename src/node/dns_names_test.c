/* dns_names_test.c - objects come, change and go; the names follow. */
#include "node/dns_names.h"
#include "testkit/test.h"

static const char web[] =
    "{\"spec\":{\"clusterIP\":\"10.96.0.9\",\"clusterIPs\":[\"10.96.0.9\"],\"ports\":["
    "{\"name\":\"http\",\"port\":80,\"protocol\":\"TCP\"},{\"port\":53,\"protocol\":\"UDP\"}]}}";
static const char headless[] =
    "{\"spec\":{\"clusterIP\":\"None\",\"clusterIPs\":[\"None\"],\"ports\":[{\"port\":5432}]}}";
static const char slice[] =
    "{\"metadata\":{\"labels\":{\"kubernetes.io/"
    "service-name\":\"db\"}},\"ports\":[{\"name\":\"pg\","
    "\"port\":5432,\"protocol\":\"TCP\"}],\"endpoints\":["
    "{\"addresses\":[\"10.88.0.5\"],\"hostname\":\"db-0\",\"conditions\":{\"ready\":true}},"
    "{\"addresses\":[\"10.88.0.6\"],\"conditions\":{}},"
    "{\"addresses\":[\"10.88.0.7\"],\"conditions\":{\"ready\":false}}]}";

static void set(struct dns_names *names, enum dns_names_kind kind, const char *name,
                const char *text)
{
    str_t ns = kind == DNS_NAMES_NS ? STR("") : STR("default");
    dns_names_set(names, kind, ns, str_from_z(name), str_from_z(text));
}

TEST(services_have_names)
{
    AUTO(arena_done) struct arena arena = {0};
    struct dns_names *names = dns_names_new();
    struct dns_source source = dns_names_source(names);
    struct dns_service out = {0};
    CHECK(!source.ready(names));
    for (int kind = 0; kind <= DNS_NAMES_NS; kind++)
        dns_names_synced(names, (enum dns_names_kind)kind);
    CHECK(source.ready(names));
    CHECK(!source.has_ns(names, STR("default")));
    set(names, DNS_NAMES_NS, "default", "{}");
    CHECK(source.has_ns(names, STR("default")));
    CHECK(!source.service(names, STR("default"), STR("web"), false, &arena, &out));
    set(names, DNS_NAMES_SERVICE, "web", web);
    CHECK(source.service(names, STR("default"), STR("web"), false, &arena, &out));
    CHECK_INT(out.n_ips, 1);
    CHECK_INT(out.n_ports, 2);
    CHECK_STR(out.ports[0].protocol, "tcp");
    CHECK_STR(out.ports[1].protocol, "udp");
    set(names, DNS_NAMES_SERVICE, "web",
        "{\"spec\":{\"type\":\"ExternalName\",\"externalName\":\"Example.org\"}}");
    CHECK(source.service(names, STR("default"), STR("web"), false, &arena, &out));
    CHECK_STR(out.external, "example.org");
    dns_names_gone(names, DNS_NAMES_SERVICE, STR("default"), STR("web"));
    CHECK(!source.service(names, STR("default"), STR("web"), false, &arena, &out));
    set(names, DNS_NAMES_SERVICE, "web", "no json");
    CHECK(!source.service(names, STR("default"), STR("web"), false, &arena, &out));
    dns_names_free(names);
}

TEST(headless_services_name_their_ends)
{
    AUTO(arena_done) struct arena arena = {0};
    struct dns_names *names = dns_names_new();
    struct dns_source source = dns_names_source(names);
    struct dns_service out = {0};
    str_t found[4];
    struct ip ip = {4, {10, 88, 0, 5}}, other = {4, {10, 88, 0, 6}}, away = {4, {10, 88, 0, 7}};
    set(names, DNS_NAMES_SLICE, "db-x", slice); /* Before its Service. */
    set(names, DNS_NAMES_SERVICE, "db", headless);
    CHECK(source.service(names, STR("default"), STR("db"), false, &arena, &out));
    CHECK_INT(out.n_ips, 0);
    CHECK_INT(out.n_ends, 2);
    CHECK_STR(out.ends[0].hostname, "db-0");
    CHECK_STR(out.ends[1].ports[0].name, "pg");
    CHECK_INT(source.names(names, ip, &arena, found, 4), 1);
    CHECK_STR(found[0], "db-0.db.default");
    CHECK_INT(source.names(names, other, &arena, found, 4), 1);
    CHECK_STR(found[0], "10-88-0-6.db.default");
    CHECK_INT(source.names(names, away, &arena, found, 4), 0);
    set(names, DNS_NAMES_SLICE, "db-x", slice); /* Once only. */
    CHECK(source.service(names, STR("default"), STR("db"), false, &arena, &out));
    CHECK_INT(out.n_ends, 2);
    dns_names_gone(names, DNS_NAMES_SLICE, STR("default"), STR("db-x"));
    CHECK(source.service(names, STR("default"), STR("db"), false, &arena, &out));
    CHECK_INT(out.n_ends, 0);
    dns_names_free(names);
}
