/*
 * podnet_rules.c - the newest rules go to the kernel, one change at a time, on the pool.
 *
 * After a restart the table of before stays until the caller has said for the first time what is to
 * be: without Services it would be a worse one.
 */
#include "podnet/nft.h"
#include "podnet/podnet_priv.h"
#include "podnet/rules_copy.h"

#include <stdlib.h>

enum { AGAIN_MS_MIN = 1000, AGAIN_MS_MAX = 5 * 60 * 1000 };

static void start(struct podnet *podnet);

/* FNV-1a. Who can choose rules has no use for two of the same sum. */
static uint64_t hash(str_t text)
{
    uint64_t sum = 0xcbf29ce484222325U;
    for (size_t i = 0; i < text.len; i++)
        sum = (sum ^ (unsigned char)text.at[i]) * 0x100000001b3U;
    return sum | 1;
}

static void work(struct job *job)
{
    struct podnet *podnet = CONTAINER_OF(job, struct podnet, rules_job);
    podnet->running_hash = hash(buf_str(&podnet->running));
    if (podnet->running_hash == podnet->done_hash) { /* Much changes that rules do not show. */
        podnet->rules_r = 0;
        return;
    }
    podnet->rules_r = nft_run(&podnet->running, &podnet->rules_err);
}

static void try_again(struct timer *timer)
{
    podnet_rules_touch(CONTAINER_OF(timer, struct podnet, again));
}

/* The kernel may lack what it needs, and somebody may load it. */
static void plan_again(struct podnet *podnet)
{
    if (podnet->rules_r == 0) {
        timer_stop(&podnet->again);
        podnet->again_ms = 0;
        return;
    }
    podnet->again_ms = podnet->again_ms == 0 ? AGAIN_MS_MIN : podnet->again_ms * 2;
    if (podnet->again_ms > AGAIN_MS_MAX)
        podnet->again_ms = AGAIN_MS_MAX;
    timer_set(podnet->settings.loop, &podnet->again, podnet->again_ms, try_again);
}

static void done(struct job *job)
{
    struct podnet *podnet = CONTAINER_OF(job, struct podnet, rules_job);
    const struct podnet_settings *settings = &podnet->settings;
    podnet->rules_busy = false;
    podnet->done_hash = podnet->rules_r == 0 ? podnet->running_hash : 0;
    plan_again(podnet);
    if (settings->rules_applied != NULL)
        settings->rules_applied(settings->self, podnet->applying, podnet->rules_r,
                                &podnet->rules_err);
    if (podnet->rules_dirty)
        start(podnet);
}

static size_t gather_ports(const struct podnet *podnet, struct rules_port *out)
{
    size_t n = 0;
    for (size_t i = 0; i < podnet->pods.n_buckets; i++)
        for (struct map_node *node = podnet->pods.buckets[i]; node != NULL; node = node->next) {
            const struct net_pod *pod = CONTAINER_OF(node, struct net_pod, node);
            for (size_t k = 0; k < pod->n_ports && pod->state == NET_POD_THERE; k++, n++)
                if (out != NULL)
                    out[n] = (struct rules_port){pod->ports[k].host_ip,
                                                 pod->ports[k].protocol,
                                                 pod->ports[k].host_port,
                                                 {pod->address, pod->ports[k].pod_port}};
        }
    return n;
}

static void start(struct podnet *podnet)
{
    if (podnet->rules_busy || podnet->rules_wait)
        return;
    size_t n = gather_ports(podnet, NULL);
    struct rules_port *ports = calloc(n + 1, sizeof(*ports));
    MUST(ports != NULL);
    (void)gather_ports(podnet, ports);
    podnet->running.len = 0;
    rules_text(&podnet->net, &podnet->rules, ports, n, &podnet->running);
    free(ports);
    podnet->rules_dirty = false;
    podnet->rules_busy = true;
    podnet->applying = podnet->wanted;
    podnet->rules_job = (struct job){.work = work, .done = done};
    pool_run(podnet->settings.pool, &podnet->rules_job);
}

void podnet_rules_touch(struct podnet *podnet)
{
    podnet->rules_dirty = true;
    start(podnet);
}

uint64_t podnet_rules_set(struct podnet *podnet, const struct rules *rules)
{
    arena_reset(&podnet->rules_arena);
    rules_copy(rules, &podnet->rules_arena, &podnet->rules);
    podnet->wanted++;
    podnet->rules_wait = false;
    podnet_rules_touch(podnet);
    return podnet->wanted;
}

void podnet_rules_begin(struct podnet *podnet)
{
    AUTO(buf_done) struct buf text = {0};
    struct err ignored;
    buf_printf(&text, "create table ip %s\n", podnet->table);
    podnet->rules_wait = nft_run(&text, &ignored) < 0; /* It is there, from before. */
    podnet_rules_touch(podnet);
}

void podnet_rules_done(struct podnet *podnet)
{
    timer_stop(&podnet->again);
    buf_done(&podnet->running);
    arena_done(&podnet->rules_arena);
}
