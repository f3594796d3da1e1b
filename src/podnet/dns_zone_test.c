/* dns_zone_test.c - names of a cluster and what they stand for; bytes that are none. */
#include "base/buf.h"
#include "podnet/dns_world.h"
#include "testkit/test.h"

#include <string.h>

static void add_record(void *to, const struct dns_record *record)
{
    char ip[IP_TEXT_MAX];
    buf_printf(to, " %.*s=%s", (int)record->owner->len, record->owner->text,
               record->target != NULL ? record->target->text : ip_text(record->ip, ip));
}

/* "CODE/answers/more records owner=address ..." */
static str_t ask(struct arena *arena, const char *name, enum dns_type type)
{
    AUTO(buf_done) struct buf text = {0};
    static uint8_t bytes[DNS_MESSAGE_MAX], answer[DNS_MESSAGE_MAX];
    struct dns_source source = dns_world();
    struct dns_query query;
    struct dns_writer writer;
    enum dns_code code;
    str_t target = STR("");
    size_t n = dns_ask(bytes, 0, str_from_z(name), type);
    str_t question = {(const char *)bytes, n};
    MUST(dns_query_read(question, &query) && query.code == DNS_FINE && query.end == n);
    dns_begin(&writer, answer, DNS_PLAIN_MAX, question, &query);
    enum dns_outcome outcome =
        dns_zone_answer(STR("cluster.local"), &source, &query, arena, &writer, &code, &target);
    if (outcome == DNS_NOT_OURS)
        return STR("not ours");
    str_t message = {(const char *)answer, dns_end(&writer, code, true)};
    CHECK(message.len <= DNS_PLAIN_MAX);
    CHECK(dns_is_answer(question, message));
    buf_printf(&text, "%d/%u/%u%s", code, writer.counts[DNS_ANSWER],
               writer.counts[DNS_AUTHORITY] + writer.counts[DNS_ADDITIONAL],
               dns_is_cut(message) ? " cut" : "");
    if (!dns_is_cut(message))
        CHECK(dns_each_answer(message, add_record, &text));
    if (outcome == DNS_ALIAS)
        buf_printf(&text, " alias of " STR_F, STR_A(target));
    return arena_str(arena, buf_str(&text));
}

