/* stats.c - samples of groups, the rates between them, and those who wait for a first one. */
#include "node/stats.h"

#include "base/file.h"
#include "base/map.h"
#include "base/time.h"
#include "node/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STAT_BYTES_MAX = 1 << 20, KEY_BYTES_MAX = 512, STEAL = 7 };

/* Microseconds within milliseconds, as nanoseconds within a second. */
enum { NANOS_OF_RATE = 1000 * 1000 };

struct rate { /* Of processor time, in microseconds. */
    uint64_t usec;
    msec_t at_ms;
    uint64_t nanos;    /* Per second, between the last two looks. */
    bool begun, known; /* Looked at once; twice. */
};

struct sample {
    struct map_node node; /* "UID/CONTAINER" */
    struct rate cpu;
    uint64_t memory_bytes;
    uint64_t look; /* The last one it was seen in. */
    char key[];
};

struct waiting {
    struct list link;
    struct exchange *x;
};

struct stats {
    struct stats_settings settings;
    struct map samples;
    struct rate machine;
    uint64_t look;                         /* How many there were. */
    msec_t asked_ms, looked_ms, before_ms; /* The last two looks. */
    struct timer timer;
    struct list waiting;
};

struct stats *stats_new(const struct stats_settings *settings)
{
    struct stats *stats = calloc(1, sizeof(*stats));
    MUST(stats != NULL);
    stats->settings = *settings;
    list_init(&stats->waiting);
    return stats;
}

/* --- looking --- */

static void rate_see(struct rate *rate, uint64_t usec, msec_t now_ms)
{
    if (rate->begun && now_ms > rate->at_ms && usec >= rate->usec) {
        rate->nanos = (usec - rate->usec) * NANOS_OF_RATE / (uint64_t)(now_ms - rate->at_ms);
        rate->known = true;
    }
    rate->begun = true;
    rate->usec = usec;
    rate->at_ms = now_ms;
}

static struct sample *sample_get(struct stats *stats, str_t key)
{
    struct map_node *node = map_find(&stats->samples, key);
    if (node != NULL)
        return CONTAINER_OF(node, struct sample, node);
    struct sample *sample = calloc(1, sizeof(*sample) + key.len);
    MUST(sample != NULL);
    memcpy(sample->key, key.at, key.len);
    map_add(&stats->samples, (str_t){sample->key, key.len}, &sample->node);
    return sample;
}

static void see_container(void *self, const struct pod_running *running)
{
    struct stats *stats = self;
    AUTO(arena_done) struct arena arena = {0};
    struct group_stats now;
    struct err err;
    str_t key = arena_printf(&arena, "%s/%s", running->uid, running->container);
    str_t group = arena_printf(&arena, "pods/%s/%s", running->uid, running->container);
    if (stats->settings.group(stats->settings.self, group, &now, &err) < 0)
        return; /* It has ended just now. */
    struct sample *sample = sample_get(stats, key);
    rate_see(&sample->cpu, now.cpu_usec, stats->looked_ms);
    sample->memory_bytes = now.memory_bytes;
    sample->look = stats->look;
}

