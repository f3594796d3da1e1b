/* rules_address.c - rules about IP addresses: which are of a machine alone, and what lies in what.
 */
#include "kinds/rules.h"

#include <arpa/inet.h>
#include <string.h>

enum { IP_TEXT_MAX = 46, V4_BYTES = 4, V6_BYTES = 16 };

struct address {
    unsigned char bytes[V6_BYTES];
    size_t len; /* 4 or 16. */
};

static const unsigned char mapped_prefix[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* An IPv4 address that is written as IPv6 ("::ffff:10.0.0.1") is the IPv4 address it means. */
static bool address_parse(str_t text, struct address *out)
{
    char z[IP_TEXT_MAX];
    if (text.len == 0 || text.len >= sizeof(z))
        return false;
    memcpy(z, text.at, text.len);
    z[text.len] = '\0';
    out->len = V4_BYTES;
    if (inet_pton(AF_INET, z, out->bytes) == 1)
        return true;
    if (inet_pton(AF_INET6, z, out->bytes) != 1)
        return false;
    out->len = V6_BYTES;
    if (memcmp(out->bytes, mapped_prefix, sizeof(mapped_prefix)) == 0) {
        memmove(out->bytes, out->bytes + sizeof(mapped_prefix), V4_BYTES);
        out->len = V4_BYTES;
    }
    return true;
}

static bool starts_with(const struct address *address, const struct address *net, size_t bits)
{
    size_t whole = bits / 8, rest = bits % 8;
    if (address->len != net->len || memcmp(address->bytes, net->bytes, whole) != 0)
        return false;
    return rest == 0 || ((address->bytes[whole] ^ net->bytes[whole]) >> (8 - rest)) == 0;
}

static bool lies_in(const struct address *address, const char *ip, size_t bits)
{
    struct address net;
    return address_parse(str_from_z(ip), &net) && starts_with(address, &net, bits);
}

void rule_ip_of_network(str_t text, const struct place *at, struct field_errors *errors)
{
    static const struct {
        const char *v4, *v6;
        size_t v4_bits, v6_bits;
        const char *words;
    } ranges[] = {
        {"127.0.0.0", "::1", 8, 128, "in the loopback range (127.0.0.0/8, ::1/128)"},
        {"169.254.0.0", "fe80::", 16, 10, "in the link-local range (169.254.0.0/16, fe80::/10)"},
        {"224.0.0.0", "ff02::", 24, 16,
         "in the link-local multicast range (224.0.0.0/24, ff02::/10)"},
    };
    struct address address;
    if (!address_parse(text, &address)) {
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"" STR_F
                   "\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
                   STR_A(text));
        return;
    }
    if (lies_in(&address, "0.0.0.0", 32) || lies_in(&address, "::", 128))
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"" STR_F "\": may not be unspecified (" STR_F ")", STR_A(text),
                   STR_A(text));
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if (lies_in(&address, ranges[i].v4, ranges[i].v4_bits) ||
            lies_in(&address, ranges[i].v6, ranges[i].v6_bits))
            rule_error(errors, FIELD_INVALID, at, "Invalid value: \"" STR_F "\": may not be %s",
                       STR_A(text), ranges[i].words);
}

bool cidr_is_part(str_t part, str_t whole)
{
    str_t part_ip, whole_ip, bits;
    int64_t part_bits, whole_bits;
    struct address inner, outer;
    if (!is_cidr(part) || !is_cidr(whole) || !str_cut(part, '/', &part_ip, &bits) ||
        !str_to_i64(bits, &part_bits) || !str_cut(whole, '/', &whole_ip, &bits) ||
        !str_to_i64(bits, &whole_bits) || !address_parse(part_ip, &inner) ||
        !address_parse(whole_ip, &outer))
        return false;
    /* Mapped addresses count their bits from the IPv6 form: none of those we know what to do with.
     */
    if ((size_t)part_bits > inner.len * 8 || (size_t)whole_bits > outer.len * 8)
        return false;
    return part_bits > whole_bits && starts_with(&inner, &outer, (size_t)whole_bits);
}