static const struct {
    const char *name;
    enum dns_type type;
    const char *want;
} cases[] = {
    {"web.default.svc.cluster.local", DNS_A, "0/1/0 web.default.svc.cluster.local=10.96.0.9"},
    {"WEB.Default.svc.Cluster.Local", DNS_A, "0/1/0 web.default.svc.cluster.local=10.96.0.9"},
    {"web.default.svc.cluster.local", DNS_AAAA, "0/0/1"},
    {"web.default.svc.cluster.local", DNS_SRV, "0/2/1"},
    {"_http._tcp.web.default.svc.cluster.local", DNS_SRV, "0/1/1"},
    {"_http._udp.web.default.svc.cluster.local", DNS_SRV, "3/0/1"},
    {"http._tcp.web.default.svc.cluster.local", DNS_SRV, "3/0/1"},
    {"db.default.svc.cluster.local", DNS_A,
     "0/2/0 db.default.svc.cluster.local=10.88.0.5 db.default.svc.cluster.local=10.88.0.6"},
    {"db-0.db.default.svc.cluster.local", DNS_A,
     "0/1/0 db-0.db.default.svc.cluster.local=10.88.0.5"},
    {"10-88-0-6.db.default.svc.cluster.local", DNS_A,
     "0/1/0 10-88-0-6.db.default.svc.cluster.local=10.88.0.6"},
    {"db-1.db.default.svc.cluster.local", DNS_A, "3/0/1"},
    {"_http._tcp.db.default.svc.cluster.local", DNS_SRV, "0/2/2"},
    {"many.default.svc.cluster.local", DNS_A, "0/29/0 cut"},
    {"nobody.default.svc.cluster.local", DNS_A, "3/0/1"},
    {"other.default.svc.cluster.local", DNS_A, "3/0/1"},
    {"web.nowhere.svc.cluster.local", DNS_A, "3/0/1"},
    {"default.svc.cluster.local", DNS_A, "0/0/1"},
    {"svc.cluster.local", DNS_A, "0/0/1"},
    {"cluster.local", DNS_SOA, "0/1/0"},
    {"cluster.local", DNS_A, "0/0/1"},
    {"what.cluster.local", DNS_A, "3/0/1"},
    {"10-88-0-77.default.pod.cluster.local", DNS_A,
     "0/1/0 10-88-0-77.default.pod.cluster.local=10.88.0.77"},
    {"10-88-0-77.nowhere.pod.cluster.local", DNS_A, "3/0/1"},
    {"10-88-0.default.pod.cluster.local", DNS_A, "3/0/1"},
    {"5.0.88.10.in-addr.arpa", DNS_PTR, "0/1/0"},
    {"9.0.88.10.in-addr.arpa", DNS_PTR, "not ours"},
    {"0.88.10.in-addr.arpa", DNS_PTR, "not ours"},
    {"www.example.org", DNS_A, "not ours"},
    {"notcluster.local", DNS_A, "not ours"},
    {"outside.default.svc.cluster.local", DNS_A,
     "0/1/0 outside.default.svc.cluster.local=www.example.org alias of www.example.org"},
    {"inside.default.svc.cluster.local", DNS_A,
     "0/2/0 inside.default.svc.cluster.local=web.default.svc.cluster.local "
     "web.default.svc.cluster.local=10.96.0.9"},
    {"outside.default.svc.cluster.local", DNS_CNAME,
     "0/1/0 outside.default.svc.cluster.local=www.example.org"},
};

TEST(names_of_a_cluster)
{
    AUTO(arena_done) struct arena arena = {0};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        str_t got = ask(&arena, cases[i].name, cases[i].type);
        if (!str_eq(got, str_from_z(cases[i].want)))
            test_check_str(got, str_from_z(cases[i].want), cases[i].name, __FILE__, __LINE__);
    }
    /* An alias of itself ends. */
    str_t got = ask(&arena, "loop.default.svc.cluster.local", DNS_A), codes, rest;
    (void)str_cut(got, ' ', &codes, &rest);
    CHECK_STR(codes, "2/6/0");
    CHECK_STR(rest, "cut");
}

TEST(bytes_that_are_no_question)
{
    struct dns_query query;
    static const char itself[] = {'\xc0', 12, 0, 1, 0, 1};
    static const char dotted[] = {3, 'a', '.', 'b', 0, 0, 1, 0, 1};
    char bytes[64] = {0};
    CHECK(!dns_query_read(STR(""), &query));
    CHECK(!dns_query_read((str_t){bytes, 11}, &query));
    CHECK(dns_query_read((str_t){bytes, 12}, &query)); /* No question in it. */
    CHECK_INT(query.code, DNS_MALFORMED);
    bytes[5] = 1;
    memcpy(bytes + 12, itself, sizeof(itself)); /* A name that is itself. */
    CHECK(dns_query_read((str_t){bytes, 18}, &query));
    CHECK_INT(query.code, DNS_MALFORMED);
    memcpy(bytes + 12, dotted, sizeof(dotted)); /* A dot inside of a label. */
    CHECK(dns_query_read((str_t){bytes, 21}, &query));
    CHECK_INT(query.code, DNS_FINE);
    CHECK(str_eq((str_t){query.name.text, query.name.len}, STR("a\1b")));
    bytes[2] = (char)0x80; /* An answer is answered by nobody. */
    CHECK(!dns_query_read((str_t){bytes, 21}, &query));
    bytes[2] = 0x28;
    CHECK(dns_query_read((str_t){bytes, 21}, &query));
    CHECK_INT(query.code, DNS_NOT_HERE);
}
