/* scheduler_reasons.c - what many nodes say, as one sentence of Kubernetes. */
#include "base/buf.h"
#include "controllers/scheduler_plan.h"

#include <stdlib.h>

struct reason {
    struct map_node by_text;
    int64_t n;
};

void sched_reason_add(struct sched_reasons *reasons, str_t text)
{
    struct map_node *found = map_find(&reasons->counts, text);
    if (found != NULL) {
        CONTAINER_OF(found, struct reason, by_text)->n++;
        return;
    }
    struct reason *reason = arena_new(reasons->arena, struct reason);
    reason->n = 1;
    map_add(&reasons->counts, text, &reason->by_text);
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const str_t *)a, *(const str_t *)b);
}

str_t sched_sentence(const struct sched_reasons *reasons, const char *refused)
{
    struct arena *arena = reasons->arena;
    AUTO(buf_done) struct buf out = {0};
    buf_printf(&out, "0/%zu nodes are available:", reasons->n_nodes);
    if (refused != NULL) {
        buf_printf(&out, " %s.", refused);
        return arena_str(arena, buf_str(&out));
    }
    str_t *texts = arena_array(arena, str_t, reasons->counts.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < reasons->counts.n_buckets; i++)
        for (struct map_node *at = reasons->counts.buckets[i]; at != NULL; at = at->next)
            texts[n++] = arena_printf(arena, "%lld " STR_F,
                                      (long long)CONTAINER_OF(at, struct reason, by_text)->n,
                                      STR_A(at->key));
    qsort(texts, n, sizeof(*texts), by_text); /* "10 a" is before "2 b": as texts. */
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "%s " STR_F, i > 0 ? "," : "", STR_A(texts[i]));
    if (n > 0)
        buf_add(&out, STR("."));
    return arena_str(arena, buf_str(&out));
}
