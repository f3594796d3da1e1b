/* dns_message.c - reading with a cursor that cannot leave the message, writing what fits. */
#include "podnet/dns_message.h"

#include <string.h>

enum {
    FLAG_RESPONSE = 0x8000,
    FLAG_OPCODE = 0x7800,
    FLAG_AUTHORITY = 0x0400,
    FLAG_CUT = 0x0200,
    FLAG_WANTED = 0x0100, /* Recursion is. */
    FLAG_OFFERED = 0x0080,
    CLASS_IN = 1,
    OPT_BYTES = 11,
    POINTERS_MAX = 64,
    RECORDS_MAX = 1024,
    LABEL_MAX = 63,
};

static uint16_t read16(const char *at)
{
    return (uint16_t)((uint8_t)at[0] << 8 | (uint8_t)at[1]);
}

static uint32_t read32(const char *at)
{
    return (uint32_t)read16(at) << 16 | read16(at + 2);
}

/* --- names --- */

static char plain(char c)
{
    if (c == '.')
        return 1;
    if (c >= 'A' && c <= 'Z')
        c = (char)(c - 'A' + 'a');
    return c;
}

static bool add_label(struct dns_name *name, const char *at, size_t n)
{
    if (name->len + n + 1 > DNS_NAME_MAX)
        return false;
    if (name->len > 0)
        name->text[name->len++] = '.';
    for (size_t i = 0; i < n; i++)
        name->text[name->len++] = plain(at[i]);
    return true;
}

/* Gives where the name ends in the message, or 0. */
static size_t read_name(str_t bytes, size_t at, struct dns_name *name)
{
    size_t end = 0, limit = at;
    name->len = 0;
    for (int jumps = 0; at < bytes.len && jumps < POINTERS_MAX;) {
        uint8_t n = (uint8_t)bytes.at[at];
        if (n == 0) {
            name->text[name->len] = '\0';
            return end != 0 ? end : at + 1;
        }
        if ((n & 0xc0) == 0xc0) {
            if (at + 2 > bytes.len)
                return 0;
            end = end != 0 ? end : at + 2;
            at = read16(bytes.at + at) & 0x3fff;
            if (at >= limit)
                return 0;
            limit = at;
            jumps++;
            continue;
        }
        if (n > LABEL_MAX || at + 1 + n > bytes.len || !add_label(name, bytes.at + at + 1, n))
            return 0;
        at += (size_t)1 + n;
    }
    return 0;
}

/* Gives the number of bytes, or 0: it is no name. */
static size_t write_name(str_t name, uint8_t to[DNS_NAME_MAX])
{
    size_t len = 0;
    while (name.len > 0) {
        str_t label;
        (void)str_cut(name, '.', &label, &name);
        if (label.len == 0 || label.len > LABEL_MAX || len + label.len + 2 > DNS_NAME_MAX)
            return 0;
        to[len++] = (uint8_t)label.len;
        memcpy(to + len, label.at, label.len);
        len += label.len;
    }
    to[len++] = 0;
    return len;
}

/* --- records --- */

struct record {
    struct dns_name owner;
    uint16_t type, klass;
    uint32_t ttl_s;
    size_t data, n;
};

static size_t read_record(str_t bytes, size_t at, struct record *out)
{
    at = read_name(bytes, at, &out->owner);
    if (at == 0 || at + 10 > bytes.len)
        return 0;
    out->type = read16(bytes.at + at);
    out->klass = read16(bytes.at + at + 2);
    out->ttl_s = read32(bytes.at + at + 4);
    out->n = read16(bytes.at + at + 8);
    out->data = at + 10;
    return out->data + out->n > bytes.len ? 0 : out->data + out->n;
}

/* Of what follows the question only OPT is of interest. */
static bool read_rest(str_t bytes, struct dns_query *out)
{
    size_t n = (size_t)read16(bytes.at + 6) + read16(bytes.at + 8) + read16(bytes.at + 10);
    size_t at = out->end;
    struct record record;
    if (n > RECORDS_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        at = read_record(bytes, at, &record);
        if (at == 0)
            return false;
        if (record.type != DNS_OPT || out->edns)
            continue;
        out->edns = true;
        out->most = record.klass < DNS_PLAIN_MAX      ? DNS_PLAIN_MAX
                    : record.klass > DNS_DATAGRAM_MAX ? DNS_DATAGRAM_MAX
                                                      : record.klass;
    }
    return true;
}

