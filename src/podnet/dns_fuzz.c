/* dns_fuzz.c - any question is answered with what can be read again; any answer is read. */
#include "podnet/dns_world.h"
#include "testkit/fuzz.h"

static void count(void *to, const struct dns_record *record)
{
    *(size_t *)to += record->owner->len <= DNS_NAME_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    static uint8_t to[DNS_DATAGRAM_MAX];
    struct dns_source source = dns_world();
    struct dns_query query;
    struct dns_writer writer;
    enum dns_code code;
    str_t target, message = {(const char *)bytes, n};
    size_t seen = 0;
    (void)dns_each_answer(message, count, &seen);
    if (n > DNS_DATAGRAM_MAX || !dns_query_read(message, &query) || query.code != DNS_FINE)
        return 0;
    dns_begin(&writer, to, query.most, message, &query);
    if (dns_zone_answer(STR("cluster.local"), &source, &query, &arena, &writer, &code, &target) ==
        DNS_NOT_OURS)
        return 0;
    str_t answer = {(const char *)to, dns_end(&writer, code, true)};
    MUST(answer.len <= query.most && dns_is_answer(message, answer));
    MUST(dns_each_answer(answer, count, &seen));
    return 0;
}