/* Of all processors, what was not idle: proc(5). What guests take is in what users take. */
static uint64_t machine_usec(void)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t text, line, rest, word;
    struct err err;
    uint64_t ticks = 0;
    if (file_read(&arena, "/proc/stat", STAT_BYTES_MAX, &text, &err) < 0)
        return 0;
    str_cut(text, '\n', &line, &rest);
    str_cut(line, ' ', &word, &rest);
    for (int field = -1; rest.len > 0 && field < STEAL;) {
        int64_t value = 0;
        str_cut(rest, ' ', &word, &rest);
        if (word.len == 0 || !str_to_i64(word, &value))
            continue;
        field++;
        if (field != 3 && field != 4) /* idle, iowait */
            ticks += (uint64_t)value;
    }
    return ticks * (1000000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

static void look(struct stats *stats)
{
    stats->before_ms = stats->looked_ms;
    stats->looked_ms = loop_now_ms(stats->settings.loop);
    stats->look++;
    stats->settings.each(stats->settings.self, see_container, stats);
    rate_see(&stats->machine, machine_usec(), stats->looked_ms);
    for (size_t i = 0; i < stats->samples.n_buckets; i++)
        for (struct map_node *node = stats->samples.buckets[i], *next; node != NULL; node = next) {
            struct sample *sample = CONTAINER_OF(node, struct sample, node);
            next = node->next;
            if (sample->look == stats->look)
                continue;
            map_remove(&stats->samples, node);
            free(sample);
        }
}

/* --- telling --- */

struct telling {
    struct stats *stats;
    struct buf *out;
    const char *uid; /* Of the pod that is being written. */
};

static void tell_container(void *self, const struct pod_running *running)
{
    struct telling *telling = self;
    char key[KEY_BYTES_MAX];
    int n = snprintf(key, sizeof(key), "%s/%s", running->uid, running->container);
    MUST(n > 0 && n < KEY_BYTES_MAX);
    struct map_node *node = map_find(&telling->stats->samples, (str_t){key, (size_t)n});
    const struct sample *sample = node == NULL ? NULL : CONTAINER_OF(node, struct sample, node);
    bool same = telling->uid != NULL && strcmp(telling->uid, running->uid) == 0;
    if (sample == NULL || !sample->cpu.known)
        return;
    if (!same) {
        buf_printf(telling->out,
                   "%s{\"namespace\":\"%s\",\"name\":\"%s\",\"uid\":\"%s\",\"containers\":[",
                   telling->uid == NULL ? "" : "]},", running->ns, running->name, running->uid);
        telling->uid = running->uid;
    }
    buf_printf(telling->out, "%s{\"name\":\"%s\",\"cpu_nanos\":%llu,\"memory_bytes\":%llu}",
               same ? "," : "", running->container, (unsigned long long)sample->cpu.nanos,
               (unsigned long long)sample->memory_bytes);
}

static void answer(struct stats *stats, struct exchange *x)
{
    AUTO(buf_done) struct buf out = {0};
    struct machine machine = {0};
    struct machine_now now = {0};
    struct err err;
    struct telling telling = {stats, &out, NULL};
    if (machine_read("/", x->arena, &machine, &err) < 0 || machine_look("/", &now, &err) < 0) {
        http_answer_text(x, 500, STR("text/plain; charset=utf-8"),
                         arena_str(x->arena, str_from_z(err.text)));
        return;
    }
    buf_printf(&out,
               "{\"timestamp\":\"" STR_F
               "\",\"window_ms\":%lld,\"node\":{\"name\":\"%s\",\"cpu_nanos\":%llu,"
               "\"memory_bytes\":%llu},\"pods\":[",
               STR_A(time_text(loop_wall_ms(stats->settings.loop), x->arena)),
               (long long)(stats->looked_ms - stats->before_ms), stats->settings.name,
               (unsigned long long)stats->machine.nanos,
               (unsigned long long)(machine.memory_bytes - now.memory_free));
    stats->settings.each(stats->settings.self, tell_container, &telling);
    buf_add(&out, telling.uid == NULL ? STR("]}\n") : STR("]}]}\n"));
    http_answer_text(x, 200, STR("application/json"), arena_str(x->arena, buf_str(&out)));
}

static void answer_all(struct stats *stats)
{
    LIST_EACH(&stats->waiting, item) {
        struct waiting *waiting = CONTAINER_OF(item, struct waiting, link);
        struct exchange *x = waiting->x;
        list_remove(item);
        free(waiting);
        x->on_gone = NULL;
        answer(stats, x);
    }
}

static void due(struct timer *timer)
{
    struct stats *stats = CONTAINER_OF(timer, struct stats, timer);
    look(stats);
    answer_all(stats);
    if (stats->looked_ms - stats->asked_ms < STATS_IDLE_MS)
        timer_set(stats->settings.loop, timer, STATS_EVERY_MS, due);
}

static void gone(struct exchange *x)
{
    struct waiting *waiting = x->self;
    list_remove(&waiting->link);
    free(waiting);
}

void stats_head(struct stats *stats, struct exchange *x)
{
    msec_t now_ms = loop_now_ms(stats->settings.loop);
    bool fresh = stats->look > 1 && now_ms - stats->looked_ms <= (msec_t)2 * STATS_EVERY_MS;
    stats->asked_ms = now_ms;
    if (fresh) {
        answer(stats, x);
        return;
    }
    struct waiting *waiting = calloc(1, sizeof(*waiting));
    MUST(waiting != NULL);
    waiting->x = x;
    x->self = waiting;
    x->on_gone = gone;
    if (!list_in(&stats->waiting)) {
        look(stats); /* The first of two. */
        timer_set(stats->settings.loop, &stats->timer, STATS_FIRST_MS, due);
    }
    list_add_before(&stats->waiting, &waiting->link);
}

void stats_free(struct stats *stats)
{
    if (stats == NULL)
        return;
    timer_stop(&stats->timer);
    for (size_t i = 0; i < stats->samples.n_buckets; i++)
        for (struct map_node *node = stats->samples.buckets[i], *next; node != NULL; node = next) {
            next = node->next;
            free(CONTAINER_OF(node, struct sample, node));
        }
    map_done(&stats->samples);
    LIST_EACH(&stats->waiting, item) {
        struct waiting *waiting = CONTAINER_OF(item, struct waiting, link);
        waiting->x->on_gone = NULL;
        http_abort(waiting->x);
        free(waiting);
    }
    free(stats);
}