bool dns_query_read(str_t bytes, struct dns_query *out)
{
    *out = (struct dns_query){.most = DNS_PLAIN_MAX, .end = DNS_HEADER};
    if (bytes.len < DNS_HEADER || bytes.len > DNS_MESSAGE_MAX)
        return false;
    out->id = read16(bytes.at);
    out->flags = read16(bytes.at + 2);
    if ((out->flags & FLAG_RESPONSE) != 0)
        return false;
    out->code = DNS_MALFORMED;
    if ((out->flags & FLAG_OPCODE) != 0) {
        out->code = DNS_NOT_HERE;
        return true;
    }
    size_t end = read16(bytes.at + 4) == 1 ? read_name(bytes, DNS_HEADER, &out->name) : 0;
    if (end == 0 || end + 4 > bytes.len)
        return true;
    out->type = read16(bytes.at + end);
    out->klass = read16(bytes.at + end + 2);
    out->end = end + 4;
    if (read_rest(bytes, out))
        out->code = out->klass == CLASS_IN ? DNS_FINE : DNS_REFUSED;
    return true;
}

/* --- writing --- */

static void put16(uint8_t *at, uint16_t n)
{
    at[0] = (uint8_t)(n >> 8);
    at[1] = (uint8_t)n;
}

static void put32(uint8_t *at, uint32_t n)
{
    put16(at, (uint16_t)(n >> 16));
    put16(at + 2, (uint16_t)n);
}

void dns_begin(struct dns_writer *writer, uint8_t *to, size_t cap, str_t question,
               const struct dns_query *query)
{
    MUST(cap >= DNS_PLAIN_MAX && query->end <= question.len);
    *writer = (struct dns_writer){.at = to, .len = query->end, .cap = cap, .edns = query->edns};
    if (query->edns)
        writer->cap -= OPT_BYTES;
    memcpy(to, question.at, query->end);
    put16(to + 2,
          (uint16_t)(FLAG_RESPONSE | FLAG_OFFERED | (query->flags & (FLAG_OPCODE | FLAG_WANTED))));
    put16(to + 4, query->end > DNS_HEADER ? 1 : 0);
    memset(to + 6, 0, 6);
}

/* Where its data goes; NULL: it does not fit. */
static uint8_t *add_record(struct dns_writer *writer, enum dns_section section, str_t owner,
                           enum dns_type type, uint32_t ttl_s, size_t n)
{
    uint8_t name[DNS_NAME_MAX] = {0xc0, DNS_HEADER};
    size_t len = owner.len == 0 ? 2 : write_name(owner, name);
    if (writer->len + len + 10 + n > writer->cap || len == 0 ||
        (writer->cut && section != DNS_AUTHORITY)) {
        writer->cut = writer->cut || section == DNS_ANSWER;
        return NULL;
    }
    uint8_t *at = writer->at + writer->len;
    memcpy(at, name, len);
    at += len;
    put16(at, (uint16_t)type);
    put16(at + 2, CLASS_IN);
    put32(at + 4, ttl_s);
    put16(at + 8, (uint16_t)n);
    writer->len += len + 10 + n;
    writer->counts[section]++;
    return at + 10;
}

void dns_add_address(struct dns_writer *writer, enum dns_section section, str_t owner,
                     uint32_t ttl_s, struct ip ip)
{
    size_t n = ip.family == 4 ? 4 : 16;
    uint8_t *at = add_record(writer, section, owner, ip.family == 4 ? DNS_A : DNS_AAAA, ttl_s, n);
    if (at != NULL)
        memcpy(at, ip.bytes, n);
}

void dns_add_name(struct dns_writer *writer, enum dns_section section, str_t owner,
                  enum dns_type type, uint32_t ttl_s, str_t name)
{
    uint8_t bytes[DNS_NAME_MAX];
    size_t n = write_name(name, bytes);
    uint8_t *at = n == 0 ? NULL : add_record(writer, section, owner, type, ttl_s, n);
    if (at != NULL)
        memcpy(at, bytes, n);
}

void dns_add_srv(struct dns_writer *writer, uint32_t ttl_s, uint16_t weight, uint16_t port,
                 str_t target)
{
    uint8_t bytes[DNS_NAME_MAX];
    size_t n = write_name(target, bytes);
    uint8_t *at = n == 0 ? NULL : add_record(writer, DNS_ANSWER, STR(""), DNS_SRV, ttl_s, 6 + n);
    if (at == NULL)
        return;
    put16(at, 0); /* All are as good. */
    put16(at + 2, weight);
    put16(at + 4, port);
    memcpy(at + 6, bytes, n);
}

