/* ip.c - inet_pton() and inet_ntop() with lengths, and comparing bit by bit. */
#include "net/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool ip_parse(str_t text, struct ip *out)
{
    char z[IP_TEXT_MAX];
    struct ip ip = {0};
    if (text.len == 0 || text.len >= sizeof(z) || memchr(text.at, '\0', text.len) != NULL)
        return false;
    memcpy(z, text.at, text.len);
    z[text.len] = '\0';
    if (inet_pton(AF_INET, z, ip.bytes) == 1)
        ip.family = 4;
    else if (inet_pton(AF_INET6, z, ip.bytes) == 1)
        ip.family = 6;
    else
        return false;
    *out = ip;
    return true;
}

bool cidr_parse(str_t text, struct cidr *out)
{
    str_t address, bits;
    struct cidr cidr;
    int64_t n;
    if (!str_cut(text, '/', &address, &bits) || !ip_parse(address, &cidr.ip) ||
        !str_to_i64(bits, &n) || n < 0 || n > (cidr.ip.family == 4 ? 32 : 128) || bits.len > 3)
        return false;
    cidr.bits = (uint8_t)n;
    *out = cidr;
    return true;
}

const char *ip_text(struct ip ip, char to[IP_TEXT_MAX])
{
    to[0] = '\0';
    if (ip.family != 0)
        (void)inet_ntop(ip.family == 4 ? AF_INET : AF_INET6, ip.bytes, to, IP_TEXT_MAX);
    return to;
}

const char *cidr_text(struct cidr cidr, char to[CIDR_TEXT_MAX])
{
    char ip[IP_TEXT_MAX];
    snprintf(to, CIDR_TEXT_MAX, "%s/%u", ip_text(cidr.ip, ip), (unsigned)cidr.bits);
    return to;
}

bool ip_eq(struct ip a, struct ip b)
{
    return a.family == b.family &&
           memcmp(a.bytes, b.bytes, a.family == 4 ? 4 : sizeof(a.bytes)) == 0;
}

static uint8_t mask_of(unsigned bits, unsigned byte)
{
    if (bits >= byte * 8 + 8)
        return 0xff;
    return bits <= byte * 8 ? 0 : (uint8_t)(0xff << (8 - (bits - byte * 8)));
}

struct cidr cidr_base(struct cidr cidr)
{
    for (unsigned i = 0; i < sizeof(cidr.ip.bytes); i++)
        cidr.ip.bytes[i] &= mask_of(cidr.bits, i);
    return cidr;
}

bool cidr_has(struct cidr cidr, struct ip ip)
{
    if (cidr.ip.family != ip.family)
        return false;
    return ip_eq(cidr_base(cidr).ip, cidr_base((struct cidr){ip, cidr.bits}).ip);
}

struct ip ip_v4(uint32_t number)
{
    return (struct ip){4,
                       {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                        (uint8_t)number}};
}

uint32_t ip_v4_number(struct ip ip)
{
    return (uint32_t)ip.bytes[0] << 24 | (uint32_t)ip.bytes[1] << 16 | (uint32_t)ip.bytes[2] << 8 |
           ip.bytes[3];
}
