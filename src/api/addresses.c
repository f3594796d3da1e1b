/* addresses.c - the next free bit from where the last search ended. */
#include "api/addresses.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool bit(const uint64_t *bits, unsigned at)
{
    return bits[at / 64] >> (at % 64) & 1;
}

static void bit_set(uint64_t *bits, unsigned at, bool on)
{
    uint64_t mask = (uint64_t)1 << (at % 64);
    bits[at / 64] = on ? bits[at / 64] | mask : bits[at / 64] & ~mask;
}

static bool search(const uint64_t *bits, unsigned least, unsigned end, unsigned from,
                   unsigned *found)
{
    if (from < least || from >= end)
        from = least;
    for (unsigned i = 0; i < end - least; i++) {
        unsigned at = from + i;
        if (at >= end)
            at -= end - least;
        if (!bit(bits, at)) {
            *found = at;
            return true;
        }
    }
    return false;
}

void addresses_init(struct addresses *a)
{
    *a = (struct addresses){.next_ip = SERVICE_CHOSEN, .next_port = NODE_PORT_CHOSEN};
    bit_set(a->ips, 0, true); /* The net, and its broadcast. */
    bit_set(a->ips, SERVICE_ADDRESSES - 1, true);
}

bool address_place(str_t text, unsigned *place)
{
    char zero_ended[16];
    struct in_addr address;
    if (text.len == 0 || text.len >= sizeof(zero_ended))
        return false;
    memcpy(zero_ended, text.at, text.len);
    zero_ended[text.len] = '\0';
    if (inet_pton(AF_INET, zero_ended, &address) != 1)
        return false;
    uint32_t host = ntohl(address.s_addr), at = host - (uint32_t)SERVICE_NET;
    if (host < (uint32_t)SERVICE_NET || at == 0 || at >= SERVICE_ADDRESSES - 1)
        return false;
    *place = at;
    return true;
}

void address_text(unsigned place, char out[16])
{
    uint32_t host = (uint32_t)SERVICE_NET + place;
    (void)snprintf(out, 16, "%u.%u.%u.%u", host >> 24, host >> 16 & 255, host >> 8 & 255,
                   host & 255);
}

bool address_is_taken(const struct addresses *a, unsigned place)
{
    return bit(a->ips, place);
}

void address_set(struct addresses *a, unsigned place, bool taken)
{
    bit_set(a->ips, place, taken);
}

bool address_next(struct addresses *a, unsigned *place)
{
    if (!search(a->ips, SERVICE_CHOSEN, SERVICE_ADDRESSES, a->next_ip, place) &&
        !search(a->ips, 1, SERVICE_CHOSEN, 1, place))
        return false;
    a->next_ip = *place + 1;
    bit_set(a->ips, *place, true);
    return true;
}

bool port_in_range(int64_t port)
{
    return port >= NODE_PORT_LEAST && port <= NODE_PORT_MOST;
}

bool port_is_taken(const struct addresses *a, int64_t port)
{
    return bit(a->ports, (unsigned)(port - NODE_PORT_LEAST));
}

void port_set(struct addresses *a, int64_t port, bool taken)
{
    bit_set(a->ports, (unsigned)(port - NODE_PORT_LEAST), taken);
}

bool port_next(struct addresses *a, int64_t *port)
{
    unsigned at;
    if (!search(a->ports, NODE_PORT_CHOSEN, NODE_PORTS, a->next_port, &at) &&
        !search(a->ports, 0, NODE_PORT_CHOSEN, 0, &at))
        return false;
    a->next_port = at + 1;
    bit_set(a->ports, at, true);
    *port = NODE_PORT_LEAST + (int64_t)at;
    return true;
}