void dns_add_soa(struct dns_writer *writer, enum dns_section section, str_t zone, uint32_t ttl_s)
{
    static const uint32_t times_s[] = {1, 7200, 1800, 86400}; /* Serial, refresh, retry, expire. */
    uint8_t bytes[2 * DNS_NAME_MAX + 20];
    char name[DNS_NAME_MAX + 1];
    size_t n = 0;
    static const char *const heads[] = {"ns.dns.", "hostmaster."};
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        size_t head = strlen(heads[i]);
        if (head + zone.len > DNS_NAME_MAX)
            return;
        memcpy(name, heads[i], head);
        memcpy(name + head, zone.at, zone.len);
        size_t len = write_name((str_t){name, head + zone.len}, bytes + n);
        if (len == 0)
            return;
        n += len;
    }
    for (size_t i = 0; i < ARRAY_LEN(times_s); i++, n += 4)
        put32(bytes + n, times_s[i]);
    put32(bytes + n, ttl_s); /* For how long it is known that there is no such name. */
    n += 4;
    uint8_t *at = add_record(writer, section, zone, DNS_SOA, ttl_s, n);
    if (at != NULL)
        memcpy(at, bytes, n);
}

size_t dns_end(struct dns_writer *writer, enum dns_code code, bool own)
{
    uint8_t *at = writer->at;
    uint16_t flags = (uint16_t)(at[2] << 8 | at[3]);
    flags = (uint16_t)(flags | code | (own ? FLAG_AUTHORITY : 0) | (writer->cut ? FLAG_CUT : 0));
    put16(at + 2, flags);
    if (writer->edns) {
        static const uint8_t opt[OPT_BYTES] = {0, 0, DNS_OPT, DNS_DATAGRAM_MAX >> 8, 0};
        memcpy(at + writer->len, opt, sizeof(opt));
        writer->len += OPT_BYTES;
        writer->counts[DNS_ADDITIONAL]++;
    }
    for (size_t i = 0; i < ARRAY_LEN(writer->counts); i++)
        put16(at + 6 + 2 * i, writer->counts[i]);
    return writer->len;
}

/* --- asking others --- */

size_t dns_ask(uint8_t to[DNS_PLAIN_MAX], uint16_t id, str_t name, enum dns_type type)
{
    memset(to, 0, DNS_HEADER);
    put16(to, id);
    put16(to + 2, FLAG_WANTED);
    put16(to + 4, 1);
    size_t n = write_name(name, to + DNS_HEADER);
    if (n == 0)
        return 0;
    put16(to + DNS_HEADER + n, (uint16_t)type);
    put16(to + DNS_HEADER + n + 2, CLASS_IN);
    return DNS_HEADER + n + 4;
}

bool dns_is_answer(str_t question, str_t answer)
{
    struct dns_name asked, answered;
    if (question.len < DNS_HEADER || answer.len < DNS_HEADER ||
        memcmp(question.at, answer.at, 2) != 0 || (read16(answer.at + 2) & FLAG_RESPONSE) == 0 ||
        read16(answer.at + 4) != 1)
        return false;
    size_t q = read_name(question, DNS_HEADER, &asked);
    size_t a = read_name(answer, DNS_HEADER, &answered);
    return q != 0 && a != 0 && q + 4 <= question.len && a + 4 <= answer.len &&
           memcmp(question.at + q, answer.at + a, 4) == 0 &&
           str_eq((str_t){asked.text, asked.len}, (str_t){answered.text, answered.len});
}

bool dns_is_cut(str_t message)
{
    return message.len >= DNS_HEADER && (read16(message.at + 2) & FLAG_CUT) != 0;
}

static void tell(str_t message, const struct record *record,
                 void (*each)(void *to, const struct dns_record *record), void *to)
{
    struct dns_name target;
    struct dns_record out = {
        .owner = &record->owner, .type = (enum dns_type)record->type, .ttl_s = record->ttl_s};
    if (record->klass != CLASS_IN)
        return;
    if (record->type == DNS_CNAME && read_name(message, record->data, &target) != 0)
        out.target = &target;
    else if (record->type == DNS_A && record->n == 4)
        out.ip.family = 4;
    else if (record->type == DNS_AAAA && record->n == 16)
        out.ip.family = 6;
    else
        return;
    if (out.ip.family != 0)
        memcpy(out.ip.bytes, message.at + record->data, record->n);
    each(to, &out);
}

bool dns_each_answer(str_t message, void (*each)(void *to, const struct dns_record *record),
                     void *to)
{
    struct record record;
    struct dns_name name;
    if (message.len < DNS_HEADER || read16(message.at + 4) != 1)
        return false;
    size_t at = read_name(message, DNS_HEADER, &name), n = read16(message.at + 6);
    at = at == 0 ? 0 : at + 4;
    for (size_t i = 0; i < n && i < RECORDS_MAX; i++) {
        at = at == 0 || at > message.len ? 0 : read_record(message, at, &record);
        if (at == 0)
            return false;
        tell(message, &record, each, to);
    }
    return at != 0;
}
