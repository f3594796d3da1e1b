/* ipam.c - a bit for each; those that rest have it too, and stand in a ring by time. */
#include "podnet/ipam.h"

#include <stdlib.h>

enum { OURS = 1 }; /* The gateway's. */

struct resting {
    uint32_t number;
    msec_t since_ms;
};

static bool is_used(const struct ipam *a, uint32_t i)
{
    return (a->used[i / 64] >> (i % 64) & 1) != 0;
}

static void use(struct ipam *a, uint32_t i)
{
    a->used[i / 64] |= (uint64_t)1 << (i % 64);
}

int ipam_init(struct ipam *a, struct cidr cidr, msec_t rest_ms, struct err *err)
{
    char text[CIDR_TEXT_MAX];
    if (cidr.ip.family != 4 || cidr.bits < IPAM_BITS_MIN || cidr.bits > IPAM_BITS_MAX)
        return err_set(err, ERR_INVALID, "pods cannot have '%s': give a network of /%d to /%d",
                       cidr_text(cidr, text), IPAM_BITS_MIN, IPAM_BITS_MAX);
    *a = (struct ipam){.base = ip_v4_number(cidr_base(cidr).ip),
                       .n = (uint32_t)1 << (32 - cidr.bits),
                       .next = OURS + 1,
                       .rest_ms = rest_ms};
    a->used = calloc(a->n / 64 + 1, sizeof(*a->used));
    a->resting = calloc(a->n, sizeof(*a->resting));
    MUST(a->used != NULL && a->resting != NULL);
    use(a, 0);
    use(a, OURS);
    use(a, a->n - 1);
    return 0;
}

void ipam_done(struct ipam *a)
{
    free(a->used);
    free(a->resting);
    *a = (struct ipam){0};
}

static uint32_t wake_first(struct ipam *a)
{
    MUST(a->n_resting > 0 && a->n > 0);
    uint32_t i = a->resting[a->first].number;
    a->first = (a->first + 1) % a->n;
    a->n_resting--;
    a->used[i / 64] &= ~((uint64_t)1 << (i % 64));
    return i;
}

bool ipam_take(struct ipam *a, msec_t now_ms, struct ip *out)
{
    while (a->n_resting > 0 && now_ms - a->resting[a->first].since_ms >= a->rest_ms)
        (void)wake_first(a);
    uint32_t i = a->next, left = a->n;
    for (; left > 0 && is_used(a, i); left--)
        i = (i + 1) % a->n;
    if (left == 0) {
        if (a->n_resting == 0)
            return false;
        i = wake_first(a);
    }
    use(a, i);
    a->next = (i + 1) % a->n;
    *out = ip_v4(a->base + i);
    return true;
}

bool ipam_claim(struct ipam *a, struct ip ip)
{
    uint32_t i = ip_v4_number(ip) - a->base;
    if (ip.family != 4 || i >= a->n || is_used(a, i))
        return false;
    use(a, i);
    a->next = (i + 1) % a->n;
    return true;
}

bool ipam_has(const struct ipam *a, struct ip ip)
{
    uint32_t i = ip_v4_number(ip) - a->base;
    return ip.family == 4 && i < a->n && is_used(a, i);
}

void ipam_give_back(struct ipam *a, struct ip ip, msec_t now_ms)
{
    uint32_t i = ip_v4_number(ip) - a->base;
    MUST(i < a->n && is_used(a, i) && a->n_resting < a->n);
    a->resting[(a->first + a->n_resting++) % a->n] = (struct resting){i, now_ms};
}
